"""From rows of the outbox to messages that are ready to be sent.

A row becomes its message once: the message is queued and the row taken out in one transaction,
and its control id stands in the row, so that a crash in between makes it again and not twice.
What cannot be written (the receiver's charset lacks a character, a document is too large) is
queued without bytes and refused, for a person to see. Called by `adapters.hl7v2.departing`.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import msgspec

from adapters.hl7v2 import gathering
from adapters.hl7v2.announcing import TOPIC, Notice, read_notice
from adapters.hl7v2.from_fhir import adt, mdm, oru, ref, tables
from adapters.hl7v2.from_fhir.building import MessageHeader, build
from adapters.hl7v2.from_fhir.datatypes import listed, stamp
from adapters.hl7v2.from_fhir.scene import Scene
from adapters.hl7v2.from_fhir.shape import Parts
from adapters.hl7v2.reasons import Reason, write_reasons
from adapters.hl7v2.sites import Site, Sites
from adapters.hl7v2.triggers import trigger_of
from hub.context import Context
from hub.errors import HubError, Unprocessable, fault
from hub.interactions import Interactions
from hub.model import dates
from hub.storage.message_log import Departure
from hub.storage.port import OutboxRow

BATCH = 50
_MOST_BYTES = 4 * 1024 * 1024
"""Of messages made before they are queued."""

Resource = dict[str, Any]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Made:
    """What a row became.

    Attributes:
        departure: The message; without bytes when it cannot be written.
        reason: Why it cannot, as `DepartureRow.reason`; "" when it can.
    """

    departure: Departure
    reason: str = ""


class Outbox:
    """Turns rows of the outbox into departures, oldest first."""

    def __init__(self, door: Interactions, ctx: Context, sites: Sites) -> None:
        """Begin with the oldest row.

        Args:
            door: The record.
            ctx: The hub itself: tenant and base.
            sites: Where messages go.
        """
        self._door, self._ctx, self._sites = door, ctx, sites
        self._after = 0

    async def turn(self) -> int:
        """Make what waits, up to a batch; gives how many rows it looked at.

        Rows for a site that has no destination any more stay where they are until it has.

        Raises:
            StoreUnavailable: What is not made yet is made later.
        """
        rows = await self._door.store.outbox(self._ctx.tenant.key, self._after, BATCH)
        made: list[Made] = []
        taken: list[int] = []
        size = looked = last = 0
        for last, row in rows:
            looked += 1
            found = self._destination(row)
            if found is None:
                continue
            one = await self._made(found[0], row, found[1])
            taken.append(last)
            if one is not None:
                made.append(one)
                size += len(one.departure.raw)
            if size > _MOST_BYTES:
                break
        if taken:
            await self._depart(made, taken)
        self._after = max(self._after, last)
        return looked

    def _destination(self, row: OutboxRow) -> tuple[Notice, Site] | None:
        """What a row tells and whom; None when it is not for us, or for nobody now."""
        if row.topic != TOPIC:
            return None
        try:
            notice = read_notice(row)
        except msgspec.DecodeError:
            _log.warning("a row of the outbox cannot be read; it stays")
            return None
        site = self._sites.named.get(notice.destination)
        if site is None or site.destination is None:
            _log.warning("no site %s has a destination: a message waits", notice.destination)
            return None
        return notice, site

    async def _depart(self, made: list[Made], taken: list[int]) -> None:
        tenant, messages = self._ctx.tenant.key, self._door.store.messages
        numbers = await messages.depart(tenant, [one.departure for one in made], taken)
        for number, one in zip(numbers, made, strict=True):
            if one.reason:
                await messages.attempted(tenant, number, "refused", reason=one.reason)

    async def _made(self, notice: Notice, row: OutboxRow, site: Site) -> Made | None:
        """The message of a row; None when there is nothing to tell."""
        raw, reason, kind = b"", "", notice.kind
        names: tuple[str, ...] = ()
        try:
            now, before = await gathering.version_of(
                self._door, self._ctx, notice.type, notice.id, row.sequence
            )
            if notice.kind and now is None:
                # What is asked for need not be written by the commit that asks.
                now = await gathering.current(self._door, self._ctx, notice.type, notice.id)
            kind = kind or ("" if now is None else trigger_of(now, before))
            if now is None or not kind:
                return None
            raw = await self._written(kind, now, notice, site)
            names = referral_names(now) if kind == "REF^I12" else ()
        except HubError as error:
            reason = write_reasons(error.issues)
        # A mistake of ours with one message must not hold up all that come after it.
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            _log.exception("a message could not be written")
            reason = write_reasons([Reason("hl7v2-out-empty")])
        focus = notice.focus or f"{notice.type}/{notice.id}"
        departure = Departure(site.name, notice.control_id, kind, raw, notice.time, focus, names)
        return Made(departure, reason)

    async def again(self, departure: Departure) -> tuple[bytes, str]:
        """The bytes of a message that could not be written before, from the record as it is now.

        Args:
            departure: Without bytes.

        Returns:
            The bytes, or why there are still none.
        """
        site = self._sites.named.get(departure.destination)
        if site is None or site.destination is None:
            return b"", write_reasons([Reason("hl7v2-out-empty")])
        try:
            focus = await self._focus(departure.focus)
            type, _, id = departure.focus.partition("/")
            notice = Notice(
                site.name, departure.control_id, departure.kind, type, id, departure.time
            )
            if focus is None or not departure.kind:
                return b"", write_reasons([Reason("hl7v2-out-empty")])
            return await self._written(departure.kind, focus, notice, site), ""
        except HubError as error:
            return b"", write_reasons(error.issues)

    async def _focus(self, name: str) -> Resource | None:
        """What a message tells of: a resource, or what the Task is about that follows it."""
        type, _, id = name.partition("/")
        found = await gathering.current(self._door, self._ctx, type, id)
        if found is not None and type == "Task":
            parts = [found.get("focus") or {}, *listed(found.get("basedOn"))]
            about = next((str(one.get("reference")) for one in parts if one.get("reference")), "")
            type, _, id = about.partition("/")
            return await gathering.current(self._door, self._ctx, type, id) if id else None
        return found

    async def _written(self, kind: str, focus: Resource, notice: Notice, site: Site) -> bytes:
        """The bytes of a message.

        Raises:
            HubError: It cannot be written.
        """
        ctx, destination = self._ctx, site.destination
        assert destination is not None
        authority = destination.sending_application
        scene = Scene(
            await gathering.around(self._door, ctx, focus),
            site.zone,
            {system: name for name, system in site.systems.items()},
            authority,
            ctx.base,
            tables.own_codes(site),
        )
        made = dates.from_microseconds(notice.time * 1000)
        recorded = stamp(made, site.zone)
        structure, parts = _parts(kind, focus, scene, recorded, site.name, destination.version)
        type, trigger = kind.split("^")
        header = MessageHeader(
            (authority, destination.sending_facility),
            (destination.application, destination.facility),
            stamp(ctx.clock(), site.zone),
            type,
            trigger,
            structure,
            notice.control_id,
            destination.version,
            destination.charset,
            destination.ack == "enhanced",
            destination.processing,
        )
        return build(header, parts, hexadecimal=destination.unencodable == "escape")


def _parts(
    kind: str, focus: Resource, scene: Scene, recorded: str, receiver: str, version: str
) -> tuple[str, Parts]:
    """Message structure and segments after MSH.

    Raises:
        Unprocessable: There is no patient.
    """
    type, _, trigger = kind.partition("^")
    patient = _patient(focus, scene)
    if focus["resourceType"] == "Patient":
        return adt.structure(trigger, version), adt.person(trigger, patient, scene, recorded)
    if type == "ADT":
        return adt.structure(trigger, version), adt.visit(trigger, focus, patient, scene, recorded)
    encounter = scene.of(_encounter(focus), "Encounter")
    if type == "ORU":
        return oru.STRUCTURE, oru.report(focus, patient, encounter, scene)
    if type == "REF":
        return ref.STRUCTURE, ref.referral(focus, patient, encounter, scene, receiver)
    return mdm.STRUCTURE, mdm.document(focus, patient, encounter, scene, recorded)


def _patient(focus: Resource, scene: Scene) -> Resource:
    if focus["resourceType"] == "Patient":
        return focus
    found = scene.of(focus.get("subject"), "Patient")
    if found is None:
        raise Unprocessable(
            fault("required", "hl7v2-out-patient", "PID", type=focus["resourceType"])
        )
    return found


def _encounter(focus: Resource) -> Any:
    """Where the encounter stands: a document has several, in its context."""
    if focus["resourceType"] == "DocumentReference":
        return next(iter(listed((focus.get("context") or {}).get("encounter"))), None)
    return focus.get("encounter")


def referral_names(request: Resource) -> tuple[str, ...]:
    """What an answer may name a referral by: the values of its identifiers, and its id.

    Args:
        request: ServiceRequest.
    """
    values = [str(one["value"]) for one in listed(request.get("identifier")) if one.get("value")]
    return tuple(dict.fromkeys([*values, str(request["id"])]))
