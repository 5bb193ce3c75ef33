"""One damaged body holds up neither indexing nor anything else."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from hub.context import Context
from hub.interactions import indexing
from hub.rest import health
from hub.rest.metrics import Metrics
from hub.storage.sqlite.connect import DATABASE
from hub.storage.sqlite.store import open_store
from tests.interactions.conftest import door_over, patient

COLOUR: dict[str, Any] = {
    "resourceType": "SearchParameter",
    "id": "colour",
    "url": "https://clinic.example/SearchParameter/colour",
    "name": "colour",
    "status": "active",
    "description": "Colour",
    "code": "colour",
    "base": ["Patient"],
    "type": "string",
    "expression": "Patient.name.family",
}
NO_JSON = b"}" * 40  # short: kept as it is


def damage(folder: Path, id: str, body: bytes = b"no zstd frame", codec: int = 1) -> None:
    database = sqlite3.connect(folder / DATABASE)
    with database:
        database.execute("UPDATE resource SET body = ?, codec = ? WHERE id = ?", (body, codec, id))
    database.close()


async def stored(folder: Path, ctx: Context, *resources: dict[str, Any]) -> None:
    store = open_store(folder)
    door = door_over(store)
    for resource in resources:
        await door.update(ctx, resource["resourceType"], resource["id"], resource)
    await store.close()


@pytest.mark.parametrize("damaged", ["p0", "p60", "p129"])
@pytest.mark.parametrize(("body", "codec"), [(b"no zstd frame", 1), (NO_JSON, 0)])
async def test_all_others_are_indexed(
    tmp_path: Path, ctx: Context, damaged: str, body: bytes, codec: int
) -> None:
    await stored(tmp_path, ctx, *(patient(id=f"p{n}") for n in range(130)), COLOUR)
    damage(tmp_path, damaged, body, codec)
    store = open_store(tmp_path)
    door = door_over(store)
    await indexing.catch_up(door, ctx)
    (parameter,) = await store.parameters(1)
    assert (parameter.status, parameter.indexed, parameter.counted) == ("completed", 130, 130)
    answer = await door.search(ctx, "Patient", [("colour", "张"), ("_summary", "count")])
    assert answer.total == 129
    steps: list[int] = []
    assert await indexing.reindex_all(door, ctx, ("Patient",), steps.append) >= 129
    await store.close()


async def test_a_damaged_search_parameter_is_left_out_and_all_else_goes_on(
    tmp_path: Path, ctx: Context, caplog: pytest.LogCaptureFixture
) -> None:
    other = COLOUR | {"id": "other", "code": "other", "url": "https://clinic.example/other"}
    await stored(tmp_path, ctx, patient(id="a"), COLOUR, other)
    damage(tmp_path, "colour")
    store = open_store(tmp_path)
    door = door_over(store)
    await door.update(ctx, "Patient", "b", patient(id="b"))
    with caplog.at_level(logging.WARNING):
        job = asyncio.create_task(indexing.run(door, ctx))
        for _ in range(3000):
            await asyncio.sleep(0.01)
            if any(one.status == "completed" for one in await store.parameters(1)):
                break
        job.cancel()
        with suppress(asyncio.CancelledError):
            await job
    answer = await door.search(ctx, "Patient", [("other", "张"), ("_summary", "count")])
    assert answer.total == 2
    assert "put off" not in caplog.text
    told = (await health.exposition(store, 1, Metrics(), None)).body
    assert isinstance(told, bytes)
    assert b"hub_store_up 1" in told
    assert b'indexed{code="other",id="other"} 2' in told
    await store.close()
