"""$convert: the resource comes back in the format that Accept asks for.

Spec: https://hl7.org/fhir/R4/resource-operation-convert.html
"""

from __future__ import annotations

from hub.context import Context
from hub.interactions import Interactions
from hub.interactions.operation import OPEN, Operation, OperationAnswer, OperationRequest
from hub.operations.parameters import only, parts, required, resource_of


async def convert(
    door: Interactions, context: Context, request: OperationRequest
) -> OperationAnswer:
    """Give back the body: reading and rendering it is the conversion.

    A Parameters resource with a parameter `input` is taken for the operation's own; any other
    is converted itself.

    Raises:
        BadRequest: There is no body, or `input` is no resource.
    """
    wrapped = any(part["name"] == "input" for part in _own_parts(request))
    if wrapped:
        only(request, "input")
        return OperationAnswer(required(resource_of(request, "input"), "input"))
    return OperationAnswer(required(request.resource, "input"))


def _own_parts(request: OperationRequest) -> list[dict[str, object]]:
    body = request.resource or {}
    return parts(request) if isinstance(body.get("parameter"), list) else []


CONVERT = Operation(
    "convert",
    "http://hl7.org/fhir/OperationDefinition/Resource-convert",
    frozenset({"system"}),
    convert,
    needs=OPEN,
)
