"""How far a load has come, so that an interrupted one goes on there.

A small folder beside the store, named after the paths that are loaded: the state, replaced in
one step, and the items that wait for others. A load whose files have changed starts again;
loading what is stored already changes nothing.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from hub.loading.item import Mark
from hub.loading.waiting import Waiting

FOLDER = "loads"
STATE = "state.json"
WAITING = "waiting.ndjson"


class LoadRunsError(Exception):
    """The same load is running already."""


class State(msgspec.Struct):
    """How far a load has come.

    Attributes:
        listing: What names the files, their sizes and times.
        file: Position of the file that is being read; those before it are done.
        offset: See `Mark`.
        number: See `Mark`.
        created: Resources created so far.
        updated: Resources updated so far.
        unchanged: Resources found as they should be.
        rejected: Items in the report.
        report: Length of the report in bytes.
        waiting: Length of the queue of waiting items in bytes.
    """

    listing: str
    file: int = 0
    offset: int = 0
    number: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    report: int = 0
    waiting: int = 0

    @property
    def mark(self) -> Mark:
        """Where reading of the file goes on."""
        return Mark(self.offset, self.number)

    @mark.setter
    def mark(self, mark: Mark) -> None:
        self.offset, self.number = mark

    @property
    def stored(self) -> int:
        """Resources that are in the record now."""
        return self.created + self.updated + self.unchanged


class Checkpoint:
    """The state of one load and its waiting items; one process at a time has it."""

    def __init__(self, data: Path, paths: Sequence[Path], files: Sequence[Path]) -> None:
        """Take it, with the state that an interrupted load of the same files left.

        Args:
            data: Data folder of the store.
            paths: What was asked to be loaded; names the load.
            files: The files, in order.

        Raises:
            LoadRunsError: Another process has it.
        """
        name = _digest(str(path.resolve()) for path in paths)[:16]
        self._folder = data / FOLDER / name
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = os.open(self._folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise LoadRunsError(name) from None
        listing = _digest(_fingerprint(file) for file in files)
        self.state = self._read() or State(listing)
        if self.state.listing != listing:
            self.state = State(listing)
        self.waiting = Waiting((self._folder / WAITING).open("a+b"), self.state.waiting)

    @property
    def resumed(self) -> bool:
        """Whether an interrupted load goes on."""
        return (self.state.file, self.state.offset, self.state.number) != (0, 0, 0)

    def _read(self) -> State | None:
        try:
            return msgspec.json.decode((self._folder / STATE).read_bytes(), type=State)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def save(self) -> None:
        """Keep the state; what it counts must be on disk before."""
        self.waiting.sync()
        self.state.waiting = self.waiting.length
        fresh = self._folder / (STATE + ".new")
        with fresh.open("wb") as stream:
            stream.write(msgspec.json.encode(self.state))
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(self._folder / STATE)

    def forget(self) -> None:
        """Everything was dealt with: nothing to go on with."""
        shutil.rmtree(self._folder, ignore_errors=True)
        with suppress(OSError):  # Other loads may have theirs in there.
            self._folder.parent.rmdir()

    def close(self) -> None:
        """Let others have it."""
        self.waiting.close()
        os.close(self._lock)


def _digest(texts: Iterable[str]) -> str:
    made = hashlib.sha256()
    for text in texts:
        made.update(text.encode(errors="surrogateescape") + b"\0")
    return made.hexdigest()


def _fingerprint(file: Path) -> str:
    stat = file.stat()
    return f"{file.resolve()}\0{stat.st_size}\0{stat.st_mtime_ns}"
