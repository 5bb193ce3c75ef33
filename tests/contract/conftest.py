"""The stores that the contract suite runs on: add one to `BACKENDS` and it has to pass."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from hub.storage.memory.store import MemoryStore
from hub.storage.port import Store
from hub.storage.sqlite.store import open_store


@asynccontextmanager
async def memory(folder: Path) -> AsyncIterator[Store]:
    yield MemoryStore()


@asynccontextmanager
async def sqlite(folder: Path) -> AsyncIterator[Store]:
    store = open_store(folder)
    yield store
    await store.close()


@asynccontextmanager
async def sqlite_worker(folder: Path) -> AsyncIterator[Store]:
    """A worker that reads itself and sends its writes to the owner."""
    owner = open_store(folder)
    await owner.listen()
    worker = open_store(folder, role="reader")
    yield worker
    await worker.close()
    await owner.close()


BACKENDS: dict[str, Callable[[Path], AbstractAsyncContextManager[Store]]] = {
    "memory": memory,
    "sqlite": sqlite,
    "sqlite-worker": sqlite_worker,
}


@pytest.fixture(params=list(BACKENDS))
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store of each kind."""
    async with BACKENDS[request.param](tmp_path / "data") as opened:
        yield opened
