"""One request to an endpoint, and its reply: ASGI without a framework.

The first page of a sign-in must not wait a second for FastAPI to be imported; what forms, cookies
and JSON need is here. Called by `hub.auth.app`; the endpoints see `Call` and give `Reply`.
Spec: RFC 6749 (3.1, 3.2): no parameter twice, an empty one counts as left out.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Header = tuple[str, str]
Pairs = tuple[tuple[str, str], ...]

LONGEST_QUERY = 8 * 1024
LARGEST_BODY = 128 * 1024
BODY_SECONDS = 20.0
MOST_FIELDS = 100
FORM = "application/x-www-form-urlencoded"
LANGUAGES = {"en": "en", "zh": "zh-CN"}

_ranges = re.compile(r"\s*([A-Za-z0-9*-]{1,20})\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*(?:,|$)")
_switch = re.compile(r"(?:^|&)lang=(en|zh)(?:&|$)").search


class Refused(Exception):
    """A request that no endpoint looks at: HTTP status and a word for what is wrong."""

    def __init__(self, status: int, reason: str) -> None:
        """Say what."""
        super().__init__(reason)
        self.status, self.reason = status, reason


class Repeated(Exception):
    """A parameter stands twice; its name."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request.

    Attributes:
        method: HTTP method.
        path: Path behind the hub's own address.
        query: The query as it was sent.
        headers: Lower-case names to values.
        body: The body.
        address: Network address of the client.
        now: When it came, milliseconds since the epoch.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    address: str = ""
    now: int = 0

    @property
    def asked(self) -> dict[str, str]:
        """The query's parameters.

        Raises:
            Repeated: One stands twice.
            Refused: It cannot be read.
        """
        return once(pairs(self.query))

    @property
    def form(self) -> dict[str, str]:
        """The body's parameters.

        Raises:
            Repeated: One stands twice.
            Refused: It is no form.
        """
        if self.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
            raise Refused(415, "form")
        return once(self.fields)

    @property
    def fields(self) -> Pairs:
        """The body's parameters in order; some may stand several times."""
        try:
            return pairs(self.body.decode())
        except UnicodeDecodeError as error:
            raise Refused(400, "encoding") from error

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies; of two with a name the first."""
        found: dict[str, str] = {}
        for part in self.headers.get("cookie", "").split(";"):
            name, _, value = part.strip().partition("=")
            found.setdefault(name, value)
        return found

    @property
    def language(self) -> str:
        """`zh` or `en`: chosen by the switch (now or earlier), else what the browser asks for."""
        chosen = self.switched or self.cookies.get("hub-lang", "")
        if chosen in LANGUAGES:
            return chosen
        weights: dict[str, float] = {}
        for name, weight in _ranges.findall(self.headers.get("accept-language", "")[:500]):
            short = name.lower().partition("-")[0]
            weights[short] = max(weights.get(short, 0.0), float(weight or 1))
        return "zh" if weights.get("zh", 0.0) > weights.get("en", 0.0) else "en"

    @property
    def switched(self) -> str:
        """The language that the switch on the page chose just now, "" for none."""
        found = _switch(self.query)
        return found[1] if found else ""

    @property
    def bearer(self) -> bytes:
        """The token behind `Authorization: Bearer`; empty without."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip().encode("latin-1") if scheme.lower() == "bearer" else b""


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered."""

    status: int
    headers: tuple[Header, ...] = ()
    body: bytes = b""

    def plus(self, *headers: Header) -> Reply:
        """The same with more headers."""
        return Reply(self.status, self.headers + headers, self.body)


NO_STORE: tuple[Header, ...] = (("cache-control", "no-store"), ("pragma", "no-cache"))


def json_reply(content: object, status: int = 200, *headers: Header, kept: int = 0) -> Reply:
    """A JSON answer; `kept`: seconds that anybody may keep it."""
    cache = (("cache-control", f"public, max-age={kept}"),) if kept else NO_STORE
    kind = ("content-type", "application/json")
    return Reply(status, (kind, *cache, *headers), msgspec.json.encode(content))


def redirect(location: str) -> Reply:
    """Send the browser on; a form is not sent again there."""
    return Reply(303, (("location", location), *NO_STORE))


def pairs(text: str) -> Pairs:
    """A query or form; empty values count as left out (RFC 6749, 3.1).

    Raises:
        Refused: It cannot be read.
    """
    try:
        found = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise Refused(400, "encoding") from error
    if any("\0" in name or "\0" in value for name, value in found):
        raise Refused(400, "encoding")
    return tuple(found)


def once(found: Pairs) -> dict[str, str]:
    """Parameters by name, each once.

    Raises:
        Repeated: One stands twice.
    """
    made: dict[str, str] = {}
    seen: set[str] = set()
    for name, value in found:
        if name in seen:
            raise Repeated(name)
        seen.add(name)
        if value:
            made[name] = value
    return made


def with_parameters(uri: str, parameters: Mapping[str, str]) -> str:
    """An address with more parameters in its query; those it has stay as they are."""
    joint = "&" if urlsplit(uri).query else ("" if uri.endswith("?") else "?")
    return f"{uri}{joint}{urlencode(parameters)}"


async def read(scope: Scope, receive: Receive, now: int, prefix: str, address: str) -> Call:
    """The request.

    Args:
        scope: ASGI's.
        receive: ASGI's.
        now: Milliseconds since the epoch.
        prefix: What the hub's own address has before every path; "" mostly.
        address: Network address of the client.

    Raises:
        Refused: It is too large, too slow or cannot be read.
    """
    query = scope["query_string"]
    if len(query) > LONGEST_QUERY:
        raise Refused(414, "query")
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key = name.decode("latin-1").lower()
        if key in headers and key in ("authorization", "content-type", "content-length"):
            raise Refused(400, "headers")
        joint = "; " if key == "cookie" else ", "
        text = value.decode("latin-1")
        headers[key] = headers[key] + joint + text if key in headers else text
    body = b""
    if scope["method"] not in ("GET", "HEAD", "OPTIONS"):
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _body(receive)
        except TimeoutError as error:
            raise Refused(408, "slow") from error
    try:
        text = query.decode("ascii")
    except UnicodeDecodeError as error:
        raise Refused(400, "encoding") from error
    path = scope["path"].removeprefix(prefix)
    return Call(scope["method"], path, text, headers, body, address, now)


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused(400, "left")
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY:
            raise Refused(413, "body")
        if not message.get("more_body"):
            return bytes(body)


async def send(reply: Reply, method: str, sender: Send) -> None:
    """Send a reply."""
    headers = [(name.encode(), value.encode("latin-1")) for name, value in reply.headers]
    headers.append((b"content-length", b"%d" % len(reply.body)))
    await sender({"type": "http.response.start", "status": reply.status, "headers": headers})
    await sender({"type": "http.response.body", "body": b"" if method == "HEAD" else reply.body})
