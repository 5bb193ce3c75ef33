"""After a power cut at any moment the ledger knows all that it acknowledged."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from hub.storage.sqlite.store import open_store
from tests.faults.vfs import Disk

pytestmark = pytest.mark.fault

NOW = 1_700_000_000_000
KEYS = 7


@pytest.mark.parametrize("seed", range(3))
async def test_what_was_acknowledged_is_there_and_what_was_taken_is_gone(
    tmp_path: Path, seed: int
) -> None:
    random, disk = Random(seed), Disk()
    store = open_store(tmp_path / "data", vfs=disk.name)
    known: dict[str, int] = {}
    taken: set[str] = set()
    cuts: list[tuple[Path, dict[str, int], set[str]]] = []
    moments = set(random.sample(range(disk.calls, disk.calls + 400), 20))

    def before_call(kind: str, file: str) -> None:
        if disk.calls in moments:
            target = tmp_path / f"cut-{disk.calls}"
            disk.cut(target, random)
            cuts.append((target, dict(known), set(taken)))

    disk.before_call = before_call
    for number in range(120):
        key = f"grant {number % KEYS}"
        made = await store.ledger.put(1, "grant", key, b"%d" % number, now=NOW)
        assert made
        known[key] = made.revision
        code = f"code {number}"
        await store.ledger.put(1, "code", code, b"x", now=NOW)
        assert await store.ledger.take(1, "code", code, now=NOW)
        taken.add(code)
    await store.close()
    assert len(cuts) > 10
    for folder, revisions, gone in cuts:
        store = open_store(folder)
        for key, revision in revisions.items():
            found = await store.ledger.get(1, "grant", key, NOW)
            assert found
            assert revision <= found.revision
        for code in gone:
            assert await store.ledger.get(1, "code", code, NOW) is None
        assert [finding async for finding in store.verify(1)] == []
        await store.close()
