"""Messages through kill -9, a power cut, a failing and a full disk: each is kept, settled once."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from random import Random

import apsw
import pytest

from hub.storage.port import StoreUnavailable
from hub.storage.sqlite import checkpoint
from hub.storage.sqlite.store import open_store
from tests.faults.message_load import (
    Hospital,
    assert_nothing_lost,
    message,
    resume,
    send_out,
)
from tests.faults.test_kill import start
from tests.faults.vfs import Disk

pytestmark = pytest.mark.fault

ROUNDS = int(os.environ.get("HUB_KILL_ROUNDS", "20"))


async def test_killed_while_messages_come_in(tmp_path: Path) -> None:
    """The hospital sends on across kills; each message is kept and settled once."""
    random = Random(1)
    folder = tmp_path / "data"
    owner = await start(folder)
    worker = open_store(folder, role="reader")
    hospital = Hospital()
    sending = asyncio.create_task(hospital.run(worker, 1_000_000, clients=16))
    for _ in range(ROUNDS):
        await asyncio.sleep(random.uniform(0.02, 0.4))
        owner.kill()
        await owner.wait()
        kept = dict(hospital.kept)
        owner = await start(folder)
        for row in kept.values():
            assert await worker.messages.arrival(1, row)
        await send_out(worker)
    hospital.stop = True
    await sending
    await resume(worker)
    assert await worker.messages.waiting(1, 0, 9) == []
    assert len(hospital.settled) > ROUNDS
    await assert_nothing_lost(worker, hospital)
    await worker.close()
    owner.terminate()
    assert await owner.wait() == 0


async def test_killed_and_resumed_without_the_hospital(tmp_path: Path) -> None:
    """What was not answered is kept whole or not at all; what waits can be worked on."""
    random = Random(2)
    for attempt in range(5):
        folder = tmp_path / str(attempt)
        owner = await start(folder)
        worker = open_store(folder, role="reader")
        hospital = Hospital()
        sending = asyncio.create_task(hospital.run(worker, 1_000_000, clients=16))
        await asyncio.sleep(random.uniform(0.05, 0.4))
        owner.kill()
        await owner.wait()
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await worker.close()
        store = open_store(folder)
        await assert_nothing_lost(store, hospital)
        await resume(store)
        assert await store.messages.waiting(1, 0, 9) == []
        await assert_nothing_lost(store, hospital)
        await store.close()


async def test_a_power_cut_at_any_moment_loses_no_message(tmp_path: Path) -> None:
    random, disk = Random(3), Disk()
    store = open_store(tmp_path / "data", vfs=disk.name)
    hospital = Hospital()
    cuts: list[tuple[Path, Hospital]] = []
    moments = set(random.sample(range(disk.calls, disk.calls + 400), 20))

    def before_call(kind: str, file: str) -> None:
        if disk.calls in moments:
            target = tmp_path / f"cut-{disk.calls}"
            disk.cut(target, random)
            known = Hospital(hospital.sent, dict(hospital.kept), set(hospital.settled))
            cuts.append((target, known))

    disk.before_call = before_call
    await hospital.run(store, 150, clients=3)
    disk.before_call = lambda kind, file: None
    await store.close()
    assert len(cuts) > 10
    for folder, known in cuts:
        store = open_store(folder)
        await assert_nothing_lost(store, known)
        await resume(store)
        await assert_nothing_lost(store, known)
        await store.close()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("error", [apsw.IOError, apsw.FullError])
async def test_any_call_may_fail_while_messages_come_in(
    tmp_path: Path, seed: int, error: type[apsw.Error], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "START_PAGES", 60)
    random, disk = Random(seed), Disk()
    store = open_store(tmp_path / "data", vfs=disk.name)
    hospital = Hospital()
    rate = random.choice([0.002, 0.02, 0.1])

    def before_call(kind: str, file: str) -> None:
        if random.random() < rate:
            raise (error if kind == "write" else apsw.IOError)(f"{kind} failed")

    disk.before_call = before_call
    await hospital.run(store, 120)
    disk.before_call = lambda kind, file: None
    assert len(hospital.settled) == 120
    await assert_nothing_lost(store, hospital)
    await store.close()
    store = open_store(tmp_path / "data")
    await assert_nothing_lost(store, hospital)
    await store.close()


async def test_a_full_disk_keeps_no_message_and_says_so(tmp_path: Path) -> None:
    disk = Disk()
    store = open_store(tmp_path / "data", vfs=disk.name)
    hospital = Hospital()
    await hospital.run(store, 20)

    def full(kind: str, file: str) -> None:
        if kind == "write":
            raise apsw.FullError("full")

    disk.before_call = full
    with pytest.raises(StoreUnavailable) as refused:
        await store.messages.receive(1, message(20))
    assert (refused.value.trouble, refused.value.uncertain) == ("full", False)
    await assert_nothing_lost(store, hospital)
    disk.before_call = lambda kind, file: None
    await hospital.run(store, 30)
    assert len(hospital.settled) == 30
    await assert_nothing_lost(store, hospital)
    await store.close()
