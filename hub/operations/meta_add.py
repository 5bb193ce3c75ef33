"""$meta-add: add profiles, tags and security labels to an instance.

Spec: https://hl7.org/fhir/R4/resource-operation-meta-add.html
"""

from __future__ import annotations

from typing import Any

from hub.context import Context
from hub.interactions import Interactions
from hub.interactions.operation import Operation, OperationAnswer, OperationRequest
from hub.operations.meta import identity
from hub.operations.meta_change import change_meta


def _add(name: str, present: list[Any], given: list[Any]) -> list[Any]:
    known = {identity(name, item) for item in present}
    fresh = {identity(name, item): item for item in given}
    return present + [item for key, item in fresh.items() if key not in known]


async def meta_add(
    door: Interactions, context: Context, request: OperationRequest
) -> OperationAnswer:
    """Add what is not there yet; gives the new Meta."""
    return await change_meta(door, context, request, _add)


META_ADD = Operation(
    "meta-add",
    "http://hl7.org/fhir/OperationDefinition/Resource-meta-add",
    frozenset({"instance"}),
    meta_add,
    affects_state=True,
    needs="u",
)
