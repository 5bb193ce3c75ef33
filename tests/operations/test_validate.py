"""$validate over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.operations.conftest import Resource, Store
from tests.rest.running import message_ids

PATIENT = {
    "resourceType": "Patient",
    "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'},
    "name": [{"text": "张小明"}],
}


def _parameters(**given: Any) -> Resource:
    entries = [
        {"name": name, "resource": value}
        if isinstance(value, dict)
        else {"name": name, "valueString": value}
        for name, value in given.items()
    ]
    return {"resourceType": "Parameters", "parameter": entries}


def test_a_valid_resource_has_no_problems(fhir: httpx.Client) -> None:
    response = fhir.post("/Patient/$validate", json=PATIENT)
    assert response.status_code == 200
    assert message_ids(response) == ["validate-ok"]
    assert response.json()["issue"][0]["severity"] == "information"


def test_an_error_is_told_with_its_place_and_200(fhir: httpx.Client) -> None:
    response = fhir.post("/Patient/$validate", json=PATIENT | {"gender": "x"})
    assert response.status_code == 200
    (issue,) = response.json()["issue"]
    assert issue["severity"] == "error"
    assert issue["expression"] == ["Patient.gender"]


def test_nothing_is_stored(fhir: httpx.Client) -> None:
    before = fhir.get("/Patient?_summary=count").json()["total"]
    fhir.post("/Patient/$validate?mode=create", json=PATIENT)
    assert fhir.get("/Patient?_summary=count").json()["total"] == before


@pytest.mark.parametrize("mode", ["create", "update", "profile"])
def test_a_mode_may_stand_in_the_query_or_in_the_body(
    fhir: httpx.Client, patient: Resource, mode: str
) -> None:
    url = f"/Patient/{patient['id']}/$validate"
    resource = PATIENT | {"id": patient["id"]} if mode != "create" else PATIENT
    in_query = fhir.post(url, params={"mode": mode}, json=resource)
    in_body = fhir.post(url, json=_parameters(resource=resource, mode=mode))
    assert in_query.status_code == in_body.status_code == 200
    assert message_ids(in_query) == message_ids(in_body) == ["validate-ok"]


def test_a_mode_that_does_not_exist_is_refused(fhir: httpx.Client) -> None:
    response = fhir.post("/Patient/$validate?mode=guess", json=PATIENT)
    assert response.status_code == 400
    assert message_ids(response) == ["validate-mode-unknown"]


def test_a_mode_given_twice_is_refused(fhir: httpx.Client) -> None:
    response = fhir.post("/Patient/$validate?mode=create&mode=update", json=PATIENT)
    assert response.status_code == 400
    assert message_ids(response) == ["operation-parameter-repeated"]


def test_delete_says_whether_references_forbid_it(
    fhir: httpx.Client, store: Store, patient: Resource
) -> None:
    url = f"/Patient/{patient['id']}/$validate?mode=delete"
    assert message_ids(fhir.get(url)) == ["validate-ok"]
    subject = {"reference": f"Patient/{patient['id']}"}
    store({"resourceType": "Condition", "subject": subject, "code": {"text": "x"}})
    assert message_ids(fhir.get(url)) == ["still-referenced"]
    assert fhir.get(f"/Patient/{patient['id']}").status_code == 200


def test_a_profile_that_is_not_applied_is_told_as_warning(fhir: httpx.Client) -> None:
    url = "/Patient/$validate?profile=https://clinic.example/StructureDefinition/p"
    response = fhir.post(url, json=PATIENT)
    assert message_ids(response) == ["validate-profile-depth"]
    assert response.json()["issue"][0]["severity"] == "warning"


def test_the_base_profile_is_applied(fhir: httpx.Client) -> None:
    url = "/Patient/$validate?profile=http://hl7.org/fhir/StructureDefinition/Patient"
    assert message_ids(fhir.post(url, json=PATIENT)) == ["validate-ok"]


def test_another_type_than_the_url_says_is_an_error(fhir: httpx.Client) -> None:
    assert "validate-type-mismatch" in message_ids(fhir.post("/Group/$validate", json=PATIENT))


def test_another_id_than_the_url_says_is_an_error_of_an_update(
    fhir: httpx.Client, patient: Resource
) -> None:
    url = f"/Patient/{patient['id']}/$validate?mode=update"
    response = fhir.post(url, json=PATIENT | {"id": "other"})
    assert "validate-id-mismatch" in message_ids(response)


def test_the_stored_resource_is_validated_without_a_body(
    fhir: httpx.Client, patient: Resource
) -> None:
    response = fhir.get(f"/Patient/{patient['id']}/$validate")
    assert message_ids(response) == ["rule-dom-6"]


def test_nothing_to_validate_is_refused(fhir: httpx.Client) -> None:
    response = fhir.get("/Patient/$validate")
    assert response.status_code == 400
    assert message_ids(response) == ["operation-parameter-missing"]


def test_an_instance_that_is_not_there_is_not_found(fhir: httpx.Client) -> None:
    assert fhir.get("/Patient/nobody/$validate").status_code == 404
    assert fhir.get("/Patient/nobody/$validate?mode=delete").status_code == 404


@pytest.mark.parametrize("mode", ["create", "update"])
def test_what_a_write_would_be_refused_for_is_told_all_at_once(
    fhir: httpx.Client, patient: Resource, mode: str
) -> None:
    medication = {
        "resourceType": "MedicationRequest",
        "id": "m",
        "text": PATIENT["text"],
        "status": "active",
        "intent": "order",
        "medicationReference": {"reference": "Medication/none"},
        "subject": {"reference": f"Patient/{patient['id']}"},
        "requester": {"reference": "Practitioner/none"},
        "basedOn": [{"reference": "MedicationRequest/m"}],
    }
    url = f"/MedicationRequest/$validate?mode={mode}"
    told = fhir.post(url, json=medication).json()["issue"]
    assert [issue["expression"] for issue in told] == [
        ["MedicationRequest.medication"],
        ["MedicationRequest.requester"],
    ]
    assert {issue["details"]["coding"][0]["code"] for issue in told} == {"reference-target-missing"}
    refused = fhir.put("/MedicationRequest/m", json=medication)
    assert refused.status_code == 422
    assert [issue["expression"] for issue in refused.json()["issue"]] == [
        issue["expression"] for issue in told
    ]
    assert message_ids(fhir.post("/MedicationRequest/$validate", json=medication)) == [
        "validate-ok"
    ]


def test_the_definition_of_another_type_is_no_profile_of_this_one(fhir: httpx.Client) -> None:
    url = "/Patient/$validate?profile=http://hl7.org/fhir/StructureDefinition/Observation"
    response = fhir.post(url, json=PATIENT)
    assert message_ids(response) == ["validate-profile-type"]
    assert response.json()["issue"][0]["severity"] == "error"


def test_a_missing_type_or_id_is_told_once(fhir: httpx.Client, patient: Resource) -> None:
    told = message_ids(fhir.post("/Patient/$validate", json={"active": True}))
    assert told == ["validation-resource-type-missing"]
    told = message_ids(fhir.post(f"/Patient/{patient['id']}/$validate?mode=update", json=PATIENT))
    assert told == ["validation-id-required"]
