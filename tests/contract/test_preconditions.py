"""Preconditions are checked inside the transaction; a refused commit leaves nothing."""

from __future__ import annotations

import asyncio

import pytest

from hub.storage.port import (
    Exists,
    HistoryQuery,
    OutboxRow,
    PreconditionChanged,
    StillReferenced,
    Store,
    TargetMissing,
    Unreferenced,
)
from tests.contract.commits import (
    AUDIT,
    CLOCK,
    TENANT,
    commit_of,
    delete,
    matches,
    put,
    refers_to,
    store_one,
)


async def test_a_match_that_still_holds_lets_the_commit_through(store: Store) -> None:
    await store_one(store, put("Patient/a"))
    conditions = (matches("Patient", "a"), matches("Group"))
    await store.commit(commit_of(put("Patient/b"), preconditions=conditions))
    assert await store.read(TENANT, "Patient", "b")


async def test_a_match_that_changed_refuses_the_commit(store: Store) -> None:
    await store_one(store, put("Patient/a"))
    condition = matches("Patient", "a")
    none = condition.__class__(condition.query, frozenset())
    with pytest.raises(PreconditionChanged) as refused:
        await store.commit(commit_of(put("Patient/b"), preconditions=(condition, none)))
    assert refused.value.index == 1
    assert refused.value.ids == ("a",)
    assert await store.read(TENANT, "Patient", "b") is None


async def test_of_two_that_create_if_none_exists_one_does(store: Store) -> None:
    condition = matches("Patient", "a")
    none = condition.__class__(condition.query, frozenset())
    commits = [
        commit_of(put("Patient/a", text), put(f"Group/{text}"), preconditions=(none,))
        for text in ("one", "two", "three")
    ]
    results = await asyncio.gather(*map(store.commit, commits), return_exceptions=True)
    refused = [result for result in results if isinstance(result, PreconditionChanged)]
    assert len(refused) == 2
    assert (await store.info(TENANT)).resources == {"Patient": 1, "Group": 1}


async def test_a_target_that_exists_or_is_made_by_the_commit_will_do(store: Store) -> None:
    await store_one(store, put("Patient/a"))
    conditions = (Exists("Patient", "a"), Exists("Patient", "b"))
    await store.commit(commit_of(put("Patient/b"), preconditions=conditions))


@pytest.mark.parametrize("gone", ["never", "deleted", "by this commit", "unknown type"])
async def test_a_missing_target_refuses_the_commit(store: Store, gone: str) -> None:
    writes = [put("Group/g", "x", "POST")]
    if gone != "never":
        await store_one(store, put("Patient/a"))
    if gone == "deleted":
        await store_one(store, delete("Patient/a"))
    if gone == "by this commit":
        writes.append(delete("Patient/a"))
    type = "Nonsense" if gone == "unknown type" else "Patient"
    condition = Exists(type, "a", "Group.member[0].entity")
    with pytest.raises(TargetMissing) as refused:
        await store.commit(commit_of(*writes, preconditions=(condition,)))
    error = refused.value
    assert (error.type, error.id, error.location) == (type, "a", "Group.member[0].entity")
    assert await store.read(TENANT, "Group", "g") is None
    patient = await store.read(TENANT, "Patient", "a")
    if gone == "by this commit":
        assert patient is not None
        assert not patient.deleted


@pytest.mark.parametrize("gone", ["deleted", "expunged"])
async def test_a_target_that_was_there_before_is_missing_once_it_is_gone(
    store: Store, gone: str
) -> None:
    await store_one(store, put("Patient/a"))
    condition = Exists("Patient", "a")
    await store.commit(commit_of(put("Group/g"), preconditions=(condition,)))
    if gone == "deleted":
        await store_one(store, delete("Patient/a"))
    else:
        await store.expunge(TENANT, "Patient", "a", AUDIT, CLOCK)
    with pytest.raises(TargetMissing):
        await store.commit(commit_of(put("Group/h"), preconditions=(condition,)))
    await store_one(store, put("Patient/a"))
    await store.commit(commit_of(put("Group/h"), preconditions=(condition,)))


async def test_a_target_of_another_tenant_does_not_exist(store: Store) -> None:
    await store_one(store, put("Patient/a"), tenant=2)
    with pytest.raises(TargetMissing):
        await store.commit(commit_of(put("Group/g"), preconditions=(Exists("Patient", "a"),)))


async def test_a_referenced_resource_stays(store: Store) -> None:
    await store_one(store, put("Patient/a"))
    for number in range(3):
        await store_one(store, put(f"Group/{number}", rows=refers_to("Patient/a")))
    with pytest.raises(StillReferenced) as refused:
        await store.commit(
            commit_of(delete("Patient/a"), preconditions=(Unreferenced("Patient", "a"),))
        )
    error = refused.value
    assert (error.type, error.id, error.by) == ("Patient", "a", "Group")
    assert error.count >= 1
    assert await store.read_many(TENANT, [("Patient", "a")])


