"""Searches and histories that take too long are stopped; the rest of the store goes on."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from random import Random

import pytest

from hub.search.query import Query
from hub.storage.port import DeadlineExceeded, HistoryQuery, StoreUnavailable
from hub.storage.sqlite import record
from hub.storage.sqlite import store as stores
from hub.storage.sqlite.store import open_store
from tests.faults.load import TENANT, Load


async def test_a_search_that_is_not_done_at_once_goes_to_the_pool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(tmp_path)
    await Load(Random(1)).run(store, 500)
    query = Query(("Patient", "Observation"), count=50, total="accurate")
    expected = await store.search(TENANT, query)
    monkeypatch.setattr(stores, "INLINE_SECONDS", -1.0)
    assert await store.search(TENANT, query) == expected
    assert len(expected.matches) == 50
    assert expected.total == 1_000
    await store.close()


async def test_a_search_ends_at_its_deadline(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await Load(Random(1)).run(store, 1_000)
    query = Query((), count=1_000, total="accurate")
    start = time.process_time()
    with pytest.raises(DeadlineExceeded):
        await store.search(TENANT, query, deadline=0.0)
    assert time.process_time() - start < 1
    assert await store.read(TENANT, "Patient", "n1")
    assert (await store.search(TENANT, query)).total == 3_005
    await store.close()


async def test_a_history_ends_at_its_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(tmp_path)
    await Load(Random(1)).run(store, 1_000)
    monkeypatch.setattr(stores, "DEADLINE", 0.0)
    with pytest.raises(DeadlineExceeded):
        await store.history(TENANT, HistoryQuery(since=0, count=1_000))
    monkeypatch.undo()
    assert (await store.history(TENANT, HistoryQuery(since=0))).total == 4_000
    await store.close()


async def test_reads_go_on_while_the_pool_is_busy(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await Load(Random(1)).run(store, 20)
    busy = [asyncio.create_task(store._readers.run_blocking(time.sleep, 0.3)) for _ in range(4)]
    await asyncio.sleep(0)
    for number in range(20):
        assert await store.read(TENANT, "Patient", f"n{number}")
    assert not any(task.done() for task in busy)
    await asyncio.gather(*busy)
    await store.close()
    with pytest.raises(StoreUnavailable):
        await store.scan(TENANT, (), 0, 10)


async def test_a_scan_of_many_is_the_scan_of_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(tmp_path)
    await Load(Random(1)).run(store, 50)
    types = ("Patient", "Encounter")
    few = await store.scan(TENANT, types, 20, 60)
    monkeypatch.setattr(record, "FEW", 0)
    assert await store.scan(TENANT, types, 20, 60) == few
    assert len(few[0]) == 60
    await store.close()
