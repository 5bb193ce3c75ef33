"""After a power cut at any moment: clean, nothing acknowledged lost, no bundle torn."""

from __future__ import annotations

from pathlib import Path
from random import Random

import apsw
import pytest

from hub.storage.sqlite import checkpoint
from hub.storage.sqlite.store import open_store
from tests.faults.load import CLOCK, Load, assert_whole, bundle
from tests.faults.vfs import Disk

pytestmark = pytest.mark.fault

Cut = tuple[Path, set[int], set[int]]


def cut_at(disk: Disk, load: Load, folder: Path, moments: set[int], random: Random) -> list[Cut]:
    """Have the disk lose power at these calls; gives folders and what was known by then."""
    cuts: list[Cut] = []

    def before_call(kind: str, file: str) -> None:
        if disk.calls in moments:
            known = set(load.stored), set(load.refused)
            target = folder / f"cut-{disk.calls}"
            disk.cut(target, random)
            cuts.append((target, *known))

    disk.before_call = before_call
    return cuts


async def assert_cut_is_whole(cut: Cut, sent: int) -> None:
    folder, stored, refused = cut
    store = open_store(folder)
    await assert_whole(store, sent, stored, refused)
    # and it goes on from there
    await store.commit(bundle(sent, Random(0)))
    assert [finding async for finding in store.verify(1)] == []
    await store.close()


@pytest.mark.parametrize("seed", range(4))
async def test_a_power_cut_at_any_moment_of_a_load(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "START_PAGES", 60)
    random, disk = Random(seed), Disk()
    load = Load(random)
    store = open_store(tmp_path / "data", vfs=disk.name)
    start = disk.calls
    moments = set(random.sample(range(start, start + 1_500), 25))
    cuts = cut_at(disk, load, tmp_path, moments, random)
    await load.run(store, 250)
    await store.close()
    assert len(load.stored) == 250
    assert len(cuts) > 15
    for cut in cuts:
        await assert_cut_is_whole(cut, len(load.sent))


@pytest.mark.parametrize("seed", range(4))
async def test_a_power_cut_while_the_store_is_made(tmp_path: Path, seed: int) -> None:
    random, disk = Random(seed), Disk()
    load = Load(random)
    cuts = cut_at(disk, load, tmp_path, set(random.sample(range(120), 12)), random)
    store = open_store(tmp_path / "data", vfs=disk.name)
    await load.run(store, 3)
    await store.close()
    for cut in cuts:
        await assert_cut_is_whole(cut, 3)


@pytest.mark.parametrize("seed", range(6))
async def test_what_was_refused_does_not_come_back_with_the_power(
    tmp_path: Path, seed: int
) -> None:
    """Syncs fail now and then; a failed commit's frames must not be found after a cut."""
    random, disk = Random(seed), Disk()
    load = Load(random)
    store = open_store(tmp_path / "data", vfs=disk.name)
    start = disk.calls
    cuts = cut_at(disk, load, tmp_path, set(random.sample(range(start, start + 500), 20)), random)
    cutting = disk.before_call
    syncs = 0

    def before_call(kind: str, file: str) -> None:
        nonlocal syncs
        cutting(kind, file)
        if kind == "sync" and file.endswith("-wal"):
            syncs += 1
            # Some are stored, and one is refused for certain: its fence, the fourth, holds.
            if syncs == 3 or (syncs > 4 and random.random() < 0.2):
                raise apsw.IOError("sync failed")

    disk.before_call = before_call
    await load.run(store, 80)
    disk.before_call = lambda kind, file: None
    await assert_whole(store, len(load.sent), load.stored, load.refused)
    await store.close()
    assert load.refused
    assert load.stored
    for cut in cuts:
        await assert_cut_is_whole(cut, len(load.sent))


async def test_a_commit_whose_sync_failed_is_not_found_even_if_all_of_it_was_written(
    tmp_path: Path,
) -> None:
    random, disk = Random(1), Disk()
    load = Load(random)
    store = open_store(tmp_path / "data", vfs=disk.name)
    for number in range(20):
        fail = number % 2 == 1

        def before_call(kind: str, file: str) -> None:
            nonlocal fail
            if fail and kind == "sync":
                fail = False
                raise apsw.IOError("sync failed")

        disk.before_call = before_call
        await load.send(store)
        disk.cut(tmp_path / f"cut-{number}", random, kept=1.0)
        assert (number in load.stored) == (number % 2 == 0)
        assert (number in load.refused) == (number % 2 == 1)
        known = set(load.stored), set(load.refused)
        await assert_cut_is_whole((tmp_path / f"cut-{number}", *known), number + 1)
    await store.close()


async def test_a_disk_that_forgets_is_told_from_one_that_does_not(tmp_path: Path) -> None:
    """The harness finds a store that does not sync: else the tests above prove nothing."""
    disk = Disk()
    connection = apsw.Connection(str(tmp_path / "x"), vfs=disk.name)
    connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", "off")
    connection.execute("CREATE TABLE t (n)")
    for number in range(100):
        connection.execute("INSERT INTO t VALUES (?)", (CLOCK + number,))
    random = Random(1)
    lost = 0
    for attempt in range(20):
        target = tmp_path / f"cut-{attempt}"
        disk.cut(target, random)
        found = apsw.Connection(str(target / "x"))
        try:
            lost += found.execute("SELECT count(*) FROM t").get != 100
        except apsw.Error:
            lost += 1
        found.close()
    connection.close()
    assert lost > 5
