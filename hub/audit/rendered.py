"""AuditEvents and Provenances that are made from the audit chain, as stored resources look.

Their ids say where they come from: `audit-12` is the event of row 12, a commit; `audit-12-3` the
third event of row 12, a block; `prov-12` the Provenance of row 12. Nobody can write under such
an id. Called by `search` and `hub.interactions`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from hub.audit.event import audit_event
from hub.audit.provenance import provenance, targets
from hub.model import body
from hub.storage.port import AuditQuery, AuditRecord, AuditRow, Store, Stored

EVENT, PROVENANCE = "AuditEvent", "Provenance"
TYPES = frozenset((EVENT, PROVENANCE))

_PLACE = re.compile(r"(audit|prov)-([1-9]\d{0,17})(?:-([1-9]\d{0,8}))?").fullmatch
_PREFIX = {EVENT: "audit", PROVENANCE: "prov"}


class Place(NamedTuple):
    """Where an event is: its row, and its number in a block from 1 on (0: a commit's event)."""

    row: int
    number: int


class Found(NamedTuple):
    """An event in the chain."""

    place: Place
    written: int
    sequence: int
    record: AuditRecord


def place_of(type: str, id: str) -> Place | None:
    """The place that an id of a rendered resource names; None for any other id.

    Args:
        type: Resource type.
        id: Logical id.
    """
    if type not in TYPES:
        return None
    match = _PLACE(id)
    if match is None or match[1] != _PREFIX[type]:
        return None
    if type == PROVENANCE and match[3]:
        return None
    return Place(int(match[2]), int(match[3] or 0))


def id_of(type: str, place: Place) -> str:
    """The opposite of `place_of`."""
    id = f"{_PREFIX[type]}-{place.row}"
    return f"{id}-{place.number}" if place.number else id


def events_of(type: str, row: AuditRow) -> Iterator[Found]:
    """The events of a row that can be a resource of a type, newest first."""
    if not row.block:
        record = row.records[0]
        if type == EVENT or targets(record):
            yield Found(Place(row.row, 0), row.time, row.sequence, record)
    elif type == EVENT:
        for number in range(len(row.records), 0, -1):
            record = row.records[number - 1]
            yield Found(Place(row.row, number), row.time, row.sequence, record)


def render(type: str, found: Found, base: str) -> Stored:
    """An event as a resource.

    Args:
        type: `AuditEvent` or `Provenance`.
        found: The event.
        base: The hub's own base URL.
    """
    id = id_of(type, found.place)
    if type == EVENT:
        resource = audit_event(id, found.written, found.record, base)
    else:
        resource = provenance(id, found.written, found.record)
    tail = body.split(resource)
    return Stored(type, id, 1, found.written, found.sequence, "POST", tail)


async def event_at(store: Store, tenant: int, type: str, place: Place) -> Found | None:
    """The event at a place, None when there is none."""
    page = await store.audit_rows(tenant, AuditQuery(before=place.row + 1, count=1))
    if not page.rows or page.rows[0].row != place.row:
        return None
    return next((one for one in events_of(type, page.rows[0]) if one.place == place), None)


async def read(store: Store, tenant: int, type: str, id: str, base: str) -> Stored | None:
    """The resource of an id; None when it is no id of a rendered one, or there is no such event.

    Args:
        store: Where the chain is.
        tenant: Tenant key.
        type: Resource type.
        id: Logical id.
        base: The hub's own base URL.
    """
    place = place_of(type, id)
    if place is None:
        return None
    found = await event_at(store, tenant, type, place)
    return None if found is None else render(type, found, base)
