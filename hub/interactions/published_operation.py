"""Reading the OperationDefinitions of the hub's own operations, which no store holds.

CapabilityStatement.rest.operation.definition names them below the base. Called by `read`.
Spec: https://hl7.org/fhir/R4/operationdefinition.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hub.context import Context
from hub.model import json
from hub.model.body import split
from hub.storage.port import Stored

if TYPE_CHECKING:
    from hub.interactions.door import Interactions

TYPE = "OperationDefinition"


def published_operation(door: Interactions, ctx: Context, id: str) -> Stored | None:
    """An operation's definition as the one version of a resource.

    Args:
        door: For the table of operations.
        ctx: For the base.
        id: Name of the operation.

    Returns:
        None when there is no such operation, or R4 defines it.
    """
    operation = door.operations.get(id)
    if operation is None or not operation.document:
        return None
    resource = json.load(operation.document)
    resource["url"] = operation.canonical(operation.definition, ctx.base)
    day = datetime.fromisoformat(resource["date"]).replace(tzinfo=UTC)
    return Stored(TYPE, id, 1, int(day.timestamp() * 1000), 0, "PUT", split(resource))
