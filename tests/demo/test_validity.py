"""Every demo resource is valid: by the hub's validator without a word, and by fhir.resources."""

from __future__ import annotations

from collections import Counter
from importlib import import_module
from typing import Any

import pytest

from hub.demo.generate import generate
from hub.model import json
from hub.validation.validator import Validator

PATIENTS = 150


@pytest.fixture(scope="module")
def resources() -> list[dict[str, Any]]:
    """The set as it is written and read."""
    return [json.decode(json.encode(resource)) for resource in generate(PATIENTS, 17)]


def test_the_validator_has_nothing_to_say(resources: list[dict[str, Any]]) -> None:
    validator = Validator()
    said = Counter(
        (resource["resourceType"], issue.message, issue.location)
        for resource in resources
        for issue in validator.validate(resource, warnings=True)
        if issue.message != "rule-dom-6"  # A narrative is not needed.
    )
    assert said == {}


def test_fhir_resources_takes_all_of_them(resources: list[dict[str, Any]]) -> None:
    for resource in resources:
        name = resource["resourceType"]
        module = import_module(f"fhir.resources.R4B.{name.lower()}")
        getattr(module, name).model_validate_json(json.encode(resource))


def test_the_set_has_what_a_family_doctor_centre_has(resources: list[dict[str, Any]]) -> None:
    found = Counter(resource["resourceType"] for resource in resources)
    assert found["Organization"] == found["Location"] == 5
    assert found["Patient"] == PATIENTS
    for name in (
        "CarePlan",
        "CareTeam",
        "Condition",
        "Consent",
        "Encounter",
        "MedicationRequest",
        "Observation",
        "Practitioner",
        "PractitionerRole",
        "RelatedPerson",
        "ServiceRequest",
    ):
        assert found[name] > 3, name


def test_children_are_as_tall_as_children(resources: list[dict[str, Any]]) -> None:
    born = {
        f"Patient/{one['id']}": int(one["birthDate"][:4])
        for one in resources
        if one["resourceType"] == "Patient"
    }
    heights = [
        (2026 - born[one["subject"]["reference"]], one["valueQuantity"]["value"])
        for one in resources
        if one["resourceType"] == "Observation" and one["code"]["coding"][0]["code"] == "8302-2"
    ]
    assert any(age < 10 for age, _ in heights)
    assert all(height < 80 + 8 * age for age, height in heights if age < 12)
    assert all(height > 135 for age, height in heights if age >= 18)


def test_nothing_happens_before_birth_after_death_or_in_the_future(
    resources: list[dict[str, Any]],
) -> None:
    people = {f"Patient/{one['id']}": one for one in resources if one["resourceType"] == "Patient"}
    for resource in resources:
        subject = people.get(resource.get("subject", {}).get("reference", ""))
        if subject is None:
            continue
        gone = subject.get("deceasedDateTime", "2026-07-01")
        for name in ("effectiveDateTime", "onsetDateTime", "authoredOn", "recordedDate"):
            if name in resource:
                day = resource[name][:10]
                assert subject["birthDate"] <= day <= gone, (resource["resourceType"], name)
        if resource["resourceType"] == "Encounter":
            assert subject["birthDate"] <= resource["period"]["start"][:10] <= gone
