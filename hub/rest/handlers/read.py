"""read, vread and HEAD (https://hl7.org/fhir/R4/http.html#read and #vread)."""

from __future__ import annotations

from hub.interactions.url import only
from hub.rest import rendering
from hub.rest.exchange import Answer, Request
from hub.rest.handlers import binary
from hub.rest.headers import preference


async def read(request: Request) -> Answer:
    """The current version, 304 when the client has it; Binary raw unless FHIR is asked for."""
    _check(request)
    stored = await request.service.door.read(request.context, request.type, request.id)
    if request.type == "Binary":
        return await binary.answer(request, stored)
    return await rendering.version(request, stored)


async def vread(request: Request) -> Answer:
    """One version."""
    _check(request)
    stored = await request.service.door.vread(
        request.context, request.type, request.id, request.rest
    )
    if request.type == "Binary":
        return await binary.answer(request, stored)
    return await rendering.version(request, stored)


def _check(request: Request) -> None:
    """Refuse parameters without effect when the client wants that.

    Raises:
        BadRequest: There is one.
    """
    if request.parameters and preference(request.headers.get(b"prefer")).strict:
        only(("_summary", "_elements"), request.parameters)
