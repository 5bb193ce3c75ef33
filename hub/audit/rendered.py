"""AuditEvents and Provenances that are made from the audit chain, as stored resources look.

Their ids say where they come from: `audit-12` is the event of row 12, a commit; `audit-12-3` the
third event of row 12, a block; `prov-12` the Provenance of row 12. An event about several
patients can be told for each of them alone: `audit-12-3.2` is what the second of them may know of
`audit-12-3`, without the others, what was asked for, and the resources. Nobody can write under
such an id. Called by `search` and `hub.interactions`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from msgspec.structs import replace

from hub.audit.event import audit_event
from hub.audit.provenance import provenance, targets
from hub.model import body
from hub.storage.port import AuditQuery, AuditRecord, AuditRow, Store, Stored

EVENT, PROVENANCE = "AuditEvent", "Provenance"
TYPES = frozenset((EVENT, PROVENANCE))

_PLACE = re.compile(
    r"(audit|prov)-([1-9]\d{0,17})(?:-([1-9]\d{0,8}))?(?:\.([1-9]\d{0,8}))?"
).fullmatch
_PREFIX = {EVENT: "audit", PROVENANCE: "prov"}


class Place(NamedTuple):
    """Where an event is.

    Attributes:
        row: Row of the chain.
        number: Its number in a block, from 1 on; 0: a commit's event.
        patient: Which of its patients it is told for, from 1 on; 0: for all.
    """

    row: int
    number: int
    patient: int = 0


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
    return Place(int(match[2]), int(match[3] or 0), int(match[4] or 0))


def id_of(type: str, place: Place) -> str:
    """The opposite of `place_of`."""
    id = f"{_PREFIX[type]}-{place.row}"
    if place.number:
        id = f"{id}-{place.number}"
    return f"{id}.{place.patient}" if place.patient else id


def for_each(found: Found) -> Iterator[Found]:
    """An event for each of its patients, where it has several; else as it is."""
    patients = found.record.patients
    if len(patients) < 2:
        yield found
        return
    for number in range(len(patients), 0, -1):
        own = f"Patient/{patients[number - 1]}"
        entities = tuple(one for one in found.record.entities if one.partition("/_")[0] == own)
        record = replace(
            found.record, entities=entities, patients=(patients[number - 1],), query=""
        )
        yield found._replace(place=found.place._replace(patient=number), record=record)


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
    whole = place._replace(patient=0)
    for one in events_of(type, page.rows[0]):
        if one.place == whole:
            parts = (one,) if not place.patient else for_each(one)
            found = next((part for part in parts if part.place == place), None)
            return found if found is None or type == EVENT or targets(found.record) else None
    return None


async def read(
    store: Store, tenant: int, type: str, id: str, base: str, *, for_each: bool = False
) -> Stored | None:
    """The resource of an id; None when it is no id of a rendered one, or there is no such event.

    Args:
        store: Where the chain is.
        tenant: Tenant key.
        type: Resource type.
        id: Logical id.
        base: The hub's own base URL.
        for_each: Events about several patients are there only as told for one of them.
    """
    place = place_of(type, id)
    if place is None:
        return None
    found = await event_at(store, tenant, type, place)
    if found is None or (for_each and len(found.record.patients) > 1):
        return None
    return render(type, found, base)
