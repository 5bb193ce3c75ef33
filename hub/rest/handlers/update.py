"""update, create-as-update, conditional update (https://hl7.org/fhir/R4/http.html#update)."""

from __future__ import annotations

from hub.rest import incoming, rendering
from hub.rest.exchange import Answer, Request
from hub.rest.handlers import binary
from hub.rest.handlers.strictness import refuse_unknown


async def update(request: Request) -> Answer:
    """200, or 201 when the id was new."""
    refuse_unknown(request)
    if request.type == "Binary" and binary.is_raw(request):
        return await binary.update(request)
    resource = await incoming.resource(request)
    changed = await request.service.door.update(
        request.context,
        request.type,
        request.id,
        resource,
        if_match=request.header(b"if-match"),
        if_none_match=request.header(b"if-none-match"),
    )
    return await rendering.changed(request, changed)


async def conditional_update(request: Request) -> Answer:
    """Update what the query finds, create it when there is none."""
    resource = await incoming.resource(request)
    changed = await request.service.door.conditional_update(
        request.context,
        request.type,
        request.parameters,
        resource,
        if_match=request.header(b"if-match"),
        if_none_match=request.header(b"if-none-match"),
    )
    return await rendering.changed(request, changed)
