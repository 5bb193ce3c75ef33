"""RRI^I12: the referral that it answers gets it, whichever connection it comes on."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.hl7v2.converted import Converted
from adapters.hl7v2.storing import Outcome
from hub.context import Context
from hub.interactions.answer import resource_of
from hub.storage.message_log import Departure
from hub.storage.port import StoreUnavailable
from tests.adapters.hl7v2.own_messages import case, converted, names
from tests.adapters.hl7v2.telling import NOON, Desk, mapped, message

LOCAL = Context()
REQUEST = {
    "resourceType": "ServiceRequest",
    "status": "active",
    "intent": "order",
    "subject": {"display": "x"},
}
TASK = {"resourceType": "Task", "status": "received", "intent": "order"}


async def sent(
    desk: Desk,
    resource: dict[str, Any],
    destination: str = "central",
    names: tuple[str, ...] = ("R1",),
    control_id: str = "M1",
) -> str:
    """A referral that was sent: `Task/ID`."""
    type = resource["resourceType"]
    created = await desk.door.create(LOCAL, type, dict(resource))
    assert created.stored
    focus = f"{type}/{created.stored.id}"
    departure = Departure(destination, control_id, "REF^I12", b"MSH|", NOON, focus, names)
    (row,) = await desk.door.store.messages.depart(1, [departure], ())
    await desk.door.store.messages.attempted(1, row, "accepted")
    return focus


def answer(*names: str, hours: float = 1, **elements: Any) -> Converted:
    content = {"intent": "order", "status": "accepted", **elements}
    told = mapped("Task", content, ("urn:r", "R1"), sources=(("status", "RF1", "1"),))
    return message("RRI^I12", hours, told, answers=names)


async def now(desk: Desk, focus: str) -> dict[str, Any]:
    type, _, id = focus.partition("/")
    return resource_of(await desk.door.read(LOCAL, type, id))


async def state(desk: Desk) -> str:
    found = await desk.door.store.messages.departure(1, "M1")
    assert found
    return found.state


def why(outcome: Outcome) -> tuple[str, list[tuple[str, str]]]:
    return outcome.state, [(issue.message, issue.location) for issue in outcome.issues]


@pytest.mark.parametrize("names", [("M1",), ("unknown", "R1"), ("", "R1")])
async def test_the_task_that_was_sent_gets_the_answer(desk: Desk, names: tuple[str, ...]) -> None:
    focus = await sent(desk, TASK)
    reason = {"text": "no bed"}
    outcome = await desk.store(answer(*names, status="rejected", statusReason=reason))
    assert outcome.state == "stored"
    task = await now(desk, focus)
    assert (task["status"], task["statusReason"]) == ("rejected", reason)
    assert await state(desk) == "done"
    found = await desk.door.search(LOCAL, "Task", ())
    assert len(found.entries) == 1


async def test_a_later_answer_changes_it_again_an_older_one_does_not(desk: Desk) -> None:
    focus = await sent(desk, TASK)
    await desk.store(answer("M1", hours=2, status="completed"))
    await desk.store(answer("M1", hours=1, status="accepted"))
    assert (await now(desk, focus))["status"] == "completed"


async def test_an_answer_is_noted_at_our_message_though_the_hub_ends_in_between(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    focus = await sent(desk, TASK)
    row = await desk.receive(answer("M1"))
    log = type(desk.door.store.messages)
    with monkeypatch.context() as patched:

        async def cut_off(*_: Any, **__: Any) -> bool:
            raise StoreUnavailable("cut off")

        patched.setattr(log, "attempted", cut_off)
        with pytest.raises(StoreUnavailable):
            await desk.store(answer("M1"), row)
    await desk.store(answer("M1"), row)
    assert (await now(desk, focus))["status"] == "accepted"
    assert await state(desk) == "done"


async def test_a_referral_without_a_task_gets_what_it_can(desk: Desk) -> None:
    focus = await sent(desk, REQUEST)
    await desk.store(answer("M1", status="rejected"))
    assert (await now(desk, focus))["status"] == "revoked"
    assert (await desk.door.search(LOCAL, "Task", ())).entries == ()


async def test_what_the_answer_brings_is_stored_with_it(desk: Desk) -> None:
    focus = await sent(desk, TASK)
    visit = mapped("Encounter", {"status": "planned", "class": {"code": "AMB"}}, ("urn:v", "V1"))
    content = {
        "status": "completed",
        "output": [{"type": {"text": "visit"}, "valueReference": {"reference": visit.full_url}}],
    }
    told = mapped("Task", content)
    await desk.store(message("RRI^I12", 1, visit, told, answers=("M1",)))
    made = await desk.one("Encounter", "urn:v", "V1")
    output = (await now(desk, focus))["output"]
    assert output[0]["valueReference"]["reference"] == f"Encounter/{made['id']}"


@pytest.mark.parametrize("destination", ["other", "central"])
async def test_what_answers_nothing_of_this_site_is_for_a_person(
    desk: Desk, destination: str
) -> None:
    focus = await sent(desk, TASK, destination)
    name = "M1" if destination == "other" else "M2"
    assert why(await desk.store(answer(name))) == (
        "quarantined",
        [("hl7v2-answer-unmatched", "MSA-2")],
    )
    assert (await now(desk, focus))["status"] == "received"
    assert await state(desk) == "accepted"


async def test_an_answer_for_what_is_deleted_is_for_a_person(desk: Desk) -> None:
    focus = await sent(desk, TASK)
    await desk.door.delete(LOCAL, *focus.split("/"))
    assert why(await desk.store(answer("M1"))) == (
        "quarantined",
        [("hl7v2-answer-unmatched", "MSA-2")],
    )


AS_REQUEST = {
    "accepted": "active",
    "failed": "on-hold",
    "received": "active",
    "rejected": "revoked",
}


@pytest.mark.parametrize("name", [name for name in names() if name.startswith("rri/")])
async def test_the_corpus_s_answers_reach_what_was_sent(desk: Desk, name: str) -> None:
    for resource in (TASK, REQUEST):
        _, told = converted(case(name).raw)
        status = told.resources[0].resource["status"]
        control_id = resource["resourceType"]
        focus = await sent(desk, resource, names=(told.answers[-1],), control_id=control_id)
        outcome = await desk.store(told)
        assert outcome.state == "stored", outcome.issues
        expected = status if resource is TASK else AS_REQUEST[status]
        assert (await now(desk, focus))["status"] == expected
    assert len((await desk.door.search(LOCAL, "Task", ())).entries) == 1
