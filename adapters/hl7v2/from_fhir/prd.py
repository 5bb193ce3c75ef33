"""PRD: who refers, and to whom. HL7 v2.5 section 11.6.3. Called by `ref`."""

from __future__ import annotations

from adapters.hl7v2.from_fhir.datatypes import cx, first, listed, own_cx, xad, xpn, xtn
from adapters.hl7v2.from_fhir.scene import Resource, Scene
from adapters.hl7v2.from_fhir.shape import Repetition, Segment, segment

REFERRING: Repetition = ("RP", "Referring Provider", "HL70286")
REFERRED_TO: Repetition = ("RT", "Referred to Provider", "HL70286")


def prd(role: Repetition, party: Resource | None, scene: Scene, name: str = "") -> Segment:
    """The segment of one party.

    Args:
        role: PRD-1.
        party: Practitioner, PractitionerRole or Organization; None when it is not here.
        scene: Holds a role's people.
        name: What it is called, where it is not here.
    """
    if party is None:
        return segment("PRD", {1: [role], 2: [(name,)]})
    person = party
    if party["resourceType"] == "PractitionerRole":
        person = scene.of(party.get("practitioner"), "Practitioner") or party
    given = first(person.get("name")) if isinstance(person.get("name"), list) else None
    called = xpn(given) if isinstance(given, dict) else (str(person.get("name") or name),)
    identifiers = [cx(one, scene) for one in listed(person.get("identifier"))]
    known = [one for one in identifiers if one] or [own_cx(person, scene, "PI")]
    return segment(
        "PRD",
        {
            1: [role],
            2: [called],
            3: [xad(one) for one in listed(person.get("address"))],
            5: [xtn(one) for one in listed(party.get("telecom"))],
            7: [_pln(one) for one in known],
        },
    )


def _pln(identifier: Repetition) -> Repetition:
    """PLN: a CX as number, its type, and whose it is."""
    value, _, _, authority, kind = identifier
    return (value, kind or "PI", authority if isinstance(authority, str) else authority[0])
