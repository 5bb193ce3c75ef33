"""What is announced to other systems: rows of the outbox, in the commit of what they tell.

A change of a Patient or Encounter is told to destinations that get ADT, a result that is final to
those that get ORU; never to the site whose message caused it. Which trigger event it is, is found
when the message is made (`adapters.hl7v2.triggers`), as the version before must be known. Given to
`hub.interactions` as its `Announcer`; rows are read by `adapters.hl7v2.outbox`.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec

from adapters.hl7v2.sites import Site, Sites
from hub.context import Context
from hub.interactions.commit import Change
from hub.storage.port import OutboxRow

TOPIC = "hl7v2"
CLIENT = "hl7v2:"
"""Client of a principal that is a site: followed by its name."""

VISIT_STATUS = frozenset(("in-progress", "onleave", "finished", "cancelled", "entered-in-error"))
RESULT_STATUS = frozenset(
    ("final", "amended", "corrected", "appended", "cancelled", "entered-in-error")
)
_EVENTS: Mapping[str, str] = MappingProxyType(
    {"Patient": "ADT", "Encounter": "ADT", "DiagnosticReport": "ORU", "Observation": "ORU"}
)


class Notice(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something to tell one destination.

    Attributes:
        destination: Name of the site.
        control_id: MSH-10: made once, so that whatever happens it is one message.
        kind: `REF^I12` or `MDM^T02` when it was asked for; "" when the change decides.
        type: Resource type.
        id: Logical id.
        time: When it was made, milliseconds since the epoch.
        focus: `Task/ID` when that is not the resource itself.
    """

    destination: str
    control_id: str
    kind: str
    type: str
    id: str
    time: int
    focus: str = ""

    def row(self) -> OutboxRow:
        """As the outbox keeps it."""
        return OutboxRow(TOPIC, _encode(self))


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Notice).decode


def read_notice(row: OutboxRow) -> Notice:
    """A row's notice.

    Raises:
        msgspec.DecodeError: It is none.
    """
    return _decode(row.body)


def new_control_id() -> str:
    """A control id that nobody else has: 80 random bits in 16 letters and digits."""
    return base64.b32encode(os.urandom(10)).decode()


class SiteAnnouncer:
    """Tells the destinations of the site files."""

    def __init__(self, sites: Sites) -> None:
        """Find who wants what.

        Args:
            sites: All sites.
        """
        wanted: dict[str, tuple[str, ...]] = {}
        self._destinations: dict[str, Site] = {}
        for name, site in sites.named.items():
            if site.destination is not None:
                self._destinations[name] = site
                for event in site.destination.events:
                    wanted[event] = (*wanted.get(event, ()), name)
        self._wanted = {type: wanted[event] for type, event in _EVENTS.items() if event in wanted}

    @property
    def destinations(self) -> Sequence[str]:
        """Names of those that messages may be sent to."""
        return tuple(self._destinations)

    async def __call__(self, ctx: Context, changes: Sequence[Change]) -> Sequence[OutboxRow]:
        """Rows for those that want to know of changes.

        Args:
            ctx: Who makes them.
            changes: What is about to be stored.
        """
        rows: list[OutboxRow] = []
        within: frozenset[str] | None = None
        for change in changes:
            names = self._wanted.get(change.type)
            if names is None or change.resource is None or not _is_told(change.resource):
                continue
            if change.type == "Observation":
                within = _within(changes) if within is None else within
                if f"Observation/{change.id}" in within:
                    continue
            cause = ctx.principal.client
            now = ctx.now
            rows += [
                Notice(name, new_control_id(), "", change.type, change.id, now).row()
                for name in names
                if cause != CLIENT + name
            ]
        return rows

    def asked(
        self, ctx: Context, destination: str, kind: str, type: str, id: str, focus: str
    ) -> tuple[OutboxRow, str]:
        """The row of a message that somebody asks for, and its control id.

        Args:
            ctx: Who asks.
            destination: One of `destinations`.
            kind: `REF^I12` or `MDM^T02`.
            type: Resource type of what is sent.
            id: Its logical id.
            focus: `Task/ID` of what follows it, or the resource itself.
        """
        now = ctx.now
        notice = Notice(destination, new_control_id(), kind, type, id, now, focus)
        return notice.row(), notice.control_id


def _is_told(resource: dict[str, Any]) -> bool:
    type, status = resource["resourceType"], resource.get("status")
    if type == "Encounter":
        return status in VISIT_STATUS
    return type == "Patient" or status in RESULT_STATUS


def _within(changes: Sequence[Change]) -> frozenset[str]:
    """Observations that a report or panel of the same commit tells of."""
    found: set[str] = set()
    for change in changes:
        resource = change.resource
        name = {"DiagnosticReport": "result", "Observation": "hasMember"}.get(change.type)
        if resource is None or name is None or resource.get("status") not in RESULT_STATUS:
            continue
        found.update(str(one.get("reference")) for one in resource.get(name, ()))
    return frozenset(found)
