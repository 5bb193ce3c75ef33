"""What a commit and a read cost in the SQLite store, without anything above it.

`python -m bench.storage_commit [--resources N] [--folder DIR]` makes a store of synthetic
resources in a folder (a temporary one by default) and prints CPU microseconds per operation of
the whole process, and latencies. Figures depend on the disk: its fsync is printed as well.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from random import Random

from hub.demo.generate import generate
from hub.model.body import split
from hub.search.extract import extract
from hub.search.registry import core
from hub.search.values import IndexRows
from hub.storage.port import AuditRecord, Commit, Exists, Store, Write
from hub.storage.sqlite.store import open_store

AUDIT = AuditRecord("C", "create", "local", "0123456789abcdef0123456789abcdef")
GROUP = 64
OPENING = 1_700_000_000_000


def made(count: int) -> list[Write]:
    """So many creates of synthetic resources with their index rows."""
    registry = core()
    writes: list[Write] = []
    for resource in generate(max(count // 12, 10), 7):
        rows = extract(registry, resource, zone="Asia/Shanghai", base="http://127.0.0.1/fhir")
        type, id = resource["resourceType"], resource["id"]
        writes.append(Write("POST", type, id, split(resource), rows))
        if len(writes) == count:
            break
    return writes


def commits(writes: Iterable[Write], indexed: bool = True) -> list[Commit]:
    """A commit each, with integrity of one reference."""
    found = []
    for write in writes:
        if not indexed:
            id = f"plain-{write.id}"[:64]
            write = Write(write.method, write.type, id, write.tail, IndexRows())
        exists = tuple(
            Exists(row.type, row.id)
            for row in (write.rows or IndexRows()).references[:1]
            if row.type and row.key < 10_000
        )
        found.append(Commit(1, (write,), AUDIT, OPENING, exists))
    return found


async def grouped(store: Store, work: list[Commit]) -> tuple[float, float]:
    """CPU microseconds per commit and commits per second, `GROUP` at a time."""
    cpu, wall = time.process_time(), time.perf_counter()
    for start in range(0, len(work), GROUP):
        await asyncio.gather(*(store.commit(commit) for commit in work[start : start + GROUP]))
    return (
        (time.process_time() - cpu) / len(work) * 1e6,
        len(work) / (time.perf_counter() - wall),
    )


async def timed(act: Callable[[], Awaitable[object]], times: int) -> tuple[float, float, float]:
    """CPU per call, and median and 99th percentile of its latency, in microseconds."""
    took = []
    cpu = time.process_time()
    for _ in range(times):
        start = time.perf_counter()
        await act()
        took.append(time.perf_counter() - start)
    spent = (time.process_time() - cpu) / times
    took.sort()
    return spent * 1e6, statistics.median(took) * 1e6, took[int(times * 0.99)] * 1e6


def fsync_cost(folder: Path) -> float:
    """Median microseconds of writing and syncing a page."""
    took = []
    with (folder / "fsync").open("wb") as file:
        for _ in range(100):
            start = time.perf_counter()
            file.write(bytes(4096))
            file.flush()
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - start)
    return statistics.median(took) * 1e6


async def measure(folder: Path, count: int) -> None:
    """Print the table."""
    writes = made(count)
    third = len(writes) // 3
    store = open_store(folder / "data")
    print(f"{len(writes)} resources; fsync of a page: {fsync_cost(folder):.0f} us")
    cpu, rate = await grouped(store, commits(writes[: len(writes) - 500]))
    print(f"create, groups of {GROUP}:               {cpu:7.1f} us CPU, {rate:7.0f}/s")
    cpu, rate = await grouped(store, commits(writes[:third], indexed=False))
    print(f"create without index rows:          {cpu:7.1f} us CPU, {rate:7.0f}/s")
    puts = [
        Commit(1, (Write("PUT", w.type, w.id, w.tail, w.rows, 1),), AUDIT, OPENING)
        for w in writes[:third]
    ]
    cpu, rate = await grouped(store, puts)
    print(f"update, same index rows:            {cpu:7.1f} us CPU, {rate:7.0f}/s")
    rest = iter(commits(writes[-500:]))
    cpu, median, high = await timed(lambda: store.commit(next(rest)), 400)
    print(f"solo create:                        {cpu:7.1f} us CPU, {median:.0f} us, p99 {high:.0f}")
    random = Random(1)
    keys = [(w.type, w.id) for w in random.choices(writes[:-500], k=5000)]
    await timed(lambda: store.read(1, *random.choice(keys)), 5000)
    cpu, median, high = await timed(lambda: store.read(1, *random.choice(keys)), 20000)
    print(f"read (with choosing and awaiting):  {cpu:7.1f} us CPU, {median:.1f} us, p99 {high:.1f}")
    some = [keys[start : start + 20] for start in range(0, 4000, 20)]
    cpu, median, high = await timed(lambda: store.read_many(1, random.choice(some)), 2000)
    print(f"read_many of 20:                    {cpu:7.1f} us CPU, {median:.1f} us, p99 {high:.1f}")
    info = await store.info(1)
    print(f"database: {info.bytes / info.versions:.0f} bytes per version")
    await store.close()


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resources", type=int, default=20_000)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    if given.folder:
        given.folder.mkdir(parents=True, exist_ok=True)
        asyncio.run(measure(given.folder, given.resources))
    else:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(measure(Path(folder), given.resources))


if __name__ == "__main__":
    main()
