"""A door over SQLite, and loading into it as the command does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hub.context import Context
from hub.interactions import Interactions, RegistryHolder
from hub.loading.checkpoint import Checkpoint, State
from hub.loading.loader import Loader
from hub.loading.report import Report
from hub.loading.sources import files
from hub.settings import Settings
from hub.storage.sqlite.store import open_store
from hub.validation.validator import Validator

VALIDATOR = Validator()


class Silent:
    """Progress that nobody looks at; counts what it is told."""

    def __init__(self) -> None:
        self.bytes: dict[Path, int] = {}
        self.waited = 0

    def read(self, path: Path, size: int) -> None:
        self.bytes[path] = max(size, self.bytes.get(path, 0))

    def waiting(self, count: int) -> None:
        self.waited = max(count, self.waited)


@dataclass
class Desk:
    """Where a test loads."""

    door: Interactions
    context: Context
    folder: Path
    progress: Silent

    @property
    def report(self) -> list[dict[str, Any]]:
        path = self.folder / "report.ndjson"
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_text().splitlines()]

    def write(self, name: str, *resources: object) -> Path:
        """An ndjson file, or a JSON file of one resource."""
        path = self.folder / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(json.dumps(one, ensure_ascii=False) for one in resources) + "\n")
        return path

    async def load(self, *paths: Path, data: Path | None = None) -> State:
        given = paths or (self.folder / "in",)
        found = files(given)
        with (
            closing(Checkpoint(data or self.folder / "data", given, found)) as checkpoint,
            closing(Report(self.folder / "report.ndjson", "en", checkpoint.state.report)) as report,
        ):
            loader = Loader(self.door, self.context, checkpoint, report, self.progress)
            return await loader.load(found)

    async def read(self, type: str, id: str) -> dict[str, Any]:
        from hub.interactions.binary import whole

        stored = await self.door.read(self.context, type, id)
        return await whole(self.door, self.context, stored)

    async def version(self, type: str, id: str) -> int:
        return (await self.door.read(self.context, type, id)).version

    async def count(self, type: str) -> int:
        info = await self.door.store.info(self.context.tenant.key)
        return info.resources.get(type, 0)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """An empty SQLite store."""
    store = open_store(tmp_path / "data")
    settings = Settings(data=tmp_path / "data", body_limit=128 * 1024, body_budget=256 * 1024)
    door = Interactions(store, VALIDATOR, RegistryHolder(store), settings)
    yield Desk(door, Context(), tmp_path, Silent())
    await store.close()


def patient(id: str = "p1", **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": id, "name": [{"family": "张"}]} | more


def observation(id: str, subject: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "code": {"text": "weight"},
        "subject": {"reference": subject},
    } | more


def bundle(type: str, *entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": type, "entry": list(entries)} | more


def entry(resource: dict[str, Any], method: str = "", url: str = "", **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"resource": resource}
    if method:
        made["request"] = {"method": method, "url": url or resource["resourceType"]} | more
    return made
