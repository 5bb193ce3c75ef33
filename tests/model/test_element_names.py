"""FHIRPath's names of what JSON names."""

from __future__ import annotations

import pytest

from hub.model.element_names import fhirpath_of


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("MedicationRequest.medicationReference", "MedicationRequest.medication"),
        ("MedicationRequest.reasonReference[1]", "MedicationRequest.reasonReference[1]"),
        ("Patient.extension[0].valueReference", "Patient.extension[0].value"),
        ("Patient._birthDate.extension[0].valueDateTime", "Patient.birthDate.extension[0].value"),
        ("Observation.component[2].valueQuantity.value", "Observation.component[2].value.value"),
        ("Timing.x", "Timing.x"),
        ("Patient", "Patient"),
    ],
)
def test_json_names_become_elements(path: str, named: str) -> None:
    assert fhirpath_of(path) == named
