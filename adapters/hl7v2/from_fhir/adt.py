"""ADT: a Patient or an Encounter that is new or has changed.

HL7 v2.5 section 3.3 (A01, A03, A04, A08, A11, A28, A31). Called by `adapters.hl7v2.outbox`.
"""

from __future__ import annotations

from adapters.hl7v2.from_fhir.datatypes import dtm, listed
from adapters.hl7v2.from_fhir.dg1 import dg1
from adapters.hl7v2.from_fhir.evn import evn
from adapters.hl7v2.from_fhir.nk1 import nk1
from adapters.hl7v2.from_fhir.pd1 import pd1
from adapters.hl7v2.from_fhir.pid import pid
from adapters.hl7v2.from_fhir.pv1 import pv1
from adapters.hl7v2.from_fhir.scene import Resource, Scene
from adapters.hl7v2.from_fhir.shape import Parts

_STRUCTURES = {
    "A01": "ADT_A01",
    "A03": "ADT_A03",
    "A04": "ADT_A01",
    "A08": "ADT_A01",
    "A11": "ADT_A09",
    "A28": "ADT_A05",
    "A31": "ADT_A05",
}
_FIRST_WITH_A05 = "2.4"


def structure(trigger: str, version: str) -> str:
    """The message structure (MSH-9.3, table 0354) of a trigger event.

    Args:
        trigger: `A28`.
        version: The receiver's.
    """
    found = _STRUCTURES[trigger]
    return "ADT_A01" if found == "ADT_A05" and version < _FIRST_WITH_A05 else found


_WITHOUT_CONTACTS = frozenset(("A03", "A11"))
_OCCURRED = {"A01": "start", "A04": "start", "A03": "end"}
"""The end of Encounter.period that a trigger event is about."""


def person(trigger: str, patient: Resource, scene: Scene, recorded: str) -> Parts:
    """A28 or A31: the person alone.

    Args:
        trigger: Which of the two.
        patient: The patient.
        scene: What it refers to.
        recorded: DTM of the change.
    """
    return [
        evn(trigger, recorded),
        pid(patient, scene),
        *pd1(patient, scene),
        *nk1(patient),
        pv1(None, scene),
    ]


def visit(
    trigger: str, encounter: Resource, patient: Resource, scene: Scene, recorded: str
) -> Parts:
    """A01, A03, A04, A08 or A11: a visit and its patient.

    Args:
        trigger: Which of them.
        encounter: The visit.
        patient: Its patient.
        scene: What both refer to.
        recorded: DTM of the change.
    """
    period = encounter.get("period") or {}
    occurred = dtm(period.get(_OCCURRED.get(trigger)), scene.zone)
    diagnoses = [one.get("condition") for one in listed(encounter.get("diagnosis"))]
    reasons = listed(encounter.get("reasonReference"))
    conditions = scene.all_of([*diagnoses, *reasons], "Condition")
    return [
        evn(trigger, recorded, occurred),
        pid(patient, scene),
        *pd1(patient, scene),
        *([] if trigger in _WITHOUT_CONTACTS else nk1(patient)),
        pv1(encounter, scene),
        *dg1(conditions, scene),
    ]
