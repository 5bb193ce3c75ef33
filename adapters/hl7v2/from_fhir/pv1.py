"""PV1: an Encounter. HL7 v2.5 section 3.4.3. Called by the modules of the messages."""

from __future__ import annotations

from adapters.hl7v2.from_fhir import tables
from adapters.hl7v2.from_fhir.datatypes import (
    codes_of,
    cwe,
    cx,
    dtm,
    first,
    listed,
    own_cx,
    pl,
    xcn_of,
)
from adapters.hl7v2.from_fhir.scene import Resource, Scene
from adapters.hl7v2.from_fhir.shape import Repetition, Segment, segment

_DOCTORS = {7: {"ATND", "PPRF"}, 8: {"REF"}, 9: {"CON"}, 17: {"ADM"}}
"""PV1 fields by participation type; a participant without a type attends."""

_LAST_PLACES = frozenset(("completed",))


def pv1(encounter: Resource | None, scene: Scene) -> Segment:
    """The segment; without an Encounter it says that there is no visit (class N).

    Args:
        encounter: With its id, None for none.
        scene: Holds its people and places.
    """
    if encounter is None:
        return segment("PV1", {1: "1", 2: "N"})
    stay = encounter.get("hospitalization") or {}
    period = encounter.get("period") or {}
    visit, *others = [
        *(cx(one, scene) for one in listed(encounter.get("identifier"))),
        own_cx(encounter, scene, "VN"),
    ]
    return segment(
        "PV1",
        {
            1: "1",
            2: patient_class(encounter, scene),
            3: _place(encounter, scene),
            4: cwe(first(encounter.get("type"))),
            10: cwe(encounter.get("serviceType")),
            14: cwe(stay.get("admitSource")),
            19: visit,
            36: cwe(stay.get("dischargeDisposition")),
            44: dtm(period.get("start"), scene.zone),
            45: dtm(period.get("end"), scene.zone),
            50: others[:1],
            **{number: _doctors(encounter, kinds, scene) for number, kinds in _DOCTORS.items()},
        },
    )


def patient_class(encounter: Resource, scene: Scene | None = None) -> str:
    """Table 0004 of an Encounter, or the receiver's own code; N: not applicable.

    Args:
        encounter: The visit.
        scene: Knows the receiver's codes; None: the table's.
    """
    given = str((encounter.get("class") or {}).get("code") or "")
    # Codes of 0004 itself stay; what it has no code for is nearest to an outpatient.
    default = given if len(given) == 1 else "O" if given else "N"
    if scene is None:
        return tables.code("encounter-class", given, default)
    return scene.code("encounter-class", given, default)


def _place(encounter: Resource, scene: Scene) -> Repetition:
    """Where the patient is: the last place that is not left."""
    stays = [
        one
        for one in listed(encounter.get("location"))
        if one.get("status") not in _LAST_PLACES and scene.of(one.get("location"), "Location")
    ]
    found = scene.of(stays[-1]["location"], "Location") if stays else None
    return pl(found, scene) if found is not None else ()


def _doctors(encounter: Resource, kinds: set[str], scene: Scene) -> list[Repetition]:
    found = []
    for one in listed(encounter.get("participant")):
        person = one.get("individual")
        is_patients = str((person or {}).get("reference") or "").startswith("RelatedPerson/")
        types = codes_of(listed(one.get("type"))) or {"ATND"}
        if not is_patients and types & kinds:
            found.append(xcn_of(person, scene))
    return found
