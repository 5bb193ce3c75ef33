"""NK1: next of kin, from Patient.contact. HL7 v2.5 section 3.4.5. Called by `adt` and `ref`."""

from __future__ import annotations

from adapters.hl7v2.from_fhir.datatypes import cwe, first, listed, xad, xpn, xtn
from adapters.hl7v2.from_fhir.scene import Resource
from adapters.hl7v2.from_fhir.shape import Segment, segment


def nk1(patient: Resource) -> list[Segment]:
    """A segment for each contact.

    Args:
        patient: The patient.
    """
    return [
        segment(
            "NK1",
            {
                1: str(number),
                2: [xpn(contact.get("name") or {})],
                3: cwe(first(contact.get("relationship"))),
                4: [xad(contact.get("address") or {})],
                5: [xtn(one) for one in listed(contact.get("telecom"))],
            },
        )
        for number, contact in enumerate(listed(patient.get("contact")), 1)
    ]
