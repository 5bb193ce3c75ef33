"""A door over each kind of store, and resources to put through it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hub.context import Context
from hub.interactions import Interactions, RegistryHolder
from hub.settings import Settings
from hub.storage.memory.store import MemoryStore
from hub.storage.port import Store
from hub.storage.sqlite.store import open_store
from hub.validation.validator import Validator

VALIDATOR = Validator()


def door_over(store: Store, **settings: Any) -> Interactions:
    """A door with its own registry and settings."""
    return Interactions(store, VALIDATOR, RegistryHolder(store), Settings(**settings))


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store of each kind."""
    opened: Store = MemoryStore() if request.param == "memory" else open_store(tmp_path / "data")
    yield opened
    await opened.close()


@pytest.fixture
def door(store: Store) -> Interactions:
    """The door with default settings."""
    return door_over(store)


@pytest.fixture
def ctx() -> Context:
    """The local principal."""
    return Context()


def patient(**more: Any) -> dict[str, Any]:
    """A small valid Patient."""
    return {
        "resourceType": "Patient",
        "identifier": [{"system": "urn:oid:1.2.3", "value": "p1"}],
        "name": [{"family": "张", "given": ["小明"]}],
        "birthDate": "1970-03-01",
    } | more


def observation(subject: str = "", **more: Any) -> dict[str, Any]:
    """A small valid Observation."""
    made: dict[str, Any] = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
        "effectiveDateTime": "2026-03-01T02:00:00+08:00",
    }
    if subject:
        made["subject"] = {"reference": subject}
    return made | more
