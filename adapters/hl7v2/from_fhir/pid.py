"""PID: a Patient. HL7 v2.5 section 3.4.2. Called by the modules of the messages."""

from __future__ import annotations

from adapters.hl7v2.from_fhir.datatypes import cwe, cx, dtm, listed, own_cx, xad, xpn, xtn
from adapters.hl7v2.from_fhir.scene import Resource, Scene
from adapters.hl7v2.from_fhir.shape import Repetition, Segment, segment

_BIRTH_TIME = "http://hl7.org/fhir/StructureDefinition/patient-birthTime"
_WORK = "work"


def pid(patient: Resource, scene: Scene) -> Segment:
    """The segment.

    PID-3 has all identifiers, the hub's own id last: who answers may name the patient by it.

    Args:
        patient: With its id.
        scene: For identifier systems and the zone.
    """
    contacts = listed(patient.get("telecom"))
    numbers: dict[bool, list[Repetition]] = {False: [], True: []}
    for one in contacts:
        numbers[one.get("use") == _WORK].append(xtn(one))
    twin = patient.get("multipleBirthInteger")
    several = twin is not None or patient.get("multipleBirthBoolean")
    died = patient.get("deceasedDateTime")
    return segment(
        "PID",
        {
            1: "1",
            3: [
                *(cx(one, scene) for one in listed(patient.get("identifier"))),
                own_cx(patient, scene, "PI"),
            ],
            5: [xpn(one) for one in listed(patient.get("name"))] or [("",)],
            7: dtm(_born(patient), scene.zone),
            8: scene.code("sex", patient.get("gender")),
            11: [xad(one) for one in listed(patient.get("address"))],
            13: numbers[False],
            14: numbers[True],
            15: _language(patient),
            16: cwe(patient.get("maritalStatus")),
            24: "" if several is None else "Y" if several else "N",
            25: "" if twin is None else str(twin),
            29: dtm(died, scene.zone),
            30: "Y" if died or patient.get("deceasedBoolean") else "",
        },
    )


def _born(patient: Resource) -> object:
    """The birth time where it is known, else the date."""
    for extension in listed((patient.get("_birthDate") or {}).get("extension")):
        if extension.get("url") == _BIRTH_TIME and extension.get("valueDateTime"):
            return extension["valueDateTime"]
    return patient.get("birthDate")


def _language(patient: Resource) -> Repetition:
    spoken = listed(patient.get("communication"))
    chosen = next((one for one in spoken if one.get("preferred")), spoken[0] if spoken else {})
    return cwe(chosen.get("language"))
