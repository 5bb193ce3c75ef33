"""The write-ahead log stays short under load, and readers cannot make it grow for ever."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

import pytest

from hub.storage.sqlite import checkpoint
from hub.storage.sqlite.connect import DATABASE
from hub.storage.sqlite.store import open_store
from tests.faults.load import Load, assert_whole

PAGE = 4096


async def test_the_log_starts_over_under_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "START_PAGES", 200)
    store = open_store(tmp_path)
    load = Load(Random(1))
    longest = 0
    for _ in range(20):
        await load.run(store, 50)
        longest = max(longest, (tmp_path / f"{DATABASE}-wal").stat().st_size)
    assert longest < 3_000 * PAGE
    await assert_whole(store, len(load.sent), load.stored, set())
    await store.close()


async def test_a_long_reader_delays_the_log_and_then_it_starts_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "START_PAGES", 100)
    store = open_store(tmp_path)
    load = Load(Random(1))
    await load.run(store, 10)
    reader = open_store(tmp_path, role="reader")
    connection = reader._inline.connection
    connection.execute("BEGIN")
    connection.execute("SELECT * FROM state").fetchall()
    await load.run(store, 300)
    while_read = (tmp_path / f"{DATABASE}-wal").stat().st_size
    connection.execute("COMMIT")
    lengths = []
    for _ in range(10):
        await load.run(store, 30)
        await asyncio.sleep(0.02)
        lengths.append(store._writing._writer._checkpointer.pages)  # type: ignore[attr-defined]
    assert min(lengths) < while_read / PAGE / 2
    await reader.close()
    await store.close()
