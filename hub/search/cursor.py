"""Page cursors: encrypted, bound to their search.

A cursor holds where a page ends: the sort values of its last row, a name or a birth date. It
stands in a URL, which proxies and browsers write down, so it is encrypted (AES-256-GCM); a client
can neither read, make nor change one. The fingerprint of its search is authenticated with it.
Called by `hub.search.parse` (read) and interactions (write).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from hub.errors import BadRequest, fault
from hub.search.query import Position

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12
"""Random, for several processes write cursors: safe for some 2^32 of them under one secret."""

_LONGEST = 4096
_NOT_BOUND = frozenset(
    ["_count", "_total", "_format", "_pretty", "_summary", "_elements", "_cursor", "_explain"]
)
"""Parameters that a client may change from page to page."""


def fingerprint(types: Sequence[str], place: str, parameters: Iterable[tuple[str, str]]) -> str:
    """What makes a search this search: 16 hex digits.

    Args:
        types: Resource types searched.
        place: Tenant and compartment.
        parameters: As in the URL.
    """
    bound = [(name, text) for name, text in parameters if name not in _NOT_BOUND]
    said = msgspec.msgpack.encode((types, place, bound))
    return hashlib.blake2s(said, digest_size=8).hexdigest()


class CursorCodec:
    """Writes and reads cursors under one secret."""

    def __init__(self, secret: bytes) -> None:
        """Keep the secret.

        Args:
            secret: 16 bytes or more, the same in every worker and after a restart.
        """
        self._secret = secret

    @cached_property
    def _cipher(self) -> AESGCM:
        """Made on first use: the import costs more than all that a start does with it."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        key = HKDF(SHA256(), 32, None, b"hub.search.cursor").derive(self._secret)
        return AESGCM(key)

    def encode(self, position: Position, search: str) -> str:
        """A cursor.

        Args:
            position: Where the page ends.
            search: The search's `fingerprint`.
        """
        nonce = os.urandom(_NONCE_BYTES)
        values = msgspec.msgpack.encode(position.values)
        sealed = self._cipher.encrypt(nonce, values, search.encode())
        return base64.urlsafe_b64encode(nonce + sealed).decode().rstrip("=")

    def decode(self, cursor: str, search: str) -> Position:
        """Where the page ends that a cursor of this search stands for.

        Args:
            cursor: From the client.
            search: The search's `fingerprint`.

        Raises:
            BadRequest: It is damaged, or of another search.
        """
        from cryptography.exceptions import InvalidTag

        if len(cursor) > _LONGEST or not cursor.isascii():
            raise _refused()
        try:
            raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            nonce, sealed = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
            values = self._cipher.decrypt(nonce, sealed, search.encode())
        except (binascii.Error, ValueError, InvalidTag):
            raise _refused() from None
        return Position(tuple(msgspec.msgpack.decode(values, type=list[Any])))


def _refused() -> BadRequest:
    return BadRequest(fault("value", "search-cursor-invalid"))
