"""Which client calls: by its secret, by a signed assertion, or (public ones) by its id alone.

One way at a time. An assertion is signed RS384 or ES384 with a key the client registered, names
our token endpoint as audience, lives five minutes at most and counts once. Called by the
endpoints that clients call.
Spec: RFC 6749 (2.3), RFC 7523; SMART App Launch 2.2, client-confidential-asymmetric.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import msgspec
from authlib.oauth2.rfc6749 import InvalidClientError, InvalidRequestError
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from hub.access.clients import Client
from hub.access.key_sets import KeysUnusable
from hub.access.records import Records
from hub.auth.exchange import Call
from hub.auth.parts import Parts
from hub.auth.server import ALL_METHODS, KnownClient, ProtocolRequest, Server

ALGORITHMS = ("RS384", "ES384")
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST = 8 * 1024
LIFETIME = 300
"""Seconds an assertion may live (SMART: no more than five minutes)."""

LEEWAY = 5
LONGEST_JTI = 255

_shape = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+").fullmatch


class _Header(msgspec.Struct, frozen=True):
    """Of an assertion's header what counts; a `crit` is not understood."""

    alg: str
    kid: str
    typ: str = "JWT"
    jku: str = ""
    crit: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Claims(msgspec.Struct, frozen=True):
    """An assertion's claims."""

    iss: str
    sub: str
    aud: str | list[str]
    exp: float
    jti: str
    iat: float = 0
    nbf: float = 0


class UsedId(msgspec.Struct, frozen=True):
    """That a `jti` was used."""

    time: int


@dataclass(frozen=True, slots=True)
class Caller:
    """A client that has shown who it is.

    Attributes:
        client: The client.
        server: For the checks that follow.
        request: What authlib has read.
    """

    client: Client
    server: Server
    request: ProtocolRequest


