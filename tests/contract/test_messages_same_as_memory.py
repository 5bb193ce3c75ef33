"""Whatever happens to messages, a store tells of them as the memory store does."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.storage.message_log import Mark, MessageQuery
from hub.storage.port import CommitRefused, OutboxRow, Store
from tests.contract.commits import TENANT, commit_of, put
from tests.contract.conftest import BACKENDS, memory
from tests.contract.messages import NOW, arrival, departure, settled

names = st.sampled_from(["", "1", "2"])
numbers = st.integers(1, 6)
states = st.sampled_from(["stored", "quarantined"])
ends = st.builds(
    lambda row, state, key, value: settled(row, state=state, marks=(Mark(key, value),)),
    numbers,
    states,
    st.sampled_from(["Patient/a", "x"]),
    st.binary(max_size=1),
)
commits = st.builds(
    lambda end, expected, key: commit_of(
        put("Patient/a", expected=expected),
        message=end,
        idempotency_key=key,
        outbox=(OutboxRow("v2", b""),),
    ),
    ends,
    st.sampled_from([-1, -1, 0, 1]),
    st.sampled_from(["", "", "key"]),
)
steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("receive"),
            st.builds(
                lambda id, raw, state, site: arrival(id, raw, state=state, site=site),
                names,
                st.sampled_from([b"one", b"two"]),
                st.sampled_from(["waiting", "waiting", "quarantined"]),
                st.sampled_from(["central", "lab"]),
            ),
        ),
        st.tuples(st.just("settle"), ends),
        st.tuples(st.just("reopen"), numbers, st.just(NOW + 9)),
        st.tuples(st.just("commit"), commits),
        st.tuples(
            st.just("depart"),
            st.lists(
                st.builds(
                    lambda id, names: departure(id, names=tuple(names)), names, st.lists(names)
                ),
                max_size=2,
            ),
            st.lists(numbers, max_size=2),
        ),
        st.tuples(
            st.just("attempted"),
            numbers,
            st.sampled_from(["queued", "accepted", "done", "refused"]),
        ),
    ),
    max_size=30,
)


async def act(store: Store, kind: str, *arguments: Any) -> Any:
    """What a step gives, or the refusal's name."""
    try:
        return await getattr(store if kind == "commit" else store.messages, kind)(
            *(arguments if kind == "commit" else (TENANT, *arguments))
        )
    except CommitRefused as error:
        return type(error).__name__


async def everything(store: Store) -> list[Any]:
    """All that can be read of the messages."""
    log = store.messages
    return [
        await log.arrivals(TENANT, MessageQuery()),
        await log.arrivals(TENANT, MessageQuery(state="quarantined")),
        await log.waiting(TENANT, 0, 99),
        await log.marks(TENANT, ["Patient/a", "x"]),
        await log.departures(TENANT, MessageQuery()),
        await log.due(TENANT, "clinic", NOW, 99),
        [await log.departure(TENANT, name) for name in ("", "1", "2")],
        await log.counts(TENANT),
        await store.outbox(TENANT, 0, 99),
        (await store.info(TENANT)).versions,
    ]


@pytest.mark.parametrize("backend", [name for name in BACKENDS if name != "memory"])
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=steps)
def test_any_messages_leave_the_same_state(
    tmp_path_factory: pytest.TempPathFactory, backend: str, steps: list[tuple[Any, ...]]
) -> None:
    async def run(folder: Path) -> None:
        async with memory(folder) as reference, BACKENDS[backend](folder / "data") as store:
            for step in steps:
                assert await act(store, *step) == await act(reference, *step), steps
            assert await everything(store) == await everything(reference)
            assert [finding async for finding in store.verify(TENANT)] == []

    asyncio.run(run(tmp_path_factory.mktemp("store")))
