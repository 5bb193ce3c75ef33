"""The console over HTTP: the page at `/`, its files, and what it asks beside FHIR.

Plain ASGI: the first page need not wait for FastAPI. The page is the same for everyone and shows
nothing of the record; whatever it shows later it asks for with the token of who is logged in.
Mounted by `hub.console`.
"""

from __future__ import annotations

import gzip
import hashlib
import html
import re
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, NamedTuple, Protocol

import msgspec

from hub.access.accounts import Accounts
from hub.access.clients import Clients
from hub.access.policy import decide
from hub.access.tokens import TokenRefused
from hub.context import Context
from hub.errors import Unavailable
from hub.principal import LOCAL, Principal
from hub.storage.port import StoreUnavailable
from hub.web import messages
from hub.web.client import CLIENT
from hub.web.status import Sources, status

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = tuple[tuple[bytes, bytes], ...]

FILES = {"console.js": b"text/javascript; charset=utf-8", "style.css": b"text/css; charset=utf-8"}
WATCHES = frozenset(("admin", "manager"))
"""Roles that see how the hub runs."""
ADMINISTRATORS = frozenset(("admin",))
"""Roles that see messages of hospitals."""

_SAFE: Headers = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)
_JSON = b"application/json; charset=utf-8"
_NEVER: Headers = ((b"cache-control", b"no-store"),)
_FOREVER: Headers = ((b"cache-control", b"public, max-age=31536000, immutable"),)
_AGAIN: Headers = ((b"cache-control", b"no-cache"), (b"vary", b"accept-language"))
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    b"img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE = """<!doctype html>
<html lang="{lang}" data-auth="{auth}" data-base="{base}" data-zone="{zone}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="console/style.css?v={style}">
<script type="module" src="console/console.js?v={script}"></script>
</head>
<body>
<div id="app"></div>
<noscript><p>{needs}</p></noscript>
</body>
</html>
"""
_WORDS = {
    "en": ("en", "Health record", "This page needs JavaScript. The API does not: see /docs."),
    "zh": ("zh-CN", "健康档案", "此页面需要 JavaScript。接口不需要，请见 /docs。"),
}
_NO_ANSWER = ("The store does not answer now.", "数据库暂时没有响应。")
_FOR_WATCHES = (
    "Only administrators and managers see how the hub runs.",
    "只有系统管理员和管理人员可以查看运行信息。",
)
_FOR_ADMINISTRATORS = ("Only administrators see messages.", "只有系统管理员可以查看消息。")
_quality = re.compile(r"\s*([A-Za-z]{1,8})[A-Za-z0-9-]*\s*(?:;\s*q\s*=\s*([01](?:\.\d*)?))?").match


class Verifier(Protocol):
    """Turns tokens into principals; see `hub.access.tokens`."""

    async def verify(self, token: bytes, now: int) -> Principal:
        """Whose token it is; raises TokenRefused."""


@dataclass(frozen=True, slots=True)
class Entry:
    """How people come in, while authentication is on.

    Attributes:
        verifier: Verifies tokens.
        accounts: What people are called.
        clients: The apps that can be opened.
        record: Takes refusals into the audit (`hub.audit.recorder.Recorder.access`).
    """

    verifier: Verifier
    accounts: Accounts
    clients: Clients
    record: Callable[..., None]


class _File(NamedTuple):
    body: bytes
    packed: bytes
    version: str
    type: bytes


class _Refused(Exception):
    def __init__(self, status: int, english: str, chinese: str) -> None:
        super().__init__(english)
        self.status, self.words = status, {"en": english, "zh": chinese}


class Console:
    """The application."""

    def __init__(
        self,
        sources: Sources,
        entry: Entry | None,
        desk: Callable[[], messages.MessageDesk] | None = None,
    ) -> None:
        """Read the files once.

        Args:
            sources: What the status is made of.
            entry: None while authentication is off.
            desk: Gives who looks after HL7 v2 messages, when it is needed; None: there are none.
        """
        self._sources, self._entry, self._desk = sources, entry, desk
        self._files = {name: _file(name, type) for name, type in FILES.items()}
        self._pages = {language: self._page(language) for language in _WORDS}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        headers = dict(scope["headers"])
        language = _language(headers.get(b"accept-language", b"").decode("latin-1"))
        try:
            try:
                await self._answer(scope, headers, language, send)
            except Unavailable as error:  # A refusal that the audit cannot take.
                raise _Refused(503, *_NO_ANSWER) from error
        except _Refused as refused:
            problem = {"status": refused.status, "detail": refused.words[language]}
            more: Headers = _NEVER
            if refused.status == 401:
                more += ((b"www-authenticate", b'Bearer realm="fhir"'),)
            type = b"application/problem+json"
            await _send(send, scope, refused.status, type, msgspec.json.encode(problem), more)

    async def _answer(
        self, scope: Scope, headers: Mapping[bytes, bytes], language: str, send: Send
    ) -> None:
        path: str = scope["path"]
        name = path.removeprefix("/console/")
        if path != name and name.partition("/")[0] in messages.PARTS and self._desk is not None:
            await self._messages(self._desk(), scope, headers, language, send)
            return
        if scope["method"] not in ("GET", "HEAD"):
            raise _Refused(405, "Only GET and HEAD are possible here.", "此处仅支持 GET 和 HEAD。")
        if path == "/":
            more = (*_AGAIN, (b"content-security-policy", _POLICY))
            await _send(send, scope, 200, b"text/html; charset=utf-8", self._pages[language], more)
            return
        if name in self._files:
            await self._send_file(self._files[name], scope, headers, send)
            return
        parts = {"me": self._me, "status": self._status}
        if path == name or name not in parts:
            raise _Refused(404, "There is nothing at this address.", "此地址没有内容。")
        address = _address(scope)
        principal = await self._principal(headers, name, address)
        if name == "status":
            self._check_role(principal, WATCHES, name, address)
        try:
            content = await parts[name](principal)
        except StoreUnavailable as error:
            raise _Refused(503, *_NO_ANSWER) from error
        await _send(send, scope, 200, _JSON, msgspec.json.encode(content), _NEVER)

    async def _principal(
        self, headers: Mapping[bytes, bytes], part: str, address: str
    ) -> Principal:
        """Who asks for a part.

        Raises:
            _Refused: Nobody who is known.
        """
        if self._entry is None:
            return LOCAL
        scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
        reason = "missing"
        if scheme.lower() == b"bearer":
            try:
                return await self._entry.verifier.verify(token, int(time.time() * 1000))
            except TokenRefused as refused:
                reason = refused.reason
        self._entry.record(f"console-{part}", ok=False, address=address, reason=reason)
        raise _Refused(401, "Log in first.", "请先登录。")

    async def _me(self, principal: Principal) -> dict[str, Any]:
        """Who is logged in, and what the page may offer."""
        return {
            "name": principal.name,
            "display": await self._display(principal),
            "roles": sorted(principal.roles),
            "fhirUser": principal.fhir_user,
            "client": principal.client,
            "patients": None if principal.patients is None else sorted(principal.patients),
            "status": self._watches(principal),
            "audit": decide(principal).permits("s", "AuditEvent"),
            "messages": self._desk is not None
            and (self._entry is None or bool(principal.roles & ADMINISTRATORS)),
            "apps": await self._apps(),
        }

    async def _display(self, principal: Principal) -> str:
        if self._entry is None:
            return ""
        account = await self._entry.accounts.get(principal.name, int(time.time() * 1000))
        return account.display if account else ""

    async def _apps(self) -> list[dict[str, str]]:
        """Apps that have a page to open, of those that somebody here vouches for.

        What registered itself is on no front page: it would be any link that a stranger likes.
        """
        if self._entry is None:
            return []
        now = int(time.time() * 1000)
        return [
            {"id": one.id, "name": one.name, "launchUrl": one.launch_url}
            async for one in self._entry.clients.all(now)
            if one.launch_url and one.id != CLIENT and one.created_by != "registration"
        ]

    def _watches(self, principal: Principal) -> bool:
        return self._entry is None or bool(principal.roles & WATCHES)

    async def _messages(
        self,
        desk: messages.MessageDesk,
        scope: Scope,
        headers: Mapping[bytes, bytes],
        language: str,
        send: Send,
    ) -> None:
        """HL7 v2 messages; see `hub.web.messages`."""
        if scope["method"] not in ("GET", "HEAD", "POST"):
            raise _Refused(405, "Only GET, HEAD and POST are possible here.", "此处不支持此方法。")
        path, address = scope["path"].removeprefix("/console/"), _address(scope)
        principal = await self._principal(headers, "messages", address)
        self._check_role(principal, ADMINISTRATORS, "messages", address)
        ctx = Context(self._sources.tenant, principal, language=language, address=address)
        query = scope.get("query_string", b"").decode("latin-1")
        try:
            content = await messages.answer(desk, ctx, scope["method"], path, query)
        except StoreUnavailable as error:
            raise _Refused(503, *_NO_ANSWER) from error
        except ValueError as error:  # More parameters than anybody needs.
            raise _Refused(400, "That cannot be asked.", "请求无效。") from error
        if content is None:
            raise _Refused(404, "There is nothing at this address.", "此地址没有内容。")
        await _send(send, scope, 200, _JSON, msgspec.json.encode(content), _NEVER)

    def _check_role(
        self, principal: Principal, roles: frozenset[str], part: str, address: str
    ) -> None:
        """Refuse to tell others than those of some roles how the hub runs.

        Raises:
            _Refused: It is not for them.
        """
        if self._entry is None or principal.roles & roles:
            return
        self._entry.record(
            f"console-{part}",
            ok=False,
            account=principal.name,
            client=principal.client,
            address=address,
            reason="forbidden",
        )
        raise _Refused(403, *(_FOR_WATCHES if roles is WATCHES else _FOR_ADMINISTRATORS))

    async def _status(self, principal: Principal) -> dict[str, Any]:
        return await status(self._sources)

    async def _send_file(
        self, file: _File, scope: Scope, headers: Mapping[bytes, bytes], send: Send
    ) -> None:
        known = scope.get("query_string", b"") == f"v={file.version}".encode()
        more: Headers = (*(_FOREVER if known else _AGAIN), (b"vary", b"accept-encoding"))
        if b"gzip" in headers.get(b"accept-encoding", b""):
            more += ((b"content-encoding", b"gzip"),)
            await _send(send, scope, 200, file.type, file.packed, more)
        else:
            await _send(send, scope, 200, file.type, file.body, more)

    def _page(self, language: str) -> bytes:
        lang, title, needs = _WORDS[language]
        settings = self._sources.settings
        values = {"auth": settings.auth, "base": settings.base, "zone": settings.zone}
        made = _PAGE.format(
            **{name: html.escape(value) for name, value in values.items()},
            lang=lang,
            title=title,
            needs=needs,
            style=self._files["style.css"].version,
            script=self._files["console.js"].version,
        )
        return made.encode()


def _address(scope: Scope) -> str:
    return scope["client"][0] if scope.get("client") else ""


def _file(name: str, type: bytes) -> _File:
    body = (files("hub.web") / "static" / name).read_bytes()
    version = hashlib.sha256(body).hexdigest()[:12]
    return _File(body, gzip.compress(body, 9, mtime=0), version, type)


def _language(accept: str) -> str:
    """`zh` or `en`, whichever is wanted more."""
    weights: dict[str, float] = {}
    for part in accept[:500].split(","):
        found = _quality(part)
        if found:
            name = found[1].lower()
            weights[name] = max(weights.get(name, 0.0), float(found[2] or 1))
    return "zh" if weights.get("zh", 0.0) > weights.get("en", 0.0) else "en"


async def _send(
    send: Send, scope: Scope, status: int, type: bytes, body: bytes, more: Headers
) -> None:
    length = b"%d" % len(body)
    headers = [(b"content-type", type), (b"content-length", length), *_SAFE, *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
