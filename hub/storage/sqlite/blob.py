"""Blobs: files beside the database, named by their SHA-256, counted by who uses them.

A blob is written to `blobs/new/`, made durable there, and then moved to `blobs/ab/cdef...` and
entered in the table by the writer. The writer also takes files away, after the commit that took
their rows away is durable: as one thread does both, an upload of the same content never loses
its file. A crash can leave a file without a row, never a row without a file; `strays` finds
such files. Called by `store`, `upkeep` and `writer_socket`.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol, TypeVar

import apsw

from hub.storage.port import Blob, StoreUnavailable
from hub.storage.sqlite.connect import unavailable
from hub.storage.sqlite.record import Reader
from hub.storage.sqlite.transaction import Transaction

T = TypeVar("T")

log = logging.getLogger(__name__)

FOLDER = "blobs"
NEW = "new"
LOCK = "backup.lock"
PIECE = 256 * 1024

PUT = "INSERT INTO blob VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET created = excluded.created"
SIZE = "SELECT size FROM blob WHERE tenant = ? AND sha256 = ?"
USES_OF = "SELECT DISTINCT sha256 FROM blob_use WHERE rid = ? AND tenant = ?"
DROP_USES = "DELETE FROM blob_use WHERE rid = ?"
DROP_ONE = (
    "DELETE FROM blob WHERE tenant = ?1 AND sha256 = ?2 AND NOT EXISTS"
    " (SELECT 1 FROM blob_use WHERE tenant = ?1 AND sha256 = ?2) RETURNING sha256"
)
DROP_UNUSED = (
    "DELETE FROM blob WHERE created <= ? AND NOT EXISTS (SELECT 1 FROM blob_use u"
    " WHERE u.tenant = blob.tenant AND u.sha256 = blob.sha256) RETURNING sha256"
)
KNOWN = "SELECT 1 FROM blob WHERE sha256 = ?"


class Run(Protocol):
    """Runs a function on a thread that may block."""

    def __call__(self, function: Callable[..., T], *arguments: Any) -> Awaitable[T]:
        """The function's result."""


Register = Callable[[int, str, str, int], Awaitable[None]]
"""(tenant, name under blobs/new, sha256, size): has the writer keep the file."""


def path_of(folder: Path, sha256: str) -> Path:
    """Where a blob's file lies.

    Args:
        folder: The data directory.
        sha256: Its hash in hex.
    """
    return folder / FOLDER / sha256[:2] / sha256[2:]


# --- on the writer's thread -----------------------------------------------------------------


def register(work: Transaction, tenant: int, name: str, sha256: str, size: int, clock: int) -> None:
    """Move a new file to its place and enter it.

    Raises:
        StoreUnavailable: The file system refuses.
    """
    try:
        target = path_of(work.folder, sha256)
        if not target.parent.exists():
            target.parent.mkdir()
            _sync_folder(target.parent.parent)
        try:
            os.replace(work.folder / FOLDER / NEW / name, target)
        except FileNotFoundError:
            if not target.exists():  # else a request that was sent again
                raise
        _sync_folder(target.parent)
    except OSError as error:
        raise unavailable(error) from error
    work.connection.execute(PUT, (tenant, bytes.fromhex(sha256), size, clock))


def drop_uses(work: Transaction, tenant: int, rid: int) -> list[str]:
    """Forget what a resource uses; gives hashes of blobs that nothing uses any more."""
    used = _column(work.connection, USES_OF, (rid, tenant))
    work.connection.execute(DROP_USES, (rid,))
    return [
        gone.hex()
        for sha256 in used
        for gone in _column(work.connection, DROP_ONE, (tenant, sha256))
    ]


def drop_unused(work: Transaction, before: int) -> list[str]:
    """Forget unused blobs made up to a time (ms); gives their hashes."""
    return [sha256.hex() for sha256 in _column(work.connection, DROP_UNUSED, (before,))]


def remove_files(work: Transaction, hashes: Sequence[str]) -> None:
    """Take away the files of blobs that no tenant has a row for, unless a backup is made."""
    with files_held(work.folder, removing=True) as allowed:
        for sha256 in hashes if allowed else ():
            if work.connection.execute(KNOWN, (bytes.fromhex(sha256),)).get is None:
                with suppress(OSError):
                    path_of(work.folder, sha256).unlink()


# --- on other threads -----------------------------------------------------------------------


def size(connection: apsw.Connection, tenant: int, sha256: str) -> int | None:
    """Size of a blob in bytes, None if the tenant has no such blob."""
    try:
        digest = bytes.fromhex(sha256)
    except ValueError:
        return None
    found: int | None = connection.execute(SIZE, (tenant, digest)).get
    return found


