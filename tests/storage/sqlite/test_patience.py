"""A check or a backup gives up before the log it holds grows without end."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from hub.storage.port import StoreUnavailable
from hub.storage.sqlite import patience
from hub.storage.sqlite.store import open_store
from tests.faults.load import TENANT, Load

QUIETER = "at a quieter time"


async def test_long_reads_give_up_when_the_log_grows_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(tmp_path / "data")
    await Load(Random(1)).run(store, 400)
    monkeypatch.setattr(patience, "LONGEST_LOG", 1)
    monkeypatch.setattr(patience, "_STEPS", 10)
    with pytest.raises(StoreUnavailable, match=QUIETER):
        [finding async for finding in store.verify(TENANT)]
    monkeypatch.setattr("hub.storage.sqlite.backup.STEP_PAGES", 1)
    with pytest.raises(StoreUnavailable, match=QUIETER):
        await store.backup(tmp_path / "copy")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    monkeypatch.setattr(patience, "LONGEST_LOG", 1 << 40)
    await store.backup(tmp_path / "copy")
    assert [finding async for finding in store.verify(TENANT)] == []
    await store.close()
