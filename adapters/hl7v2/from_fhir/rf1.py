"""RF1: a referral, from its ServiceRequest. HL7 v2.5 section 11.6.1. Called by `ref`."""

from __future__ import annotations

from adapters.hl7v2.from_fhir.datatypes import cwe, dtm, ei_of, first, listed
from adapters.hl7v2.from_fhir.pv1 import patient_class
from adapters.hl7v2.from_fhir.scene import Resource, Scene
from adapters.hl7v2.from_fhir.shape import Segment, segment

PENDING = ("P", "Pending", "HL70283")
"""RF1-1 of a referral that asks for an answer."""

_CATEGORIES = frozenset("AEIO")


def rf1(request: Resource, encounter: Resource | None, scene: Scene) -> Segment:
    """The segment.

    Args:
        request: The ServiceRequest.
        encounter: In which it was made, None for none.
        scene: For identifier systems and the zone.
    """
    period = request.get("occurrencePeriod") or {}
    start = request.get("occurrenceDateTime") or period.get("start") or request.get("authoredOn")
    category = patient_class(encounter, scene) if encounter else ""
    return segment(
        "RF1",
        {
            1: [PENDING],
            2: (scene.code("referral-priority", request.get("priority"), "R"),),
            3: cwe(request.get("code")) or cwe(first(request.get("category"))),
            5: category if category in _CATEGORIES else "",
            6: ei_of(request, scene, "PLAC"),
            7: dtm(start, scene.zone),
            8: dtm(period.get("end"), scene.zone),
            9: dtm(request.get("authoredOn"), scene.zone),
            10: [cwe(one) for one in listed(request.get("reasonCode"))],
        },
    )
