"""Access tokens: made for a grant, and verified into a principal at every request.

A token is a JWT of RFC 9068, signed RS256 with one of `keys`. What is verified is remembered by
the token's very bytes, so that a request with a known token costs a look into a dict; a
revocation (`generation`) empties that. The rules are narrow, because every token is our own: a
header of exactly `alg`, `kid` and `typ`, claims of exactly `Claims`, canonical base64url, one
issuer, one audience. Anything else that a JWT may hold (`jku`, `jwk`, `x5u`, `crit`, another
algorithm, another type) is refused unseen. Called by `hub.rest` and `hub.auth`.
Spec: RFC 7519, RFC 8725, RFC 9068; SMART App Launch 2.2.
"""

from __future__ import annotations

import asyncio
import base64
import re
import secrets
from typing import Annotated, Any, Literal, Protocol

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from msgspec.structs import replace

from hub.access.accounts import Account
from hub.access.generation import Generation
from hub.access.grants import Grant, Grants
from hub.access.keys import SigningKeys
from hub.principal import Principal

ALGORITHM = "RS256"
LONGEST = 8 * 1024
"""Bytes of a token."""

LEEWAY = 5_000
"""Milliseconds that two clocks may differ."""

MOST_CACHED = 4096
KEPT = 1_500
"""Milliseconds after which a principal is made anew: branches and proxies change without any
revocation. The token's signature is not verified again for that."""

Refusal = Literal[
    "too-large",
    "malformed",
    "algorithm",
    "key",
    "signature",
    "claims",
    "issuer",
    "audience",
    "expired",
    "early",
    "revoked",
]

Seconds = Annotated[int, msgspec.Meta(ge=0, lt=1 << 40)]
"""A time that a clock can show."""

_shape = re.compile(rb"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)").fullmatch
_encode = msgspec.json.Encoder().encode


class TokenRefused(Exception):
    """A token is not good; `reason` is for the log and the audit, not for who sent it."""

    def __init__(self, reason: Refusal) -> None:
        """Say why."""
        super().__init__(reason)
        self.reason: Refusal = reason


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The protected header of an access token: nothing else may be in it."""

    alg: str
    kid: str
    typ: Literal["at+jwt", "application/at+jwt"]


class Claims(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What an access token says; times in seconds since the epoch.

    Attributes:
        gid: Id of its grant.
        patient: Launch context, for resource servers that read tokens; the grant's counts here.
        encounter: The same.
    """

    iss: str
    aud: str
    sub: str
    client_id: str
    scope: str
    jti: str
    gid: str
    iat: Seconds
    exp: Seconds
    nbf: Seconds = 0
    patient: str = ""
    encounter: str = ""


_decode_header = msgspec.json.Decoder(Header).decode
_decode_claims = msgspec.json.Decoder(Claims).decode


class Person(Protocol):
    """Makes the principal of a grant."""

    async def __call__(self, account: Account | None, grant: Grant) -> Principal:
        """The principal.

        Args:
            account: Who granted; None for Backend Services.
            grant: The grant, with the token's own scopes.
        """


class TokenIssuer:
    """Signs tokens, off the event loop."""

    def __init__(self, keys: SigningKeys, issuer: str, audience: str) -> None:
        """Put the parts together.

        Args:
            keys: Signing keys.
            issuer: `iss`: the hub's address without `/fhir`.
            audience: `aud` of access tokens: the FHIR base.
        """
        self._keys, self._issuer, self._audience = keys, issuer, audience

    async def access_token(
        self, grant: Grant, lifetime: int, now: int, scope: str | None = None
    ) -> str:
        """An access token.

        Args:
            grant: What it is for.
            lifetime: Seconds.
            now: Milliseconds since the epoch.
            scope: Narrower scopes than the grant's.
        """
        seconds = now // 1000
        claims = Claims(
            iss=self._issuer,
            aud=self._audience,
            sub=grant.account or grant.client,
            client_id=grant.client,
            scope=grant.scope if scope is None else scope,
            jti=secrets.token_urlsafe(12),
            gid=grant.id,
            iat=seconds,
            exp=seconds + lifetime,
            patient=grant.patient,
            encounter=grant.encounter,
        )
        return await self.sign("at+jwt", _encode(claims), now)

    async def id_token(self, claims: dict[str, Any], lifetime: int, now: int) -> str:
        """An id_token of OpenID Connect.

        Args:
            claims: `sub`, `aud`, `nonce`, `auth_time`, `fhirUser` ...; the rest is added.
            lifetime: Seconds.
            now: Milliseconds since the epoch.
        """
        seconds = now // 1000
        times = {"iss": self._issuer, "iat": seconds, "exp": seconds + lifetime}
        return await self.sign("JWT", _encode({**claims, **times}), now)

    async def sign(self, type: str, claims: bytes, now: int) -> str:
        """Sign claims (JSON) as a JWT of a type."""
        signing = await self._keys.current(now)
        header = {"alg": ALGORITHM, "kid": signing.kid, "typ": type}
        return await asyncio.to_thread(
            jws.serialize_compact, header, claims, signing.key, [ALGORITHM]
        )


