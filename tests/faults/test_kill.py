"""kill -9 of the writing process under load, again and again.

`HUB_KILL_ROUNDS=500` does by hand what CI does 20 times.
"""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from random import Random

import pytest

from hub.storage.sqlite.store import open_store
from tests.faults.load import Load, assert_whole

pytestmark = pytest.mark.fault

ROUNDS = int(os.environ.get("HUB_KILL_ROUNDS", "20"))
ROUNDS_PER_STORE = 10


async def start(folder: Path) -> Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.owner_process", str(folder), stdout=PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    return process


@pytest.mark.parametrize("store", range((ROUNDS + ROUNDS_PER_STORE - 1) // ROUNDS_PER_STORE))
async def test_killed_under_load(tmp_path: Path, store: int) -> None:
    """Clients send on across kills; every commit is applied once, none is torn or lost."""
    random = Random(store)
    rounds = min(ROUNDS_PER_STORE, ROUNDS - store * ROUNDS_PER_STORE)
    folder = tmp_path / "data"
    owner = await start(folder)
    worker = open_store(folder, role="reader")
    load = Load(random)
    sending = asyncio.create_task(load.run(worker, 1_000_000, clients=16))
    for _ in range(rounds):
        await asyncio.sleep(random.uniform(0.02, 0.4))
        owner.kill()
        await owner.wait()
        acknowledged, sent = set(load.stored), len(load.sent)
        owner = await start(folder)
        # whatever was under way is sent again by now or will be: look at what was acknowledged
        for number in acknowledged:
            assert await worker.read(1, "Patient", f"n{number}") is not None, number
        assert sent >= len(acknowledged)
    load.stop = True
    await sending
    assert len(load.stored) == len(load.sent) > 0
    await assert_whole(worker, len(load.sent), load.stored, load.refused)
    await worker.close()
    owner.terminate()
    assert await owner.wait() == 0


async def test_killed_and_opened_without_its_clients(tmp_path: Path) -> None:
    """What was not acknowledged is there whole or not at all, with nobody to send it again."""
    random = Random(1)
    for attempt in range(5):
        folder = tmp_path / str(attempt)
        owner = await start(folder)
        worker = open_store(folder, role="reader")
        load = Load(random)
        sending = asyncio.create_task(load.run(worker, 1_000_000, clients=16))
        await asyncio.sleep(random.uniform(0.05, 0.4))
        owner.kill()
        await owner.wait()
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        acknowledged, sent = set(load.stored), len(load.sent)
        await worker.close()
        store = open_store(folder)
        await assert_whole(store, sent, acknowledged, set())
        await store.close()
