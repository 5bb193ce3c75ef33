"""$refer and $send-document: a Task and a message that a person has asked for."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from adapters.hl7v2.message import Message, parse
from hub.context import Context
from hub.errors import Conflict, Forbidden, HubError, NotFound, Unprocessable
from hub.interactions.answer import resource_of
from hub.interactions.operation import OperationRequest
from hub.operations import OPERATIONS
from hub.principal import Principal, Scope
from hub.storage.message_log import DepartureRow
from tests.adapters.hl7v2.out.conftest import PATIENT, Hub, MakeHub, his
from tests.adapters.hl7v2.out.receiver import Receiver, ack, listening

Resource = dict[str, Any]

REQUEST: Resource = {
    "resourceType": "ServiceRequest",
    "id": "referral",
    "identifier": [{"system": "urn:oid:1.2.9", "value": "R-2026-1"}],
    "status": "active",
    "intent": "order",
    "priority": "urgent",
    "code": {"coding": [{"system": "http://snomed.info/sct", "code": "306206005"}]},
    "subject": {"reference": "Patient/zhang"},
    "reasonCode": [{"text": "胸痛"}],
    "note": [{"text": "三天\n加重"}],
}
DOCUMENT: Resource = {
    "resourceType": "DocumentReference",
    "id": "minutes",
    "status": "current",
    "type": {"coding": [{"system": "http://loinc.org", "code": "11488-4"}]},
    "subject": {"reference": "Patient/zhang"},
    "date": "2026-11-22T02:00:00Z",
    "content": [
        {
            "attachment": {
                "contentType": "text/plain; charset=utf-8",
                "data": base64.b64encode("会诊记录\n一切正常".encode()).decode(),
            }
        },
        {"attachment": {"contentType": "application/pdf", "url": "Binary/pdf"}},
    ],
}
PDF: Resource = {
    "resourceType": "Binary",
    "id": "pdf",
    "contentType": "application/pdf",
    "data": base64.b64encode(b"%PDF-1.7 " + bytes(range(256)) * 400).decode(),
}


async def call(
    hub: Hub, name: str, target: str, destination: str | None = "his", ctx: Context | None = None
) -> Resource:
    """The Task that an operation gives."""
    type, id = target.split("/")
    parameters = () if destination is None else (("destination", destination),)
    request = OperationRequest(type, id, "POST", parameters)
    answer = await OPERATIONS[name].perform(hub.door, ctx or hub.ctx, request)
    return resource_of(answer.body)  # type: ignore[arg-type]


@pytest.fixture
async def hub(make_hub: MakeHub) -> Hub:
    """A hub with somebody to refer to."""
    made = make_hub(his=his(events=()))
    for one in (PATIENT, REQUEST, PDF, DOCUMENT):
        await made.put(one)
    return made


def _as(role: str, *scopes: Scope) -> Context:
    return Context(
        principal=Principal("somebody", frozenset((role,)), "Practitioner/x", scopes=scopes or None)
    )


async def test_a_referral_makes_a_task_and_a_message(hub: Hub) -> None:
    task = await call(hub, "refer", "ServiceRequest/referral")
    assert (task["status"], task["focus"]) == (
        "requested",
        {"reference": "ServiceRequest/referral"},
    )
    (row,) = await hub.made()
    departure = row.departure
    assert (departure.kind, departure.focus) == ("REF^I12", f"Task/{task['id']}")
    assert departure.names == ("R-2026-1", "referral")
    assert task["identifier"][0]["value"] == departure.control_id
    message = parse(departure.raw.decode())
    rf1 = message.first("RF1")
    assert rf1 is not None
    assert rf1.field(6) == "R-2026-1^^1.2.9^ISO"
    assert rf1.component(2) == "A"
    assert message.first("NTE").component(3) == "三天\n加重"  # type: ignore[union-attr]
    assert [one.component(1) for one in message.all("PRD")] == ["RP", "RT"]


async def test_asking_again_sends_again_and_keeps_the_task(hub: Hub) -> None:
    first = await call(hub, "refer", "ServiceRequest/referral")
    second = await call(hub, "refer", "ServiceRequest/referral")
    third = await call(hub, "refer", f"Task/{first['id']}")
    assert {first["id"], second["id"], third["id"]} == {first["id"]}
    rows = await hub.made()
    ids = [one["value"] for one in third["identifier"]]
    assert ids == [row.departure.control_id for row in rows]
    assert len(set(ids)) == 3


async def test_two_who_ask_at_the_same_time_get_one_task(hub: Hub) -> None:
    tasks = await asyncio.gather(*(call(hub, "refer", "ServiceRequest/referral") for _ in range(5)))
    assert len({one["id"] for one in tasks}) == 1
    assert len(await hub.made()) == 5


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"status": "draft"}, Unprocessable, "refer-status"),
        ({"status": "revoked"}, Unprocessable, "refer-status"),
    ],
)
async def test_what_is_not_active_is_not_referred(
    hub: Hub, change: Resource, error: type[HubError], message: str
) -> None:
    await hub.put({**REQUEST, **change})
    with pytest.raises(error) as refused:
        await call(hub, "refer", "ServiceRequest/referral")
    assert refused.value.issues[0].message == message
    assert await hub.made() == []


async def test_a_destination_must_be_one(hub: Hub, make_hub: MakeHub) -> None:
    for destination in ("lis", ""):
        with pytest.raises(HubError) as refused:
            await call(hub, "refer", "ServiceRequest/referral", destination)
        assert refused.value.issues[0].arguments == {"known": "his"}
    with pytest.raises(HubError) as refused:
        await call(hub, "refer", "ServiceRequest/referral", None)
    assert refused.value.issues[0].message == "operation-parameter-missing"
    nowhere = make_hub()
    await nowhere.put(PATIENT)
    await nowhere.put(REQUEST)
    with pytest.raises(Unprocessable) as refused:
        await call(nowhere, "refer", "ServiceRequest/referral")
    assert refused.value.issues[0].message == "hl7v2-destinations-none"


async def test_a_task_that_is_over_or_about_nothing_is_not_referred(hub: Hub) -> None:
    task = {"resourceType": "Task", "id": "t", "intent": "order", "status": "completed"}
    await hub.put(task)
    with pytest.raises(Conflict):
        await call(hub, "refer", "Task/t")
    await hub.put({**task, "status": "draft"})
    with pytest.raises(Unprocessable) as refused:
        await call(hub, "refer", "Task/t")
    assert refused.value.issues[0].message == "refer-task"
    await hub.put(
        {**task, "status": "draft", "basedOn": [{"reference": "ServiceRequest/referral"}]}
    )
    assert (await call(hub, "refer", "Task/t"))["status"] == "requested"


async def test_only_who_may_write_tasks_may_refer(hub: Hub) -> None:
    everything = Scope("user", "*", frozenset("cruds"))
    assert (await call(hub, "refer", "ServiceRequest/referral", ctx=_as("admin", everything)))["id"]
    only_reading = Scope("user", "*", frozenset("rs"))
    for ctx in (_as("admin", only_reading), _as("manager"), _as("patient")):
        with pytest.raises((Forbidden, NotFound)):
            await call(hub, "refer", "ServiceRequest/referral", ctx=ctx)
        with pytest.raises((Forbidden, NotFound)):
            await call(hub, "send-document", "DocumentReference/minutes", ctx=ctx)
    assert len(await hub.made()) == 1


async def test_a_patient_reads_the_referral_and_cannot_send_it(hub: Hub) -> None:
    zhang = Principal(
        "zhang", frozenset(("patient",)), "Patient/zhang", patients=frozenset(("zhang",))
    )
    ctx = Context(principal=zhang)
    assert await hub.door.read(ctx, "ServiceRequest", "referral")
    for name, target in (
        ("refer", "ServiceRequest/referral"),
        ("send-document", "DocumentReference/minutes"),
    ):
        with pytest.raises(Forbidden):
            await call(hub, name, target, ctx=ctx)
    assert await hub.made() == []


async def test_who_asked_for_what_is_in_the_audit(hub: Hub) -> None:
    task = await call(hub, "refer", "ServiceRequest/referral", ctx=_as("admin"))
    records = [record for _, _, record in await hub.door.store.audit_records(1, 0, 100)]
    last = records[-1]
    assert (last.interaction, last.principal, last.action) == ("refer", "somebody", "E")
    assert last.entities[0].startswith(f"Task/{task['id']}")
    assert last.patients == ("zhang",)


async def test_a_document_goes_out_with_its_content(hub: Hub) -> None:
    task = await call(hub, "send-document", "DocumentReference/minutes")
    (row,) = await hub.made()
    assert (row.departure.kind, row.departure.focus) == ("MDM^T02", f"Task/{task['id']}")
    message = parse(row.departure.raw.decode())
    text, pdf = message.all("OBX")
    assert (text.component(2), text.component(5)) == ("FT", "会诊记录\n一切正常")
    assert pdf.field(5) == f"^AP^pdf^Base64^{PDF['data']}"
    assert message.first("TXA").component(12) == "minutes"  # type: ignore[union-attr]


async def test_a_document_that_was_replaced_is_not_sent(hub: Hub) -> None:
    await hub.put({**DOCUMENT, "status": "superseded"})
    with pytest.raises(Unprocessable) as refused:
        await call(hub, "send-document", "DocumentReference/minutes")
    assert refused.value.issues[0].message == "send-document-status"


@pytest.mark.parametrize(
    ("name", "target", "code", "state", "status"),
    [
        ("refer", "ServiceRequest/referral", "AA", "accepted", "received"),
        ("refer", "ServiceRequest/referral", "CA", "accepted", "received"),
        ("refer", "ServiceRequest/referral", "AR", "refused", "failed"),
        ("send-document", "DocumentReference/minutes", "AA", "done", "completed"),
        ("send-document", "DocumentReference/minutes", "AR", "refused", "failed"),
    ],
)
async def test_the_task_follows_the_message(
    make_hub: MakeHub, name: str, target: str, code: str, state: str, status: str
) -> None:
    async with listening(Receiver(lambda message, _: ack(message, code))) as port:
        hub = make_hub(his=his(port, events=()))
        for one in (PATIENT, REQUEST, PDF, DOCUMENT):
            await hub.put(one)
        task = await call(hub, name, target)
        async with hub.sending():
            await hub.until(lambda rows: [row.state for row in rows] == [state])
    stored = resource_of(await hub.door.read(hub.ctx, "Task", task["id"]))
    assert stored["status"] == status
    assert ("statusReason" in stored) == (status == "failed")


async def test_an_answer_on_the_same_connection_goes_to_the_inbox(make_hub: MakeHub) -> None:
    """Original mode: some receivers answer REF^I12 with RRI^I12 at once."""
    taken: list[bytes] = []

    async def take(raw: bytes, address: str) -> None:
        taken.append(raw)

    def reply(message: Message, _: int) -> bytes:
        return ack(message, "AA", kind="RRI^I12")

    async with listening(Receiver(reply)) as port:
        hub = make_hub(his=his(port, events=()))
        await hub.put(PATIENT)
        await hub.put(REQUEST)
        await call(hub, "refer", "ServiceRequest/referral")

        def over(rows: list[DepartureRow]) -> bool:
            return bool(taken) and rows[0].state == "done"

        async with hub.sending(take=take):
            await hub.until(over)
    assert taken[0].startswith(b"MSH")
