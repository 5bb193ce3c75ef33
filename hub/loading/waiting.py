"""Items whose reference targets are not there yet, kept in a file until the others are stored."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import msgspec

from hub.errors import HubError, Issue
from hub.loading.item import Item, Key, Place


class _Line(msgspec.Struct, array_like=True):
    path: str
    where: str
    keys: list[Key]
    transaction: bool
    issues: tuple[Issue, ...]
    status: int
    text: msgspec.Raw


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Line).decode


class Waiting:
    """A queue of (item, the error that made it wait) in a file that it owns."""

    def __init__(self, stream: IO[bytes], length: int = 0) -> None:
        """Use a file.

        Args:
            stream: Open for reading and writing.
            length: Bytes of it that count; what follows is cut off.
        """
        self._stream = stream
        stream.seek(0)
        self._count = sum(1 for _ in self._lines(length))
        stream.truncate(length)

    def __len__(self) -> int:
        return self._count

    @property
    def length(self) -> int:
        """Bytes of the queue."""
        return self._stream.seek(0, os.SEEK_END)

    def add(self, item: Item, error: HubError) -> None:
        """Append an item."""
        place = item.place
        line = _Line(
            str(place.path),
            place.where,
            sorted(item.keys),
            item.transaction,
            error.issues,
            error.status,
            msgspec.Raw(item.text),
        )
        self._stream.write(_encode(line) + b"\n")
        self._count += 1

    def sync(self) -> None:
        """Make what was added survive a crash."""
        self._stream.flush()
        os.fsync(self._stream.fileno())

    def read(self) -> Iterator[tuple[Item, HubError]]:
        """The items in order, from the first on; nothing may be added meanwhile."""
        for text in self._lines(self.length):
            line = _decode(text)
            place = Place(Path(line.path), line.where)
            keys = frozenset(line.keys)
            item = Item(place, bytes(line.text), keys, line.transaction)
            yield item, HubError(line.issues, line.status)

    def close(self) -> None:
        """Let go of the file."""
        self._stream.close()

    def _lines(self, length: int) -> Iterator[bytes]:
        self._stream.seek(0)
        while self._stream.tell() < length and (line := self._stream.readline()):
            yield line
