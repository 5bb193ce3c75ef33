"""OBR: a DiagnosticReport, or an Observation on its own.

HL7 v2.5 section 7.4.1. Called by `oru` and `ref`.
"""

from __future__ import annotations

from adapters.hl7v2.from_fhir.datatypes import cwe, dtm, ei_of, first, listed, xcn_of
from adapters.hl7v2.from_fhir.scene import Resource, Scene
from adapters.hl7v2.from_fhir.shape import Segment, segment


def obr(report: Resource, scene: Scene) -> Segment:
    """The segment.

    OBR-2 is the order's number where the report names its order; OBR-3 the report's own.

    Args:
        report: DiagnosticReport, or an Observation that belongs to none.
        scene: Holds the order and the people.
    """
    period = report.get("effectivePeriod") or {}
    orders = scene.all_of(listed(report.get("basedOn")), "ServiceRequest")
    category = cwe(first(report.get("category")))
    interpreter = first(report.get("resultsInterpreter"))
    return segment(
        "OBR",
        {
            1: "1",
            2: ei_of(orders[0], scene, "PLAC") if orders else "",
            3: ei_of(report, scene, "FILL"),
            4: cwe(report.get("code")),
            7: dtm(report.get("effectiveDateTime") or period.get("start"), scene.zone),
            8: dtm(period.get("end"), scene.zone),
            16: [xcn_of(one.get("requester"), scene) for one in orders],
            22: dtm(report.get("issued"), scene.zone),
            24: category[0] if category and report["resourceType"] == "DiagnosticReport" else "",
            25: scene.code("report-status", report.get("status"), "F"),
            32: _interpreter(interpreter, scene),
        },
    )


def _interpreter(reference: object, scene: Scene) -> tuple[tuple[str, ...], ...]:
    """NDL: the person as subcomponents of its first component."""
    found = xcn_of(reference, scene)
    if not found:
        return ()
    return (tuple([one if isinstance(one, str) else "".join(one[:1]) for one in found[:6]]),)
