"""I/O errors and a full disk: unavailable, nothing half-applied, and well again afterwards."""

from __future__ import annotations

import resource
from pathlib import Path
from random import Random

import apsw
import pytest

from hub.storage.port import RuntimeParameter, StoreUnavailable
from hub.storage.sqlite import checkpoint
from hub.storage.sqlite.store import open_store
from tests.faults.load import TENANT, Load, assert_whole
from tests.faults.vfs import Disk

pytestmark = pytest.mark.fault


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("error", [apsw.IOError, apsw.FullError])
async def test_any_call_may_fail_at_any_moment(
    tmp_path: Path, seed: int, error: type[apsw.Error], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "START_PAGES", 60)
    random, disk = Random(seed), Disk()
    load = Load(random)
    store = open_store(tmp_path / "data", vfs=disk.name)
    rate = random.choice([0.002, 0.02, 0.1])

    def before_call(kind: str, file: str) -> None:
        if random.random() < rate:
            # only writing finds a disk full: SQLite calls a sync that fails an IOError
            raise (error if kind == "write" else apsw.IOError)(f"{kind} failed")

    disk.before_call = before_call
    await load.run(store, 120)
    disk.before_call = lambda kind, file: None
    await assert_whole(store, len(load.sent), load.stored, load.refused)
    stored = len(load.stored)
    await load.run(store, 20)
    assert len(load.stored) == stored + 20
    await store.close()
    store = open_store(tmp_path / "data")
    await assert_whole(store, len(load.sent), load.stored, load.refused)
    await store.close()


async def test_a_full_disk_can_be_read_and_is_written_again_once_there_is_room(
    tmp_path: Path,
) -> None:
    disk = Disk()
    load = Load(Random(1))
    store = open_store(tmp_path / "data", vfs=disk.name)
    await load.run(store, 20)

    def full(kind: str, file: str) -> None:
        if kind == "write":
            raise apsw.FullError("full")

    disk.before_call = full
    await load.run(store, 20)
    assert len(load.stored) == 20
    assert len(load.refused) == 20, "a full disk leaves no doubt"
    await assert_whole(store, len(load.sent), load.stored, load.refused)
    disk.before_call = lambda kind, file: None
    await load.run(store, 20)
    assert len(load.stored) == 40
    await store.close()


@pytest.mark.parametrize("kind", ["write", "sync"])
async def test_what_is_no_commit_fails_like_one(tmp_path: Path, kind: str) -> None:
    """Groups without a commit move no sequence; a failed one must not pass for stored."""
    disk = Disk()
    store = open_store(tmp_path / "data", vfs=disk.name)
    left = 1

    def before_call(called: str, file: str) -> None:
        nonlocal left
        if left and called == kind:
            left -= 1
            raise apsw.IOError("failed")

    disk.before_call = before_call
    with pytest.raises(StoreUnavailable):
        await store.put_parameter(TENANT, RuntimeParameter(0, "urn:1", "one"), "urn:1")
    assert await store.parameters(TENANT) == ()
    put = await store.put_parameter(TENANT, RuntimeParameter(0, "urn:1", "one"), "urn:1")
    assert await store.parameters(TENANT) == (put,)
    await store.close()


async def test_a_failed_read_is_unavailable_and_the_next_one_is_not(tmp_path: Path) -> None:
    disk = Disk()
    load = Load(Random(1))
    store = open_store(tmp_path / "data", vfs=disk.name)
    await load.run(store, 200)
    await store.close()
    store = open_store(tmp_path / "data", vfs=disk.name)

    def broken(file: str) -> None:
        raise apsw.IOError("read failed")

    disk.before_read = broken
    with pytest.raises(StoreUnavailable):
        await store.read_many(TENANT, [("Patient", f"n{number}") for number in range(200)])
    with pytest.raises(StoreUnavailable):
        await store.scan(TENANT, (), 0, 200)
    with pytest.raises(StoreUnavailable):
        await load_one(store, load)
    disk.before_read = lambda file: None
    await assert_whole(store, len(load.sent), load.stored, load.refused)
    await store.close()


async def load_one(store: object, load: Load) -> None:
    before = len(load.stored)
    await load.send(store)  # type: ignore[arg-type]
    if len(load.stored) == before:
        raise StoreUnavailable("as the load saw")


async def test_a_store_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    disk = Disk()

    def broken(kind: str, file: str) -> None:
        raise apsw.IOError("failed")

    disk.before_call = broken
    with pytest.raises(StoreUnavailable):
        open_store(tmp_path / "data", vfs=disk.name)
    disk.before_call = lambda kind, file: None
    store = open_store(tmp_path / "data", vfs=disk.name)
    await Load(Random(1)).run(store, 5)
    await store.close()


async def test_a_blob_that_does_not_fit_is_unavailable_and_leaves_nothing(tmp_path: Path) -> None:
    store = open_store(tmp_path / "data")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    writer = await store.new_blob(TENANT)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        with pytest.raises(StoreUnavailable):
            await writer.write(bytes(3 << 20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list((tmp_path / "data" / "blobs" / "new").iterdir()) == []
    assert [finding async for finding in store.verify(TENANT)] == []
    await store.close()