def strays(reader: Reader, folder: Path, before: float) -> list[str]:
    """Hashes of files without a row, and removes unfinished uploads, both older than a time.

    Args:
        reader: What to look rows up with.
        folder: The data directory.
        before: Seconds since the epoch.
    """
    connection = reader.connection
    found = []
    for file in files(folder):
        if file.stat().st_mtime < before:
            sha256 = file.parent.name + file.name
            if connection.execute(KNOWN, (bytes.fromhex(sha256),)).get is None:
                found.append(sha256)
    with suppress(FileNotFoundError):
        for upload in (folder / FOLDER / NEW).iterdir():
            if upload.stat().st_mtime < before:
                upload.unlink(missing_ok=True)
    return found


def files(folder: Path) -> Iterator[Path]:
    """Every blob's file."""
    with suppress(FileNotFoundError):
        for shelf in sorted((folder / FOLDER).iterdir()):
            if len(shelf.name) == 2:
                yield from sorted(shelf.iterdir())


@contextmanager
def files_held(folder: Path, removing: bool = False) -> Iterator[bool]:
    """Hold blob files in place, or ask whether nobody does.

    Args:
        folder: The data directory.
        removing: Ask for leave to remove files, without waiting.

    Yields:
        Whether the caller may go on: always when holding.
    """
    file = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(file, (fcntl.LOCK_EX | fcntl.LOCK_NB) if removing else fcntl.LOCK_SH)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(file)


class FileBlobWriter:
    """Receives a blob into `blobs/new/`; see `hub.storage.port.BlobWriter`."""

    def __init__(self, folder: Path, tenant: int, run: Run, register: Register) -> None:
        """Start.

        Args:
            folder: The data directory.
            tenant: Tenant key.
            run: Runs blocking functions.
            register: Has the writer keep the file.
        """
        self._tenant, self._run, self._register = tenant, run, register
        self._name = uuid.uuid4().hex
        self._path = folder / FOLDER / NEW / self._name
        self._hash = hashlib.sha256()
        self._size = 0
        self._waiting = bytearray()
        self._file: int | None = None

    async def write(self, piece: bytes) -> None:
        """Append a piece."""
        self._waiting += piece
        if len(self._waiting) >= PIECE:
            await self._run(self._flush)

    async def finish(self) -> Blob:
        """Make it durable and enter it."""
        await self._run(self._close)
        blob = Blob(self._hash.hexdigest(), self._size)
        try:
            await self._register(self._tenant, self._name, blob.sha256, blob.size)
        except BaseException:
            await self.abandon()
            raise
        return blob

    async def abandon(self) -> None:
        """Throw it away."""
        await self._run(self._remove)

    def _flush(self) -> None:
        try:
            if self._file is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = os.open(
                    self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600
                )
            left = memoryview(self._waiting)
            while left:
                left = left[os.write(self._file, left) :]
        except OSError as error:
            self._remove()
            raise unavailable(error) from error
        self._hash.update(self._waiting)
        self._size += len(self._waiting)
        self._waiting = bytearray()

    def _close(self) -> None:
        self._flush()
        try:
            if self._file is not None:
                os.fsync(self._file)
                os.close(self._file)
                self._file = None
        except OSError as error:
            self._remove()
            raise unavailable(error) from error

    def _remove(self) -> None:
        if self._file is not None:
            with suppress(OSError):
                os.close(self._file)
            self._file = None
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


async def pieces(
    folder: Path, sha256: str, start: int, end: int, run: Run
) -> AsyncGenerator[bytes, None]:
    """The bytes [start, end) of a blob's file, a piece at a time.

    Raises:
        StoreUnavailable: The file cannot be read.
    """
    try:
        file = os.open(path_of(folder, sha256), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError as error:
        log.error("blob %s: its file is missing", sha256)
        raise StoreUnavailable("a blob's file is missing", trouble="damaged") from error
    except OSError as error:
        raise unavailable(error) from error
    try:
        if os.fstat(file).st_size < end:  # before the first byte: then it can still be told
            log.error("blob %s: its file is too short", sha256)
            raise StoreUnavailable("a blob's file is shorter than its row says", trouble="damaged")
        while start < end:
            piece = await run(os.pread, file, min(PIECE, end - start), start)
            if not piece:
                raise StoreUnavailable(
                    "a blob's file is shorter than its row says", trouble="damaged"
                )
            start += len(piece)
            yield piece
    except OSError as error:
        raise unavailable(error) from error
    finally:
        os.close(file)


def _column(connection: apsw.Connection, sql: str, bindings: tuple[Any, ...]) -> list[bytes]:
    rows: list[Any] = connection.execute(sql, bindings).fetchall()
    return [value for (value,) in rows]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
