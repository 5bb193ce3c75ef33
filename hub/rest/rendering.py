"""Render what an interaction answers: a version, a change, a Bundle, a resource.

Called by the handlers. Spec: https://hl7.org/fhir/R4/http.html#ops and #read
"""

from __future__ import annotations

from typing import Any

from hub.errors import BadRequest, fault
from hub.interactions import binary, binary_entries
from hub.interactions.answer import BundleAnswer, Changed, body_of
from hub.model import json
from hub.rest import outcomes
from hub.rest.exchange import Answer, Header, Request
from hub.rest.headers import Return, not_modified, preference, version_headers
from hub.storage.port import Stored

_SUMMARIES = ("true", "text", "data", "false")
_RETURNED = {
    "minimal": (b"preference-applied", b"return=minimal"),
    "representation": (b"preference-applied", b"return=representation"),
    "OperationOutcome": (b"preference-applied", b"return=OperationOutcome"),
}


def resource(
    request: Request, made: dict[str, Any], status: int = 200, headers: tuple[Header, ...] = ()
) -> Answer:
    """A resource made for this answer."""
    return Answer(
        status,
        ((b"content-type", request.format.content_type), *headers),
        outcomes.body(made, request.format),
    )


async def version(request: Request, stored: Stored) -> Answer:
    """A stored version, or 304 when the client has it."""
    headers = version_headers(stored)
    if not_modified(request.headers, stored):
        return Answer(304, headers)
    if request.parameters:
        summary, elements = shape_of(request)
        if summary or elements:
            from hub.interactions.summary import shape

            whole = await binary.whole(request.service.door, request.context, stored)
            return resource(request, shape(whole, summary, elements), headers=headers)
    return Answer(
        200,
        ((b"content-type", request.format.content_type), *headers),
        await stored_body(request, stored),
    )


async def stored_body(request: Request, stored: Stored) -> bytes:
    """The bytes of a stored version in the negotiated format; a Binary with its content."""
    format = request.format
    if format.name == "json" and stored.type != "Binary":
        data = body_of(stored)
        return json.encode_pretty(data) if format.pretty else data
    return outcomes.body(await binary.whole(request.service.door, request.context, stored), format)


def shape_of(request: Request) -> tuple[str, tuple[str, ...]]:
    """`_summary` ("" for none) and `_elements` of a read.

    Raises:
        BadRequest: `_summary` has a value a read does not know.
    """
    summary = ""
    elements: tuple[str, ...] = ()
    for name, value in request.parameters:
        if name == "_summary":
            if value not in _SUMMARIES:
                raise BadRequest(fault("value", "summary-invalid"))
            summary = "" if value == "false" else value
        elif name == "_elements":
            elements = tuple(part.strip() for part in value.split(",") if part.strip())
    return summary, elements


async def changed(request: Request, result: Changed, returned: Return | None = None) -> Answer:
    """A change, as the Prefer header wants it.

    Args:
        request: Whose.
        result: What was done.
        returned: What to answer when it is decided already.
    """
    stored = result.stored
    headers: list[Header] = []
    if stored is not None:
        headers.extend(version_headers(stored))
        if not stored.deleted:
            location = (
                f"{request.context.base}/{stored.type}/{stored.id}/_history/{stored.version}"
            ).encode()
            headers.append((b"location" if result.status == 201 else b"content-location", location))
    wanted = returned or preference(request.headers.get(b"prefer")).returned
    if wanted:
        headers.append(_RETURNED[wanted])
    if wanted == "OperationOutcome":
        status = 200 if result.status == 204 else result.status
        return outcomes.answer(
            status, result.issues, request.context.language, request.format, tuple(headers)
        )
    if wanted == "minimal" or stored is None or stored.deleted:
        return Answer(result.status, tuple(headers))
    headers.append((b"content-type", request.format.content_type))
    return Answer(result.status, tuple(headers), await stored_body(request, stored))


async def bundle(request: Request, answer: BundleAnswer) -> Answer:
    """A Bundle; as JSON it is joined from stored bytes."""
    format = request.format
    answer = await binary_entries.complete(request.service.door, request.context, answer)
    if format.name == "json":
        data = answer.to_json(format.pretty)
    else:
        data = outcomes.body(answer.to_dict(), format)
    return Answer(200, ((b"content-type", format.content_type),), data)
