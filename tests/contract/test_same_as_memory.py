"""Whatever is asked of a store, it answers like the memory store."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.storage.port import (
    ABSENT,
    ANY_VERSION,
    CommitRefused,
    Exists,
    HistoryQuery,
    OutboxRow,
    Store,
    Unreferenced,
)
from tests.contract.commits import AUDIT, CLOCK, TENANT, commit_of, delete, put, refers_to
from tests.contract.conftest import BACKENDS, memory

TARGETS = [f"{type}/{id}" for type in ("Patient", "Group", "Task") for id in "ab"]

targets = st.sampled_from(TARGETS)
expected = st.sampled_from([ANY_VERSION] * 6 + [ABSENT, 1, 2, 3])
puts = st.builds(
    lambda target, text, to, expected, method: put(
        target, text, method, refers_to(*to), expected=expected
    ),
    targets,
    st.text("ab", max_size=3),
    st.lists(targets, max_size=2),
    expected,
    st.sampled_from(["PUT", "POST", "PATCH"]),
)
deletes = st.builds(lambda target, expected: delete(target, expected=expected), targets, expected)
conditions = st.builds(
    lambda kind, target: kind(*target.split("/")), st.sampled_from([Exists, Unreferenced]), targets
)
commits = st.builds(
    lambda writes, conditions, clock, key, outbox: commit_of(
        *writes,
        preconditions=tuple(conditions),
        clock=CLOCK + clock,
        idempotency_key=key,
        outbox=(OutboxRow("topic", b"body"),) * outbox,
    ),
    st.lists(puts | deletes, max_size=4, unique_by=lambda write: (write.type, write.id)),
    st.lists(conditions, max_size=2),
    st.integers(-5, 5),
    st.sampled_from([""] * 8 + ["one", "two"]),
    st.integers(0, 1),
)
steps = st.lists(st.tuples(st.just("commit"), commits) | st.tuples(st.just("expunge"), targets))


async def act(store: Store, step: tuple[str, Any]) -> Any:
    """What a step gives: a result, or the refusal's name and facts where there is one reason."""
    kind, argument = step
    try:
        if kind == "commit":
            return await store.commit(argument)
        name, id = argument.split("/")
        return await store.expunge(TENANT, name, id, AUDIT, CLOCK)
    except CommitRefused as error:
        if len(argument.preconditions) > 1:
            return "refused"
        facts = dict(vars(error))
        facts.pop("by", None)  # one of several types, any of them
        facts.pop("count", None)
        return type(error).__name__, facts


async def everything(store: Store) -> dict[str, Any]:
    """All that can be read."""
    info = await store.info(TENANT)
    history = await store.history(TENANT, HistoryQuery(count=1000))
    scanned, _ = await store.scan(TENANT, (), 0, 1000)
    state: dict[str, Any] = {
        "resources": info.resources,
        "versions": info.versions,
        "sequence": info.sequence,
        "history": sorted(history.versions),
        "total": history.total,
        "scanned": sorted(scanned),
        "audit": await store.audit_records(TENANT, 0, 1000),
        "outbox": len(await store.outbox(TENANT, 0, 1000)),
    }
    for target in TARGETS:
        type, id = target.split("/")
        state[target] = (
            await store.read(TENANT, type, id),
            await store.indexed_rows(TENANT, type, id),
            (await store.history(TENANT, HistoryQuery(type, id))).versions,
        )
    return state


@pytest.mark.parametrize("backend", [name for name in BACKENDS if name != "memory"])
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=steps)
def test_any_commits_leave_the_same_state(
    tmp_path_factory: pytest.TempPathFactory, backend: str, steps: list[tuple[str, Any]]
) -> None:
    async def run(folder: Path) -> None:
        async with memory(folder) as reference, BACKENDS[backend](folder / "data") as store:
            for step in steps:
                assert await act(store, step) == await act(reference, step), steps
            assert await everything(store) == await everything(reference)
            assert [finding async for finding in store.verify(TENANT)] == []

    asyncio.run(run(tmp_path_factory.mktemp("store")))
