"""create, update, patch, delete and their conditions over HTTP."""

from __future__ import annotations

import gzip
import uuid
from typing import Any

import httpx
import pytest

from tests.rest.running import message_ids, outcome

Patient = dict[str, Any]
FHIR_JSON = {"content-type": "application/fhir+json"}
JSON_PATCH = {"content-type": "application/json-patch+json"}


def _patient(**more: Any) -> Patient:
    return {"resourceType": "Patient", **more}


def _identifier() -> dict[str, Any]:
    return {"system": "urn:test", "value": uuid.uuid4().hex}


def test_a_created_resource_has_a_location(fhir: httpx.Client) -> None:
    response = fhir.post("/Patient", json=_patient())
    made = response.json()
    assert response.status_code == 201
    base = str(fhir.base_url).rstrip("/")
    assert response.headers["location"] == f"{base}/Patient/{made['id']}/_history/1"
    assert response.headers["etag"] == 'W/"1"'
    assert response.headers["last-modified"]
    assert fhir.get(response.headers["location"]).json() == made


def test_xml_goes_in_and_json_comes_out(fhir: httpx.Client) -> None:
    body = '<Patient xmlns="http://hl7.org/fhir"><name><family value="李"/></name></Patient>'
    response = fhir.post(
        "/Patient", content=body.encode(), headers={"content-type": "application/fhir+xml"}
    )
    assert response.status_code == 201
    assert response.json()["name"] == [{"family": "李"}]


def test_a_compressed_body_is_unpacked(fhir: httpx.Client) -> None:
    response = fhir.post(
        "/Patient",
        content=gzip.compress(b'{"resourceType":"Patient"}'),
        headers={**FHIR_JSON, "content-encoding": "gzip"},
    )
    assert response.status_code == 201


def test_a_gzip_bomb_is_too_large(fhir: httpx.Client) -> None:
    bomb = gzip.compress(b" " * 100_000_000, 9)
    response = fhir.post(
        "/Patient", content=bomb, headers={**FHIR_JSON, "content-encoding": "gzip"}
    )
    assert response.status_code == 413


@pytest.mark.parametrize(
    ("prefer", "shown"),
    [
        (None, "Patient"),
        ("return=representation", "Patient"),
        ("return=OperationOutcome", "OperationOutcome"),
        ("return=minimal", None),
    ],
)
def test_prefer_decides_what_a_write_answers(
    fhir: httpx.Client, prefer: str | None, shown: str | None
) -> None:
    headers = {} if prefer is None else {"prefer": prefer}
    response = fhir.post("/Patient", json=_patient(), headers=headers)
    assert response.status_code == 201
    assert response.headers["location"]
    if shown is None:
        assert response.content == b""
    else:
        assert response.json()["resourceType"] == shown
    assert response.headers.get("preference-applied") == prefer


def test_an_update_needs_no_earlier_version(fhir: httpx.Client) -> None:
    id = uuid.uuid4().hex
    first = fhir.put(f"/Patient/{id}", json=_patient(id=id))
    assert first.status_code == 201
    assert first.headers["location"].endswith(f"/Patient/{id}/_history/1")
    second = fhir.put(f"/Patient/{id}", json=_patient(id=id, active=True))
    assert second.status_code == 200
    assert second.headers["etag"] == 'W/"2"'


def test_an_update_of_another_version_fails(fhir: httpx.Client, patient: Patient) -> None:
    url = f"/Patient/{patient['id']}"
    stale = fhir.put(url, json=patient, headers={"if-match": 'W/"7"'})
    assert stale.status_code == 412
    outcome(stale)
    assert fhir.put(url, json=patient, headers={"if-match": 'W/"1"'}).status_code == 200
    exists = fhir.put(url, json=patient, headers={"if-none-match": "*"})
    assert exists.status_code == 412


def test_if_none_exist_creates_once(fhir: httpx.Client) -> None:
    identifier = _identifier()
    condition = {"if-none-exist": f"identifier=urn:test|{identifier['value']}"}
    body = _patient(identifier=[identifier])
    first = fhir.post("/Patient", json=body, headers=condition)
    again = fhir.post("/Patient", json=body, headers=condition)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]


def test_conditional_update_patch_and_delete(fhir: httpx.Client) -> None:
    identifier = _identifier()
    where = {"identifier": f"urn:test|{identifier['value']}"}
    made = fhir.put("/Patient", params=where, json=_patient(identifier=[identifier]))
    assert made.status_code == 201
    patched = fhir.patch(
        "/Patient",
        params=where,
        json=[{"op": "add", "path": "/active", "value": True}],
        headers=JSON_PATCH,
    )
    assert patched.status_code == 200
    assert patched.json()["active"] is True
    assert fhir.delete("/Patient", params=where).status_code == 204
    assert fhir.get(f"/Patient/{made.json()['id']}").status_code == 410


