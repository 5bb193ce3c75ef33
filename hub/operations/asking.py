"""What operations share that ask for a message to another system: the destination, and the Task.

The Task follows the message: it is written together with the row of the outbox, in one commit.
Used by `refer` and `send_document`.
Spec: https://hl7.org/fhir/R4/task.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hub.context import Context
from hub.errors import Unprocessable, fault
from hub.interactions import Accompanying, Interactions, sight
from hub.interactions.answer import resource_of
from hub.interactions.commit import NEW, Change, Purpose, retried, store_changes
from hub.interactions.conditional import find, read_condition
from hub.interactions.operation import OperationAnswer, OperationRequest
from hub.interactions.ports import Announcer
from hub.interactions.preconditions import Expected
from hub.interactions.validated import validated
from hub.model.identity import new_id
from hub.operations.parameters import Resource, required, text
from hub.storage.port import Matches, Stored

CONTROL_IDS = "urn:fhir-hub:hl7v2:control-id"
"""System of the message's control id among the Task's identifiers."""

OPEN = ("draft", "requested", "received", "accepted", "ready", "in-progress", "on-hold")
"""Status of a Task that is not over."""

_CODES = "http://hl7.org/fhir/CodeSystem/task-code"
_PLACES = frozenset(("Organization", "HealthcareService"))


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for.

    Attributes:
        name: Of the operation.
        kind: `REF^I12`.
        focus: The resource that is sent.
        task: Id of the Task that was called for, "": the one that is open, or a new one.
    """

    name: str
    kind: str
    focus: Resource
    task: str = ""


def destination_of(door: Interactions, request: OperationRequest) -> tuple[Announcer, str]:
    """Who makes the message's row, and the destination that the parameter names.

    Raises:
        BadRequest: It is missing or cannot be used.
        Unprocessable: There is no such destination.
    """
    name = required(text(request, "destination"), "destination")
    announcer = door.announce
    if announcer is None or not announcer.destinations:
        raise Unprocessable(fault("not-supported", "hl7v2-destinations-none"))
    if name not in announcer.destinations:
        known = ", ".join(announcer.destinations)
        raise Unprocessable(fault("not-found", "hl7v2-destination-unknown", known=known))
    return announcer, name


async def ask(
    door: Interactions, context: Context, request: OperationRequest, asked: Asked
) -> OperationAnswer:
    """Write the Task and the row of the outbox.

    Args:
        door: The record.
        context: Who asks.
        request: With the parameter `destination`.
        asked: What for.

    Returns:
        The Task, as it is stored.

    Raises:
        Forbidden: Whoever asks may not write Tasks.
        HubError: Nothing was written, and nothing is sent.
    """
    announcer, destination = destination_of(door, request)
    condition = None
    if not asked.task:
        target = f"{asked.focus['resourceType']}/{asked.focus['id']}"
        search = [("focus", target), ("status", ",".join(OPEN))]
        condition = await read_condition(door, context, "Task", search)

    async def attempt() -> OperationAnswer:
        matches: tuple[Matches, ...] = ()
        if condition is None:
            stored: Stored | None = await door.read(context, "Task", asked.task)
        else:
            stored = next(iter(await find(door, context, condition, 1)), None)
            matches = () if stored else (condition.matches(),)
        return await _attempt(door, context, asked, announcer, destination, stored, matches)

    return await retried(attempt)


async def _attempt(
    door: Interactions,
    context: Context,
    asked: Asked,
    announcer: Announcer,
    destination: str,
    stored: Stored | None,
    matches: tuple[Matches, ...],
) -> OperationAnswer:
    sight.require(context, "c" if stored is None else "u", "Task")
    focus = asked.focus
    id_ = new_id() if stored is None else stored.id
    row, control_id = announcer.asked(
        context, destination, asked.kind, focus["resourceType"], focus["id"], f"Task/{id_}"
    )
    task = _new_task(context, asked, id_) if stored is None else resource_of(stored)
    _sent(task, context, destination, control_id)
    await validated(door, context, task)
    change = (
        Change("POST", "Task", id_, task, NEW)
        if stored is None
        else Change("PUT", "Task", id_, task, Expected(stored.version, False))
    )
    accompanying = Accompanying(outbox=(row,))
    purpose = Purpose("E", asked.name)
    made = await store_changes(door, context, (change,), purpose, matches, accompanying)
    assert made[0].stored is not None
    return OperationAnswer(made[0].stored)


def _new_task(context: Context, asked: Asked, id_: str) -> Resource:
    """A Task that asks whoever the focus names to do what it says."""
    focus = asked.focus
    given: dict[str, Any] = {
        "priority": focus.get("priority"),
        "for": focus.get("subject"),
        "encounter": focus.get("encounter"),
        "requester": focus.get("requester"),
        "owner": _owner(focus),
    }
    return {
        "resourceType": "Task",
        "id": id_,
        "status": "requested",
        "intent": "order",
        "code": {"coding": [{"system": _CODES, "code": "fulfill"}], "text": asked.name},
        "focus": {"reference": f"{focus['resourceType']}/{focus['id']}"},
        "authoredOn": _now(context),
        **{name: value for name, value in given.items() if value is not None},
    }


def _owner(focus: Resource) -> Any:
    """The institution among the performers, else the first."""
    performers = focus.get("performer") or []
    places = [one for one in performers if str(one.get("reference")).split("/")[0] in _PLACES]
    return next(iter([*places, *performers]), None)


def _sent(task: Resource, context: Context, destination: str, control_id: str) -> None:
    """Note in the Task what is sent where."""
    task["identifier"] = [
        *task.get("identifier", []),
        {"system": CONTROL_IDS, "value": control_id},
    ]
    if task["status"] == "draft":
        task["status"] = "requested"
    task["businessStatus"] = {"text": f"sent to {destination}"}
    task["lastModified"] = _now(context)


def _now(context: Context) -> str:
    return context.clock().isoformat(timespec="milliseconds")
