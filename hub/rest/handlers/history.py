"""history of an instance, a type, the system (https://hl7.org/fhir/R4/http.html#history)."""

from __future__ import annotations

from hub.rest import rendering
from hub.rest.exchange import Answer, Request
from hub.rest.headers import preference


async def history(request: Request) -> Answer:
    """A page of versions, newest first."""
    found = await request.service.door.history(
        request.context,
        request.type,
        request.id,
        request.query,
        strict=preference(request.headers.get(b"prefer")).strict,
    )
    return await rendering.bundle(request, found)
