"""The date that a resource is about."""

from __future__ import annotations

from typing import Any

import pytest

from hub.definitions import resource_types
from hub.search.explain import moment
from hub.search.principal_date import principal_date, table
from tests.search.fullest import fullest, variants
from tests.search.reading import ZONE

UNDATED = frozenset(
    [
        "Binary", "BodyStructure", "DeviceDefinition", "DeviceMetric", "Endpoint", "Group",
        "HealthcareService", "Linkage", "Location", "Medication", "MedicationKnowledge",
        "MedicinalProduct", "MedicinalProductContraindication", "MedicinalProductIndication",
        "MedicinalProductIngredient", "MedicinalProductInteraction",
        "MedicinalProductManufactured", "MedicinalProductPackaged",
        "MedicinalProductPharmaceutical", "MedicinalProductUndesirableEffect", "MessageHeader",
        "MolecularSequence", "ObservationDefinition", "OperationOutcome", "Organization",
        "Parameters", "Patient", "Person", "Practitioner", "SpecimenDefinition", "Substance",
        "SubstanceNucleicAcid", "SubstancePolymer", "SubstanceProtein",
        "SubstanceReferenceInformation", "SubstanceSourceMaterial", "SubstanceSpecification",
    ]
)  # fmt: skip
"""Types about something that does not happen at a time."""


def test_every_type_is_dated_or_known_to_have_no_date() -> None:
    assert set(table()) | UNDATED >= set(resource_types())
    assert set(table()) <= set(resource_types())


@pytest.mark.parametrize("resource_type", sorted(table()))
def test_the_table_names_elements_that_hold_dates(resource_type: str) -> None:
    found = [
        principal_date(fullest(resource_type, variant), ZONE)
        for variant in range(variants(resource_type))
    ]
    assert any(found)


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ({"effectiveDateTime": "2026-03-01", "issued": "2026-04-01T00:00:00Z"}, "2026-02-28T16:00"),
        ({"issued": "2026-04-01T00:00:00Z"}, "2026-04-01T00:00"),
        ({"effectivePeriod": {"start": "2026-03-01T00:00:00Z"}}, "2026-03-01T00:00"),
        ({"effectivePeriod": {"end": "2026-03-01T00:00:00Z"}}, "2026-03-01T00:00"),
        ({"effectivePeriod": {}, "issued": "2026-04-01T00:00:00Z"}, "2026-04-01T00:00"),
        ({"effectiveDateTime": "2026-02-30", "issued": "2026-04-01T00:00:00Z"}, "2026-04-01T00:00"),
        ({"effectiveTiming": {"event": ["2026-05-01T00:00:00Z"]}}, "2026-05-01T00:00"),
        ({}, "1970-01-01T00:00"),
    ],
)
def test_the_first_element_with_a_date_gives_it(resource: dict[str, Any], expected: str) -> None:
    date = principal_date({"resourceType": "Observation", **resource}, ZONE)
    assert moment(date).startswith(expected)


def test_an_array_gives_its_first_item_and_a_dot_leads_inside() -> None:
    appointment = {"resourceType": "Appointment", "requestedPeriod": [{"start": "2026-01-01"}]}
    assert moment(principal_date(appointment, "UTC")) == "2026-01-01T00:00:00Z"
    document = {"resourceType": "DocumentReference", "context": {"period": {"start": "2026-01-01"}}}
    assert moment(principal_date(document, "UTC")) == "2026-01-01T00:00:00Z"
