"""read, vread and HEAD (https://hl7.org/fhir/R4/http.html#read and #vread)."""

from __future__ import annotations

from hub.rest import rendering
from hub.rest.exchange import Answer, Request
from hub.rest.handlers import binary
from hub.rest.handlers.strictness import refuse_unknown


async def read(request: Request) -> Answer:
    """The current version, 304 when the client has it; Binary raw unless FHIR is asked for."""
    refuse_unknown(request, "_summary", "_elements")
    stored = await request.service.door.read(request.context, request.type, request.id)
    if request.type == "Binary":
        return await binary.answer(request, stored)
    return await rendering.version(request, stored)


async def vread(request: Request) -> Answer:
    """One version."""
    refuse_unknown(request, "_summary", "_elements")
    stored = await request.service.door.vread(
        request.context, request.type, request.id, request.rest
    )
    if request.type == "Binary":
        return await binary.answer(request, stored)
    return await rendering.version(request, stored)