async def test_a_bundle_that_holds_a_resource_does_not_refer_to_it(store: Store) -> None:
    await store_one(store, put("Composition/a"))
    await store_one(store, put("Bundle/document", rows=refers_to("Composition/a")))
    gone = commit_of(delete("Composition/a"), preconditions=(Unreferenced("Composition", "a"),))
    await store_one(store, put("List/l", rows=refers_to("Composition/a")))
    with pytest.raises(StillReferenced) as refused:
        await store.commit(gone)
    assert refused.value.by == "List"
    await store_one(store, put("List/l"))
    await store.commit(gone)
    assert await store.read_many(TENANT, [("Composition", "a")]) == {}


async def test_a_provenance_stands_against_no_delete(store: Store) -> None:
    await store_one(store, put("Patient/a"))
    await store_one(store, put("Provenance/p", rows=refers_to("Patient/a")))
    gone = commit_of(delete("Patient/a"), preconditions=(Unreferenced("Patient", "a"),))
    await store_one(store, put("List/l", rows=refers_to("Patient/a")))
    with pytest.raises(StillReferenced) as refused:
        await store.commit(gone)
    assert refused.value.by == "List"
    await store_one(store, put("List/l"))
    await store.commit(gone)
    assert await store.read_many(TENANT, [("Patient", "a")]) == {}


async def test_an_unreferenced_resource_may_go(store: Store) -> None:
    await store_one(store, put("Patient/a"))
    await store_one(store, put("Patient/b"))
    await store_one(store, put("Group/g", rows=refers_to("Patient/a", "Patient/b")))
    await store_one(store, put("Group/g", rows=refers_to("Patient/b")))
    await store.commit(
        commit_of(delete("Patient/a"), preconditions=(Unreferenced("Patient", "a"),))
    )
    both = (delete("Patient/b"), delete("Group/g"))
    await store.commit(commit_of(*both, preconditions=(Unreferenced("Patient", "b"),)))
    assert (await store.info(TENANT)).resources == {}


async def test_a_reference_made_by_the_commit_itself_counts(store: Store) -> None:
    await store_one(store, put("Patient/a"))
    with pytest.raises(StillReferenced):
        await store.commit(
            commit_of(
                put("Group/g", rows=refers_to("Patient/a")),
                preconditions=(Unreferenced("Patient", "a"),),
            )
        )
    assert await store.read(TENANT, "Group", "g") is None


async def test_references_to_what_is_not_here_yet_count_once_it_is(store: Store) -> None:
    await store_one(store, put("Group/g", rows=refers_to("Patient/a")))
    await store_one(store, put("Patient/a"))
    with pytest.raises(StillReferenced):
        await store.commit(
            commit_of(delete("Patient/a"), preconditions=(Unreferenced("Patient", "a"),))
        )


async def test_a_refused_commit_leaves_no_trace(store: Store) -> None:
    await store_one(store, put("Patient/a", "old"))
    before = await store.history(TENANT, HistoryQuery())
    refused = commit_of(
        put("Patient/a", "new"),
        put("Patient/b", rows=refers_to("Patient/a")),
        preconditions=(Exists("Patient", "missing"),),
        outbox=(OutboxRow("topic", b"body"),),
        idempotency_key="key",
    )
    with pytest.raises(TargetMissing):
        await store.commit(refused)
    assert await store.history(TENANT, HistoryQuery()) == before
    assert await store.outbox(TENANT, 0, 10) == []
    assert len(await store.audit_records(TENANT, 0, 10)) == 1
    assert (await store.info(TENANT)).resources == {"Patient": 1}
    with pytest.raises(TargetMissing):
        await store.commit(refused)
    assert (await store_one(store, put("Patient/a"))).version == 2


async def test_one_refusal_in_a_crowd_touches_no_neighbour(store: Store) -> None:
    await store_one(store, put("Patient/a"))
    commits = [
        commit_of(
            put(f"Group/{number}", rows=refers_to("Patient/a")),
            preconditions=(Exists("Patient", "a" if number % 3 else "missing"),),
        )
        for number in range(100)
    ]
    results = await asyncio.gather(*map(store.commit, commits), return_exceptions=True)
    for number, result in enumerate(results):
        stored = await store.read(TENANT, "Group", str(number))
        assert (stored is None) == isinstance(result, TargetMissing) == (number % 3 == 0)
    sequences = sorted(result.sequence for result in results if isinstance(result, tuple))
    assert len(set(sequences)) == len(sequences)
    assert [finding async for finding in store.verify(TENANT)] == []
