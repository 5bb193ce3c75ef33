"""Read URLs strictly, of requests, bundles and conditional references: escapes, UTF-8, control.

Called by `hub.interactions.entries`, `hub.interactions.conditional_references` and `hub.rest.urls`.
Spec: https://hl7.org/fhir/R4/http.html#general, RFC 3986, WHATWG urlencoded forms.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from urllib.parse import quote, unquote_to_bytes

from hub.errors import BadRequest, fault

Parameters = tuple[tuple[str, str], ...]

MOST_PARAMETERS = 1000
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_IN_VALUES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""A value may hold what a FHIR string may: tabs and line breaks too."""


def decode(text: bytes | str, control: re.Pattern[str] = _CONTROL) -> str:
    """Percent-decoded text.

    Args:
        text: As it came, in a request or in a bundle.
        control: Characters to refuse.

    Raises:
        BadRequest: A broken escape, bytes that are not UTF-8, or a control character.
    """
    try:
        raw = text.encode() if isinstance(text, str) else text
        if b"%" in raw:
            if _BROKEN_ESCAPE.search(raw):
                raise BadRequest(fault("value", "url-escape-broken"))
            raw = unquote_to_bytes(raw)
        decoded = raw.decode()
    except UnicodeError as error:
        raise BadRequest(fault("value", "url-encoding")) from error
    if control.search(decoded):
        raise BadRequest(fault("value", "url-control-character"))
    return decoded


def parameters(query: bytes | str) -> Parameters:
    """Decoded name-value pairs of a query or a form, in order; a plus sign is a space.

    Raises:
        BadRequest: Too many of them, no name, or what `decode` refuses.
    """
    if not query:
        return ()
    try:
        raw = query.encode() if isinstance(query, str) else query
    except UnicodeError as error:
        raise BadRequest(fault("value", "url-encoding")) from error
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


def only(known: Collection[str], pairs: Sequence[tuple[str, str]]) -> None:
    """Refuse parameters that an interaction does not know; for `Prefer: handling=strict`.

    Args:
        known: Names that have an effect.
        pairs: Decoded names and values; `_format` and `_pretty` belong to the edge.

    Raises:
        BadRequest: There is another one (`parameter-unknown`).
    """
    for name, _ in pairs:
        if name not in known and name not in ("_format", "_pretty"):
            raise BadRequest(fault("not-supported", "parameter-unknown", name=name[:64]))


def query_of(condition: str) -> Parameters:
    """The parameters of If-None-Exist: what follows the `?`, which some clients send too.

    Args:
        condition: As in the header, or in Bundle.entry.request.ifNoneExist.

    Raises:
        BadRequest: As `parameters`.
    """
    head, mark, rest = condition.strip().partition("?")
    return parameters(rest if mark and "=" not in head else condition.strip())


def write_parameters(pairs: tuple[tuple[str, str], ...]) -> str:
    """A query of name-value pairs, percent-encoded; what search values are made of stays legible.

    Args:
        pairs: Decoded names and values.
    """
    return "&".join(f"{quote(name, ':-._~')}={quote(value, ':|,/$-._~')}" for name, value in pairs)
