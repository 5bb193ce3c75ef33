"""Which operation is run where: by URL, by method, within a batch."""

from __future__ import annotations

import httpx
import pytest

from tests.operations.conftest import Resource, Store
from tests.rest.running import message_ids


def _entry(method: str, url: str, resource: Resource | None = None) -> Resource:
    entry: Resource = {"request": {"method": method, "url": url}}
    return entry if resource is None else entry | {"resource": resource}


@pytest.mark.parametrize("path", ["/$nope", "/Patient/$nope", "/Patient/x/$nope", "/$"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_operation_that_does_not_exist_is_not_found(
    fhir: httpx.Client, method: str, path: str
) -> None:
    response = fhir.request(method, path)
    assert response.status_code == 404
    assert message_ids(response) == ["operation-unknown"]


@pytest.mark.parametrize(
    "path",
    ["/Patient/$convert", "/Patient/x/$fhirpath", "/$everything", "/Observation/x/$everything"],
)
def test_an_operation_elsewhere_than_at_its_level_is_not_found(
    fhir: httpx.Client, path: str
) -> None:
    response = fhir.post(path)
    assert response.status_code == 404
    assert message_ids(response) == ["operation-not-here"]


@pytest.mark.parametrize("name", ["meta-add", "meta-delete", "expunge"])
def test_what_changes_the_record_is_not_called_by_get(
    fhir: httpx.Client, patient: Resource, name: str
) -> None:
    response = fhir.get(f"/Patient/{patient['id']}/${name}")
    assert response.status_code == 405
    assert message_ids(response) == ["operation-needs-post"]
    assert fhir.get(f"/Patient/{patient['id']}").json() == patient


def test_operations_run_within_a_batch(fhir: httpx.Client, patient: Resource) -> None:
    url = f"Patient/{patient['id']}"
    tag = {"system": "https://clinic.example/tags", "code": "batch"}
    meta = {
        "resourceType": "Parameters",
        "parameter": [{"name": "meta", "valueMeta": {"tag": [tag]}}],
    }
    entries = [
        _entry("GET", f"{url}/$everything"),
        _entry("POST", f"{url}/$meta-add", meta),
        _entry("POST", "Patient/$validate", {"resourceType": "Patient", "gender": "x"}),
        _entry("GET", f"{url}/$nope"),
        _entry("GET", f"{url}/$meta-add"),
        _entry("GET", "Observation/$lastn"),
    ]
    response = fhir.post("/", json={"resourceType": "Bundle", "type": "batch", "entry": entries})
    assert response.status_code == 200, response.text
    answers = response.json()["entry"]
    statuses = [answer["response"]["status"][:3] for answer in answers]
    assert statuses == ["200", "200", "200", "404", "405", "400"]
    assert answers[0]["resource"]["type"] == "searchset"
    assert answers[1]["resource"]["parameter"][0]["valueMeta"]["tag"] == [tag]
    assert answers[2]["resource"]["issue"][0]["expression"] == ["Patient.gender"]
    assert fhir.get(f"/{url}").json()["meta"]["tag"] == [tag]


def test_a_transaction_refuses_what_changes_the_record(
    fhir: httpx.Client, patient: Resource
) -> None:
    entry = _entry("POST", f"Patient/{patient['id']}/$expunge")
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    response = fhir.post("/", json=bundle)
    assert response.status_code == 400
    assert message_ids(response) == ["bundle-operation-writes"]


@pytest.mark.parametrize(("persist", "told"), [("true", 400), ("false", 200)])
def test_a_transaction_makes_documents_and_stores_none(
    fhir: httpx.Client, store: Store, patient: Resource, persist: str, told: int
) -> None:
    composition = store(
        {
            "resourceType": "Composition",
            "status": "final",
            "type": {"text": "x"},
            "title": "x",
            "date": "2026-03-01",
            "author": [{"reference": f"Patient/{patient['id']}"}],
        }
    )
    before = fhir.get("/Bundle?_summary=count").json()["total"]
    url = f"Composition/{composition['id']}/$document?persist={persist}&_format=json"
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [_entry("POST", url)]}
    response = fhir.post("/", json=bundle)
    assert response.status_code == told, response.text
    if told == 400:
        assert message_ids(response) == ["bundle-operation-writes"]
    else:
        assert response.json()["entry"][0]["resource"]["type"] == "document"
    assert fhir.get("/Bundle?_summary=count").json()["total"] == before
