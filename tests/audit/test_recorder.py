"""What happens beside writes reaches the chain, or is not answered."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from hub.audit import recorder as recorders
from hub.audit.recorder import Recorder, recording
from hub.errors import Unavailable
from hub.principal import Principal
from hub.storage.memory.store import MemoryStore
from hub.storage.port import AuditPage, AuditQuery, AuditRecord, StoreUnavailable
from hub.storage.sqlite.store import open_store

DOCTOR = Principal("li.wei", fhir_user="Practitioner/p", client="app")
OBSERVATION = b'{"resourceType":"Observation","subject":{"reference":"Patient/a"}}'


class Failing(MemoryStore):
    """A store whose disk is full for a while."""

    failing = True

    async def append_audit(self, tenant: int, records: Sequence[AuditRecord], clock: int) -> int:
        if self.failing:
            raise StoreUnavailable("the disk is full")
        return await super().append_audit(tenant, records, clock)


class Damaged(Failing):
    """A store whose audit table is damaged until it is mended."""

    async def append_audit(self, tenant: int, records: Sequence[AuditRecord], clock: int) -> int:
        if self.failing:
            raise StoreUnavailable("a page is damaged", trouble="damaged")
        return await super().append_audit(tenant, records, clock)

    async def audit_rows(self, tenant: int, query: AuditQuery) -> AuditPage:
        if self.failing:
            raise StoreUnavailable("a page is damaged", trouble="damaged")
        return await super().audit_rows(tenant, query)


def read(recorder: Recorder, id: str = "o", body: bytes = OBSERVATION) -> None:
    recorder.add(DOCTOR, "r-1", "192.0.2.1", "read", 200, "Observation", id, body=body)


async def noted(store: MemoryStore) -> list[AuditRecord]:
    return [record for _, _, record in await store.audit_records(1, 0, 100)]


async def test_a_read_is_in_the_chain_a_moment_later() -> None:
    store = MemoryStore()
    async with recording(store) as recorder:
        read(recorder)
        assert len(await noted(store)) == 1
        await asyncio.sleep(recorders.FLUSH_AFTER * 2)
        found = (await noted(store))[1]
    assert (found.action, found.interaction, found.outcome) == ("R", "read", "0")
    assert (found.principal, found.client, found.agent) == ("li.wei", "app", "Practitioner/p")
    assert (found.request_id, found.address) == ("r-1", "192.0.2.1")
    assert (found.entities, found.patients) == (("Observation/o",), ("a",))


async def test_many_events_are_written_at_once() -> None:
    store = MemoryStore()
    async with recording(store) as recorder:
        for number in range(recorders.FLUSH_AT):
            read(recorder, str(number))
        for _ in range(5):
            await asyncio.sleep(0)
        rows = (await store.audit_rows(1, AuditQuery())).rows
        assert [len(row.records) for row in rows] == [recorders.FLUSH_AT, 1]


async def test_a_damaged_chain_is_no_reason_not_to_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recorders, "RETRY_FIRST", 0.01)
    store = Damaged()
    async with recording(store) as recorder:
        read(recorder)
        await asyncio.sleep(0.02)
        assert await noted(store) == []
        store.failing = False
        async with asyncio.timeout(10):
            while len(await noted(store)) < 2:
                await asyncio.sleep(0.01)
    assert [one.interaction for one in await noted(store)] == ["start", "read", "stop"]


async def test_what_is_left_is_written_at_the_end_with_a_stop() -> None:
    store = MemoryStore()
    async with recording(store) as recorder:
        read(recorder)
    assert [one.interaction for one in await noted(store)] == ["start", "read", "stop"]


async def test_when_nothing_can_be_written_nothing_is_answered_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recorders, "FULL_AT", 5)
    monkeypatch.setattr(recorders, "FLUSH_AT", 2)
    monkeypatch.setattr(recorders, "RETRY_FIRST", 0.01)
    store = Failing()
    store.failing = False
    async with recording(store) as recorder:
        store.failing = True
        for number in range(5):
            read(recorder, str(number))
            await asyncio.sleep(0)
        with pytest.raises(Unavailable) as refused:
            read(recorder, "5")
        assert refused.value.status == 503
        with pytest.raises(Unavailable):
            recorder.access("login", ok=True, account="li.wei")
        store.failing = False
        for _ in range(100):
            await asyncio.sleep(0.01)
            if len(await noted(store)) == 6:
                break
        read(recorder, "6")
    told = [one.entities[0] for one in await noted(store)]
    assert told[1:-1] == [*(f"Observation/{n}" for n in range(5)), "Observation/6"]


async def test_a_write_that_was_done_is_not_told_as_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recorders, "FULL_AT", 0)
    recorder = Recorder(MemoryStore())
    recorder.add(DOCTOR, "r-1", "", "create", 201, "Observation")
    for interaction, status in (("read", 200), ("read", 404), ("create", 422)):
        with pytest.raises(Unavailable):
            recorder.add(DOCTOR, "r-1", "", interaction, status, "Observation")


async def test_writes_that_were_done_are_left_to_their_commit() -> None:
    store = MemoryStore()
    async with recording(store) as recorder:
        for name, status in (("create", 201), ("update", 200), ("delete", 204), ("patch", 200)):
            recorder.add(DOCTOR, "r", "", name, status, "Patient", "a")
        recorder.add(DOCTOR, "r", "", "transaction", 200, body=b'{"entry":[{"response":{}}]}')
        recorder.add(DOCTOR, "r", "", "create", 200, "Patient", body=b"found by If-None-Exist")
        recorder.add(DOCTOR, "r", "", "create", 422, "Patient", reason="invalid")
        recorder.add(DOCTOR, "r", "", "transaction", 200, body=b'{"entry":[{"resource":{}}]}')
    told = [(one.interaction, one.outcome, one.detail) for one in (await noted(store))[1:-1]]
    assert told == [
        ("create", "0", ""),
        ("create", "4", "422 invalid"),
        ("transaction", "0", ""),
    ]


async def test_versions_operations_and_searches_are_named() -> None:
    store = MemoryStore()
    form = b'{"link":[{"relation":"self","url":"http://h/fhir/Patient?name=x"}],"entry":[]}'
    async with recording(store) as recorder:
        recorder.add(DOCTOR, "r", "", "vread", 200, "Patient", "a", "2")
        recorder.add(DOCTOR, "r", "", "operation", 200, "Patient", "a", "$everything")
        recorder.add(DOCTOR, "r", "", "search-type", 200, "Patient", query="name=y")
        recorder.add(DOCTOR, "r", "", "search-type", 200, "Patient", body=form)
        recorder.add(Principal("anonymous"), "r", "", "unknown", 401, reason="missing")
    found = (await noted(store))[1:-1]
    assert [(one.interaction, one.entities, one.query, one.patients) for one in found] == [
        ("vread", ("Patient/a/_history/2",), "", ("a",)),
        ("everything", ("Patient/a",), "", ("a",)),
        ("search-type", ("Patient",), "name=y", ()),
        ("search-type", ("Patient",), "name=x", ()),
        ("unknown", (), "", ()),
    ]


async def test_events_at_the_front_door_are_noted() -> None:
    store = MemoryStore()
    async with recording(store) as recorder:
        recorder.access("login", ok=False, account="li.wei", address="192.0.2.1", reason="locked")
        recorder.access("token", ok=True, account="li.wei", client="app", patient="a")
    refused, token = (await noted(store))[1:-1]
    assert (refused.interaction, refused.outcome, refused.detail) == ("login", "4", "403 locked")
    assert (token.principal, token.client, token.patients) == ("li.wei", "app", ("a",))


async def test_a_process_that_ended_without_a_stop_is_told_by_the_next(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    gone = AuditRecord("E", "start", "", "", "0", ("process/4194305.77",), time=5)
    await store.append_audit(1, [gone], 5)
    async with recording(store):
        pass
    async with recording(store):
        pass
    told = [record for _, _, record in await store.audit_records(1, 0, 100)]
    await store.close()
    assert [one.interaction for one in told] == [
        "start",
        "unclean",
        "start",
        "stop",
        "start",
        "stop",
    ]
    assert told[1].entities == ("process/4194305.77",)
    assert (told[1].outcome, told[1].detail) == ("4", "audit-unclean")


async def test_a_killed_process_is_told_by_the_next(tmp_path: Path) -> None:
    """What it had noted a moment before may be lost; that it may is in the chain."""
    program = (
        "import asyncio, os, sys\n"
        "from pathlib import Path\n"
        "from hub.audit.recorder import recording\n"
        "from hub.principal import LOCAL\n"
        "from hub.storage.sqlite.store import open_store\n"
        "async def main():\n"
        "    async with recording(open_store(Path(sys.argv[1]))) as recorder:\n"
        "        recorder.add(LOCAL, '', '', 'read', 200, 'Patient', 'written')\n"
        "        await asyncio.sleep(0.6)\n"
        "        recorder.add(LOCAL, '', '', 'read', 200, 'Patient', 'lost')\n"
        "        os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, str(tmp_path))
    assert await process.wait() == -9
    store = open_store(tmp_path)
    async with recording(store):
        pass
    told = [record for _, _, record in await store.audit_records(1, 0, 100)]
    assert await store.check_audit(1) is None
    await store.close()
    assert [one.interaction for one in told] == ["start", "read", "unclean", "start", "stop"]
    assert told[1].patients == ("written",)
    assert told[2].entities == told[0].entities


async def test_workers_that_live_are_not_taken_for_dead() -> None:
    store = MemoryStore()
    async with recording(store), recording(store):
        pass
    assert [one.interaction for one in await noted(store)] == ["start", "start", "stop", "stop"]


async def test_workers_send_their_blocks_to_the_owner(tmp_path: Path) -> None:
    owner = open_store(tmp_path)
    await owner.listen()
    workers = [open_store(tmp_path, role="reader") for _ in range(2)]
    for worker in workers:
        async with recording(worker) as recorder:
            for number in range(20):
                read(recorder, str(number))
        await worker.close()
    told = [record for _, _, record in await owner.audit_records(1, 0, 100)]
    assert sum(one.interaction == "read" for one in told) == 40
    assert await owner.check_audit(1) is None
    await owner.close()
