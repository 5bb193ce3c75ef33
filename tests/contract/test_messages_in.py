"""Messages that come in: kept before anybody is answered, settled once, counted."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hub.storage.message_log import LONGEST_MARK, ROOM, ArrivalRow, Mark, MessageQuery, Receipt
from hub.storage.port import (
    AlreadySettled,
    OutboxRow,
    PreconditionChanged,
    Store,
    VersionConflict,
)
from tests.contract.commits import AUDIT, CLOCK, TENANT, commit_of, put, store_one
from tests.contract.messages import NOW, arrival, counts, receive, settled


async def test_what_arrives_is_kept_as_it_came(store: Store) -> None:
    message = arrival("7", b"\x00\xff|\r", keys=("a|1", "a|2"), address="10.0.0.9", kind="ADT^A40")
    receipt = await store.messages.receive(TENANT, message)
    assert receipt == Receipt(receipt.row, False, "waiting", b"", False)
    assert await store.messages.arrival(TENANT, receipt.row) == ArrivalRow(
        receipt.row, message, 0, 0, 4
    )
    assert await store.messages.arrival(TENANT + 1, receipt.row) is None
    assert await store.messages.arrival(TENANT, receipt.row + 1) is None


async def test_rows_count_up_in_the_order_of_arrival(store: Store) -> None:
    rows = await asyncio.gather(*(receive(store, str(number)) for number in range(20)))
    assert rows == sorted(set(rows))
    waiting = await store.messages.waiting(TENANT, 0, 100)
    assert [(one.row, one.arrival.control_id) for one in waiting] == [
        (row, str(number)) for number, row in enumerate(rows)
    ]
    assert await store.messages.waiting(TENANT, rows[4], 3) == waiting[5:8]
    assert await store.messages.waiting(TENANT + 1, 0, 100) == []


async def test_a_repeat_gets_the_answer_of_the_first(store: Store) -> None:
    row = await receive(store, "1", b"one")
    again = arrival("1", b"one", time=NOW + 9, address="other")
    assert await store.messages.receive(TENANT, again) == Receipt(row, True, "waiting", b"", False)
    await store.messages.settle(TENANT, settled(row))
    assert await store.messages.receive(TENANT, again) == Receipt(row, True, "stored", b"AA", False)
    found = await store.messages.arrival(TENANT, row)
    assert found
    assert found.repeats == 2
    assert found.arrival.address == ""
    assert await counts(store) == {"central received": 3, "central repeat": 2, "central stored": 1}


async def test_repeats_at_once_are_kept_once(store: Store) -> None:
    receipts = await asyncio.gather(*(store.messages.receive(TENANT, arrival()) for _ in range(30)))
    assert len({receipt.row for receipt in receipts}) == 1
    assert sorted(receipt.repeat for receipt in receipts) == [False] + [True] * 29
    assert await counts(store) == {
        "central received": 30,
        "central repeat": 29,
        "central waiting": 1,
    }


async def test_a_control_id_with_other_bytes_is_new_and_told(store: Store) -> None:
    first = await receive(store, "1", b"one")
    second = await store.messages.receive(TENANT, arrival("1", b"two"))
    assert not second.repeat
    assert second.reused
    assert second.row > first
    assert (await store.messages.receive(TENANT, arrival("1", b"one"))).row == first
    assert (await store.messages.receive(TENANT, arrival("1", b"two"))).row == second.row
    other = await store.messages.receive(TENANT, arrival("1", b"one", sender="LIS|CENTRAL"))
    assert (other.repeat, other.reused) == (False, False)
    elsewhere = await store.messages.receive(TENANT + 1, arrival("1", b"one"))
    assert (elsewhere.repeat, elsewhere.reused) == (False, False)


async def test_no_control_id_is_none_that_was_used_before(store: Store) -> None:
    await receive(store, "", b"one", sender="")
    other = await store.messages.receive(TENANT, arrival("", b"two", sender=""))
    assert (other.repeat, other.reused) == (False, False)
    again = await store.messages.receive(TENANT, arrival("", b"two", sender=""))
    assert (again.repeat, again.row) == (True, other.row)


async def test_what_cannot_be_worked_on_is_quarantined_at_once(store: Store) -> None:
    bad = arrival("", b"\xff", state="quarantined", answer=b"AE", reason='["no-msh"]', kind="")
    receipt = await store.messages.receive(TENANT, bad)
    assert receipt == Receipt(receipt.row, False, "quarantined", b"AE", False)
    assert await store.messages.waiting(TENANT, 0, 9) == []
    assert await store.messages.arrival(TENANT, receipt.row) == ArrivalRow(
        receipt.row, bad, 0, NOW, 1
    )
    assert (await store.messages.receive(TENANT, bad)).answer == b"AE"
    with pytest.raises(AlreadySettled):
        await store.messages.settle(TENANT, settled(receipt.row))


async def test_an_arrival_is_settled_once(store: Store) -> None:
    row = await receive(store)
    await store.messages.settle(
        TENANT, settled(row, state="quarantined", answer=b"AE", reason='["x"]')
    )
    found = await store.messages.arrival(TENANT, row)
    assert found
    kept = found.arrival
    assert (kept.state, kept.answer, kept.reason) == ("quarantined", b"AE", '["x"]')
    assert (found.settled, kept.raw, kept.keys) == (NOW + 5, b"MSH|", ("HIS|CENTRAL|42",))
    for tenant, number in ((TENANT, row), (TENANT, row + 1), (TENANT + 1, row)):
        with pytest.raises(AlreadySettled):
            await store.messages.settle(tenant, settled(number))
    assert await store.messages.arrival(TENANT, row) == found
    assert await counts(store) == {"central quarantined": 1, "central received": 1}


async def test_of_many_that_settle_one_succeeds(store: Store) -> None:
    row = await receive(store)
    ends = await asyncio.gather(
        *(store.messages.settle(TENANT, settled(row, answer=b"%d" % n)) for n in range(20)),
        *(store.commit(commit_of(put(f"Patient/p{n}"), message=settled(row))) for n in range(20)),
        return_exceptions=True,
    )
    assert len([one for one in ends if isinstance(one, AlreadySettled)]) == 39
    assert await counts(store) == {"central received": 1, "central stored": 1}


async def test_a_commit_settles_its_message(store: Store) -> None:
    row = await receive(store)
    marks = (Mark("Patient/a", b"one"), Mark("Encounter/b", b"two"))
    committed = await store.commit(
        commit_of(put("Patient/a"), message=settled(row, reason="[]", marks=marks))
    )
    assert committed.results[0].version == 1
    found = await store.messages.arrival(TENANT, row)
    assert found
    assert (found.arrival.state, found.arrival.answer) == ("stored", b"AA")
    assert (found.arrival.reason, found.settled) == ("[]", NOW + 5)
    assert await store.messages.waiting(TENANT, 0, 9) == []
    assert await store.messages.marks(TENANT, ["Encounter/b", "x", "Patient/a"]) == {
        "Patient/a": b"one",
        "Encounter/b": b"two",
    }


async def test_a_commit_of_a_settled_message_stores_nothing(store: Store) -> None:
    row = await receive(store)
    await store.commit(commit_of(put("Patient/a"), message=settled(row)))
    again = commit_of(
        put("Patient/a"),
        put("Patient/b"),
        message=settled(row, marks=(Mark("Patient/a", b"no"),)),
        outbox=(OutboxRow("topic", b""),),
    )
    for _ in range(2):
        with pytest.raises(AlreadySettled):
            await store.commit(again)
    assert (await store.info(TENANT)).versions == 1
    assert len(await store.audit_records(TENANT, 0, 9)) == 1
    assert await store.outbox(TENANT, 0, 9) == []
    assert await store.messages.marks(TENANT, ["Patient/a"]) == {}


async def test_a_refused_commit_leaves_its_message_waiting(store: Store) -> None:
    row = await receive(store)
    await store_one(store, put("Patient/a"))
    marks = (Mark("Patient/a", b"no"),)
    refused = commit_of(put("Patient/a", expected=7), message=settled(row, marks=marks))
    with pytest.raises(VersionConflict):
        await store.commit(refused)
    assert [one.row for one in await store.messages.waiting(TENANT, 0, 9)] == [row]
    assert await store.messages.marks(TENANT, ["Patient/a"]) == {}
    await store.commit(commit_of(message=settled(row)))
    assert await counts(store) == {"central received": 1, "central stored": 1}


async def test_a_repeated_key_is_answered_though_the_message_is_settled(store: Store) -> None:
    row = await receive(store)
    commit = commit_of(put("Patient/a"), message=settled(row), idempotency_key="key")
    assert await store.commit(commit) == await store.commit(commit)


async def test_a_quarantined_message_waits_again(store: Store) -> None:
    row = await receive(store)
    assert not await store.messages.reopen(TENANT, row, NOW)
    await store.messages.settle(TENANT, settled(row, state="quarantined", answer=b"AE", reason="r"))
    assert not await store.messages.reopen(TENANT + 1, row, NOW)
    assert not await store.messages.reopen(TENANT, row + 1, NOW)
    assert await store.messages.reopen(TENANT, row, NOW + 50)
    assert not await store.messages.reopen(TENANT, row, NOW + 51)
    waiting = await store.messages.waiting(TENANT, 0, 9)
    assert waiting == [ArrivalRow(row, arrival(), 0, NOW + 50, 4)]
    assert (await store.messages.receive(TENANT, arrival())).answer == b""
    await store.messages.settle(TENANT, settled(row))
    assert not await store.messages.reopen(TENANT, row, NOW)
    assert await counts(store) == {"central received": 2, "central repeat": 1, "central stored": 1}


async def test_marks_are_replaced_and_belong_to_a_tenant(store: Store) -> None:
    for value in (b"one", b"two"):
        row = await receive(store, value.decode())
        await store.messages.settle(TENANT, settled(row, marks=(Mark("Patient/张", value),)))
    assert await store.messages.marks(TENANT, ["Patient/张"]) == {"Patient/张": b"two"}
    assert await store.messages.marks(TENANT + 1, ["Patient/张"]) == {}
    assert await store.messages.marks(TENANT, []) == {}


async def test_a_mark_that_has_changed_refuses_the_end(store: Store) -> None:
    first = (Mark("Patient/a", b"one", b""),)
    await store.messages.settle(TENANT, settled(await receive(store, "1"), marks=first))
    row = await receive(store, "2")
    for before in (b"", b"other"):
        marks = (Mark("Patient/b", b"new", b""), Mark("Patient/a", b"two", before))
        with pytest.raises(PreconditionChanged):
            await store.messages.settle(TENANT, settled(row, marks=marks))
        with pytest.raises(PreconditionChanged):
            await store.commit(commit_of(put("Patient/a"), message=settled(row, marks=marks)))
    assert await store.read(TENANT, "Patient", "a") is None
    assert await store.messages.marks(TENANT, ["Patient/a", "Patient/b"]) == {"Patient/a": b"one"}
    right = (Mark("Patient/a", b"two", b"one"),)
    await store.commit(commit_of(put("Patient/a"), message=settled(row, marks=right)))
    assert await store.messages.marks(TENANT, ["Patient/a"]) == {"Patient/a": b"two"}


async def test_marks_of_many_keys_are_found_whatever_the_keys_are(store: Store) -> None:
    keys = ["a", 'b"', "c\\", "d\0e", "d", "é", "李", "😀", "\n", "1"]
    row = await receive(store)
    marks = tuple(Mark(key, key.encode()) for key in keys)
    await store.messages.settle(TENANT, settled(row, marks=marks))
    for asked in (keys, keys[:3], [key for key in keys if "\0" not in key]):
        found = await store.messages.marks(TENANT, [*asked, "none", "d\0x"[:1]])
        assert found == {key: key.encode() for key in dict.fromkeys([*asked, "d"])}


async def test_an_expunged_resource_has_no_mark(store: Store) -> None:
    row = await receive(store)
    marks = (Mark("Patient/a", b"one"), Mark("Patient/b", b"two"))
    await store.commit(commit_of(put("Patient/a"), message=settled(row, marks=marks)))
    await store.expunge(TENANT, "Patient", "a", AUDIT, CLOCK)
    assert await store.messages.marks(TENANT, ["Patient/a", "Patient/b"]) == {"Patient/b": b"two"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": "waiting"},
        {"marks": (Mark("", b""),)},
        {"marks": (Mark("x" * (LONGEST_MARK + 1), b""),)},
    ],
)
async def test_what_can_be_no_end_is_refused(store: Store, wrong: dict[str, Any]) -> None:
    row = await receive(store)
    with pytest.raises(Exception, match=r"wait|characters|ValueError"):
        await store.messages.settle(TENANT, settled(row, **wrong))
    with pytest.raises(Exception, match=r"wait|characters|ValueError"):
        await store.commit(commit_of(put("Patient/a"), message=settled(row, **wrong)))
    assert [one.row for one in await store.messages.waiting(TENANT, 0, 9)] == [row]
    assert await store.read(TENANT, "Patient", "a") is None


async def test_arrivals_are_listed_newest_first_by_what_is_asked(store: Store) -> None:
    kinds = ("ADT^A01", "ADT^A08", "ORU^R01", "ADTX^A01")
    rows = [
        await receive(
            store, str(n % 5), b"%d" % n, kind=kinds[n % 4], site=("central", "lab")[n % 2]
        )
        for n in range(16)
    ]
    for row in rows[:12]:
        state = "quarantined" if row in rows[4:8] else "stored"
        await store.messages.settle(TENANT, settled(row, state=state))

    async def asked(**query: Any) -> list[int]:
        found = await store.messages.arrivals(TENANT, MessageQuery(**query))
        return [rows.index(one.row) for one in found]

    assert await asked() == list(range(15, -1, -1))
    assert await asked(count=3) == [15, 14, 13]
    assert await asked(before=rows[3]) == [2, 1, 0]
    assert await asked(state="quarantined") == [7, 6, 5, 4]
    assert await asked(state="quarantined", before=rows[6], count=1) == [5]
    assert await asked(state="waiting") == [15, 14, 13, 12]
    assert await asked(state="stored", count=2) == [11, 10]
    assert await asked(peer="lab", count=2) == [15, 13]
    assert await asked(peer="lab", state="stored") == [11, 9, 3, 1]
    assert await asked(kind="ADT") == [13, 12, 9, 8, 5, 4, 1, 0]
    assert await asked(kind="ADT^A08") == [13, 9, 5, 1]
    assert await asked(kind="ADT", peer="central", state="quarantined") == [4]
    assert await asked(control_id="3") == [13, 8, 3]
    assert await asked(control_id="3", peer="lab") == [13, 3]
    assert await asked(peer="nobody") == []
    assert await asked(state="queued") == []
    assert await store.messages.arrivals(TENANT + 1, MessageQuery()) == []


async def test_a_list_may_do_without_the_bytes(store: Store) -> None:
    row = await receive(store, "1", b"x" * 5000)
    (told,) = await store.messages.arrivals(TENANT, MessageQuery(whole=False))
    assert (told.row, told.arrival.raw, told.size) == (row, b"", 5000)
    (whole,) = await store.messages.arrivals(TENANT, MessageQuery())
    assert (len(whole.arrival.raw), whole.size) == (5000, 5000)


async def test_what_waits_is_given_by_so_many_bytes(store: Store) -> None:
    rows = [await receive(store, str(number), b"%d" % number * ROOM) for number in (1, 2)]
    rows += [await receive(store, str(number)) for number in (3, 4)]
    first = await store.messages.waiting(TENANT, 0, 9)
    assert [one.row for one in first] == rows[:1]
    assert [one.row for one in await store.messages.waiting(TENANT, rows[0], 9)] == rows[1:2]
    assert [one.row for one in await store.messages.waiting(TENANT, rows[1], 9)] == rows[2:]


async def test_counts_are_kept_by_site_and_tenant_and_reconcile(store: Store) -> None:
    for number in range(10):
        row = await receive(store, str(number), site=("central", "lab")[number % 2])
        if number < 6:
            state = "stored" if number < 4 else "quarantined"
            await store.messages.settle(TENANT, settled(row, state=state))
    await store.messages.receive(TENANT, arrival("0"))
    await store.messages.receive(TENANT + 1, arrival())
    assert await counts(store) == {
        "central quarantined": 1,
        "central received": 6,
        "central repeat": 1,
        "central stored": 2,
        "central waiting": 2,
        "lab quarantined": 1,
        "lab received": 5,
        "lab stored": 2,
        "lab waiting": 2,
    }
    assert await counts(store, tenant=TENANT + 1) == {"central received": 1, "central waiting": 1}
    tallies = await store.messages.counts(TENANT)
    assert tallies == sorted(tallies)
    assert [finding async for finding in store.verify(TENANT)] == []
