"""Binary raw: streamed in and out, with ranges, never whole in memory.

A body that is no FHIR format is taken as content; a read that does not ask for a FHIR format
gets the content back. Called by the read, create and update handlers.
Spec: https://hl7.org/fhir/R4/binary.html#rest, RFC 9110 section 14.
"""

from __future__ import annotations

import re

from hub.errors import BadRequest, NotAcceptable, fault
from hub.interactions import binary, sight
from hub.interactions.answer import Changed, resource_of
from hub.interactions.binary import BLOB_FROM, BinaryContent
from hub.rest import negotiation, outcomes, rendering
from hub.rest.exchange import Answer, Header, Request
from hub.rest.headers import http_seconds, not_modified, preference, version_headers
from hub.storage.port import Blob, Stored

_GATHERED = 512 * 1024
_MEDIA_TYPE = re.compile(
    r"[A-Za-z0-9!#$&^_.+\-]{1,64}/[A-Za-z0-9!#$&^_.+\-]{1,128}(?: ?;[\x20-\x7e]{0,256})?"
)
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_REFERENCE = re.compile(r"[A-Z][A-Za-z]{1,63}/[A-Za-z0-9\-.]{1,64}")
# Whatever was uploaded must not run as a page of this server.
_HARMLESS: tuple[Header, ...] = (
    (b"content-security-policy", b"sandbox; default-src 'none'"),
    (b"accept-ranges", b"bytes"),
)


def is_raw(request: Request) -> bool:
    """True when the body is content rather than a Binary resource.

    Generic JSON and XML count as FHIR when they are written, as the resource is by far the
    commoner; other media types are content.
    """
    name = negotiation.media_type((request.header(b"content-type") or "")[:512])[0]
    return name not in negotiation.MEDIA_TYPES


# --- writing --------------------------------------------------------------------------------


async def create(request: Request) -> Answer:
    """Store the body under a new id."""
    sight.require(request.context, "c", "Binary")
    content_type, security = _about(request)
    content = await _take_in(request)
    changed = await request.service.door.create_binary(
        request.context, content_type, content, security
    )
    return await _written(request, changed)


async def update(request: Request) -> Answer:
    """Store the body under the URL's id."""
    sight.require(request.context, "u", "Binary")
    content_type, security = _about(request)
    content = await _take_in(request)
    changed = await request.service.door.update_binary(
        request.context,
        request.id,
        content_type,
        content,
        security,
        if_match=request.header(b"if-match"),
        if_none_match=request.header(b"if-none-match"),
    )
    return await _written(request, changed)


def _about(request: Request) -> tuple[str, str]:
    """Content type and security context of an upload.

    Raises:
        BadRequest: The one is no media type, the other no reference.
    """
    content_type = (request.header(b"content-type") or "").strip()
    if not _MEDIA_TYPE.fullmatch(content_type):
        raise BadRequest(fault("value", "binary-type-missing"))
    security = (request.header(b"x-security-context") or "").strip()
    if security and not _REFERENCE.fullmatch(security):
        raise BadRequest(fault("value", "security-context-invalid"))
    return content_type, security


async def _take_in(request: Request) -> Blob | bytes:
    """The body: the bytes when they are few, else a finished blob."""
    pieces = request.intake.pieces(request.service.settings.binary_limit)
    held = bytearray()
    async for piece in pieces:
        held += piece
        if len(held) > BLOB_FROM:
            break
    else:
        return bytes(held)
    writer = await request.service.door.store.new_blob(request.context.tenant.key)
    try:
        async for piece in pieces:
            held += piece
            if len(held) >= _GATHERED:
                await writer.write(bytes(held))
                held.clear()
        await writer.write(bytes(held))
        return await writer.finish()
    except BaseException:  # Also when the client is gone or the hub stops: nothing is left over.
        await writer.abandon()
        raise


async def _written(request: Request, changed: Changed) -> Answer:
    """Nothing of the content is sent back unless that is asked for and possible."""
    assert changed.stored is not None
    size = binary.content_of(changed.stored).size
    fits = size * 4 // 3 <= request.service.settings.body_limit
    wanted = preference(request.headers.get(b"prefer")).returned
    returned = "minimal" if wanted is None or not fits else wanted
    return await rendering.changed(request, changed, returned)


# --- reading --------------------------------------------------------------------------------


async def answer(request: Request, stored: Stored) -> Answer:
    """A version: raw, or as a resource when a FHIR format is asked for.

    Raises:
        NotAcceptable: Accept names neither its type nor a FHIR format.
        TooLarge: Too big for a resource.
    """
    if request.format.explicit:
        return await rendering.version(request, stored)
    if not_modified(request.headers, stored):
        return Answer(304, version_headers(stored))
    content = binary.content_of(stored)
    named = content.content_type
    if not negotiation.accepts_media(request.headers.get(b"accept"), named):
        raise NotAcceptable(fault("not-supported", "binary-not-acceptable", type=named))
    if not (_MEDIA_TYPE.fullmatch(named) and named.isascii()):
        named = "application/octet-stream"
    headers = (*version_headers(stored), *_HARMLESS, *_security(stored))
    bounds = _bounds(request, stored, content.size)
    if bounds is None:
        start, end, status = 0, content.size, 200
    elif bounds[0] >= bounds[1]:
        return _unsatisfiable(request, content)
    else:
        (start, end), status = bounds, 206
        headers += ((b"content-range", b"bytes %d-%d/%d" % (start, end - 1, content.size)),)
    headers += (
        (b"content-type", named.encode("ascii")),
        (b"content-length", b"%d" % (end - start)),
    )
    return Answer(
        status, headers, content.pieces(request.service.door, request.context, start, end)
    )


def _security(stored: Stored) -> tuple[Header, ...]:
    reference = (resource_of(stored).get("securityContext") or {}).get("reference", "")
    if _REFERENCE.fullmatch(reference):
        return ((b"x-security-context", reference.encode()),)
    return ()


def _bounds(request: Request, stored: Stored, size: int) -> tuple[int, int] | None:
    """Start and end (excluded) of the range asked for; None to send everything.

    Several ranges, and what is no range, are answered with everything, as RFC 9110 allows.
    """
    match = _RANGE.fullmatch((request.header(b"range") or "").strip())
    if not match or not any(match.groups()) or not _still_fresh(request, stored):
        return None
    first, last = match.groups()
    if not first:
        return (max(0, size - int(last)), size) if int(last) else (size, size)
    start = int(first)
    if last and int(last) < start:
        return None
    return start, min(size, int(last) + 1) if last else size


def _still_fresh(request: Request, stored: Stored) -> bool:
    """If-Range: the rest is sent only of the version the client has the beginning of."""
    condition = (request.header(b"if-range") or "").strip()
    if not condition:
        return True
    if '"' in condition:
        return condition.removeprefix("W/") == f'"{stored.version}"'
    return http_seconds(condition) == stored.updated // 1000


def _unsatisfiable(request: Request, content: BinaryContent) -> Answer:
    issue = fault("value", "range-unsatisfiable", size=content.size)
    size = (b"content-range", b"bytes */%d" % content.size)
    return outcomes.answer(416, (issue,), request.context.language, request.format, (size,))
