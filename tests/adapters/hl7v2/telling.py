"""Messages as conversions made by hand, and a hospital's desk that stores them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from adapters.hl7v2.converted import Converted, Joined, Mapped, Remark, Source
from adapters.hl7v2.provenance import Origin
from adapters.hl7v2.storing import Outcome, store
from hub.context import Context
from hub.interactions import Interactions
from hub.principal import Principal, Scope
from hub.storage.message_log import Arrival, Mark, Settled

MRN, NATIONAL, VISITS, DOCTORS, WARDS = (f"urn:oid:1.2.3.{n}" for n in range(1, 6))
SENDER = "HIS|CENTRAL"
HOUR = 3_600_000
NOON = 1_780_000_000_000 - 30 * 24 * HOUR

SITE = Principal(
    "hl7v2:central",
    frozenset(("system",)),
    client="hl7v2:central",
    scopes=(Scope("system", "*", frozenset("cruds")),),
)


def identifier(system: str, value: str) -> dict[str, Any]:
    """An identifier."""
    return {"system": system, "value": value}


def mapped(
    key: str,
    resource: dict[str, Any],
    *identities: tuple[str, str],
    sources: tuple[tuple[str, str, str], ...] = (),
    **more: Any,
) -> Mapped:
    """A resource that a message tells of; its identifiers are its identities."""
    type = key.partition("[")[0]
    content = {"resourceType": type, **resource}
    if identities:
        content["identifier"] = [identifier(*one) for one in identities]
    found = [Source(*one) for one in sources]
    return Mapped(
        key,
        f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, key)}",
        content,
        identities=tuple(identities),
        sources=found,
        **more,
    )


def url(key: str) -> dict[str, str]:
    """A reference to another resource of the message."""
    return {"reference": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, key)}"}


def patient(number: str, *more: tuple[str, str], key: str = "Patient", **elements: Any) -> Mapped:
    """PID."""
    how = {name: elements.pop(name) for name in ("deleted", "initial") if name in elements}
    sources = (
        ("identifier[0].value", "PID", "3.1"),
        ("name[0].family", "PID", "5.1"),
        ("birthDate", "PID", "7"),
        ("gender", "PID", "8"),
        ("telecom[0].value", "PID", "13.1"),
    )
    return mapped(key, elements, (MRN, number), *more, sources=sources, **how)


def visit(number: str, status: str = "in-progress", **elements: Any) -> list[Mapped]:
    """PV1: the visit, its doctor and its ward."""
    doctor = mapped(
        "Practitioner",
        {"name": [{"text": "李医生"}]},
        (DOCTORS, "D7"),
        how="find",
        sources=(("identifier[0].value", "PV1", "7.1"),),
    )
    ward = mapped(
        "Location",
        {"name": "内科"},
        (WARDS, "W3"),
        how="find",
        sources=(("identifier[0].value", "PV1", "3.1"),),
    )
    content = {
        "status": status,
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "subject": url("Patient"),
        "participant": [{"individual": url("Practitioner")}],
        "location": [{"location": url("Location")}],
        **elements,
    }
    sources = (
        ("identifier[0].value", "PV1", "19.1"),
        ("status", "PV1", "44"),
        ("class.code", "PV1", "2"),
    )
    return [doctor, ward, mapped("Encounter", content, (VISITS, number), sources=sources)]


def message(kind: str, hours: float, *resources: Mapped, **more: Any) -> Converted:
    """A message about something that happened some hours after noon."""
    event = NOON + int(hours * HOUR)
    for one in resources:
        one.event = event
    return Converted(kind, uuid.uuid4().hex[:12], event, list(resources), **more)


def name(family: str) -> list[dict[str, Any]]:
    """A name."""
    return [{"family": family, "text": family}]


def merge(hours: float, surviving: str, replaced: str, **elements: Any) -> Converted:
    """A40."""
    goes_on = patient(surviving, **elements)
    ends = mapped(
        "Patient[2]", {}, (MRN, replaced), sources=(("identifier[0].value", "MRG", "1.1"),)
    )
    joined = [Joined(goes_on.full_url, ends.full_url)]
    return message("ADT^A40", hours, goes_on, ends, joined=joined)


def admission(number: str = "1", hours: float = 1, visit_number: str = "V1") -> Converted:
    """A01 of a patient."""
    return message(
        "ADT^A01",
        hours,
        patient(number, name=name("张"), birthDate="1970-03-01"),
        *visit(visit_number),
    )


@dataclass
class Desk:
    """Takes messages and stores them, as the pipeline does."""

    door: Interactions
    ctx: Context = field(default_factory=lambda: Context(principal=SITE))
    site: str = "central"

    async def receive(self, converted: Converted) -> int:
        """The row of a message."""
        arrival = Arrival(
            SENDER,
            converted.control_id,
            converted.kind,
            self.site,
            uuid.uuid4().bytes,
            (),
            NOON,
        )
        return (await self.door.store.messages.receive(1, arrival)).row

    async def store(self, converted: Converted, row: int = 0) -> Outcome:
        """Store a message; quarantined ones stay in work here."""
        number = row or await self.receive(converted)

        def settle(marks: tuple[Mark, ...], remarks: tuple[Remark, ...]) -> Settled:
            return Settled(number, "stored", b"AA", NOON, "", marks)

        return await store(
            self.door, self.ctx, converted, Origin(number, SENDER, self.site), settle
        )

    async def found(self, type: str, system: str, value: str) -> list[dict[str, Any]]:
        """What carries an identifier."""
        answer = await self.door.search(Context(), type, [("identifier", f"{system}|{value}")])
        return [entry["resource"] for entry in answer.to_dict().get("entry", ())]

    async def one(self, type: str, system: str, value: str) -> dict[str, Any]:
        """The one that carries it."""
        (only,) = await self.found(type, system, value)
        return only


def places(outcome: Outcome) -> list[tuple[str, str]]:
    """Stable id and place of each issue."""
    return [(issue.message, issue.location) for issue in outcome.issues]
