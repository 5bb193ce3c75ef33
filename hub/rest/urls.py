"""Take a path apart strictly: percent-encoding, UTF-8, no control characters.

Called by `hub.rest.dispatcher`. Spec: https://hl7.org/fhir/R4/http.html#general, RFC 3986.
"""

from __future__ import annotations

from hub.errors import BadRequest, fault
from hub.interactions.url import decode


def segments(path: bytes) -> list[str]:
    """The decoded segments of a path below the base; one trailing slash is tolerated.

    Args:
        path: Raw path after the base: empty or starting with a slash.

    Raises:
        BadRequest: An empty segment, `.` or `..`, or what `decode` refuses.
    """
    if path[-1:] == b"/":
        path = path[:-1]
    if not path:
        return []
    # A read's path is letters, digits and dashes: nothing to decode.
    text = path[1:].decode("ascii") if path.isascii() and b"%" not in path else ""
    found = text.split("/") if text.isprintable() and text else _decoded(path[1:])
    if "" in found:
        raise BadRequest(fault("value", "path-segment-empty"))
    if "." in found or ".." in found:
        raise BadRequest(fault("value", "path-segment-dots"))
    return found


def _decoded(path: bytes) -> list[str]:
    return [decode(part) for part in path.split(b"/")]
