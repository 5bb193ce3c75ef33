"""ORU^R01: a DiagnosticReport with its Observations, or an Observation on its own.

HL7 v2.5 section 7.3.1. Called by `adapters.hl7v2.outbox`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from adapters.hl7v2.from_fhir import obx
from adapters.hl7v2.from_fhir.datatypes import cwe, dtm, ei_of, listed
from adapters.hl7v2.from_fhir.obr import obr
from adapters.hl7v2.from_fhir.pd1 import pd1
from adapters.hl7v2.from_fhir.pid import pid
from adapters.hl7v2.from_fhir.pv1 import pv1
from adapters.hl7v2.from_fhir.scene import Resource, Scene
from adapters.hl7v2.from_fhir.shape import Group, Parts, Segment, segment

STRUCTURE = "ORU_R01"

_CONCLUSION = ("55110-1", "Conclusions [Interpretation] Document", "LN")
_MOST = 10_000
"""Observations of one message; a panel of panels is a tree, unless somebody made it a circle."""


def report(focus: Resource, patient: Resource, encounter: Resource | None, scene: Scene) -> Parts:
    """The message's segments after MSH.

    Args:
        focus: DiagnosticReport or Observation.
        patient: Its subject.
        encounter: Its encounter, None for none.
        scene: What all of them refer to.
    """
    visit = [Group("ORU_R01_VISIT", [pv1(encounter, scene)])] if encounter else []
    who = Group("ORU_R01_PATIENT", [pid(patient, scene), *pd1(patient, scene), *visit])
    orders = scene.all_of(listed(focus.get("basedOn")), "ServiceRequest")
    placer = ei_of(orders[0], scene, "PLAC") if orders else ""
    order = segment("ORC", {1: "RE", 2: placer, 3: ei_of(focus, scene, "FILL")})
    header = [order, obr(focus, scene)]
    results = list(_results(focus, scene))
    results += [[one] for one in _words(focus, scene, sum(map(_segments, results)))]
    groups = [Group("ORU_R01_OBSERVATION", parts) for parts in results]
    comments = [] if focus["resourceType"] == "Observation" else list(obx.notes(focus))
    done = Group("ORU_R01_ORDER_OBSERVATION", [*header, *comments, *groups])
    return [Group("ORU_R01_PATIENT_RESULT", [who, done])]


def _segments(parts: Iterable[Segment]) -> int:
    return sum(one.name == "OBX" for one in parts)


def _results(focus: Resource, scene: Scene) -> Iterator[list[Segment]]:
    """A group for each OBX; the Observation's notes stand after its first."""
    number = 1
    for one in observations(focus, scene):
        made = obx.observation(one, scene, number)
        number += len(made)
        comments = list(obx.notes(one))
        for index, result in enumerate(made):
            yield [result, *comments] if not index else [result]


def observations(focus: Resource, scene: Scene) -> list[Resource]:
    """What a report says, members of panels after their panel, each once.

    Args:
        focus: DiagnosticReport, or the Observation itself.
        scene: Holds them.
    """
    is_report = focus["resourceType"] == "DiagnosticReport"
    waiting = scene.all_of(listed(focus.get("result")), "Observation") if is_report else [focus]
    found: dict[str, Resource] = {}
    while waiting and len(found) < _MOST:
        one = waiting.pop(0)
        if one["id"] in found:
            continue
        found[one["id"]] = one
        waiting[:0] = scene.all_of(listed(one.get("hasMember")), "Observation")
    return list(found.values())


def _words(focus: Resource, scene: Scene, before: int) -> Iterator[Segment]:
    """The conclusion and the presented forms of a report."""
    if focus["resourceType"] != "DiagnosticReport":
        return
    time = dtm(focus.get("issued"), scene.zone)
    number = before + 1
    conclusion = focus.get("conclusion")
    if isinstance(conclusion, str) and conclusion:
        yield obx.document(number, _CONCLUSION, obx.prose(conclusion), time=time)
        number += 1
    for form in listed(focus.get("presentedForm")):
        data = scene.content(form)
        if data:
            kind = str(form.get("contentType") or "application/octet-stream")
            code = cwe(focus.get("code"))
            yield obx.document(number, code, obx.attachment(kind, data), time=time)
            number += 1
