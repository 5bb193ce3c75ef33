"""Request and response headers: conditions, preferences, dates, ETags.

Called by the dispatcher and the handlers.
Spec: https://hl7.org/fhir/R4/http.html#concurrency, #cread and #ops, RFC 9110, RFC 7240.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from email.utils import formatdate, parsedate_to_datetime
from functools import lru_cache
from typing import Literal

from hub.errors import BadRequest, fault
from hub.rest.exchange import Header
from hub.storage.port import Stored

# Headers a request may carry once; a second one makes the request ambiguous.
_SINGLE = frozenset(
    (
        b"authorization",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"host",
        b"if-match",
        b"if-modified-since",
        b"if-none-exist",
        b"origin",
        b"range",
        b"x-request-id",
    )
)
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._\-]{1,64}")
_ETAG = re.compile(r'(?:W/)?"([^"]*)"')


def collect(raw: Sequence[Header]) -> Mapping[bytes, bytes]:
    """Headers by lower-case name; repeated list headers are joined by commas.

    Raises:
        BadRequest: A header that can be sent only once came twice with different values.
    """
    found = dict(raw)
    if len(found) == len(raw):
        return found
    joined: dict[bytes, bytes] = {}
    for name, value in raw:
        if name not in joined:
            joined[name] = value
        elif name not in _SINGLE:
            joined[name] += b", " + value
        elif joined[name] != value:
            raise BadRequest(fault("value", "header-repeated", header=name.decode("latin-1")))
    return joined


def valid_request_id(value: bytes | None) -> bool:
    """True when a client's X-Request-Id can be taken over into logs and answers."""
    return value is not None and _REQUEST_ID.fullmatch(value) is not None


# --- versions and dates ---------------------------------------------------------------------


def etag(version: int) -> bytes:
    """The ETag of a version: `W/"3"`."""
    return b'W/"%d"' % version


@lru_cache(maxsize=4096)
def http_date(seconds: int) -> bytes:
    """An HTTP date.

    Args:
        seconds: Since the epoch, UTC.
    """
    return formatdate(seconds, usegmt=True).encode()


def version_headers(stored: Stored) -> tuple[Header, Header]:
    """ETag and Last-Modified of a version."""
    return (
        (b"etag", b'W/"%d"' % stored.version),
        (b"last-modified", http_date(stored.updated // 1000)),
    )


def _names_version(value: str, version: int) -> bool:
    return value.strip() == "*" or str(version) in _ETAG.findall(value)


def not_modified(headers: Mapping[bytes, bytes], stored: Stored) -> bool:
    """True when a conditional read finds nothing new (304).

    If-None-Match wins over If-Modified-Since; a date that cannot be read is ignored.
    """
    none_match = headers.get(b"if-none-match")
    if none_match is not None:
        return _names_version(none_match.decode("latin-1"), stored.version)
    since = headers.get(b"if-modified-since")
    if since is None:
        return False
    seconds = http_seconds(since.decode("latin-1"))
    return seconds is not None and stored.updated // 1000 <= seconds


def http_seconds(text: str) -> int | None:
    """Seconds since the epoch of an HTTP date, None if it is none.

    All its three forms are in UTC, also the one that does not say so (RFC 9110 section 5.6.7).
    """
    try:
        found = parsedate_to_datetime(text[:64])
        return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


# --- Prefer ---------------------------------------------------------------------------------

Return = Literal["minimal", "representation", "OperationOutcome"]
_RETURNS: Mapping[str, Return] = {
    "minimal": "minimal",
    "representation": "representation",
    "operationoutcome": "OperationOutcome",
}


@dataclass(frozen=True, slots=True)
class Preference:
    """A Prefer header.

    Attributes:
        returned: What a write answers; None when nothing was asked for.
        strict: `handling=strict`.
    """

    returned: Return | None = None
    strict: bool = False


_NONE = Preference()


def preference(value: bytes | None) -> Preference:
    """Read a Prefer header; unknown preferences are ignored (RFC 7240 section 2)."""
    if value is None:
        return _NONE
    return _preference(value[:1024].decode("latin-1"))


@lru_cache(maxsize=256)
def _preference(value: str) -> Preference:
    returned: Return | None = None
    strict = False
    for part in re.split("[,;]", value):
        name, _, text = part.partition("=")
        text = text.strip().strip('"').lower()
        if name.strip().lower() == "return":
            returned = _RETURNS.get(text, returned)
        elif name.strip().lower() == "handling":
            strict = text == "strict"
    return Preference(returned, strict)
