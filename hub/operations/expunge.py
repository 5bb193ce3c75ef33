"""$expunge: remove a deleted resource with its history for good. The hub's own operation.

Guarded: only a deleted resource, only by POST, only with its own name as confirmation; the
removal is a row of the audit chain. Documented in docs/operations/README.md.
"""

from __future__ import annotations

from hub.context import Context
from hub.errors import Conflict, NotFound, Unprocessable, fault
from hub.interactions import Interactions, sight
from hub.interactions.audited import audit_record
from hub.interactions.operation import Operation, OperationAnswer, OperationRequest
from hub.operations.definitions import own_definition
from hub.operations.parameters import only, parts, value
from hub.storage.port import VersionConflict


async def expunge(
    door: Interactions, context: Context, request: OperationRequest
) -> OperationAnswer:
    """Remove all versions of a deleted resource.

    Returns:
        Parameters with `versions` (integer): how many were removed.

    Raises:
        NotFound: It was never there.
        Conflict: It is not deleted.
        Unprocessable: The confirmation is missing or names something else.
    """
    only(request, "confirm")
    target = f"{request.type}/{request.id}"
    if [value(part) for part in parts(request)] != [target]:
        raise Unprocessable(fault("business-rule", "expunge-confirm", target=target))
    stored = await sight.read(door, context, request.type, request.id)
    if stored is None:
        raise NotFound(fault("not-found", "resource-not-found", type=request.type, id=request.id))
    if not stored.deleted:
        raise Conflict(fault("conflict", "expunge-not-deleted"))
    audit = audit_record(context, "D", "expunge")
    clock = context.now
    tenant = context.tenant.key
    try:
        # Should somebody bring it back meanwhile, there is a version more, and nothing goes.
        versions = await door.store.expunge(
            tenant, request.type, request.id, audit, clock, stored.version
        )
    except VersionConflict:
        raise Conflict(fault("conflict", "expunge-not-deleted")) from None
    return OperationAnswer(
        {
            "resourceType": "Parameters",
            "parameter": [{"name": "versions", "valueInteger": versions}],
        }
    )


EXPUNGE = Operation(
    "expunge",
    "OperationDefinition/expunge",
    frozenset({"instance"}),
    expunge,
    affects_state=True,
    document=own_definition("expunge"),
)