class TokenVerifier:
    """Verifies access tokens; see the module."""

    def __init__(
        self,
        keys: SigningKeys,
        grants: Grants,
        generation: Generation,
        person: Person,
        *,
        issuer: str,
        audience: str,
    ) -> None:
        """Put the parts together.

        Args:
            keys: Signing keys.
            grants: Grants; a token whose grant is gone is refused.
            generation: Moves with revocations.
            person: Makes principals.
            issuer: As given to `TokenIssuer`.
            audience: As given to `TokenIssuer`.
        """
        self._keys, self._grants, self._generation = keys, grants, generation
        self._person, self._issuer, self._audience = person, issuer, audience
        self._cache: dict[bytes, tuple[Principal, int]] = {}
        self._known: dict[bytes, Claims] = {}
        self._followed = -1

    async def verify(self, token: bytes, now: int) -> Principal:
        """Whose token it is.

        Args:
            token: As it stood behind `Bearer `.
            now: Milliseconds since the epoch.

        Raises:
            TokenRefused: It is not good.
            StoreUnavailable: That cannot be found out.
        """
        found = self._cache.get(token)
        if found is not None and now < found[1]:
            generation = self._generation
            if now < generation.due and generation.seen == self._followed:
                return found[0]
        return await self._look(token, now)

    async def claims(self, token: bytes, now: int) -> Claims:
        """What a token says, its grant not yet looked at; for introspection and revocation.

        Raises:
            TokenRefused: It is not one of ours, or its time is not now.
        """
        header, payload = _parts(token)
        key = await self._keys.public(header.kid, now)
        if key is None:
            raise TokenRefused("key")
        _check_signature(token, key)
        return self._checked(payload, now)

    async def _look(self, token: bytes, now: int) -> Principal:
        generation = await self._generation.current(now)
        if generation != self._followed:
            self._cache.clear()
            self._known.clear()
            self._keys.forget()
            self._followed = generation
        found = self._cache.get(token)
        if found is not None and now < found[1]:
            return found[0]
        self._cache.pop(token, None)
        claims = self._known.pop(token, None)
        if claims is None or claims.exp * 1000 + LEEWAY <= now:
            claims = await self.claims(token, now)
        standing = await self._grants.standing(claims.gid, now)
        if standing is None:
            raise TokenRefused("revoked")
        grant, account, _ = standing
        if claims.client_id != grant.client or claims.sub != (grant.account or grant.client):
            raise TokenRefused("claims")
        principal = await self._person(account, replace(grant, scope=claims.scope))
        if found is not None and found[0] == principal:
            principal = found[0]  # What was decided about it stays known (`policy.decide`).
        if self._generation.seen == generation:  # nothing was revoked meanwhile
            for cache in (self._cache, self._known):
                if len(cache) >= MOST_CACHED:
                    del cache[next(iter(cache))]
            self._cache[token] = (principal, min(claims.exp * 1000 + LEEWAY, now + KEPT))
            self._known[token] = claims
        return principal

    def _checked(self, payload: bytes, now: int) -> Claims:
        try:
            claims = _decode_claims(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise TokenRefused("claims") from error
        if claims.iss != self._issuer:
            raise TokenRefused("issuer")
        if claims.aud != self._audience:
            raise TokenRefused("audience")
        if claims.exp * 1000 + LEEWAY <= now:
            raise TokenRefused("expired")
        if max(claims.nbf, claims.iat) * 1000 > now + LEEWAY:
            raise TokenRefused("early")
        return claims


def _parts(token: bytes) -> tuple[Header, bytes]:
    """Header and payload of a token that is shaped like one of ours.

    Raises:
        TokenRefused: It is not.
    """
    if len(token) > LONGEST:
        raise TokenRefused("too-large")
    shape = _shape(token)
    if shape is None:
        raise TokenRefused("malformed")
    protected, payload, _ = [_decoded(part) for part in shape.groups()]
    try:
        header = _decode_header(protected)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise TokenRefused("malformed") from error
    if header.alg != ALGORITHM:
        raise TokenRefused("algorithm")
    return header, payload


def _decoded(part: bytes) -> bytes:
    """A part's content; there is one way only to write it."""
    try:
        content = base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    except ValueError as error:
        raise TokenRefused("malformed") from error
    if base64.urlsafe_b64encode(content).rstrip(b"=") != part:
        raise TokenRefused("malformed")
    return content


def _check_signature(token: bytes, key: RSAKey) -> None:
    try:
        jws.deserialize_compact(token, key, [ALGORITHM])
    except (JoseError, ValueError) as error:
        raise TokenRefused("signature") from error
