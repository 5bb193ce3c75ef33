"""A disk that can lose power, fail and fill up: an apsw VFS over the system's.

Every write that no sync has confirmed is remembered beside what is durable. `Disk.cut` makes
the files as they might be found after a power cut now: what was synced, and any part of the
rest, in any order, torn at sectors. Errors are raised at chosen calls. Shared memory is not
seen here, as it does not survive a power cut.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from pathlib import Path
from random import Random

import apsw

SECTOR = 512


class Image:
    """A file: its durable bytes, and what was done since in order."""

    def __init__(self, durable: bytes, exists: bool) -> None:
        self.durable = bytearray(durable)
        self.exists = exists
        self.pending: list[tuple[int, bytes] | int] = []

    def sync(self) -> None:
        for change in self.pending:
            _apply(self.durable, change)
        self.pending.clear()
        self.exists = True

    def after_cut(self, random: Random, kept: float | None) -> bytes | None:
        """What is found of it, None for nothing."""
        found = bytearray(self.durable)
        kept = random.choice([0.0, 0.3, 0.7, 1.0]) if kept is None else kept
        touched = False
        for change in self.pending:
            for piece in _pieces(change):
                if random.random() < kept:
                    _apply(found, piece)
                    touched = True
        return bytes(found) if self.exists or touched else None


def _pieces(change: tuple[int, bytes] | int) -> list[tuple[int, bytes] | int]:
    if isinstance(change, int):
        return [change]
    offset, data = change
    return [(offset + start, data[start : start + SECTOR]) for start in range(0, len(data), SECTOR)]


def _apply(content: bytearray, change: tuple[int, bytes] | int) -> None:
    if isinstance(change, int):
        del content[change:]
        content.extend(bytes(change - len(content)))
        return
    offset, data = change
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(data)] = data


class Disk(apsw.VFS):
    """The VFS; give its `name` to `open_store`.

    Attributes:
        calls: Writes, syncs and truncations so far.
        before_call: Runs before each of these with its kind (`write`, `sync`, `truncate`) and
            file name, on the thread that makes it; raise here to make the call fail.
        before_read: The same for reads.
    """

    _numbers = itertools.count()

    def __init__(self) -> None:
        self.name = f"disk-{next(self._numbers)}"
        self.images: dict[str, Image] = {}
        self.lock = threading.RLock()
        self.calls = 0
        self.before_call: Callable[[str, str], None] = lambda kind, file: None
        self.before_read: Callable[[str], None] = lambda file: None
        super().__init__(self.name, "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        return _File(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        with self.lock:
            super().xDelete(filename, syncdir)
            self.images.pop(filename, None)

    def excepthook(self, *error: object) -> bool:
        """Errors raised here are meant."""
        return True

    def image(self, filename: str) -> Image:
        with self.lock:
            if filename not in self.images:
                path = Path(filename)
                exists = path.exists()
                self.images[filename] = Image(path.read_bytes() if exists else b"", exists)
            return self.images[filename]

    def call(self, kind: str, filename: str) -> None:
        self.calls += 1
        self.before_call(kind, filename)

    def cut(self, target: Path, random: Random, kept: float | None = None) -> None:
        """Write the files as a power cut now might leave them.

        Args:
            target: A new folder for them.
            random: Chooses what of the writes that were not synced is found.
            kept: How likely each sector of them is found; chosen per file when None.
        """
        with self.lock:
            target.mkdir(parents=True)
            for filename, image in self.images.items():
                found = image.after_cut(random, kept)
                if found is not None:
                    (target / Path(filename).name).write_bytes(found)


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._disk = disk
        self._name = name.filename() if isinstance(name, apsw.URIFilename) else name or ""
        self._image = disk.image(self._name) if self._name else Image(b"", False)
        super().__init__("", name, flags)

    def excepthook(self, *error: object) -> bool:
        """Errors raised here are meant."""
        return True

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        self._disk.before_read(self._name)
        return super().xRead(amount, offset)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        with self._disk.lock:
            self._disk.call("write", self._name)
            super().xWrite(data, offset)
            self._image.pending.append((offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        with self._disk.lock:
            self._disk.call("truncate", self._name)
            super().xTruncate(newsize)
            self._image.pending.append(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802
        with self._disk.lock:
            self._disk.call("sync", self._name)
            super().xSync(flags)
            self._image.sync()
