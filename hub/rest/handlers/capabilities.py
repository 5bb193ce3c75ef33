"""capabilities (https://hl7.org/fhir/R4/http.html#capabilities)."""

from __future__ import annotations

from hub.errors import BadRequest, fault
from hub.interactions.capabilities import capabilities_bytes
from hub.rest import rendering
from hub.rest.exchange import Answer, Request

_MODES = ("full", "normative", "terminology")


async def capabilities(request: Request) -> Answer:
    """The CapabilityStatement, or TerminologyCapabilities, by `mode`."""
    mode = dict(request.parameters).get("mode", "full")
    if mode not in _MODES:
        raise BadRequest(fault("value", "capabilities-mode"))
    door, context, format = request.service.door, request.context, request.format
    if format.name == "json" and not format.pretty:
        # A megabyte that is kept as bytes: not decoded to be encoded again.
        data = await capabilities_bytes(door, context, mode)
        return Answer(200, ((b"content-type", format.content_type),), data)
    return rendering.resource(request, await door.capabilities(context, mode))
