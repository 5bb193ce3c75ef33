"""$convert: the resource comes back in the format that Accept asks for.

Spec: https://hl7.org/fhir/R4/resource-operation-convert.html
"""

from __future__ import annotations

from hub.context import Context
from hub.interactions import Interactions
from hub.interactions.operation import Operation, OperationAnswer, OperationRequest
from hub.operations.parameters import required


async def convert(
    door: Interactions, context: Context, request: OperationRequest
) -> OperationAnswer:
    """Give back the body: reading and rendering it is the conversion."""
    return OperationAnswer(required(request.resource, "resource"))


CONVERT = Operation(
    "convert",
    "http://hl7.org/fhir/OperationDefinition/Resource-convert",
    frozenset({"system"}),
    convert,
)
