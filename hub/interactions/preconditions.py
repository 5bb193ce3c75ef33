"""If-Match and If-None-Match as the version a write expects, checked by the store's commit.

A single version travels in the commit as it is. `*`, several versions and If-None-Match need
to know the current one: it is read and then expected, so that whatever happens in between is
seen by the commit, and the caller tries again.
Spec: https://hl7.org/fhir/R4/http.html#concurrency, RFC 9110 section 13.1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from hub.errors import BadRequest, PreconditionFailed, fault
from hub.model.identity import version_number
from hub.storage.port import ABSENT, ANY_VERSION, Store

_TAG = re.compile(r'\s*(?:W/)?"([^"]*)"\s*(?:,|$)')


@dataclass(frozen=True, slots=True)
class Tags:
    """A header's entity tags.

    Attributes:
        any: `*`.
        versions: Version numbers; tags that can be no version of ours are left out.
    """

    any: bool
    versions: frozenset[int]


class Expected(NamedTuple):
    """The version a write expects.

    Attributes:
        version: For `Write.expected`.
        fixed: True when the client named it: a conflict is final (412). False when it was
            read: a conflict is a reason to read again.
    """

    version: int
    fixed: bool


FREE = Expected(ANY_VERSION, True)


def parse_tags(header: str) -> Tags:
    """Read the value of If-Match or If-None-Match.

    Raises:
        BadRequest: No entity tag (`etag-malformed`).
    """
    text = header.strip()
    if text == "*":
        return Tags(True, frozenset())
    if text.isascii() and text.isdigit():  # Bare, as some clients send it.
        text = f'"{text}"'
    position, found = 0, set()
    while position < len(text):
        tag = _TAG.match(text, position)
        if tag is None:
            raise BadRequest(fault("value", "etag-malformed"))
        position = tag.end()
        if number := version_number(tag[1]):
            found.add(number)
    if not text:
        raise BadRequest(fault("value", "etag-malformed"))
    return Tags(False, frozenset(found))


async def expected_version(
    store: Store,
    tenant: int,
    type: str,
    id: str,
    if_match: str | None,
    if_none_match: str | None = None,
) -> Expected:
    """The version that a write to type/id expects.

    Args:
        store: Read only when the headers do not say a single version.
        tenant: Tenant key.
        type: Resource type.
        id: Logical id.
        if_match: Header value, None if absent.
        if_none_match: Header value, None if absent.

    Raises:
        BadRequest: A header is malformed.
        PreconditionFailed: It does not hold now.
    """
    if if_match is None and if_none_match is None:
        return FREE
    match = parse_tags(if_match) if if_match is not None else None
    none_match = parse_tags(if_none_match) if if_none_match is not None else None
    if none_match is None and match is not None and len(match.versions) == 1:
        return Expected(min(match.versions), True)
    if match is None and none_match is not None and none_match.any:
        return Expected(ABSENT, True)
    stored = await store.read(tenant, type, id)
    current = 0 if stored is None or stored.deleted else stored.version
    if match is not None and not (current if match.any else current in match.versions):
        raise failed(type, current)
    if none_match is not None and (current if none_match.any else current in none_match.versions):
        raise exists(type, id) if none_match.any else failed(type, current)
    return Expected(current or ABSENT, False)


def exists(type: str, id: str) -> PreconditionFailed:
    """The error for `If-None-Match: *` where there is a resource already (412)."""
    return PreconditionFailed(fault("conflict", "resource-exists", type=type, id=id))


def failed(type: str, current: int) -> PreconditionFailed:
    """The error for a version that is not the expected one (412).

    Args:
        type: Resource type.
        current: Version that is current, 0 if none.
    """
    if not current:
        return PreconditionFailed(fault("conflict", "version-none", type=type))
    return PreconditionFailed(fault("conflict", "version-conflict", type=type, version=current))
