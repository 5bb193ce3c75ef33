"""Keeps the write-ahead log short without making commits wait for it.

A thread with a connection of its own copies most of the log into the database beside the
running writer (PASSIVE). The log can start over only when nothing of it is left to copy, so
the writer then copies the little that came in meanwhile between two groups. Called by
`writer`.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import apsw

from hub.storage.sqlite.connect import open_writer

START_PAGES = 2_000
"""The thread starts copying at this length (8 MB)."""

FORCE_PAGES = 16_000
"""At this length (64 MB) the writer waits for the thread."""

log = logging.getLogger(__name__)


class Checkpointer:
    """Watches the length of the log; see the module."""

    def __init__(self, folder: Path, writer: apsw.Connection, vfs: str | None) -> None:
        """Start the thread.

        Args:
            folder: The data directory.
            writer: The writing connection.
            vfs: SQLite VFS, None for the system's.
        """
        self.pages = 0
        self._next = START_PAGES
        self._connection = open_writer(folder, vfs)
        self._wanted = threading.Event()
        self._copied = threading.Event()
        self._copying = False
        self._closing = False
        self.watch(writer)
        self._thread = threading.Thread(target=self._run, name="checkpoint", daemon=True)
        self._thread.start()

    def watch(self, writer: apsw.Connection) -> None:
        """Follow the log of this (newly opened) writing connection."""
        self._writer = writer
        writer.set_wal_hook(self._note_length)

    def after_commit(self) -> None:
        """Between two groups, on the writer's thread: ask for a copy, or finish one."""
        if not self._copying:
            if self.pages >= self._next:
                self._copying = True
                self._wanted.set()
        elif self._copied.is_set() or self.pages >= FORCE_PAGES:
            self._copied.wait()
            self._copied.clear()
            self._copying = False
            # with readers that still need the log, there is no use in trying after every commit
            self._next = START_PAGES + (0 if _copy(self._writer) else self.pages)

    def close(self) -> None:
        """Stop the thread and copy what is left, so that the database is one file."""
        self._closing = True
        self._wanted.set()
        self._thread.join()
        self._connection.close()
        try:
            self._writer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        except apsw.Error as error:
            log.warning("the log stays for the next start: %s", type(error).__name__)

    def _note_length(self, connection: apsw.Connection, name: str, pages: int) -> int:
        self.pages = pages
        return apsw.SQLITE_OK

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            if self._closing:
                return
            _copy(self._connection)
            self._copied.set()


def _copy(connection: apsw.Connection) -> bool:
    """Copy what readers allow; whether that is all of the log."""
    try:
        length, copied = connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
    except apsw.Error as error:  # without its thread the writer would wait for it in vain
        log.warning("the log could not be copied: %s", type(error).__name__)
        return False
    return length == copied
