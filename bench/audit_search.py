"""What a search of the audit costs when its chain is long.

`python -m bench.audit_search [--rows N] [--folder DIR]` makes a chain of N rows in a folder (a
temporary one by default): commits of one resource, and one row in twenty a block of reads. Then
it prints milliseconds per search, and CPU microseconds per event noted.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path
from random import Random
from uuid import UUID

from msgspec.structs import replace

from hub.app import build_door
from hub.audit.recorder import Recorder
from hub.context import Context
from hub.interactions import Interactions
from hub.principal import Principal
from hub.settings import Settings
from hub.storage.port import AuditRecord, Commit
from hub.storage.sqlite.store import SqliteStore, open_store

START = 1_700_000_000_000
GROUP = 512
PATIENTS = 20_000
RARE = "00000000-0000-4000-8000-000000000000"


def record(random: Random, time: int) -> AuditRecord:
    """An event about one of many patients, of a doctor."""
    patient = str(UUID(int=random.randrange(PATIENTS) + (1 << 120)))
    doctor = f"doctor-{random.randrange(40)}"
    observation = f"Observation/{UUID(int=random.getrandbits(128))}/_history/1"
    return AuditRecord(
        "C", "create", doctor, f"{random.getrandbits(80):020x}", "0", (observation,),
        "console", f"Practitioner/{doctor}", "192.0.2.7", "", (patient,), "", time,
    )  # fmt: skip


async def fill(store: SqliteStore, rows: int) -> None:
    """Write the chain; a patient of its own in a few places."""
    random = Random(1)
    for start in range(0, rows, GROUP):
        work: list[Awaitable[object]] = []
        for number in range(start, min(start + GROUP, rows)):
            one = record(random, START + number * 1000)
            if number % (rows // 25) == 7:
                one = replace(one, patients=(RARE,))
            if number % 20 == 19:
                block = [record(random, one.time - n) for n in range(10)]
                work.append(store.append_audit(1, block, one.time))
            else:
                work.append(store.commit(Commit(1, (), one, one.time)))
        await asyncio.gather(*work)


async def timed(door: Interactions, words: str, parameters: list[tuple[str, str]]) -> None:
    """Print how long a search takes."""
    took, size = [], 0
    for _ in range(7):
        start = time.perf_counter()
        answer = await door.search(Context(), "AuditEvent", parameters)
        took.append((time.perf_counter() - start) * 1000)
        size = len(answer.entries)
    print(f"{words:42} {statistics.median(took):8.1f} ms  (up to {max(took):.1f}), {size} events")


async def noting(store: SqliteStore, events: int = 20_000) -> None:
    """Print what it costs to note reads and to write them."""
    recorder = Recorder(store)
    body = b'{"resourceType":"Observation","subject":{"reference":"Patient/a"}}' + b" " * 2000
    principal = Principal("li.wei", fhir_user="Practitioner/p", client="app")
    added = written = 0.0
    for number in range(0, events, GROUP):
        start = time.process_time()
        for one in range(GROUP):
            recorder.add(principal, f"{number + one:020x}", "192.0.2.1", "read", 200,
                         "Observation", f"{number + one:036x}", body=body)  # fmt: skip
        middle = time.process_time()
        await recorder.flush()
        added, written = added + middle - start, written + time.process_time() - middle
    print(f"noting {added / events * 1e6:.2f} us, writing {written / events * 1e6:.2f} us an event")


async def main() -> None:
    """Run."""
    options = argparse.ArgumentParser()
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--folder", type=Path)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.folder or Path(temporary)
        store = open_store(folder)
        if (await store.audit_head(1)).row < chosen.rows:
            start = time.perf_counter()
            await fill(store, chosen.rows)
            print(f"{chosen.rows} rows in {time.perf_counter() - start:.0f} s")
        door = build_door(store, Settings(data=folder, auth="off"))
        often = str(UUID(int=17 + (1 << 120)))
        await timed(door, "newest 20", [])
        await timed(door, "patient, ~75 events, newest 20", [("patient", often)])
        await timed(door, "patient, ~75 events, all", [("patient", often), ("_count", "200")])
        await timed(door, "patient, 25 events over all rows", [("patient", RARE)])
        await timed(door, "patient without events", [("patient", "nobody")])
        await timed(door, "patient and account", [("patient", often), ("altid", "doctor-3")])
        await timed(door, "one day", [("date", "2023-11-20")])
        await timed(door, "refused (none)", [("outcome", "4")])
        await timed(door, "deletes (none)", [("action", "D")])
        start = time.perf_counter()
        assert await store.check_audit(1) is None
        print(f"verify: {time.perf_counter() - start:.1f} s")
        await noting(store)
        await store.close()


if __name__ == "__main__":
    asyncio.run(main())
