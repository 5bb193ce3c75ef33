"""$refer: send a referral to another system, as the HL7 v2 message REF^I12. The hub's own.

Writes the Task that follows the referral, unless there is one, and the row that the message is
made from, in one commit. Documented in docs/operations/README.md.
"""

from __future__ import annotations

from hub.context import Context
from hub.errors import Conflict, Gone, NotFound, Unprocessable, fault
from hub.interactions import Interactions
from hub.interactions.answer import resource_of
from hub.interactions.operation import Operation, OperationAnswer, OperationRequest
from hub.model import reference
from hub.operations.asking import OPEN, Asked, ask
from hub.operations.definitions import own_definition
from hub.operations.parameters import Resource, only

KIND = "REF^I12"


async def refer(door: Interactions, context: Context, request: OperationRequest) -> OperationAnswer:
    """Send a ServiceRequest; parameter `destination` (string, required): name of the site.

    On a Task, the ServiceRequest that it is about.

    Returns:
        The Task.

    Raises:
        Unprocessable: The ServiceRequest is not active, the Task is about none, or there is no
            such destination.
        Conflict: The Task is over.
        Forbidden: Whoever asks may not write Tasks.
    """
    only(request, "destination")
    stored = await door.read(context, request.type, request.id)
    task, focus = "", resource_of(stored)
    if request.type == "Task":
        task = stored.id
        if focus.get("status") not in OPEN:
            raise Conflict(fault("conflict", "refer-task-over", status=focus.get("status")))
        focus = await _request_of(door, context, focus)
    if focus.get("status") != "active":
        raise Unprocessable(
            fault("business-rule", "refer-status", type="ServiceRequest", status=focus["status"])
        )
    return await ask(door, context, request, Asked("refer", KIND, focus, task))


async def _request_of(door: Interactions, context: Context, task: Resource) -> Resource:
    """The ServiceRequest that a Task is about.

    Raises:
        Unprocessable: There is none.
    """
    for one in (task.get("focus") or {}, *task.get("basedOn", ())):
        parts = reference.parse(str(one.get("reference") or ""), context.base)
        if parts.kind == "relative" and parts.type == "ServiceRequest" and parts.id:
            try:
                return resource_of(await door.read(context, "ServiceRequest", parts.id))
            except (NotFound, Gone):
                break
    raise Unprocessable(fault("business-rule", "refer-task", "Task.focus"))


REFER = Operation(
    "refer",
    "OperationDefinition/refer",
    frozenset({"instance"}),
    refer,
    frozenset({"ServiceRequest", "Task"}),
    affects_state=True,
    document=own_definition("refer"),
    needs="r",
)
