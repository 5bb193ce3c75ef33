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

from adapters.hl7v2 import gathering
from adapters.hl7v2.announcing import TOPIC, Notice, read_notice
from adapters.hl7v2.from_fhir import adt, mdm, oru, ref, tables
from adapters.hl7v2.from_fhir.building import Envelope, build
from adapters.hl7v2.from_fhir.datatypes import listed, stamp
from adapters.hl7v2.from_fhir.scene import Scene
from adapters.hl7v2.from_fhir.shape import Parts
from adapters.hl7v2.reasons import write_reasons
from adapters.hl7v2.sites import Destination, Site, Sites
from adapters.hl7v2.triggers import trigger_of
from hub.context import Context
from hub.errors import HubError, Unprocessable, fault
from hub.interactions import Interactions
from hub.model import dates
from hub.storage.message_log import Departure
from hub.storage.port import OutboxRow

BATCH = 50

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
        tenant, store = self._ctx.tenant.key, self._door.store
        rows = await store.outbox(tenant, self._after, BATCH)
        made: list[Made] = []
        taken: list[int] = []
        for number, row in rows:
            if row.topic != TOPIC:
                continue
            notice = read_notice(row)
            site = self._sites.named.get(notice.destination)
            if site is None or site.destination is None:
                _log.warning("no site %s: a message for it waits", notice.destination)
                continue
            one = await self._made(notice, row, site, site.destination)
            taken.append(number)
            if one is not None:
                made.append(one)
        if taken:
            messages = store.messages
            numbers = await messages.depart(tenant, [one.departure for one in made], taken)
            for number, one in zip(numbers, made, strict=True):
                if one.reason:
                    await messages.attempted(tenant, number, "refused", reason=one.reason)
        if rows:
            self._after = rows[-1][0]
        return len(rows)

    async def _made(
        self, notice: Notice, row: OutboxRow, site: Site, destination: Destination
    ) -> Made | None:
        """The message of a row; None when there is nothing to tell."""
        now, before = await gathering.version_of(
            self._door, self._ctx, notice.type, notice.id, row.sequence
        )
        if notice.kind and now is None:
            # What is asked for need not be written by the commit that asks.
            now = await gathering.current(self._door, self._ctx, notice.type, notice.id)
        if now is None:
            return None
        kind = notice.kind or trigger_of(now, before)
        if not kind:
            return None
        raw, reason = b"", ""
        names: tuple[str, ...] = ()
        try:
            raw = await self._written(kind, now, notice, site, destination)
            names = referral_names(now) if kind == "REF^I12" else ()
        except HubError as error:
            reason = write_reasons(error.issues)
        focus = notice.focus or f"{notice.type}/{notice.id}"
        departure = Departure(site.name, notice.control_id, kind, raw, notice.time, focus, names)
        return Made(departure, reason)

    async def _written(
        self, kind: str, focus: Resource, notice: Notice, site: Site, destination: Destination
    ) -> bytes:
        """The bytes of a message.

        Raises:
            HubError: It cannot be written.
        """
        ctx = self._ctx
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
        envelope = Envelope(
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
        return build(envelope, parts, hexadecimal=destination.unencodable == "escape")


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
