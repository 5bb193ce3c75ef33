"""A commit with an idempotency key is applied once."""

from __future__ import annotations

import asyncio

import pytest

from hub.storage.port import DAY, HistoryQuery, Store, VersionConflict
from tests.contract.commits import CLOCK, TENANT, commit_of, put, store_one


async def test_a_repeat_is_answered_with_the_first_result(store: Store) -> None:
    commit = commit_of(put("Patient/a"), put("Patient/b"), idempotency_key="key")
    first = await store.commit(commit)
    await store_one(store, put("Patient/a", "later"))
    assert await store.commit(commit) == first
    assert (await store.history(TENANT, HistoryQuery())).total == 3


async def test_repeats_at_once_are_applied_once(store: Store) -> None:
    commit = commit_of(put("Patient/a"), idempotency_key="key")
    results = await asyncio.gather(*(store.commit(commit) for _ in range(10)))
    assert len(set(results)) == 1
    assert (await store.info(TENANT)).versions == 1


async def test_a_refused_commit_may_be_sent_again(store: Store) -> None:
    commit = commit_of(put("Patient/a", expected=1), idempotency_key="key")
    with pytest.raises(VersionConflict):
        await store.commit(commit)
    await store_one(store, put("Patient/a"))
    assert (await store.commit(commit)).results[0].version == 2


async def test_keys_belong_to_a_tenant(store: Store) -> None:
    for tenant in (1, 2):
        await store.commit(commit_of(put("Patient/a"), tenant=tenant, idempotency_key="key"))
    assert await store.read(2, "Patient", "a")


async def test_keys_are_forgotten_after_a_day(store: Store) -> None:
    commit = commit_of(put("Patient/a"), idempotency_key="key")
    await store.commit(commit)
    await store.sweep(CLOCK + DAY)
    assert (await store.commit(commit)).results[0].version == 1
    await store.sweep(CLOCK + DAY + 1)
    assert (await store.commit(commit)).results[0].version == 2
