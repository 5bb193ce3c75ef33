"""Read a path and a query strictly: percent-encoding, UTF-8, no control characters.

Called by `hub.rest.dispatcher` and by the search handler for form bodies.
Spec: https://hl7.org/fhir/R4/http.html#general, RFC 3986, WHATWG urlencoded forms.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from hub.errors import BadRequest, fault
from hub.rest.exchange import Parameters

MOST_PARAMETERS = 1000
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_IN_VALUES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""A value may hold what a FHIR string may: tabs and line breaks too."""


def decode(raw: bytes, control: re.Pattern[str] = _CONTROL) -> str:
    """Percent-decoded text.

    Args:
        raw: As it came.
        control: Characters to refuse.

    Raises:
        BadRequest: A broken escape, bytes that are not UTF-8, or a control character.
    """
    if b"%" in raw:
        if _BROKEN_ESCAPE.search(raw):
            raise BadRequest(fault("value", "url-escape-broken"))
        raw = unquote_to_bytes(raw)
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise BadRequest(fault("value", "url-encoding")) from error
    if control.search(text):
        raise BadRequest(fault("value", "url-control-character"))
    return text


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


def parameters(raw: bytes) -> Parameters:
    """Decoded name-value pairs of a query or a form, in order; a plus sign is a space.

    Raises:
        BadRequest: Too many of them, no name, or what `decode` refuses.
    """
    if not raw:
        return ()
    parts = raw.split(b"&")
    if len(parts) > MOST_PARAMETERS:
        raise BadRequest(fault("too-costly", "query-too-many", limit=MOST_PARAMETERS))
    found = []
    for part in parts:
        if part:
            name, _, value = part.replace(b"+", b" ").partition(b"=")
            if not name:
                raise BadRequest(fault("value", "query-name-missing"))
            found.append((decode(name), decode(value, _IN_VALUES)))
    return tuple(found)
