"""Scanning, reindexing, expunging, run-time parameters and facts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import structs

from hub.search.values import DateRow, IndexRows, ReferenceRow, StringRow, TokenRow
from hub.storage.port import (
    HistoryQuery,
    Reindexed,
    RuntimeParameter,
    StillReferenced,
    Store,
    Unreferenced,
    VersionConflict,
)
from tests.contract.commits import (
    AUDIT,
    CLOCK,
    TENANT,
    commit_of,
    delete,
    put,
    refers_to,
    store_one,
)

ROWS = IndexRows(
    strings=(StringRow(11, "smith", "Smith"),),
    tokens=(TokenRow(12, "urn:x", "b"), TokenRow(12, "urn:x", "a", "A text")),
    references=(ReferenceRow(13, "Patient", "p"),),
    dates=(DateRow(14, 1_000_000, 2_000_000),),
    date=1_000_000,
)


async def scan(store: Store, types: tuple[str, ...], count: int) -> list[str]:
    found: list[str] = []
    after = 0
    while True:
        page, after = await store.scan(TENANT, types, after, count)
        if not page:
            return found
        assert len(page) <= count
        found += [f"{stored.type}/{stored.id}/{stored.version}" for stored in page]


@pytest.mark.parametrize("count", [1, 2, 100])
async def test_a_scan_finds_every_current_resource_once(store: Store, count: int) -> None:
    for number in range(5):
        await store.commit(commit_of(put(f"Patient/{number}"), put(f"Group/{number}")))
    await store_one(store, put("Patient/1"))
    await store_one(store, delete("Patient/2"))
    await store_one(store, put("Patient/other"), tenant=2)
    everything = await scan(store, (), count)
    assert len(everything) == 9
    assert sorted(await scan(store, ("Patient",), count)) == [
        "Patient/0/1",
        "Patient/1/2",
        "Patient/3/1",
        "Patient/4/1",
    ]
    assert sorted(await scan(store, ("Patient", "Group"), count)) == sorted(everything)
    assert await scan(store, ("Observation",), count) == []
    assert await scan(store, ("Nonsense",), count) == []


async def test_what_changes_during_a_scan_is_not_missed(store: Store) -> None:
    for number in range(6):
        await store_one(store, put(f"Patient/{number}"))
    page, after = await store.scan(TENANT, (), 0, 3)
    seen = {stored.id for stored in page}
    for number in range(6):
        await store_one(store, put(f"Patient/{number}", "changed"))
    page, after = await store.scan(TENANT, (), after, 10)
    assert seen | {stored.id for stored in page} == {str(number) for number in range(6)}
    assert await store.scan(TENANT, (), after, 10) == ([], after)


async def test_index_rows_come_back_as_they_went_in(store: Store) -> None:
    await store_one(store, put("Encounter/e", rows=ROWS))
    rows = await store.indexed_rows(TENANT, "Encounter", "e")
    assert rows is not None
    assert rows.strings == ROWS.strings
    assert rows.tokens == tuple(sorted(ROWS.tokens))
    assert rows.references == ROWS.references
    assert rows.dates == ROWS.dates
    assert rows.date == ROWS.date
    assert await store.indexed_rows(TENANT, "Encounter", "none") is None
    await store_one(store, delete("Encounter/e"))
    assert await store.indexed_rows(TENANT, "Encounter", "e") is None


async def test_reindexing_replaces_rows_of_current_versions_only(store: Store) -> None:
    await store_one(store, put("Encounter/e"))
    await store_one(store, put("Encounter/changed"))
    await store_one(store, put("Encounter/changed"))
    await store_one(store, put("Encounter/gone"))
    await store_one(store, delete("Encounter/gone"))
    entries = [
        Reindexed("Encounter", "e", 1, ROWS),
        Reindexed("Encounter", "changed", 1, ROWS),
        Reindexed("Encounter", "gone", 1, ROWS),
        Reindexed("Encounter", "gone", 2, ROWS),
        Reindexed("Encounter", "never", 1, ROWS),
    ]
    assert await store.reindex(TENANT, entries) == 1
    rows = await store.indexed_rows(TENANT, "Encounter", "e")
    assert rows is not None
    assert rows.strings == ROWS.strings
    changed = await store.indexed_rows(TENANT, "Encounter", "changed")
    assert changed is not None
    assert changed.strings == ()
    assert (await store.history(TENANT, HistoryQuery("Encounter", "e"))).total == 1


async def test_expunge_leaves_nothing_but_an_audit_row(store: Store) -> None:
    await store_one(store, put("Patient/a"))
    await store_one(store, put("Patient/a"))
    await store_one(store, put("Patient/b"))
    assert await store.expunge(TENANT, "Patient", "a", AUDIT, CLOCK) == 2
    assert await store.read(TENANT, "Patient", "a") is None
    assert await store.vread(TENANT, "Patient", "a", 1) is None
    page = await store.history(TENANT, HistoryQuery())
    assert (page.total, [version.id for version in page.versions]) == (1, ["b"])
    info = await store.info(TENANT)
    assert (info.resources, info.versions) == ({"Patient": 1}, 1)
    _, _, record = (await store.audit_records(TENANT, 0, 10))[-1]
    assert record == structs.replace(
        AUDIT, interaction="expunge", entities=("Patient/a",), time=record.time
    )
    assert [finding async for finding in store.verify(TENANT)] == []


async def test_expunge_of_a_version_that_is_not_the_newest_is_refused(store: Store) -> None:
    await store_one(store, put("Patient/a"))
    await store_one(store, delete("Patient/a"))
    await store_one(store, put("Patient/a"))
    for expected in (0, 2, 4):
        with pytest.raises(VersionConflict):
            await store.expunge(TENANT, "Patient", "a", AUDIT, CLOCK, expected)
    with pytest.raises(VersionConflict):
        await store.expunge(TENANT, "Patient", "nobody", AUDIT, CLOCK, 1)
    assert await store.read(TENANT, "Patient", "a") is not None
    assert await store.expunge(TENANT, "Patient", "a", AUDIT, CLOCK, 3) == 3
    assert await store.read(TENANT, "Patient", "a") is None


async def test_expunge_of_a_tombstone_or_of_nothing(store: Store) -> None:
    await store_one(store, put("Patient/a"))
    await store_one(store, delete("Patient/a"))
    assert await store.expunge(TENANT, "Patient", "a", AUDIT, CLOCK) == 2
    assert await store.expunge(TENANT, "Patient", "a", AUDIT, CLOCK) == 0
    assert await store.expunge(TENANT, "Nonsense", "a", AUDIT, CLOCK) == 0
    assert (await store_one(store, put("Patient/a"))).version == 1
    assert [finding async for finding in store.verify(TENANT)] == []


async def test_references_to_an_expunged_resource_hold_for_its_successor(store: Store) -> None:
    await store_one(store, put("Patient/a"))
    await store_one(store, put("Group/g", rows=refers_to("Patient/a")))
    await store.expunge(TENANT, "Patient", "a", AUDIT, CLOCK)
    await store_one(store, put("Patient/b"))
    await store_one(store, put("Patient/a"))
    await store.commit(
        commit_of(delete("Patient/b"), preconditions=(Unreferenced("Patient", "b"),))
    )
    with pytest.raises(StillReferenced):
        await store.commit(
            commit_of(delete("Patient/a"), preconditions=(Unreferenced("Patient", "a"),))
        )


async def test_run_time_parameters_are_numbered_and_move_the_generation(store: Store) -> None:
    assert await store.parameters(TENANT) == ()
    start = await store.generation(TENANT)
    first = await store.put_parameter(TENANT, RuntimeParameter(0, "urn:1", "one"), "urn:1")
    second = await store.put_parameter(TENANT, RuntimeParameter(0, "urn:2", "two"), "urn:2")
    assert first is not None
    assert second is not None
    assert (first.key, second.key) == (10_000, 10_001)
    assert await store.parameters(TENANT) == (first, second)
    assert await store.generation(TENANT) == start + 2
    progress = replace(first, indexed=5, counted=10, after=7)
    assert await store.put_parameter(TENANT, progress, "urn:1") == progress
    assert await store.generation(TENANT) == start + 2
    done = replace(progress, status="completed", indexed=10)
    await store.put_parameter(TENANT, done, "urn:1")
    assert await store.generation(TENANT) == start + 3
    assert done in await store.parameters(TENANT)
    assert await store.put_parameter(TENANT, None, "urn:2") is None
    assert await store.generation(TENANT) == start + 4
    assert await store.put_parameter(TENANT, None, "urn:2") is None
    assert await store.generation(TENANT) == start + 4
    third = await store.put_parameter(TENANT, RuntimeParameter(0, "urn:2", "two"), "urn:2")
    assert third is not None
    assert third.key == 10_002
    again = await store.put_parameter(TENANT, RuntimeParameter(0, "urn:1", "one"), "urn:1")
    assert again is not None
    assert again.key == 10_000
    assert await store.parameters(2) == ()
    assert await store.generation(2) == 0


async def test_facts_count_resources_and_versions(store: Store) -> None:
    await store.commit(commit_of(put("Patient/a"), put("Patient/b"), put("Group/a")))
    await store_one(store, put("Patient/a"))
    committed = await store.commit(commit_of(delete("Group/a")))
    info = await store.info(TENANT)
    assert info.resources == {"Patient": 2}
    assert info.versions == 5
    assert info.sequence == committed.sequence
    assert info.order in ("total", "per-shard")


async def test_an_empty_store_is_whole(store: Store) -> None:
    assert [finding async for finding in store.verify(TENANT)] == []
