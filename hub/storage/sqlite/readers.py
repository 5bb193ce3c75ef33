"""Reading connections: one for the event loop, one for each thread of a small pool.

Point reads run inline on the loop; searches, histories and scans on the pool, so that a long
one holds nothing up. Called by `store`.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from hub.storage.port import StoreUnavailable
from hub.storage.sqlite import migrations
from hub.storage.sqlite.connect import FAULTS, open_reader, unavailable
from hub.storage.sqlite.record import Reader, reader_of

T = TypeVar("T")


class Readers:
    """Opens readers as threads ask for them and closes them all; see the module."""

    def __init__(self, folder: Path, threads: int, vfs: str | None = None) -> None:
        """Open the loop's reader.

        Args:
            folder: The data directory.
            threads: Size of the pool.
            vfs: SQLite VFS, None for the system's.

        Raises:
            StoreUnavailable: The database cannot be opened or has another schema.
        """
        self._folder, self._vfs = folder, vfs
        self._lock = threading.Lock()
        self._all: list[Reader] = []
        self._local = threading.local()
        self._closed = False
        self.inline = self._open()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="read")

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """Run `function(reader, *arguments)` on a thread of the pool.

        Raises:
            StoreUnavailable: I/O failed, or the store is closed.
        """
        return await self.run_blocking(self._with_reader, function, arguments)

    async def run_blocking(self, function: Callable[..., T], *arguments: Any) -> T:
        """Run a function that needs no reader on a thread of the pool."""
        if self._closed:
            raise StoreUnavailable("the store is closed")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, function, *arguments)

    def close(self) -> None:
        """Wait for running reads and close all connections. Blocks."""
        self._closed = True
        self._pool.shutdown()
        for reader in self._all:
            reader.connection.close()

    def _with_reader(self, function: Callable[..., T], arguments: tuple[Any, ...]) -> T:
        reader = getattr(self._local, "reader", None)
        if reader is None:
            reader = self._local.reader = self._open()
        try:
            return function(reader, *arguments)
        except FAULTS as error:
            raise unavailable(error) from error

    def _open(self) -> Reader:
        try:
            connection = open_reader(self._folder, self._vfs)
            migrations.require_current(connection)
            reader = reader_of(connection)
        except FAULTS as error:
            raise unavailable(error) from error
        with self._lock:
            self._all.append(reader)
        return reader
