"""$meta-delete: remove profiles, tags and security labels from an instance.

Spec: https://hl7.org/fhir/R4/resource-operation-meta-delete.html
"""

from __future__ import annotations

from typing import Any

from hub.context import Context
from hub.interactions import Interactions
from hub.interactions.operation import Operation, OperationAnswer, OperationRequest
from hub.operations.meta import identity
from hub.operations.meta_change import change_meta


def _delete(name: str, present: list[Any], given: list[Any]) -> list[Any]:
    unwanted = {identity(name, item) for item in given}
    return [item for item in present if identity(name, item) not in unwanted]


async def meta_delete(
    door: Interactions, context: Context, request: OperationRequest
) -> OperationAnswer:
    """Remove what is there; gives the new Meta."""
    return await change_meta(door, context, request, _delete)


META_DELETE = Operation(
    "meta-delete",
    "http://hl7.org/fhir/OperationDefinition/Resource-meta-delete",
    frozenset({"instance"}),
    meta_delete,
    affects_state=True,
    needs="u",
)
