"""A clock that jumps: time and sequence go on rising, history and checks hold."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.search.values import IndexRows
from hub.storage.port import Commit, HistoryQuery, Write
from hub.storage.sqlite.store import open_store
from tests.faults.load import AUDIT, TENANT

pytestmark = pytest.mark.fault

YEAR_9999 = 253_402_300_799_999


@settings(max_examples=25, deadline=None)
@given(clocks=st.lists(st.integers(0, YEAR_9999 - 1_000), min_size=1, max_size=30))
def test_versions_stay_in_order_whatever_the_clock_says(
    tmp_path_factory: pytest.TempPathFactory, clocks: list[int]
) -> None:
    async def run() -> None:
        folder = tmp_path_factory.mktemp("clock")
        store = open_store(folder)
        for number, clock in enumerate(clocks):
            write = Write("PUT", "Patient", f"p{number % 3}", b"}}", IndexRows())
            await store.commit(Commit(TENANT, (write,), AUDIT, clock))
            if number % 10 == 9:
                await store.close()
                store = open_store(folder)
        history = await store.history(TENANT, HistoryQuery(count=100))
        order = [(version.updated, version.sequence) for version in reversed(history.versions)]
        assert order == sorted(set(order))
        assert all(low[0] < high[0] for low, high in pairwise(order))
        assert all(time >= clock for (time, _), clock in zip(order, clocks, strict=True))
        middle = order[len(order) // 2][0]
        since = await store.history(TENANT, HistoryQuery(since=middle, count=100))
        assert since.total == len(since.versions) == len(order) - len(order) // 2
        assert [finding async for finding in store.verify(TENANT)] == []
        await store.close()

    asyncio.run(run())
