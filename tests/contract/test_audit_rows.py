"""Blocks of events, and rows of the audit chain newest first."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from msgspec import structs

from hub.storage.audit_keys import entity_key, keys_of, name_key, reference_key
from hub.storage.port import AuditHead, AuditPage, AuditQuery, AuditRecord, AuditRow, Store
from hub.storage.sqlite import audit_search
from hub.storage.sqlite.store import open_store
from tests.contract.commits import CLOCK, TENANT, commit_of, put

READ = AuditRecord(
    "R", "read", "li.wei", "r-1", "0", ("Observation/o",), "app", "Practitioner/p", "192.0.2.1",
    "", ("a",), "", CLOCK,
)  # fmt: skip


async def everything(store: Store, query: AuditQuery) -> list[AuditRow]:
    """All rows of a query, page by page."""
    found: list[AuditRow] = []
    while True:
        page = await store.audit_rows(TENANT, query)
        found += page.rows
        if page.next is None:
            return found
        query = AuditQuery(page.next, query.low, query.high, query.keys, query.count)


async def test_many_events_are_one_row(store: Store) -> None:
    events = [structs.replace(READ, time=CLOCK + n, request_id=f"{n:020x}") for n in range(300)]
    assert await store.append_audit(TENANT, events, CLOCK + 400) == 1
    assert await store.append_audit(TENANT, [READ], CLOCK) == 2
    await store.commit(commit_of(put("Patient/a")))
    page = await store.audit_rows(TENANT, AuditQuery())
    assert [(row.row, row.block, len(row.records)) for row in page.rows] == [
        (3, False, 1),
        (2, True, 1),
        (1, True, 300),
    ]
    assert page.rows[2].records == tuple(events)
    assert page.rows[2].time == CLOCK + 400
    assert page.rows[0].sequence > page.rows[1].sequence > page.rows[2].sequence
    assert (await store.audit_head(TENANT)).row == 3
    assert (await store.audit_head(2)).row == 0
    assert [row[2] for row in await store.audit_records(TENANT, 0, 1)] == events
    assert [finding async for finding in store.verify(TENANT)] == []
    assert await store.check_audit(TENANT) is None


async def test_rows_are_paged_newest_first_while_others_come(store: Store) -> None:
    for _ in range(5):
        await store.append_audit(TENANT, [READ], CLOCK)
    first = await store.audit_rows(TENANT, AuditQuery(count=2))
    assert [row.row for row in first.rows] == [5, 4]
    await store.append_audit(TENANT, [READ], CLOCK)
    second = await store.audit_rows(TENANT, AuditQuery(before=first.next, count=2))
    third = await store.audit_rows(TENANT, AuditQuery(before=second.next, count=2))
    assert [row.row for row in (*second.rows, *third.rows)] == [3, 2, 1]
    assert third.next is None
    assert await store.audit_rows(TENANT, AuditQuery(before=1)) == AuditPage((), None)
    assert await store.audit_rows(2, AuditQuery()) == AuditPage((), None)


@pytest.mark.parametrize("seed", range(3))
async def test_rows_are_found_by_key_and_time(store: Store, seed: int) -> None:
    """Whatever can match is given, over the border of segments too."""
    random = Random(seed)
    clock = CLOCK
    written: list[tuple[AuditRecord, ...]] = []
    for _ in range(audit_search.SEGMENT * 2 + 40):
        clock += random.randint(1, 1000)
        record = AuditRecord(
            "R", "read", random.choice(("ann", "bob")), "r", "0",
            (f"Observation/{random.randint(1, 200)}",), "", "", "", "",
            (str(random.randint(1, 50)),), "", clock,
        )  # fmt: skip
        if random.random() < 0.2:
            early = [structs.replace(record, time=clock - n) for n in (900, 5)]
            await store.append_audit(TENANT, [*early, record], clock)
            written.append((*early, record))
        else:
            await store.commit(commit_of(audit=structs.replace(record, time=0), clock=clock))
            written.append((record,))
    rows = await everything(store, AuditQuery(count=7))
    assert [row.records for row in reversed(rows)] == written
    patient, entity = reference_key("Patient/7"), entity_key("Observation/3/_history/9")
    queries = [
        AuditQuery(keys=((patient,),), count=5),
        AuditQuery(keys=((patient, entity),), count=5),
        AuditQuery(keys=((patient,), (name_key("ann"),)), count=5),
        AuditQuery(keys=((1,),)),
        AuditQuery(keys=((),)),
        AuditQuery(low=rows[60].time, high=rows[30].time, count=9),
        AuditQuery(low=rows[60].time, keys=((patient,),)),
        AuditQuery(high=rows[-3].time),
    ]
    for query in queries:
        found = await everything(store, query)
        expected = [row for row in rows if _is_asked(row, query)]
        assert [row.row for row in found] == [row.row for row in expected]


def _is_asked(row: AuditRow, query: AuditQuery) -> bool:
    keys = set[int]().union(*map(keys_of, row.records))
    return (
        (query.low is None or row.time >= query.low)
        and (query.high is None or min(one.time for one in row.records) < query.high)
        and all(keys & set(group) for group in query.keys)
    )


async def test_a_block_that_is_sent_again_is_there_once(tmp_path: Path) -> None:
    owner = open_store(tmp_path)
    from hub.storage.sqlite.audit_pack import pack_block

    packed = pack_block([READ], CLOCK)
    writer = owner._writing
    assert await writer.append_audit(TENANT, packed, CLOCK, "key") == 1  # type: ignore[call-arg]
    assert await writer.append_audit(TENANT, packed, CLOCK, "key") == 1  # type: ignore[call-arg]
    assert (await owner.audit_head(TENANT)).row == 1
    await owner.close()


async def test_a_head_is_what_a_later_check_expects(store: Store) -> None:
    for _ in range(3):
        await store.append_audit(TENANT, [READ], CLOCK)
    head = await store.audit_head(TENANT)
    assert isinstance(head, AuditHead)
    await store.append_audit(TENANT, [READ], CLOCK)
    assert await store.check_audit(TENANT, head) is None
