"""Items whose reference targets are not there yet, kept on disk until the files are read."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import msgspec

from hub.errors import HubError, Issue
from hub.loading.sources import Item, Mark
from hub.model import json

IN_MEMORY = 16 * 1024 * 1024


class _Line(msgspec.Struct, array_like=True):
    path: str
    where: str
    digest: str
    issues: tuple[Issue, ...]
    resource: msgspec.Raw


class Waiting:
    """A queue of (item, the error that made it wait); memory first, then a temporary file."""

    def __init__(self) -> None:
        """Start empty."""
        self._stream: IO[bytes] = tempfile.SpooledTemporaryFile(  # noqa: SIM115 - outlives this
            max_size=IN_MEMORY
        )
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, item: Item, error: HubError) -> None:
        """Append an item."""
        assert item.resource is not None
        raw = msgspec.Raw(json.encode(item.resource))
        line = _Line(str(item.path), item.where, item.digest, error.issues, raw)
        self._stream.write(msgspec.json.encode(line) + b"\n")
        self._count += 1

    def drain(self) -> Iterator[tuple[Item, HubError]]:
        """The items in order, read back; the queue is used up by it."""
        with self._stream as stream:
            stream.seek(0)
            for text in stream:
                line = msgspec.json.decode(text, type=_Line)
                resource = json.load(bytes(line.resource))
                item = Item(Path(line.path), line.where, Mark(), resource, line.digest)
                yield item, HubError(line.issues)
