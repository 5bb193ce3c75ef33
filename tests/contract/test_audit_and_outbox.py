"""Audit rows and outbox rows live and die with their commit."""

from __future__ import annotations

from msgspec import structs

from hub.storage.port import AuditQuery, AuditRecord, OutboxRow, Store
from tests.contract.commits import CLOCK, TENANT, commit_of, delete, put, store_one


async def test_a_commit_is_audited_with_the_versions_it_wrote(store: Store) -> None:
    audit = AuditRecord("E", "transaction", "someone", "r-1", "0", ("Task/t",))
    await store_one(store, put("Patient/a"))
    await store.commit(
        commit_of(put("Patient/a"), put("Group/g"), delete("Patient/none"), audit=audit)
    )
    rows = await store.audit_records(TENANT, 0, 10)
    assert [row[0] for row in rows] == [1, 2]
    assert rows[1][1] == CLOCK + 1
    entities = ("Task/t", "Patient/a/_history/2", "Group/g/_history/1")
    told = structs.replace(audit, entities=entities, time=CLOCK + 1)
    assert rows[1][2] == told
    page = await store.audit_rows(TENANT, AuditQuery())
    assert page.next is None
    assert [(row.row, row.block, row.records) for row in page.rows[:1]] == [(2, False, (told,))]


async def test_a_commit_without_writes_is_audited(store: Store) -> None:
    read = AuditRecord("R", "read", "someone", "r-1", "0", ("Patient/a/_history/1",))
    failed = AuditRecord("R", "read", "someone", "r-2", "4", ("Patient/b",))
    committed = await store.commit(commit_of(audit=read))
    assert committed.results == ()
    await store.commit(commit_of(audit=failed))
    rows = [structs.replace(row[2], time=0) for row in await store.audit_records(TENANT, 0, 10)]
    assert rows == [read, failed]
    assert [row[2].outcome for row in await store.audit_records(TENANT, 1, 10)] == ["4"]
    assert await store.audit_records(TENANT, 2, 10) == []


async def test_audit_rows_are_numbered_per_tenant(store: Store) -> None:
    for tenant in (1, 2, 1, 2, 2):
        await store.commit(commit_of(tenant=tenant))
    assert [row[0] for row in await store.audit_records(1, 0, 10)] == [1, 2]
    assert [row[0] for row in await store.audit_records(2, 1, 1)] == [2]


async def test_the_outbox_keeps_rows_until_they_are_delivered(store: Store) -> None:
    rows = tuple(OutboxRow(f"topic-{number}", bytes([number])) for number in range(5))
    await store.commit(commit_of(put("Patient/a"), outbox=rows[:3]))
    await store.commit(commit_of(put("Patient/b"), outbox=rows[3:]))
    waiting = await store.outbox(TENANT, 0, 10)
    assert [row for _, row in waiting] == list(rows)
    numbers = [number for number, _ in waiting]
    assert numbers == sorted(set(numbers))
    assert await store.outbox(TENANT, numbers[1], 2) == waiting[2:4]
    assert await store.outbox(2, 0, 10) == []
    await store.delivered(2, numbers)
    await store.delivered(TENANT, [numbers[0], numbers[2], 10**6])
    assert await store.outbox(TENANT, 0, 10) == [waiting[1], *waiting[3:]]


async def test_an_outbox_row_tells_the_sequence_of_its_commit(store: Store) -> None:
    first = await store.commit(commit_of(put("Patient/a"), outbox=(OutboxRow("topic", b"1"),)))
    second = await store.commit(commit_of(put("Patient/a"), outbox=(OutboxRow("topic", b"2"),)))
    found = [row.sequence for _, row in await store.outbox(TENANT, 0, 10)]
    assert found == [first.sequence, second.sequence]


async def test_outbox_numbers_are_never_used_again(store: Store) -> None:
    await store.commit(commit_of(outbox=(OutboxRow("topic", b"1"),)))
    ((first, _),) = await store.outbox(TENANT, 0, 10)
    await store.delivered(TENANT, [first])
    await store.commit(commit_of(outbox=(OutboxRow("topic", b"2"),)))
    ((second, _),) = await store.outbox(TENANT, first, 10)
    assert second > first
