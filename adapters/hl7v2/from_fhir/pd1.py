"""PD1: whom a Patient belongs to. HL7 v2.5 section 3.4.10. Called by `adt` and `oru`."""

from __future__ import annotations

from adapters.hl7v2.from_fhir.datatypes import listed, xcn_of, xon
from adapters.hl7v2.from_fhir.scene import Resource, Scene
from adapters.hl7v2.from_fhir.shape import Segment, segment


def pd1(patient: Resource, scene: Scene) -> list[Segment]:
    """The segment with the centre and the family doctor; none when neither is known.

    Args:
        patient: The patient.
        scene: Holds both.
    """
    doctors = listed(patient.get("generalPractitioner"))
    centres = scene.all_of([patient.get("managingOrganization"), *doctors], "Organization")
    made = segment(
        "PD1",
        {
            3: [xon(one, scene) for one in centres],
            4: [xcn_of(one, scene) for one in doctors],
        },
    )
    return [made] if made.fields else []
