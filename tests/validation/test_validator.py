"""The door: type, mode, location, warnings, profiles, entries, limits."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hub.messages import render
from hub.model.json import decode
from hub.validation.scope import Scope
from hub.validation.structure import MAX_ISSUES
from hub.validation.validator import Validator, is_published_profile

VALIDATOR = Validator()


def pairs(issues: Any) -> list[tuple[str, str]]:
    return [(issue.location, issue.message) for issue in issues]


def test_a_valid_resource_gives_no_issue() -> None:
    assert VALIDATOR.validate({"resourceType": "Patient"}) == ()


def test_another_type_than_expected_is_refused() -> None:
    issues = VALIDATOR.validate({"resourceType": "Patient"}, type="Observation")
    assert pairs(issues) == [("Patient", "validation-other-type")]


def test_an_update_needs_an_id() -> None:
    issues = VALIDATOR.validate({"resourceType": "Patient"}, mode="update")
    assert pairs(issues) == [("Patient.id", "validation-id-required")]
    assert VALIDATOR.validate({"resourceType": "Patient", "id": "1"}, mode="update") == ()


def test_the_content_of_what_is_deleted_does_not_count() -> None:
    assert VALIDATOR.validate({"resourceType": "Patient", "gender": "x"}, mode="delete") == ()


def test_a_location_prefix_is_kept() -> None:
    issues = VALIDATOR.validate(
        {"resourceType": "Patient", "gender": "x", "meta": {"profile": ["http://a"]}},
        location="Bundle.entry[3].resource",
    )
    assert pairs(issues) == [
        ("Bundle.entry[3].resource.gender", "validation-code"),
        ("Bundle.entry[3].resource.meta.profile[0]", "validation-profile-unknown"),
    ]


def test_an_unknown_profile_is_a_warning() -> None:
    (issue,) = VALIDATOR.validate(
        {"resourceType": "Patient", "meta": {"profile": ["http://example.org/p|1"]}}
    )
    assert (issue.severity, issue.location) == ("warning", "Patient.meta.profile[0]")


def test_profiles_of_the_package_are_known() -> None:
    assert is_published_profile("http://hl7.org/fhir/StructureDefinition/bp|4.0.1")
    assert not is_published_profile("http://hl7.org/fhir/StructureDefinition/nothing")


def test_known_profiles_can_be_given() -> None:
    validator = Validator(known_profiles=lambda canonical: canonical == "http://a")
    made = {"resourceType": "Patient", "meta": {"profile": ["http://a", "http://b"]}}
    assert pairs(validator.validate(made)) == [
        ("Patient.meta.profile[1]", "validation-profile-unknown")
    ]


def test_warnings_of_invariants_come_when_asked_for() -> None:
    made = {"resourceType": "Patient"}
    assert VALIDATOR.validate(made) == ()
    (issue,) = VALIDATOR.validate(made, warnings=True)
    assert (issue.severity, issue.arguments["key"]) == ("warning", "dom-6")


def test_invariants_can_be_left_out() -> None:
    made = {"resourceType": "Organization"}
    assert pairs(VALIDATOR.validate(made)) == [("Organization", "rule-org-1")]
    assert Validator(invariants=False).validate(made) == ()


def bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def test_entries_are_validated_with_their_bundle() -> None:
    made = bundle({"resourceType": "Patient", "gender": "x", "meta": {"profile": ["http://a"]}})
    assert pairs(VALIDATOR.validate(made)) == [
        ("Bundle.entry[0].resource.gender", "validation-code"),
        ("Bundle.entry[0].resource.meta.profile[0]", "validation-profile-unknown"),
    ]


def test_entries_can_be_left_to_a_transaction() -> None:
    made = bundle({"resourceType": "Patient", "gender": "x"})
    assert VALIDATOR.validate(made, entries=False) == ()
    made["entry"].append({"link": [{}]})
    assert pairs(VALIDATOR.validate(made, entries=False))[0][0] == "Bundle.entry[1].link[0]"


def test_a_reference_in_an_entry_looks_into_its_own_resource() -> None:
    inner = {"resourceType": "Patient", "managingOrganization": {"reference": "#o"}}
    assert pairs(VALIDATOR.validate(bundle(inner))) == [
        ("Bundle.entry[0].resource.managingOrganization.reference", "validation-not-contained")
    ]


def test_parameters_hold_resources_too() -> None:
    made = {
        "resourceType": "Parameters",
        "parameter": [{"name": "a", "resource": {"resourceType": "Patient", "gender": "x"}}],
    }
    assert pairs(VALIDATOR.validate(made)) == [
        ("Parameters.parameter[0].resource.gender", "validation-code")
    ]


def test_an_invariant_that_is_broken_is_told_with_its_words() -> None:
    (issue,) = VALIDATOR.validate(
        {
            "resourceType": "Observation",
            "status": "final",
            "code": {"text": "a"},
            "valueInteger": 1,
            "dataAbsentReason": {"text": "a"},
        }
    )
    assert (issue.code, issue.location) == ("invariant", "Observation")
    assert "obs-6" in render(issue.message, issue.arguments)


def test_a_resource_full_of_errors_gives_a_limited_number_of_issues() -> None:
    made = {"resourceType": "Patient", "name": [{"family": ""}] * 100_000}
    issues = VALIDATOR.validate(made)
    assert len(issues) == MAX_ISSUES + 1
    assert issues[-1].message == "validation-more"


def nested(depth: int) -> dict[str, Any]:
    inner: dict[str, Any] = {"url": "a", "valueCode": "b"}
    for _ in range(depth):
        inner = {"url": "a", "extension": [inner]}
    return {"resourceType": "Patient", "extension": [inner]}


def test_deep_nesting_never_crashes() -> None:
    assert VALIDATOR.validate(nested(40)) == ()
    assert pairs(VALIDATOR.validate(nested(5_000)))[0][1] == "validation-depth"


@pytest.mark.parametrize(
    "text",
    [
        b'{"resourceType": []}',
        b'{"resourceType": {"a": 1}}',
        b'{"resourceType": "Bundle", "type": "batch", "entry": 1}',
        b'{"resourceType": "Bundle", "type": "batch", "entry": [[]]}',
        b'{"resourceType": "Bundle", "type": [], "entry": [{"resource": []}]}',
        b'{"resourceType": "Patient", "meta": []}',
        b'{"resourceType": "Patient", "meta": {"profile": {}}}',
        b'{"resourceType": "Patient", "meta": {"profile": [1]}}',
        b'{"resourceType": "Patient", "contained": {}}',
        b'{"resourceType": "Patient", "contained": [null]}',
        b'{"resourceType": "Patient", "contained": [{"id": [], "resourceType": "Patient"}]}',
        b'{"resourceType": "Condition", "clinicalStatus": {"coding": 3}}',
        b'{"resourceType": "Condition", "clinicalStatus": {"coding": [{"code": []}]}}',
        b'{"resourceType": "Patient", "managingOrganization": {"reference": [], "type": {}}}',
    ],
)
def test_odd_json_is_refused_and_never_crashes(text: bytes) -> None:
    made = decode(text)
    assert any(issue.severity == "error" for issue in VALIDATOR.validate(made, warnings=True))
    assert not VALIDATOR.fast.passes(made, Scope(made))


def test_no_value_of_a_resource_gets_into_an_issue() -> None:
    secret = "13912345678"
    made = {
        "resourceType": "Patient",
        "gender": secret,
        "birthDate": secret,
        "active": secret,
        "id": secret + "_",
        "name": [{"family": {"a": secret}, "use": secret, "given": secret}],
        "maritalStatus": secret,
        "deceasedDateTime": secret + "T",
        "managingOrganization": {"reference": f"Patient/{secret}"},
        "generalPractitioner": [{"reference": secret}],
        "photo": [{"contentType": secret, "data": secret}],
        "multipleBirthInteger": Decimal(secret + ".5"),
    }
    issues = VALIDATOR.validate(made)
    assert len(issues) > 10
    assert secret not in repr(issues)


@pytest.mark.shared
def test_synthea_is_valid_and_passes_without_a_doubt(shared: Path) -> None:
    paths = sorted((shared / "data/synthea").glob("*.json"))
    assert len(paths) >= 26
    for path in paths:
        made = decode(path.read_bytes())
        assert VALIDATOR.fast.passes(made, Scope(made)), path.name
        assert [one for one in VALIDATOR.validate(made) if one.severity == "error"] == []
