"""create and conditional create (https://hl7.org/fhir/R4/http.html#create and #ccreate)."""

from __future__ import annotations

from hub.rest import incoming, rendering
from hub.rest.exchange import Answer, Request
from hub.rest.handlers import binary
from hub.rest.handlers.strictness import refuse_unknown


async def create(request: Request) -> Answer:
    """201 with Location; 200 when If-None-Exist found the resource."""
    refuse_unknown(request)
    if request.type == "Binary" and binary.is_raw(request):
        return await binary.create(request)
    resource = await incoming.resource(request)
    changed = await request.service.door.create(
        request.context,
        request.type,
        resource,
        if_none_exist=request.header(b"if-none-exist"),
    )
    return await rendering.changed(request, changed)
