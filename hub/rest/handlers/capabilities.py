"""capabilities (https://hl7.org/fhir/R4/http.html#capabilities)."""

from __future__ import annotations

from hub.errors import BadRequest, fault
from hub.rest import rendering
from hub.rest.exchange import Answer, Request

_MODES = ("full", "normative", "terminology")


async def capabilities(request: Request) -> Answer:
    """The CapabilityStatement, or TerminologyCapabilities, by `mode`."""
    mode = dict(request.parameters).get("mode", "full")
    if mode not in _MODES:
        raise BadRequest(fault("value", "capabilities-mode"))
    made = await request.service.door.capabilities(request.context, mode)
    return rendering.resource(request, made)
