"""capabilities (https://hl7.org/fhir/R4/http.html#capabilities).

The statement is over a megabyte and asked for by every client that starts: its renderings are
kept, and a client that has it is told so.
"""

from __future__ import annotations

import hashlib
import zlib
from functools import lru_cache
from typing import Literal

from hub.interactions.capabilities import capabilities_bytes
from hub.model import json
from hub.rest import negotiation, outcomes
from hub.rest.exchange import Answer, Format, Header, Request
from hub.rest.handlers.strictness import refuse_unknown
from hub.rest.rendering import shape_of

_RENDERINGS = 8


async def capabilities(request: Request) -> Answer:
    """The CapabilityStatement, or TerminologyCapabilities, by `mode`."""
    refuse_unknown(request, "mode", "_summary", "_elements")
    mode = dict(request.parameters).get("mode", "full")
    made = await capabilities_bytes(request.service.door, request.context, mode)
    format = request.format
    body = _rendered(made, format.name, format.pretty, *shape_of(request))
    tag = _tag(body)
    headers: tuple[Header, ...] = ((b"etag", tag),)
    if tag in request.headers.get(b"if-none-match", b""):
        return Answer(304, headers)
    headers += ((b"content-type", format.content_type),)
    if request.service.settings.gzip and negotiation.gzip_accepted(
        request.headers.get(b"accept-encoding")
    ):
        return Answer(200, (*headers, (b"content-encoding", b"gzip")), _packed(body), True)
    return Answer(200, headers, body)


# A bytes object keeps its hash, so that a hit costs no pass over the megabyte.


@lru_cache(_RENDERINGS)
def _rendered(
    made: bytes,
    name: Literal["json", "xml"],
    pretty: bool,
    summary: str,
    elements: tuple[str, ...],
) -> bytes:
    if summary or elements:
        from hub.interactions.summary import shape

        return outcomes.body(shape(json.load(made), summary, elements), Format(name, b"", pretty))
    if name == "json":
        return json.encode_pretty(made) if pretty else made
    return outcomes.body(json.load(made), Format(name, b"", pretty))


@lru_cache(_RENDERINGS)
def _tag(body: bytes) -> bytes:
    return b'W/"%b"' % hashlib.blake2b(body, digest_size=8).hexdigest().encode()


@lru_cache(_RENDERINGS)
def _packed(body: bytes) -> bytes:
    return zlib.compress(body, 6, 31)
