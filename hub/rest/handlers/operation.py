"""`$` operations by the table (https://hl7.org/fhir/R4/operations.html#executing)."""

from __future__ import annotations

from msgspec.structs import replace

from hub.errors import MethodNotAllowed, NotFound, fault
from hub.interactions.answer import BundleAnswer
from hub.interactions.operation import Operation, OperationRequest, level_of
from hub.rest import incoming, rendering
from hub.rest.exchange import Answer, Request
from hub.rest.headers import preference
from hub.storage.port import Stored

MOST_LANGUAGES = 200
"""Characters of Accept-Language that are read."""


async def operation(request: Request) -> Answer:
    """Run the operation that the last segment names."""
    found = _find(request)
    reading = request.method != "POST"
    if reading and found.affects_state:
        raise MethodNotAllowed(fault("not-supported", "operation-needs-post", name=found.name))
    made = await found.perform(
        request.service.door,
        request.context,
        OperationRequest(
            request.type,
            request.id,
            "GET" if reading else "POST",
            request.parameters,
            None if reading else await incoming.optional_resource(request),
            preference(request.headers.get(b"prefer")).strict,
            request.headers.get(b"accept-language", b"").decode("latin-1")[:MOST_LANGUAGES],
        ),
    )
    if isinstance(made.body, BundleAnswer):
        answer = await rendering.bundle(request, made.body)
    elif isinstance(made.body, Stored):
        answer = await rendering.version(request, made.body)
    else:
        answer = rendering.resource(request, made.body)
    return replace(answer, status=made.status) if made.status != 200 else answer


def _find(request: Request) -> Operation:
    """The operation, if it can be called at this place.

    Raises:
        NotFound: There is none, or it cannot.
    """
    name = request.rest[1:]
    found = request.service.operations.get(name)
    if found is None:
        raise NotFound(fault("not-supported", "operation-unknown"))
    if not found.allowed(request.type, request.id):
        level = level_of(request.type, request.id)
        raise NotFound(fault("not-supported", "operation-not-here", name=name, level=level))
    return found
