"""REF^I12: a referral with its patient, reasons, findings and visit.

HL7 v2.5 section 11.5.1. Called by `adapters.hl7v2.outbox`.
"""

from __future__ import annotations

from adapters.hl7v2.from_fhir import obx
from adapters.hl7v2.from_fhir.datatypes import first, listed
from adapters.hl7v2.from_fhir.dg1 import dg1
from adapters.hl7v2.from_fhir.nk1 import nk1
from adapters.hl7v2.from_fhir.obr import obr
from adapters.hl7v2.from_fhir.oru import observations
from adapters.hl7v2.from_fhir.pid import pid
from adapters.hl7v2.from_fhir.prd import REFERRED_TO, REFERRING, prd
from adapters.hl7v2.from_fhir.pv1 import pv1
from adapters.hl7v2.from_fhir.rf1 import rf1
from adapters.hl7v2.from_fhir.scene import Resource, Scene
from adapters.hl7v2.from_fhir.shape import Group, Parts

STRUCTURE = "REF_I12"

_PARTIES = ("Practitioner", "PractitionerRole", "Organization")


def referral(
    request: Resource, patient: Resource, encounter: Resource | None, scene: Scene, receiver: str
) -> Parts:
    """The message's segments after MSH.

    Args:
        request: The ServiceRequest.
        patient: Its subject.
        encounter: In which it was made, None for none.
        scene: What all of them refer to.
        receiver: Name of whom it is sent to, when the request names no performer.
    """
    asking = request.get("requester") or {}
    wanted = listed(request.get("performer"))
    parties = [
        prd(REFERRING, scene.of(asking, *_PARTIES), scene, str(asking.get("display") or "")),
        *(prd(REFERRED_TO, scene.of(one, *_PARTIES), scene, str(one.get("display") or ""))
          for one in wanted or [{"display": receiver}]),
    ]  # fmt: skip
    reasons = scene.all_of(listed(request.get("reasonReference")), "Condition")
    visit = [Group("REF_I12_PATIENT_VISIT", [pv1(encounter, scene)])] if encounter else []
    return [
        rf1(request, encounter, scene),
        *(Group("REF_I12_PROVIDER_CONTACT", [one]) for one in parties),
        pid(patient, scene),
        *nk1(patient),
        *dg1(reasons, scene),
        *_findings(request, scene),
        *visit,
        *obx.notes(request),
        *([] if first(request.get("note")) else obx.notes(request, "patientInstruction")),
    ]


def _findings(request: Resource, scene: Scene) -> list[Group]:
    """What the request refers to as reason or supporting information: results and reports."""
    named = [*listed(request.get("reasonReference")), *listed(request.get("supportingInfo"))]
    found = scene.all_of(named, "Observation", "DiagnosticReport")
    made = []
    for one in found:
        number, results = 1, []
        for result in observations(one, scene):
            parts = obx.observation(result, scene, number)
            number += len(parts)
            results += [Group("REF_I12_RESULTS_NOTES", [part]) for part in parts]
        made.append(Group("REF_I12_OBSERVATION", [obr(one, scene), *results]))
    return made
