"""delete and conditional delete (https://hl7.org/fhir/R4/http.html#delete and #cdelete)."""

from __future__ import annotations

from hub.rest import rendering
from hub.rest.exchange import Answer, Request
from hub.rest.handlers.strictness import refuse_unknown


async def delete(request: Request) -> Answer:
    """204, also when there was nothing to delete."""
    refuse_unknown(request)
    changed = await request.service.door.delete(
        request.context, request.type, request.id, if_match=request.header(b"if-match")
    )
    return await rendering.changed(request, changed)


async def conditional_delete(request: Request) -> Answer:
    """Delete what the query finds."""
    changed = await request.service.door.conditional_delete(
        request.context, request.type, request.parameters
    )
    return await rendering.changed(request, changed)
