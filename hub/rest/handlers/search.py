"""search on system, type and compartment (https://hl7.org/fhir/R4/http.html#search)."""

from __future__ import annotations

from msgspec.structs import replace

from hub.errors import NotFound, UnsupportedMediaType, fault
from hub.interactions.url import parameters as parameters_of
from hub.rest import negotiation, rendering
from hub.rest.exchange import Answer, Parameters, Request
from hub.rest.headers import preference

_FORM = "application/x-www-form-urlencoded"
_FORM_LIMIT = 1024 * 1024


async def search(request: Request) -> Answer:
    """GET: the query holds the parameters."""
    return await _answer(request, request.query)


async def search_by_post(request: Request) -> Answer:
    """POST _search: the form's parameters join those of the query."""
    form = await _form(request)
    format, _ = negotiation.extract(request.headers.get(b"accept"), form)
    if format is not None:
        request = replace(request, format=format)
    return await _answer(request, request.query + form)


async def _answer(request: Request, parameters: Parameters) -> Answer:
    compartment, searched = None, request.type
    if request.id:
        compartment, searched = (request.type, request.id), request.rest
        if request.type not in request.service.compartments:
            raise NotFound(fault("not-supported", "compartment-unknown", type=request.type))
        if searched == "*":
            searched = ""
        elif searched not in request.service.types:
            raise NotFound(fault("not-supported", "type-unknown", type=searched[:64]))
    found = await request.service.door.search(
        request.context,
        searched,
        parameters,
        compartment=compartment,
        strict=preference(request.headers.get(b"prefer")).strict,
    )
    return await rendering.bundle(request, found)


async def _form(request: Request) -> Parameters:
    content_type = request.header(b"content-type")
    if content_type is not None:
        name, options = negotiation.media_type(content_type[:256])
        if name != _FORM:
            raise UnsupportedMediaType(fault("not-supported", "form-expected"))
        negotiation.check_charset(options)
    data = await request.intake.read(_FORM_LIMIT)
    if data and content_type is None:
        raise UnsupportedMediaType(fault("not-supported", "form-expected"))
    return parameters_of(data)
