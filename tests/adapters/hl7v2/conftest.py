"""A hospital's desk over each kind of store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.storage.memory.store import MemoryStore
from hub.storage.port import Store
from hub.storage.sqlite.store import open_store
from tests.adapters.hl7v2.telling import Desk
from tests.interactions.conftest import door_over


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store of each kind."""
    opened: Store = MemoryStore() if request.param == "memory" else open_store(tmp_path / "data")
    yield opened
    await opened.close()


@pytest.fixture
def desk(store: Store) -> Desk:
    """Where messages are stored."""
    return Desk(door_over(store))
