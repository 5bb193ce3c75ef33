"""Records of one kind in the ledger, with their content decoded.

A content is a msgspec Struct, kept as MessagePack with field names, so that fields with
defaults can be added later. Used by every module here that keeps something.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Generic, NamedTuple, TypeVar

import msgspec

from hub.storage.ledger import ABSENT, ANY, Ledger

T = TypeVar("T", bound=msgspec.Struct)

PAGE = 500

_encode = msgspec.msgpack.Encoder().encode


class Entry(NamedTuple, Generic[T]):
    """A record: its key, content, revision and end (ms, 0: never)."""

    key: str
    value: T
    revision: int
    expires: int


class Records(Generic[T]):
    """The records of one kind of one tenant."""

    def __init__(self, ledger: Ledger, tenant: int, kind: str, type: type[T]) -> None:
        """Name the kind.

        Args:
            ledger: Where they are kept.
            tenant: Tenant key.
            kind: Name of the kind.
            type: The content's class.
        """
        self._ledger, self._tenant, self._kind = ledger, tenant, kind
        self._decode = msgspec.msgpack.Decoder(type).decode

    async def get(self, key: str, now: int) -> Entry[T] | None:
        """The record, None when absent or expired; any text may be asked for."""
        record = await self._ledger.get(self._tenant, self._kind, key, now)
        if record is None:
            return None
        return Entry(key, self._decode(record.value), record.revision, record.expires)

    async def put(
        self, key: str, value: T, now: int, expected: int = ANY, expires: int = 0
    ) -> bool:
        """Store it; False when the revision is not the expected one.

        Raises:
            StoreUnavailable: It could not be stored.
        """
        record = await self._ledger.put(
            self._tenant,
            self._kind,
            key,
            _encode(value),
            now=now,
            expected=expected,
            expires=expires,
        )
        return record is not None

    async def add(self, key: str, value: T, now: int, expires: int = 0) -> bool:
        """Store it unless there is one."""
        return await self.put(key, value, now, ABSENT, expires)

    async def change(
        self, key: str, now: int, new: Callable[[T], T], expires: int | None = None
    ) -> T | None:
        """Change it, whoever else does at the same time.

        Args:
            key: Key.
            now: Milliseconds since the epoch.
            new: Makes the new content of the present one; it may be called again.
            expires: The new end; None leaves it.

        Returns:
            The new content; None when there is no record (any more).
        """
        while (found := await self.get(key, now)) is not None:
            value = new(found.value)
            end = found.expires if expires is None else expires
            if await self.put(key, value, now, found.revision, end):
                return value
        return None

    async def take(self, key: str, now: int) -> T | None:
        """Remove it and give it."""
        record = await self._ledger.take(self._tenant, self._kind, key, now=now)
        return None if record is None else self._decode(record.value)

    async def all(self, now: int) -> AsyncIterator[T]:
        """All of them, in order of their keys."""
        after = ""
        while page := await self._ledger.records(self._tenant, self._kind, now, after, PAGE):
            for record in page:
                yield self._decode(record.value)
            after = page[-1].key
