"""The writer's thread: groups, undoing, closing, and mistakes in an action."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import suppress
from functools import partial
from pathlib import Path
from random import Random

import apsw
import pytest
from msgspec.structs import replace

from hub.search.values import IndexRows
from hub.storage.port import AuditRecord, Commit, StoreUnavailable, VersionConflict, Write
from hub.storage.sqlite import writer as writers
from hub.storage.sqlite.commit import apply
from hub.storage.sqlite.connect import DATABASE, OwnerLock
from hub.storage.sqlite.store import open_store
from hub.storage.sqlite.transaction import Transaction
from hub.storage.sqlite.writer import Writer
from tests.faults.load import assert_whole, bundle


async def held(writer: Writer) -> threading.Event:
    """Keep the writer busy until the event is set, so that what follows is one group."""
    begun, go = threading.Event(), threading.Event()

    def wait(work: Transaction) -> None:
        begun.set()
        go.wait(30)

    writer.submit(wait)
    assert await asyncio.to_thread(begun.wait, 30)
    return go


def fail_late(work: Transaction) -> None:
    apply(work, bundle(99, Random(1)))
    raise ZeroDivisionError


def count(work: Transaction) -> object:
    return work.connection.execute("SELECT count(*) FROM resource").get


async def test_a_request_that_fails_late_is_undone_alone(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    go = await held(writer)
    first = writer.submit(partial(apply, commit=bundle(0, Random(1))))
    mistake = writer.submit(fail_late)
    careful = writer.submit(fail_late, careful=True)
    conflict = writer.submit(partial(apply, commit=expecting(bundle(1, Random(1)), 7)))
    last = writer.submit(partial(apply, commit=bundle(5, Random(1))))
    go.set()
    assert (await first).sequence == 1
    for failed in (mistake, careful):
        with pytest.raises(ZeroDivisionError):
            await failed
    with pytest.raises(VersionConflict):
        await conflict
    assert (await last).sequence == 2
    assert (await last).results[3].version == 2
    assert await writer.submit(count) == 7
    writer.close()


def expecting(commit: Commit, version: int) -> Commit:
    """The commit, with an expected version of its first write."""
    return replace(commit, writes=(replace(commit.writes[0], expected=version), *commit.writes[1:]))


async def test_a_damaged_page_spoils_only_the_request_that_needs_it(tmp_path: Path) -> None:
    store = open_store(tmp_path, role="owner")
    await store.commit(bundle(0, Random(1)))
    await store.close()
    file = tmp_path / DATABASE
    with sqlite3.connect(file) as connection:
        find = "SELECT rootpage FROM sqlite_schema WHERE name = 'ledger'"
        (page,) = connection.execute(find).fetchone()
    connection.close()
    with file.open("r+b") as pages:
        pages.seek((page - 1) * 4096)
        pages.write(b"\xff" * 60)
    writer = Writer(tmp_path)
    go = await held(writer)
    first = writer.submit(partial(apply, commit=bundle(1, Random(1))))
    damaged = [
        writer.submit(
            lambda work: work.connection.execute("SELECT * FROM ledger").fetchall(), careful=careful
        )
        for careful in (False, True)
    ]
    last = writer.submit(partial(apply, commit=bundle(2, Random(1))))
    go.set()
    for refused in damaged:
        with pytest.raises(StoreUnavailable) as told:
            await refused
        assert told.value.trouble == "damaged"
    assert (await first).sequence + 1 == (await last).sequence
    writer.close()


async def test_a_group_has_one_commit(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    frames: list[int] = []
    go = await held(writer)
    connection = writer._work.connection
    futures = [
        writer.submit(partial(apply, commit=bundle(number, Random(1)))) for number in range(20)
    ]

    def note(connection: apsw.Connection, name: str, pages: int) -> int:
        frames.append(pages)
        return 0

    connection.set_wal_hook(note)
    go.set()
    await asyncio.gather(*futures)
    assert len(frames) <= 2
    writer.close()


async def test_closing_finishes_what_is_queued(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    futures = [
        writer.submit(partial(apply, commit=bundle(number, Random(1)))) for number in range(200)
    ]
    await asyncio.get_running_loop().run_in_executor(None, writer.close)
    assert [future.done() for future in futures] == [True] * 200
    with pytest.raises(StoreUnavailable):
        writer.submit(count)


async def test_a_request_nobody_waits_for_any_more_is_not_begun(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    go = await held(writer)
    writer.submit(partial(apply, commit=bundle(0, Random(1)))).cancel()
    go.set()
    assert await writer.submit(count) == 0
    writer.close()


async def test_the_queue_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers, "QUEUE_LIMIT", 3)
    writer = Writer(tmp_path)
    go = await held(writer)
    futures = [writer.submit(count) for _ in range(3)]
    with pytest.raises(StoreUnavailable, match="too many"):
        writer.submit(count)
    go.set()
    await asyncio.gather(*futures)
    assert await writer.submit(count) == 0
    writer.close()


async def test_a_group_whose_transaction_is_gone_is_unavailable_as_a_whole(tmp_path: Path) -> None:
    writer = Writer(tmp_path)

    def rogue(work: Transaction) -> None:
        work.connection.execute("ROLLBACK")
        raise ZeroDivisionError

    go = await held(writer)
    first = writer.submit(partial(apply, commit=bundle(0, Random(1))))
    second = writer.submit(rogue)
    third = writer.submit(partial(apply, commit=bundle(1, Random(1))))
    go.set()
    for future in (first, second, third):
        with pytest.raises(StoreUnavailable):
            await future
    assert (await writer.submit(partial(apply, commit=bundle(0, Random(1))))).sequence == 1
    writer.close()


def test_the_lock_can_be_taken_again(tmp_path: Path) -> None:
    OwnerLock(tmp_path).release()
    OwnerLock(tmp_path).release()


async def test_words_of_many_new_versions_are_written_out_together(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    for version in range(2):
        commit = Commit(
            1,
            tuple(
                Write(
                    "PUT", "Patient", f"p{number}", b"}}", IndexRows(content=f"w{version}{number}")
                )
                for number in range(20)
            ),
            AuditRecord("U", "update", "local", "r"),
            0,
        )
        before = await writer.submit(segments)
        await writer.submit(partial(apply, commit=commit))
        assert await writer.submit(segments) == before + 1
    writer.close()


def segments(work: Transaction) -> int:
    """Parts of the full-text index that were written out."""
    found = work.connection.execute("SELECT count(DISTINCT segid) FROM word_index_idx").get
    assert isinstance(found, int)
    return found


async def test_a_refusal_costs_nothing_that_was_learnt(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    await writer.submit(partial(apply, commit=bundle(0, Random(1))))
    known = dict(writer._work.interner._targets)
    assert known
    for careful in (False, True):
        with pytest.raises(VersionConflict):
            await writer.submit(
                partial(apply, commit=expecting(bundle(1, Random(1)), 7)), careful=careful
            )
    with pytest.raises(ZeroDivisionError):
        await writer.submit(fail_late, careful=True)
    assert dict(writer._work.interner._targets) == known
    with pytest.raises(ZeroDivisionError):
        await writer.submit(fail_late)
    assert (await writer.submit(partial(apply, commit=bundle(1, Random(1))))).sequence == 2
    writer.close()
    store = open_store(tmp_path)
    await assert_whole(store, 2, {0, 1}, set())
    await store.close()


async def test_a_writer_that_cannot_read_what_it_needs_says_so_until_it_can(
    tmp_path: Path,
) -> None:
    writer = Writer(tmp_path)
    await writer.submit(partial(apply, commit=bundle(0, Random(1))))
    keys = damage_a_group(tmp_path, b"\xc1")
    with pytest.raises(StoreUnavailable) as refused:
        await asyncio.wait_for(writer.submit(fail_late), 10)
    assert (refused.value.trouble, refused.value.uncertain) == ("damaged", False)
    for _ in range(2):
        with pytest.raises(StoreUnavailable) as refused:
            await asyncio.wait_for(writer.submit(partial(apply, commit=bundle(1, Random(1)))), 10)
    with pytest.raises(StoreUnavailable):
        Writer(tmp_path)
    damage_a_group(tmp_path, keys)
    with suppress(StoreUnavailable):  # the one that finds out
        await asyncio.wait_for(writer.submit(count), 10)
    last = writer.submit(partial(apply, commit=bundle(1, Random(1))))
    assert (await asyncio.wait_for(last, 10)).results[0].created
    writer.close()
    store = open_store(tmp_path)
    await assert_whole(store, 2, {0, 1}, set())
    await store.close()


def damage_a_group(folder: Path, keys: bytes) -> bytes:
    """Put these keys in the place of those of a group of parameters; gives what was there."""
    database = sqlite3.connect(folder / DATABASE)
    with database:
        group, before = database.execute("SELECT id, keys FROM index_group LIMIT 1").fetchone()
        database.execute("UPDATE index_group SET keys = ? WHERE id = ?", (keys, group))
    database.close()
    return bytes(before)
