"""Versions: counted, timed, kept, tombstoned."""

from __future__ import annotations

import pytest

from hub.storage.port import ABSENT, Store, VersionConflict, Written
from tests.contract.commits import CLOCK, TENANT, commit_of, delete, put, store_one, tail


async def test_what_was_created_is_read_back(store: Store) -> None:
    result = await store_one(store, put("Patient/a", "first", "POST"))
    assert result == Written(1, CLOCK, True)
    stored = await store.read(TENANT, "Patient", "a")
    assert stored is not None
    assert stored == ("Patient", "a", 1, CLOCK, stored.sequence, "POST", tail("first"))
    assert not stored.deleted


async def test_what_was_never_there_is_none(store: Store) -> None:
    assert await store.read(TENANT, "Patient", "a") is None
    assert await store.vread(TENANT, "Patient", "a", 1) is None
    assert await store.read(TENANT, "Nonsense", "a") is None
    assert await store.vread(TENANT, "Nonsense", "a", 1) is None


async def test_an_update_counts_on_and_keeps_the_old_version(store: Store) -> None:
    await store_one(store, put("Patient/a", "first", "POST"))
    result = await store_one(store, put("Patient/a", "second", "PATCH"))
    assert (result.version, result.created) == (2, False)
    old = await store.vread(TENANT, "Patient", "a", 1)
    new = await store.vread(TENANT, "Patient", "a", 2)
    assert old is not None
    assert new is not None
    assert (old.tail, old.method) == (tail("first"), "POST")
    assert (new.tail, new.method) == (tail("second"), "PATCH")
    assert await store.read(TENANT, "Patient", "a") == new
    assert await store.vread(TENANT, "Patient", "a", 3) is None
    assert await store.vread(TENANT, "Patient", "a", 0) is None


async def test_a_deleted_resource_is_a_tombstone(store: Store) -> None:
    await store_one(store, put("Patient/a"))
    result = await store_one(store, delete("Patient/a"))
    assert (result.version, result.created) == (2, False)
    stored = await store.read(TENANT, "Patient", "a")
    assert stored is not None
    assert stored.deleted
    assert (stored.version, stored.tail) == (2, b"")
    assert await store.vread(TENANT, "Patient", "a", 2) == stored


async def test_a_put_after_a_delete_counts_on(store: Store) -> None:
    await store_one(store, put("Patient/a"))
    await store_one(store, delete("Patient/a"))
    result = await store_one(store, put("Patient/a", "again"))
    assert (result.version, result.created) == (3, True)
    tombstone = await store.vread(TENANT, "Patient", "a", 2)
    assert tombstone is not None
    assert tombstone.deleted


async def test_deleting_what_is_not_there_changes_nothing(store: Store) -> None:
    assert await store_one(store, delete("Patient/a")) == Written(0, 0, False)
    assert await store.read(TENANT, "Patient", "a") is None
    await store_one(store, put("Patient/a"))
    gone = await store_one(store, delete("Patient/a"))
    assert await store_one(store, delete("Patient/a")) == gone
    stored = await store.read(TENANT, "Patient", "a")
    assert stored is not None
    assert stored.version == 2


async def test_the_expected_version_must_be_current(store: Store) -> None:
    await store_one(store, put("Patient/a"))
    await store_one(store, put("Patient/a", expected=1))
    with pytest.raises(VersionConflict) as refused:
        await store.commit(commit_of(put("Patient/b"), put("Patient/a", expected=1)))
    error = refused.value
    assert (error.index, error.type, error.id, error.current) == (1, "Patient", "a", 2)
    assert await store.read(TENANT, "Patient", "b") is None


async def test_a_tombstone_is_no_current_version(store: Store) -> None:
    await store_one(store, put("Patient/a", expected=ABSENT))
    with pytest.raises(VersionConflict):
        await store_one(store, put("Patient/a", expected=ABSENT))
    await store_one(store, delete("Patient/a", expected=1))
    with pytest.raises(VersionConflict) as refused:
        await store_one(store, put("Patient/a", expected=2))
    assert refused.value.current == 0
    with pytest.raises(VersionConflict):
        await store_one(store, delete("Patient/a", expected=2))
    assert (await store_one(store, put("Patient/a", expected=ABSENT))).version == 3


async def test_sequence_and_time_rise_even_when_the_clock_does_not(store: Store) -> None:
    clocks = [CLOCK, CLOCK, CLOCK - 5_000, CLOCK + 7, CLOCK - 10**12]
    commits = [
        await store.commit(commit_of(put(f"Patient/{number}"), clock=clock))
        for number, clock in enumerate(clocks)
    ]
    sequences = [commit.sequence for commit in commits]
    times = [commit.results[0].updated for commit in commits]
    assert sequences == sorted(set(sequences))
    assert times == [CLOCK, CLOCK + 1, CLOCK + 2, CLOCK + 7, CLOCK + 8]


async def test_one_commit_has_one_time_and_sequence(store: Store) -> None:
    commit = await store.commit(commit_of(put("Patient/a"), put("Patient/b"), put("Group/a")))
    assert {result.updated for result in commit.results} == {CLOCK}
    for type, id in (("Patient", "a"), ("Patient", "b"), ("Group", "a")):
        stored = await store.read(TENANT, type, id)
        assert stored is not None
        assert stored.sequence == commit.sequence


async def test_a_commit_that_writes_a_resource_twice_is_an_error(store: Store) -> None:
    with pytest.raises(Exception, match=r"writes\[1\]|ValueError"):
        await store.commit(commit_of(put("Patient/a"), put("Patient/a")))
    assert await store.read(TENANT, "Patient", "a") is None


async def test_read_many_leaves_out_what_is_not_there(store: Store) -> None:
    await store.commit(commit_of(put("Patient/a"), put("Patient/b"), put("Group/a")))
    await store_one(store, delete("Patient/b"))
    found = await store.read_many(
        TENANT, [("Patient", "a"), ("Patient", "b"), ("Group", "a"), ("Patient", "c")]
    )
    assert set(found) == {("Patient", "a"), ("Group", "a")}
    assert found["Patient", "a"] == await store.read(TENANT, "Patient", "a")


@pytest.mark.parametrize("size", [0, 1, 47, 48, 1_000, 100_000, 3_000_000])
async def test_bodies_of_any_size_come_back_byte_for_byte(store: Store, size: int) -> None:
    body = tail("张" * (size // 3) + "x" * (size % 3))
    await store_one(store, put("Patient/a").__class__("PUT", "Patient", "a", body))
    stored = await store.read(TENANT, "Patient", "a")
    assert stored is not None
    assert stored.tail == body


async def test_tenants_do_not_see_each_other(store: Store) -> None:
    await store_one(store, put("Patient/a", "mine"), tenant=1)
    await store_one(store, put("Patient/a", "theirs"), tenant=2)
    mine, theirs = await store.read(1, "Patient", "a"), await store.read(2, "Patient", "a")
    assert mine is not None
    assert theirs is not None
    assert (mine.tail, theirs.tail) == (tail("mine"), tail("theirs"))
    assert await store.read(3, "Patient", "a") is None
    assert (await store.info(2)).resources == {"Patient": 1}
