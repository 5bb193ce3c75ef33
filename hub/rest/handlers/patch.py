"""patch: JSON Patch and FHIRPath Patch (https://hl7.org/fhir/R4/http.html#patch)."""

from __future__ import annotations

from hub.errors import UnsupportedMediaType, fault
from hub.interactions.json_patch import parse as parse_json_patch
from hub.interactions.patch import JSON_PATCH, Patch, patch_of
from hub.rest import incoming, negotiation, rendering
from hub.rest.exchange import Answer, Header, Request
from hub.rest.handlers.strictness import refuse_unknown

ACCEPTED: Header = (
    b"accept-patch",
    b"application/json-patch+json, application/fhir+json, application/fhir+xml",
)


async def patch(request: Request) -> Answer:
    """Patch one resource."""
    refuse_unknown(request)
    changes = await _changes(request)
    changed = await request.service.door.patch(
        request.context,
        request.type,
        request.id,
        changes,
        if_match=request.header(b"if-match"),
    )
    return await rendering.changed(request, changed)


async def conditional_patch(request: Request) -> Answer:
    """Patch what the query finds."""
    changes = await _changes(request)
    changed = await request.service.door.conditional_patch(
        request.context,
        request.type,
        request.parameters,
        changes,
        if_match=request.header(b"if-match"),
    )
    return await rendering.changed(request, changed)


async def _changes(request: Request) -> Patch:
    """The patch in the body, by its media type.

    Raises:
        UnsupportedMediaType: Neither JSON Patch nor a FHIR format.
    """
    name, options = negotiation.media_type((request.header(b"content-type") or "")[:256])
    if name == JSON_PATCH:
        negotiation.check_charset(options)
        return parse_json_patch(await request.intake.read())
    if name not in negotiation.MEDIA_TYPES:
        raise UnsupportedMediaType(fault("not-supported", "patch-type-unsupported"))
    return patch_of(await incoming.resource(request))