def test_a_json_patch_changes_a_part(fhir: httpx.Client, patient: Patient) -> None:
    url = f"/Patient/{patient['id']}"
    changes = [{"op": "replace", "path": "/name/0/family", "value": "王"}]
    response = fhir.patch(url, json=changes, headers=JSON_PATCH)
    assert response.status_code == 200
    assert response.json()["name"][0]["family"] == "王"
    assert response.headers["content-location"].endswith("/_history/2")
    stale = fhir.patch(url, json=changes, headers={**JSON_PATCH, "if-match": 'W/"1"'})
    assert stale.status_code == 412


def test_a_fhirpath_patch_changes_a_part(fhir: httpx.Client, patient: Patient) -> None:
    parts = [
        {"name": "type", "valueCode": "replace"},
        {"name": "path", "valueString": "Patient.name[0].family"},
        {"name": "value", "valueString": "赵"},
    ]
    body = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}
    response = fhir.patch(f"/Patient/{patient['id']}", json=body, headers=FHIR_JSON)
    assert response.status_code == 200
    assert response.json()["name"][0]["family"] == "赵"


def test_what_the_server_takes_for_a_patch_is_told(fhir: httpx.Client) -> None:
    response = fhir.patch("/Patient/1", content=b"x", headers={"content-type": "text/plain"})
    assert response.status_code == 415
    assert "application/json-patch+json" in response.headers["accept-patch"]


def test_a_delete_answers_nothing_or_an_outcome(fhir: httpx.Client, patient: Patient) -> None:
    url = f"/Patient/{patient['id']}"
    response = fhir.delete(url, headers={"prefer": "return=OperationOutcome"})
    assert response.status_code == 200
    assert response.json()["resourceType"] == "OperationOutcome"
    assert fhir.delete(url).status_code == 204
    assert fhir.delete("/Patient/never-there").status_code == 204


def test_a_referenced_resource_is_not_deleted(fhir: httpx.Client, patient: Patient) -> None:
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": f"Patient/{patient['id']}"},
    }
    assert fhir.post("/Observation", json=observation).status_code == 201
    response = fhir.delete(f"/Patient/{patient['id']}")
    assert response.status_code == 409
    assert message_ids(response) == ["still-referenced"]


def test_all_issues_of_an_invalid_resource_are_told(fhir: httpx.Client) -> None:
    response = fhir.post("/Patient", json=_patient(gender="x", birthDate="1.1.2000"))
    assert response.status_code == 422
    places = {issue["expression"][0] for issue in outcome(response)["issue"]}
    assert {"Patient.gender", "Patient.birthDate"} <= places


def test_a_transaction_is_run_whole(fhir: httpx.Client) -> None:
    full_url = f"urn:uuid:{uuid.uuid4()}"
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": full_url,
                "resource": _patient(active=True),
                "request": {"method": "POST", "url": "Patient"},
            },
            {
                "resource": {
                    "resourceType": "Observation",
                    "status": "final",
                    "code": {"text": "x"},
                    "subject": {"reference": full_url},
                },
                "request": {"method": "POST", "url": "Observation"},
            },
        ],
    }
    response = fhir.post("/", json=bundle)
    assert response.status_code == 200, response.text
    answer = response.json()
    assert answer["type"] == "transaction-response"
    assert [entry["response"]["status"][:3] for entry in answer["entry"]] == ["201", "201"]
    broken = bundle | {"entry": [*bundle["entry"], {"request": {"method": "GET", "url": "No/1"}}]}
    refused = fhir.post("/", json=broken)
    assert refused.status_code == 400
    assert "Bundle.entry[2]" in outcome(refused)["issue"][0]["expression"][0]


def test_a_batch_runs_what_it_can(fhir: httpx.Client, patient: Patient) -> None:
    bundle = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [
            {"request": {"method": "GET", "url": f"Patient/{patient['id']}"}},
            {"request": {"method": "GET", "url": "Patient/absent"}},
        ],
    }
    answer = fhir.post("/", json=bundle).json()
    assert answer["type"] == "batch-response"
    assert [entry["response"]["status"][:3] for entry in answer["entry"]] == ["200", "404"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/Patient"),
        ("PUT", "/Patient/{id}"),
        ("PATCH", "/Patient/{id}"),
        ("DELETE", "/Patient/{id}"),
        ("POST", ""),
        ("GET", "/metadata"),
    ],
)
def test_strict_handling_refuses_parameters_without_effect(
    fhir: httpx.Client, patient: dict[str, Any], method: str, path: str
) -> None:
    url = path.format(id=patient["id"]) + "?colour=red&_format=json"
    response = fhir.request(method, url, json=patient, headers={"prefer": "handling=strict"})
    assert response.status_code == 400
    assert message_ids(response) == ["parameter-unknown"]
    assert fhir.get(f"/Patient/{patient['id']}").json() == patient
