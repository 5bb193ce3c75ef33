"""The key that tokens are signed with, and the older ones that still verify.

An RSA key of 2048 bits, made when the first token is signed, kept in the ledger (the database
file is 0600) and given to nobody. Its `kid` is its RFC 7638 thumbprint. The ledger has one
current key, so that of several processes that make one at a time one wins. Rotation keeps the
old key's public half until the last token it signed has expired; its private half is gone.
Called by `tokens`, `hub.auth.jwks` and whoever rotates.
Spec: RFC 7517, RFC 7638.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any, NamedTuple

import msgspec
from joserfc.jwk import RSAKey

from hub.access.generation import Generation
from hub.access.records import Records
from hub.storage.ledger import ABSENT, Ledger

BITS = 2048
KEPT = 25 * 3_600_000
"""Milliseconds an old key still verifies: longer than any token that it signed lives."""

_CURRENT = "current"
_OLD = "old "
_is_kid = re.compile(r"[A-Za-z0-9_-]{43}").fullmatch


class StoredKey(msgspec.Struct, frozen=True):
    """A key as it is kept: thumbprint, JWK (private while it is current), when it was made (ms)."""

    kid: str
    jwk: dict[str, str]
    created: int


class SigningKey(NamedTuple):
    """A key in use.

    Attributes:
        kid: Thumbprint.
        key: With its private half when it signs.
        until: When it stops verifying, milliseconds since the epoch; 0: it is current.
    """

    kid: str
    key: RSAKey
    until: int = 0


class SigningKeys:
    """The signing keys of a tenant."""

    def __init__(self, ledger: Ledger, tenant: int, generation: Generation) -> None:
        """Prepare; a key is made when it is first needed.

        Args:
            ledger: Where they are kept.
            tenant: Tenant key.
            generation: Moved by a rotation.
        """
        self._generation = generation
        self._records = Records(ledger, tenant, "key", StoredKey)
        self._signing: SigningKey | None = None
        self._verifying: dict[str, SigningKey] = {}

    async def current(self, now: int) -> SigningKey:
        """The key to sign with; another process may have rotated it since the last call."""
        found = await self._records.get(_CURRENT, now)
        while found is None:
            made = await new_key(now)
            await self._records.add(_CURRENT, made, now)
            found = await self._records.get(_CURRENT, now)
        if self._signing is None or self._signing.kid != found.value.kid:
            key = await asyncio.to_thread(_load, found.value.jwk)
            self._signing = SigningKey(found.value.kid, key)
        return self._signing

    async def public(self, kid: str, now: int) -> RSAKey | None:
        """The key that verifies tokens of that `kid`; None when there is none (any more)."""
        known = self._verifying.get(kid)
        if known is not None and (not known.until or known.until > now):
            return known.key
        self._verifying.pop(kid, None)
        if not _is_kid(kid):
            return None
        found = await self._records.get(_OLD + kid, now)
        if found is None:
            found = await self._records.get(_CURRENT, now)
            if found is None or found.value.kid != kid:
                return None
        key = RSAKey.import_key({**_public(found.value.jwk)})
        self._verifying[kid] = SigningKey(kid, key, found.expires)
        return key

    async def jwks(self, now: int) -> dict[str, list[dict[str, str]]]:
        """The public keys as a JWK set: the current one and those that still verify."""
        await self.current(now)
        return {
            "keys": [
                {**_public(key.jwk), "kid": key.kid, "use": "sig", "alg": "RS256"}
                async for key in self._records.all(now)
            ]
        }

    async def rotate(self, now: int, keep: int = KEPT) -> str:
        """Sign with a new key from now on.

        Args:
            now: Milliseconds since the epoch.
            keep: How long the old one still verifies, milliseconds; 0 after a leak: then every
                token ends, at once here and within a second elsewhere.

        Returns:
            The new key's `kid`.
        """
        made = await new_key(now)
        while True:
            found = await self._records.get(_CURRENT, now)
            if found is not None and keep:
                old = found.value
                kept = StoredKey(old.kid, _public(old.jwk), old.created)
                await self._records.put(_OLD + old.kid, kept, now, expires=now + keep)
            revision = found.revision if found else ABSENT
            if await self._records.put(_CURRENT, made, now, revision):
                self.forget()
                await self._generation.move(now)
                return made.kid

    def forget(self) -> None:
        """Look verifying keys up again: the generation has moved."""
        self._verifying.clear()


async def new_key(now: int) -> StoredKey:
    """A new key, made on a thread."""
    key = await asyncio.to_thread(RSAKey.generate_key, BITS, private=True)
    return StoredKey(key.thumbprint(), _texts(key.as_dict(private=True)), now)


def _load(jwk: dict[str, str]) -> RSAKey:
    key = RSAKey.import_key(dict(jwk))
    _ = key.private_key  # checked once, here on a thread, not at the first signature
    return key


def _public(jwk: dict[str, str]) -> dict[str, str]:
    return {name: jwk[name] for name in ("kty", "n", "e")}


def _texts(jwk: dict[str, Any]) -> dict[str, str]:
    return {name: value for name, value in jwk.items() if isinstance(value, str)}
