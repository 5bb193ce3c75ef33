"""An authorization request, read and checked.

As long as client and redirect URI are not known to be right, whatever is wrong is shown on a page
(`Shown`) and nobody is sent anywhere; after that it goes to the client (`Returned`) with `state`
and `iss`. Read anew at every step a person takes, so that a client removed meanwhile gets nothing.
Called by the pages.
Spec: RFC 6749 (4.1), RFC 7636, RFC 9207, OpenID Connect Core (3.1.2); SMART App Launch 2.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant

from hub.access.clients import Client
from hub.auth import scope_choice
from hub.auth.exchange import Refused, Reply, pairs, redirect, with_parameters
from hub.auth.parts import Parts
from hub.auth.pending import Launch
from hub.auth.server import KnownClient, ProofKey, ProtocolRequest, Server, description_of
from hub.settings import is_loopback

LONGEST_STATE = 2000
PROMPTS = frozenset(("none", "login", "consent", "select_account"))
OURS = ("lang",)
"""Parameters of the page itself."""


class Shown(Exception):
    """What a person is told on a page.

    Attributes:
        message: Id of the words.
        status: HTTP status.
        arguments: Values for the placeholders.
        noted: The audit knows of it.
    """

    noted = False

    def __init__(self, message: str, status: int = 400, **arguments: object) -> None:
        """Say what."""
        super().__init__(message)
        self.message, self.status, self.arguments = message, status, arguments


class Returned(Exception):
    """What the client is told, by way of the browser.

    Attributes:
        reply: The answer.
        error: Its code.
        client: Client id.
        noted: The audit knows of it.
    """

    noted = False

    def __init__(self, reply: Reply, error: str, client: str) -> None:
        """Keep the answer."""
        super().__init__(error)
        self.reply, self.error, self.client = reply, error, client


@dataclass(frozen=True, slots=True)
class Authorization:
    """A request that may be put before a person.

    Attributes:
        query: As it was sent, without our own parameters.
        client: Who asks.
        redirect_uri: Where the answer goes.
        state: Given back as it is.
        scopes: What the person is asked for.
        challenge: PKCE's.
        nonce: OpenID Connect's.
        prompt: Some of `PROMPTS`.
        max_age: Seconds since the last login; None: any.
        launch: The launch token, "" without.
        launched: What it stands for.
        issuer: `iss`.
    """

    query: str
    client: Client
    redirect_uri: str
    state: str
    scopes: tuple[str, ...]
    challenge: str
    nonce: str
    prompt: frozenset[str]
    max_age: int | None
    launch: str
    launched: Launch | None
    issuer: str

    def answer(self, **parameters: str) -> Reply:
        """Send the browser back to the client."""
        return _answer(self.redirect_uri, self.state, self.issuer, parameters)

    def refusal(self, error: str, description: str) -> Returned:
        """The refusal that goes to the client."""
        reply = self.answer(error=error, error_description=description)
        return Returned(reply, error, self.client.id)

    @property
    def origin(self) -> str:
        """Where the answer goes, for a page's form-action."""
        return origin_of(self.redirect_uri)

    @property
    def is_native(self) -> bool:
        """Whether any app on the person's machine could take the answer (RFC 8252, 8.6)."""
        return not self.redirect_uri.startswith("https://")


def origin_of(uri: str) -> str:
    """An address's origin; its scheme where it has none that a policy can name (IPv6)."""
    parts = urlsplit(uri)
    if parts.scheme in ("http", "https") and "[" not in parts.netloc:
        return f"{parts.scheme}://{parts.netloc}"
    return f"{parts.scheme}:"


