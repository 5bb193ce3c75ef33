"""Messages that go out: queued with their outbox rows, in order, until they are done."""

from __future__ import annotations

from typing import Any

from hub.storage.message_log import DepartureRow, DepartureState, MessageQuery
from hub.storage.port import OutboxRow, Store
from tests.contract.commits import TENANT, commit_of, put
from tests.contract.messages import NOW, counts, departure


async def depart(store: Store, *control_ids: str, **fields: Any) -> list[int]:
    made = [departure(control_id, **fields) for control_id in control_ids]
    return await store.messages.depart(TENANT, made, [])


async def test_what_is_queued_is_kept_as_it_was_made(store: Store) -> None:
    made = departure(focus="Task/t", names=("ref-1", "转诊-2"), raw=b"\x00\xff")
    (row,) = await store.messages.depart(TENANT, [made], [])
    kept = DepartureRow(row, made, "queued", size=2)
    for name in ("o1", "ref-1", "转诊-2"):
        assert await store.messages.departure(TENANT, name) == kept
    assert await store.messages.departure(TENANT, "ref") is None
    assert await store.messages.departure(TENANT + 1, "o1") is None
    assert await store.messages.due(TENANT, "clinic", NOW, 9) == [kept]


async def test_queued_messages_and_their_outbox_rows_change_together(store: Store) -> None:
    rows = tuple(OutboxRow("v2", bytes([number])) for number in range(3))
    await store.commit(commit_of(put("Patient/a"), outbox=rows))
    numbers = [number for number, _ in await store.outbox(TENANT, 0, 9)]
    await store.messages.depart(TENANT, [departure()], [numbers[0], numbers[2], 10**6])
    assert [row for _, row in await store.outbox(TENANT, 0, 9)] == [rows[1]]
    await store.messages.depart(TENANT, [], [numbers[1]])
    assert await store.outbox(TENANT, 0, 9) == []
    assert await counts(store, "out") == {"clinic queued": 1}


async def test_a_control_id_is_queued_once(store: Store) -> None:
    first = await depart(store, "a", "b")
    await store.messages.attempted(TENANT, first[0], "done", answer=b"AA")
    again = await depart(store, "b", "a", "c", "c", raw=b"other")
    assert again[:2] == [first[1], first[0]]
    assert again[2] == again[3] > first[1]
    found = await store.messages.departure(TENANT, "a")
    assert found
    assert (found.state, found.departure.raw) == ("done", b"MSH|out a")
    assert await counts(store, "out") == {"clinic done": 1, "clinic queued": 2}


async def test_what_waits_comes_oldest_first_up_to_what_is_not_due(store: Store) -> None:
    rows = await depart(store, *"abcd")
    other = await depart(store, "e", destination="other")

    async def due(now: int = NOW, count: int = 9, destination: str = "clinic") -> list[int]:
        found = await store.messages.due(TENANT, destination, now, count)
        return [one.row for one in found]

    assert await due() == rows
    assert await due(count=2) == rows[:2]
    assert await due(destination="other") == other
    assert await due(destination="nobody") == []
    await store.messages.attempted(TENANT, rows[0], "queued", due=NOW + 10, reason="refused")
    assert await due() == []
    assert await due(NOW + 10) == rows
    await store.messages.attempted(TENANT, rows[0], "done")
    await store.messages.attempted(TENANT, rows[2], "queued", due=NOW + 10)
    assert await due() == rows[1:2]
    await store.messages.attempted(TENANT, rows[1], "refused")
    assert await due() == []


async def test_a_list_of_departures_may_do_without_the_bytes(store: Store) -> None:
    await depart(store, "a")
    (told,) = await store.messages.departures(TENANT, MessageQuery(whole=False))
    assert (told.departure.raw, told.size) == (b"", 9)


async def test_attempts_are_counted_and_answers_are_not(store: Store) -> None:
    (row,) = await depart(store, "a")
    steps: list[tuple[DepartureState, dict[str, Any], int, bytes]] = [
        ("queued", {"due": NOW + 1, "reason": '["timeout"]'}, 1, b""),
        ("queued", {"due": NOW + 2, "reason": '["closed"]'}, 2, b""),
        ("accepted", {"answer": b"CA"}, 3, b"CA"),
        ("done", {"answer": b"RRI"}, 3, b"RRI"),
        ("queued", {}, 3, b"RRI"),
        ("refused", {"answer": b"AE", "reason": '["no"]'}, 4, b"AE"),
    ]
    for state, fields, attempts, answer in steps:
        assert await store.messages.attempted(TENANT, row, state, **fields)
        assert await store.messages.departure(TENANT, "a") == DepartureRow(
            row,
            departure("a"),
            state,
            attempts,
            fields.get("due", 0),
            answer,
            fields.get("reason", ""),
            9,
        )
    assert await counts(store, "out") == {"clinic refused": 1}
    assert not await store.messages.attempted(TENANT, row + 1, "done")
    assert not await store.messages.attempted(TENANT + 1, row, "done")
    assert await counts(store, "out") == {"clinic refused": 1}


async def test_of_several_with_a_name_the_newest_is_given(store: Store) -> None:
    await depart(store, "a", names=("ref", "ref"))
    (newer,) = await depart(store, "b", names=("ref", "b"))
    found = await store.messages.departure(TENANT, "ref")
    assert found
    assert found.row == newer
    (newest,) = await depart(store, "c", names=("a",))
    found = await store.messages.departure(TENANT, "a")
    assert found
    assert found.row == newest


async def test_departures_are_listed_newest_first_by_what_is_asked(store: Store) -> None:
    rows = []
    for number in range(12):
        rows += await depart(
            store,
            f"c{number}",
            destination=("clinic", "lab")[number % 2],
            kind=("REF^I12", "ORU^R01", "REF^I13")[number % 3],
        )
    for number, state in ((0, "done"), (1, "done"), (2, "accepted"), (3, "refused")):
        await store.messages.attempted(TENANT, rows[number], state)

    async def asked(**query: Any) -> list[int]:
        found = await store.messages.departures(TENANT, MessageQuery(**query))
        return [rows.index(one.row) for one in found]

    assert await asked() == list(range(11, -1, -1))
    assert await asked(before=rows[2]) == [1, 0]
    assert await asked(state="done") == [1, 0]
    assert await asked(state="queued", count=2) == [11, 10]
    assert await asked(state="refused") == [3]
    assert await asked(peer="lab", state="queued", count=2) == [11, 9]
    assert await asked(kind="REF") == [11, 9, 8, 6, 5, 3, 2, 0]
    assert await asked(kind="REF^I12", peer="clinic") == [6, 0]
    assert await asked(control_id="c4") == [4]
    assert await asked(state="waiting") == []
    assert await store.messages.departures(TENANT + 1, MessageQuery()) == []
    assert [finding async for finding in store.verify(TENANT)] == []
