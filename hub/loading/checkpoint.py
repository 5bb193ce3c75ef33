"""How far each ndjson file has been loaded, so that an interrupted load goes on there.

Kept beside the store as one small JSON file, replaced atomically. A file that has changed
(size or time) starts again; loading what is stored already changes nothing.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from hub.loading.sources import Mark


class _Entry(msgspec.Struct):
    size: int
    modified: int
    offset: int
    line: int


class Checkpoint:
    """Marks by file; `done` is a file whose mark is its end."""

    def __init__(self, path: Path) -> None:
        """Read the marks.

        Args:
            path: The checkpoint file; need not exist.
        """
        self._path = path
        self._entries: dict[str, _Entry] = {}
        if path.exists():
            try:
                self._entries = msgspec.json.decode(path.read_bytes(), type=dict[str, _Entry])
            except msgspec.DecodeError:
                path.unlink()

    def mark(self, file: Path) -> Mark:
        """Where to go on in a file; its start if it is new or has changed."""
        entry = self._entries.get(str(file.resolve()))
        stat = file.stat()
        if entry is None or (entry.size, entry.modified) != (stat.st_size, stat.st_mtime_ns):
            return Mark()
        return Mark(entry.offset, entry.line)

    def set(self, file: Path, mark: Mark) -> None:
        """Remember that everything before the mark has been dealt with."""
        stat = file.stat()
        key = str(file.resolve())
        self._entries[key] = _Entry(stat.st_size, stat.st_mtime_ns, mark.offset, mark.line)

    def save(self) -> None:
        """Write the marks, replacing the file in one step."""
        fresh = self._path.with_suffix(".new")
        with fresh.open("wb") as stream:
            stream.write(msgspec.json.encode(self._entries))
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(self._path)

    def forget(self) -> None:
        """Remove the file: everything was loaded."""
        self._path.unlink(missing_ok=True)
