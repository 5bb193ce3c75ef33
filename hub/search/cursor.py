"""Page cursors: opaque, signed, bound to their search.

A cursor holds where a page ends and a fingerprint of the search; its signature keeps a client
from making or moving one. It carries the sort values of a row, as does the page itself.
Called by `hub.search.parse` (read) and interactions (write).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from hub.errors import BadRequest, fault
from hub.search.query import Position

_MAC_BYTES = 16
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
        self._secret = hashlib.blake2b(secret, digest_size=32, person=b"hub.cursor").digest()

    def encode(self, position: Position, search: str) -> str:
        """A cursor.

        Args:
            position: Where the page ends.
            search: The search's `fingerprint`.
        """
        body = msgspec.msgpack.encode((search, position.values))
        return base64.urlsafe_b64encode(self._mac(body) + body).decode().rstrip("=")

    def decode(self, cursor: str, search: str) -> Position:
        """Where the page ends that a cursor of this search stands for.

        Args:
            cursor: From the client.
            search: The search's `fingerprint`.

        Raises:
            BadRequest: It is damaged, or of another search.
        """
        if len(cursor) > _LONGEST or not cursor.isascii():
            raise _refused()
        try:
            raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        except (binascii.Error, ValueError):
            raise _refused() from None
        mac, body = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(body)):
            raise _refused()
        bound, values = msgspec.msgpack.decode(body, type=tuple[str, list[Any]])
        if bound != search:
            raise _refused()
        return Position(tuple(values))

    def _mac(self, body: bytes) -> bytes:
        return hmac.digest(self._secret, body, "sha256")[:_MAC_BYTES]


def _refused() -> BadRequest:
    return BadRequest(fault("value", "search-cursor-invalid"))