class Assertion(JWTBearerClientAssertion):  # type: ignore[misc]  # authlib has no types
    """authlib's flow for private_key_jwt, with our reading and our rules in its steps."""

    CLIENT_AUTH_METHOD = "private_key_jwt"

    def __init__(self, claims: _Claims, key: RSAKey | ECKey, audience: str, now: int) -> None:
        """Prepare.

        Args:
            claims: Of the assertion, unverified.
            key: The key that it names.
            audience: Our token endpoint.
            now: Milliseconds since the epoch.
        """
        super().__init__()
        self._claims, self._key, self._audience, self._now = claims, key, audience, now / 1000

    def extract_assertion(self, assertion: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """What was read before."""
        return {}, {"sub": self._claims.sub}

    def resolve_client_public_key(self, client: KnownClient) -> RSAKey | ECKey:
        """The key found before."""
        return self._key

    def process_assertion_claims(self, assertion: str, resolve_key: Any) -> None:
        """Verify.

        Raises:
            InvalidClientError: It is not good.
        """
        try:
            jws.deserialize_compact(assertion, self._key, list(ALGORITHMS))
        except (JoseError, ValueError) as error:
            raise InvalidClientError("The assertion's signature is not good.") from error
        claims, now = self._claims, self._now
        audiences = [claims.aud] if isinstance(claims.aud, str) else claims.aud
        if claims.iss != claims.sub:
            raise InvalidClientError("The assertion's iss and sub must be the client_id.")
        if audiences != [self._audience]:
            raise InvalidClientError("The assertion's aud must be the token endpoint.")
        if not now - LEEWAY < claims.exp <= now + LIFETIME + LEEWAY:
            raise InvalidClientError("The assertion's exp must be within five minutes from now.")
        if max(claims.iat, claims.nbf) > now + LEEWAY:
            raise InvalidClientError("The assertion is not valid yet.")
        if not 0 < len(claims.jti) <= LONGEST_JTI:
            raise InvalidClientError("The assertion needs a jti of at most 255 characters.")


async def caller(
    parts: Parts,
    call: Call,
    form: dict[str, str],
    allowed: Callable[[Client, str], str | None] = lambda client, scope: None,
) -> Caller:
    """The client that calls.

    Args:
        parts: Ours.
        call: The request.
        form: Its parameters.
        allowed: Of the scopes that a client asks for, those that it may have.

    Raises:
        InvalidClientError: It is unknown, or does not show who it is.
        InvalidRequestError: It does so in several ways.
        InsecureTransportError: The hub is reached by http from other machines.
    """
    authorization = call.headers.get("authorization", "")
    request = ProtocolRequest(call.method, parts.url(call.path), form, authorization)
    ways = [bool(authorization), "client_secret" in form, "client_assertion" in form]
    if sum(ways) > 1:
        raise InvalidRequestError("A client shows who it is in one way only.")
    read: tuple[_Header, _Claims] | None = None
    id = form.get("client_id", "")
    if authorization:
        id = _basic(authorization)
    elif "client_assertion" in form:
        read = _read(form)
        id = read[1].sub
    if form.get("client_id", id) != id:
        raise InvalidRequestError("client_id is not who the client shows to be.")
    client = await parts.desk.clients.get(id, call.now)
    if client is None:
        raise InvalidClientError("The client is not known.")
    found = client
    server = Server(KnownClient(found, lambda scope: allowed(found, scope)))
    if read is not None:
        assertion = await _assertion(parts, client, *read, now=call.now)
        server.register_client_auth_method("private_key_jwt", assertion)
    methods = ALL_METHODS if read is not None else [m for m in ALL_METHODS if "jwt" not in m]
    server.authenticate_client(request, methods)
    if read is not None and not await _first_use(parts, read[1], call.now):
        raise InvalidClientError("The assertion was used before.")
    return Caller(client, server, request)


def _basic(authorization: str) -> str:
    """The client id of HTTP Basic (RFC 6749, 2.3.1).

    Raises:
        InvalidClientError: It is no such header.
    """
    scheme, _, content = authorization.partition(" ")
    try:
        if scheme.lower() != "basic":
            raise ValueError(scheme)
        id, colon, secret = base64.b64decode(content, validate=True).decode("ascii").partition(":")
        if not colon or not secret:
            raise ValueError(colon)
    except ValueError as error:
        raise InvalidClientError(
            "The Authorization header is no HTTP Basic.", status_code=401
        ) from error
    return unquote(id)


def _read(form: dict[str, str]) -> tuple[_Header, _Claims]:
    """An assertion's header and claims, nothing verified.

    Raises:
        InvalidClientError: It is none.
    """
    assertion = form["client_assertion"]
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise InvalidClientError(f"client_assertion_type must be {ASSERTION_TYPE}.")
    shape = _shape(assertion) if len(assertion) <= LONGEST else None
    if shape is None:
        raise InvalidClientError("The assertion is no JWT.")
    try:
        header = msgspec.json.decode(_bytes(shape[1]), type=_Header)
        claims = msgspec.json.decode(_bytes(shape[2]), type=_Claims)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        text = "The assertion needs alg, kid, iss, sub, aud, exp and jti."
        raise InvalidClientError(text) from error
    if header.alg not in ALGORITHMS:
        raise InvalidClientError(f"The assertion must be signed by {' or '.join(ALGORITHMS)}.")
    if header.crit is not msgspec.UNSET or header.typ.upper() != "JWT":
        raise InvalidClientError("The assertion's header holds what is not understood.")
    return header, claims


def _bytes(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


async def _assertion(
    parts: Parts, client: Client, header: _Header, claims: _Claims, *, now: int
) -> Assertion:
    """What verifies an assertion.

    Raises:
        InvalidClientError: The client has no such key.
    """
    if header.jku and header.jku != client.jwks_uri:
        raise InvalidClientError("The assertion's jku is not the client's jwks_uri.")
    try:
        key = await parts.desk.clients.key(client, header.kid)
    except KeysUnusable as error:
        raise InvalidClientError("The assertion's key is not one of the client's.") from error
    return Assertion(claims, key, parts.url("/auth/token"), now)


async def _first_use(parts: Parts, claims: _Claims, now: int) -> bool:
    """Note an assertion's id; False when it was used before."""
    records = Records(parts.door.store.ledger, parts.tenant.key, "jti", UsedId)
    key = hashlib.sha256(f"{claims.sub} {claims.jti}".encode("utf-8", "surrogatepass")).hexdigest()
    expires = int((claims.exp + 2 * LEEWAY) * 1000)
    return await records.add(key, UsedId(now), now, expires)