async def understood(parts: Parts, query: str, now: int) -> Authorization:
    """Read and check a request.

    Args:
        parts: Ours.
        query: The query string.
        now: Milliseconds since the epoch.

    Raises:
        Shown: It comes from nobody we know.
        Returned: It is not good.
    """
    try:
        given = [(name, value) for name, value in pairs(query) if name not in OURS]
    except Refused as error:
        raise Shown("auth-unreadable") from error
    values: dict[str, list[str]] = {}
    for name, value in given:
        values.setdefault(name, []).append(value)
    data = {name: found[0] for name, found in values.items() if found[0]}
    client, redirect_uri = await _client(parts, data, values, now)
    single = values.get("state", [""])
    state = single[0] if len(single) == 1 and len(single[0]) <= LONGEST_STATE else ""
    issuer = parts.settings.site

    def returned(error: str, text: str) -> Returned:
        about = {"error": error, "error_description": text}
        return Returned(_answer(redirect_uri, state, issuer, about), error, client.id)

    for name, found in values.items():
        if len(found) > 1:
            raise returned("invalid_request", "A parameter stands twice.")
        if name == "state" and len(found[0]) > LONGEST_STATE:
            raise returned("invalid_request", f"state has at most {LONGEST_STATE} characters.")
    if "request" in data or "request_uri" in data:
        kind = "request" if "request" in data else "request_uri"
        raise returned(f"{kind}_not_supported", "Request objects are not supported.")
    launched = await _launched(parts, data, client, now)
    if data.get("launch") and launched is None:
        raise returned("invalid_request", "The launch has ended, or is another app's.")
    scopes = scope_choice.for_person(data.get("scope", ""), client, launched)
    try:
        _check(parts, data, client, scopes)
    except OAuth2Error as error:
        raise returned(error.error, description_of(error)) from error
    prompt = frozenset(data.get("prompt", "").split())
    if not prompt <= PROMPTS or ("none" in prompt and len(prompt) > 1):
        raise returned("invalid_request", "prompt is none, or some of login, consent.")
    age = data.get("max_age", "")
    if age and not (age.isascii() and age.isdigit() and len(age) < 10):
        raise returned("invalid_request", "max_age is a number of seconds.")
    return Authorization(
        query=query,
        client=client,
        redirect_uri=redirect_uri,
        state=state,
        scopes=scopes,
        challenge=data["code_challenge"],
        nonce=data.get("nonce", ""),
        prompt=prompt,
        max_age=int(age) if age else None,
        launch=data.get("launch", ""),
        launched=launched,
        issuer=issuer,
    )


async def _client(
    parts: Parts, data: dict[str, str], values: dict[str, list[str]], now: int
) -> tuple[Client, str]:
    """Client and redirect URI.

    Raises:
        Shown: They are not right.
    """
    for name in ("client_id", "redirect_uri"):
        if name not in data:
            raise Shown("auth-parameter-missing", name=name)
        if len(values[name]) > 1:
            raise Shown("auth-parameter-twice", name=name)
    client = await parts.desk.clients.get(data["client_id"], now)
    if client is None:
        raise Shown("auth-client-unknown")
    if not client.redirects_to(data["redirect_uri"]):
        raise Shown("auth-redirect-unknown", client=client.name)
    return client, data["redirect_uri"]


async def _launched(parts: Parts, data: dict[str, str], client: Client, now: int) -> Launch | None:
    token = data.get("launch", "")
    found = await parts.pending.launched(token, now) if token else None
    return found if found is not None and found.client == client.id else None


def _check(parts: Parts, data: dict[str, str], client: Client, scopes: tuple[str, ...]) -> None:
    """The protocol's own rules, and SMART's.

    Raises:
        OAuth2Error: One is broken.
    """
    if "response_type" not in data:
        raise InvalidRequestError("response_type=code is needed.")
    if data.get("response_mode", "query") != "query":
        raise InvalidRequestError("response_mode is query.")
    if len(data.get("nonce", "")) > LONGEST_STATE:
        raise InvalidRequestError(f"nonce has at most {LONGEST_STATE} characters.")
    server = Server(KnownClient(client, lambda _: " ".join(scopes) or None))
    server.register_grant(AuthorizationCodeGrant, [ProofKey()])
    url = parts.url("/auth/authorize")
    server.get_consent_grant(_request(server, url, data))
    audience = data.get("aud", "")
    if audience and not _is_base(audience, parts.settings.base):
        raise InvalidRequestError(f"aud must be {parts.settings.base}.")
    if not audience and any("/" in scope for scope in scopes):
        raise InvalidRequestError(f"aud is needed: {parts.settings.base}.")
    if data.get("launch") and "launch" not in scopes:
        raise InvalidRequestError("An EHR launch needs the scope launch.")


def _request(server: Server, url: str, data: dict[str, str]) -> ProtocolRequest:
    made = ProtocolRequest("GET", url, data)
    server.create_oauth2_request = lambda request: made
    return made


def _is_base(audience: str, base: str) -> bool:
    """Whether an audience is our FHIR base; on this machine by any of its names."""
    if audience.rstrip("/") == base:
        return True
    try:
        one, other = urlsplit(audience.rstrip("/")), urlsplit(base)
        same = (one.scheme, one.port, one.path) == (other.scheme, other.port, other.path)
    except ValueError:
        return False
    names = (one.hostname or "", other.hostname or "")
    plain = not (one.query or one.fragment or one.username or one.password)
    return same and plain and all(map(is_loopback, names))


def _answer(redirect_uri: str, state: str, issuer: str, parameters: dict[str, str]) -> Reply:
    more = {"state": state} if state else {}
    return redirect(with_parameters(redirect_uri, {**parameters, **more, "iss": issuer}))
