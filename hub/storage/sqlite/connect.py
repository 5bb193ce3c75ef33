"""Opening the database file: one writing connection, any number of reading ones.

Called by `writer` and `readers`. WAL with synchronous=FULL: a commit is durable when it
returns. No mmap: an I/O error in a mapped page is a signal that ends the process, where a
failed read is an exception.
"""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import apsw
import msgspec

from hub.storage.port import StoreLocked, StoreUnavailable, Trouble

DATABASE = "hub.sqlite3"
PARTIAL = f"{DATABASE}.partial"
"""What `restore` is putting in place."""

LOCK = "hub.lock"

WRITER_CACHE_KIB = 32 * 1024
READER_CACHE_KIB = 8 * 1024
WAL_KEPT = 64 * 1024 * 1024
"""A log longer than this (bytes) is cut back once it has been copied into the database."""

IO_ERRORS = (
    apsw.IOError,
    apsw.FullError,
    apsw.CantOpenError,
    apsw.CorruptError,
    apsw.NotADBError,
    apsw.ReadOnlyError,
    apsw.NoMemError,
    apsw.BusyError,
    apsw.LockedError,
    apsw.ProtocolError,
)
"""What SQLite raises when the disk or the file, not the request, is at fault."""

DAMAGE = (apsw.CorruptError, apsw.NotADBError, UnicodeDecodeError, msgspec.DecodeError)
"""What reading a damaged page or row raises."""

FAULTS = (*IO_ERRORS, UnicodeDecodeError, msgspec.DecodeError)
"""Both: text and packed rows are decoded as they are read."""

_FULL = "the disk is full"
_DAMAGED = "the database file is damaged; put a backup in its place"
_FAILING = "the disk fails"
_BUSY = "the database is busy"
_UNREADABLE = "a row of the database is damaged; put a backup in its place"
_WORDS: dict[type[BaseException], str] = {
    apsw.FullError: _FULL,
    apsw.CorruptError: _DAMAGED,
    apsw.NotADBError: _DAMAGED,
    apsw.IOError: _FAILING,
    apsw.CantOpenError: "the database file cannot be opened",
    apsw.ReadOnlyError: "the database file cannot be written",
    apsw.NoMemError: "memory is used up",
    apsw.BusyError: _BUSY,
    apsw.LockedError: _BUSY,
    apsw.ProtocolError: _BUSY,
    UnicodeDecodeError: _UNREADABLE,
    msgspec.DecodeError: _UNREADABLE,
    msgspec.ValidationError: _UNREADABLE,
}
_TROUBLES: dict[str, Trouble] = {_FULL: "full", _DAMAGED: "damaged", _UNREADABLE: "damaged"}
_NUMBERS = {errno.ENOSPC: _FULL, errno.EDQUOT: _FULL, errno.EIO: _FAILING}


def unavailable(error: BaseException | None, uncertain: bool = False) -> StoreUnavailable:
    """What callers are told of an error of SQLite or the system: no paths or values."""
    reason = _WORDS.get(type(error)) if error is not None else None
    if reason is None and isinstance(error, OSError):
        reason = _NUMBERS.get(error.errno or 0, error.strerror)
    if getattr(error, "extendedresult", 0) == apsw.SQLITE_IOERR_SHMSIZE:
        reason = _FULL  # the file that readers and writer share could not grow
    trouble = _TROUBLES.get(reason or "", "transient")
    return StoreUnavailable(reason or type(error).__name__, uncertain, trouble)


def open_writer(folder: Path, vfs: str | None = None) -> apsw.Connection:
    """The writing connection; makes the database when there is none.

    Args:
        folder: The data directory.
        vfs: Name of the SQLite VFS, None for the system's.
    """
    connection = apsw.Connection(str(folder / DATABASE), vfs=vfs)
    connection.set_busy_timeout(5000)
    if connection.readonly("main"):  # SQLite opens what it may only read so, without a word
        connection.close()
        raise apsw.ReadOnlyError("the file is not writable")
    for pragma, value in (
        ("page_size", 4096),
        ("journal_mode", "wal"),
        ("synchronous", "full"),
        ("wal_autocheckpoint", 0),
        ("journal_size_limit", WAL_KEPT),
        ("cache_size", -WRITER_CACHE_KIB),
        ("temp_store", "memory"),
        ("foreign_keys", False),
        ("cell_size_check", True),
    ):
        connection.pragma(pragma, value)
    return connection


def open_reader(folder: Path, vfs: str | None = None) -> apsw.Connection:
    """A connection that cannot write."""
    connection = apsw.Connection(str(folder / DATABASE), flags=apsw.SQLITE_OPEN_READONLY, vfs=vfs)
    connection.set_busy_timeout(5000)
    connection.pragma("query_only", True)
    connection.pragma("cache_size", -READER_CACHE_KIB)
    connection.pragma("temp_store", "memory")
    return connection


def make_folder(folder: Path) -> None:
    """Make the data directory, readable by its owner only, unless it is there.

    Raises:
        NotADirectoryError: Something else is there.
        OSError: It cannot be made.
    """
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "a file, not a folder", str(folder))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


class OwnerLock:
    """The one process that may write holds this; the system frees it when the process ends."""

    def __init__(self, folder: Path) -> None:
        """Take the lock.

        Raises:
            StoreLocked: Another process has it.
        """
        self._file = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.read(self._file, 20)
            os.close(self._file)
            raise StoreLocked(int(owner) if owner.isdigit() else 0) from error
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        """Let another process own the store."""
        os.close(self._file)
