"""$send-document: send a document to another system, as the HL7 v2 message MDM^T02. The hub's own.

Writes the Task that follows it, unless there is one, and the row that the message is made from,
in one commit. Documented in docs/operations/README.md.
"""

from __future__ import annotations

from hub.context import Context
from hub.errors import Unprocessable, fault
from hub.interactions import Interactions
from hub.interactions.answer import resource_of
from hub.interactions.operation import Operation, OperationAnswer, OperationRequest
from hub.operations.asking import Asked, ask
from hub.operations.definitions import own_definition
from hub.operations.parameters import only

KIND = "MDM^T02"


async def send_document(
    door: Interactions, context: Context, request: OperationRequest
) -> OperationAnswer:
    """Send a DocumentReference; parameter `destination` (string, required): name of the site.

    Returns:
        The Task.

    Raises:
        Unprocessable: The document is not current, or there is no such destination.
        Forbidden: Whoever asks may not write Tasks.
    """
    only(request, "destination")
    focus = resource_of(await door.read(context, request.type, request.id))
    if focus.get("status") != "current":
        raise Unprocessable(
            fault("business-rule", "send-document-status", status=focus.get("status"))
        )
    return await ask(door, context, request, Asked("send-document", KIND, focus))


SEND_DOCUMENT = Operation(
    "send-document",
    "OperationDefinition/send-document",
    frozenset({"instance"}),
    send_document,
    frozenset({"DocumentReference"}),
    affects_state=True,
    document=own_definition("send-document"),
    needs="r",
)
