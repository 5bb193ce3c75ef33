"""What goes with a commit is stored with it or not at all; the announcer tells what goes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from hub.context import Context
from hub.errors import HubError
from hub.interactions import Accompanying, Interactions
from hub.interactions.commit import Change
from hub.interactions.preconditions import Expected
from hub.storage.message_log import Arrival, Mark, Settled
from hub.storage.port import ABSENT, AlreadySettled, OutboxRow, Store
from tests.interactions.conftest import observation, patient

ROW = OutboxRow("v2", b"Patient/a")


async def arrived(store: Store, control_id: str = "1") -> int:
    """A message that waits."""
    message = Arrival("HIS|C", control_id, "ADT^A28", "c", b"MSH|", ("42",), 1)
    return (await store.messages.receive(1, message)).row


def ending(row: int) -> Accompanying:
    return Accompanying(
        message=Settled(row, "stored", b"AA", 2, marks=(Mark("Patient/a", b"m"),)), outbox=(ROW,)
    )


def put(resource: dict[str, Any]) -> dict[str, Any]:
    url = f"{resource['resourceType']}/{resource['id']}"
    return {"resource": resource, "request": {"method": "PUT", "url": url}}


def bundle(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "transaction", "entry": list(entries)}


async def state_of(store: Store, row: int) -> str:
    found = await store.messages.arrival(1, row)
    assert found
    return found.arrival.state


async def test_a_transaction_settles_the_message_it_comes_from(
    door: Interactions, ctx: Context, store: Store
) -> None:
    row = await arrived(store)
    await door.bundle(ctx, bundle(put(patient(id="a"))), accompanying=ending(row))
    assert await state_of(store, row) == "stored"
    assert await store.messages.marks(1, ["Patient/a"]) == {"Patient/a": b"m"}
    assert [one for _, one in await store.outbox(1, 0, 9)] == [ROW]


async def test_a_settled_message_stores_nothing_more(
    door: Interactions, ctx: Context, store: Store
) -> None:
    row = await arrived(store)
    await door.bundle(ctx, bundle(put(patient(id="a"))), accompanying=ending(row))
    with pytest.raises(AlreadySettled):
        await door.bundle(ctx, bundle(put(patient(id="b"))), accompanying=ending(row))
    with pytest.raises(AlreadySettled):
        await door.write(
            ctx,
            [Change("POST", "Patient", "b", patient(id="b"), Expected(ABSENT, False))],
            accompanying=ending(row),
        )
    assert await store.read(1, "Patient", "b") is None
    assert len(await store.outbox(1, 0, 9)) == 1


async def test_a_refused_transaction_leaves_its_message_waiting(
    door: Interactions, ctx: Context, store: Store
) -> None:
    row = await arrived(store)
    with pytest.raises(HubError):
        await door.bundle(
            ctx,
            bundle(put(patient(id="a")), put(observation("Patient/nobody", id="o"))),
            accompanying=ending(row),
        )
    assert await state_of(store, row) == "waiting"
    assert await store.outbox(1, 0, 9) == []


@pytest.mark.parametrize("entries", [1, 0])
async def test_a_transaction_that_changes_nothing_settles_its_message(
    door: Interactions, ctx: Context, store: Store, entries: int
) -> None:
    await door.update(ctx, "Patient", "a", patient(id="a"))
    row = await arrived(store)
    same = [put(patient(id="a"))][:entries]
    answer = await door.bundle(ctx, bundle(*same), accompanying=ending(row), keep_equal=True)
    assert [one.response.written for one in answer.entries if one.response] == [False] * entries
    assert await state_of(store, row) == "stored"
    assert len(await store.outbox(1, 0, 9)) == 1
    assert (await store.info(1)).versions == 1


async def test_the_announcer_is_asked_about_what_is_written(
    door: Interactions, ctx: Context, store: Store
) -> None:
    told: list[list[tuple[str, str, str, bool]]] = []

    async def announce(who: Context, changes: Sequence[Change]) -> Sequence[OutboxRow]:
        assert who is ctx
        told.append([(one.method, one.type, one.id, one.resource is None) for one in changes])
        return [OutboxRow("v2", one.id.encode()) for one in changes]

    door = replace(door, announce=announce)
    await door.update(ctx, "Patient", "a", patient(id="a"))
    entries = (put(patient(id="a")), put(patient(id="b")))
    await door.bundle(ctx, bundle(*entries), keep_equal=True, accompanying=Accompanying("", None))
    await door.delete(ctx, "Patient", "b")
    await door.bundle(ctx, bundle(put(patient(id="a"))), keep_equal=True)
    assert told == [
        [("PUT", "Patient", "a", False)],
        [("PUT", "Patient", "b", False)],
        [("DELETE", "Patient", "b", True)],
    ]
    assert [one.body for _, one in await store.outbox(1, 0, 9)] == [b"a", b"b", b"b"]


async def test_what_is_not_stored_is_not_announced(
    door: Interactions, ctx: Context, store: Store
) -> None:
    async def announce(who: Context, changes: Sequence[Change]) -> Sequence[OutboxRow]:
        return [ROW]

    door = replace(door, announce=announce)
    with pytest.raises(HubError):
        await door.create(ctx, "Observation", observation("Patient/nobody"))
    assert await store.outbox(1, 0, 9) == []
