"""Turn a request's body into a resource, whatever format it came in.

Called by the handlers that take a resource. Spec: https://hl7.org/fhir/R4/http.html#mime-type
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Literal

from hub.errors import BadRequest, fault
from hub.model import json
from hub.rest import negotiation
from hub.rest.exchange import Request

LARGE = 512 * 1024
"""Bodies of more bytes are worked on beside the event loop: others do not wait for them."""


def is_large(headers: Mapping[bytes, bytes]) -> bool:
    """Whether a request's body is large, or nobody knows yet.

    Args:
        headers: The request's.
    """
    length = headers.get(b"content-length")
    if length is None:
        return b"transfer-encoding" in headers
    return b"content-encoding" in headers or (length.isdigit() and int(length) > LARGE)


async def resource(request: Request) -> dict[str, Any]:
    """The resource in the body.

    Raises:
        HubError: Unsupported media type, over the limit, too slow, or not well-formed.
    """
    format = negotiation.body_format(request.header(b"content-type"))
    data = await request.intake.read()
    if not data.strip():
        raise BadRequest(fault("structure", "body-missing"))
    if len(data) > LARGE:
        return await asyncio.to_thread(_decoded, format, data)
    return _decoded(format, data)


def _decoded(format: Literal["json", "xml"], data: bytes) -> dict[str, Any]:
    if format == "json":
        return json.decode(data)
    from hub.model.xml import parse  # loads lxml

    return parse(data)


async def optional_resource(request: Request) -> dict[str, Any] | None:
    """The resource in the body, None without a body.

    Raises:
        HubError: As `resource` does.
    """
    if request.header(b"content-length") in (None, "0") and (
        b"transfer-encoding" not in request.headers
    ):
        return None
    return await resource(request)
