"""$document over HTTP."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from hub.interactions.binary import BLOB_FROM, MARK
from tests.operations.conftest import Resource, Store
from tests.rest.running import message_ids


def _composition(patient: Resource, **more: Any) -> Resource:
    return {
        "resourceType": "Composition",
        "status": "final",
        "type": {"text": "随访记录"},
        "title": "随访记录",
        "date": "2026-03-01",
        "subject": {"reference": f"Patient/{patient['id']}"},
        **more,
    }


def _large(store: Store, size: int) -> tuple[str, Resource]:
    """A Binary that is kept as a blob, and its content as base64."""
    data = base64.b64encode(bytes(range(256)) * (size // 256)).decode()
    made = store({"resourceType": "Binary", "contentType": "application/pdf", "data": data})
    return data, made


def _section(*ids: str) -> list[Resource]:
    return [{"title": "附件", "entry": [{"reference": f"Binary/{id}"} for id in ids]}]


def test_the_composition_comes_first_and_the_rest_in_the_order_of_its_references(
    fhir: httpx.Client, store: Store, patient: Resource
) -> None:
    doctor = store({"resourceType": "Practitioner"})
    conditions = [
        store({"resourceType": "Condition", "subject": {"reference": f"Patient/{patient['id']}"}})
        for _ in range(3)
    ]
    entries = [{"reference": f"Condition/{one['id']}"} for one in reversed(conditions)]
    composition = store(
        _composition(
            patient,
            author=[{"reference": f"Practitioner/{doctor['id']}"}],
            section=[{"title": "诊断", "entry": [*entries, entries[0]]}],
        )
    )
    response = fhir.get(f"/Composition/{composition['id']}/$document")
    assert response.status_code == 200, response.text
    bundle = response.json()
    assert bundle["type"] == "document"
    assert bundle["identifier"]["value"].startswith("urn:uuid:")
    assert bundle["timestamp"]
    resources = [entry["resource"] for entry in bundle["entry"]]
    assert resources == [composition, patient, doctor, *reversed(conditions)]
    for entry in bundle["entry"]:
        resource = entry["resource"]
        assert entry["fullUrl"].endswith(f"/fhir/{resource['resourceType']}/{resource['id']}")
    checked = fhir.post("/Bundle/$validate", json=bundle).json()
    assert not [one for one in checked["issue"] if one["severity"] in ("error", "fatal")], checked


def test_a_target_that_is_not_here_is_told(
    fhir: httpx.Client, store: Store, patient: Resource
) -> None:
    author = [{"reference": "Practitioner/nobody-here"}]
    response = fhir.post("/Composition", json=_composition(patient, author=author))
    if response.status_code == 201:
        response = fhir.get(f"/Composition/{response.json()['id']}/$document")
        assert message_ids(response) == ["document-target-missing"]
    assert response.status_code == 422


@pytest.mark.parametrize("persist", [True, False])
def test_persist_stores_the_document(
    fhir: httpx.Client, store: Store, patient: Resource, persist: bool
) -> None:
    author = [{"reference": f"Patient/{patient['id']}"}]
    composition = store(_composition(patient, author=author))
    body = {
        "resourceType": "Parameters",
        "parameter": [{"name": "persist", "valueBoolean": persist}],
    }
    before = fhir.get("/Bundle?_summary=count").json()["total"]
    bundle = fhir.post(f"/Composition/{composition['id']}/$document", json=body).json()
    after = fhir.get("/Bundle?_summary=count").json()["total"]
    assert after - before == int(persist)
    if persist:
        assert fhir.get(f"/Bundle/{bundle['id']}").json() == bundle


@pytest.mark.parametrize("persist", ["maybe", "", "TRUE"])
def test_persist_is_true_or_false(
    fhir: httpx.Client, store: Store, patient: Resource, persist: str
) -> None:
    author = [{"reference": f"Patient/{patient['id']}"}]
    composition = store(_composition(patient, author=author))
    url = f"/Composition/{composition['id']}/$document"
    response = fhir.get(url, params={"persist": persist})
    assert response.status_code == 400
    assert message_ids(response) == ["operation-parameter-type"]


@pytest.mark.parametrize("persist", [{}, [], ["true"], 5])
def test_persist_that_is_no_boolean_is_refused(
    fhir: httpx.Client, store: Store, patient: Resource, persist: Any
) -> None:
    author = [{"reference": f"Patient/{patient['id']}"}]
    composition = store(_composition(patient, author=author))
    parameter = [{"name": "persist", "valueBoolean": persist}]
    response = fhir.post(
        f"/Composition/{composition['id']}/$document",
        json={"resourceType": "Parameters", "parameter": parameter},
    )
    assert response.status_code == 400


def test_a_document_is_not_stored_by_get(
    fhir: httpx.Client, store: Store, patient: Resource
) -> None:
    author = [{"reference": f"Patient/{patient['id']}"}]
    composition = store(_composition(patient, author=author))
    response = fhir.get(f"/Composition/{composition['id']}/$document?persist=true")
    assert response.status_code == 405
    assert response.json()["issue"][0]["details"]["coding"][0]["code"] == "operation-needs-post"


@pytest.mark.parametrize("query", ["", "?persist=true"])
def test_a_large_binary_comes_with_its_content(
    fhir: httpx.Client, store: Store, patient: Resource, query: str
) -> None:
    data, binary = _large(store, BLOB_FROM * 2)
    author = [{"reference": f"Patient/{patient['id']}"}]
    composition = store(_composition(patient, author=author, section=_section(binary["id"])))
    response = fhir.request(
        "POST" if query else "GET", f"/Composition/{composition['id']}/$document{query}"
    )
    assert response.status_code == 200, response.text
    assert MARK not in response.text
    (found,) = (
        entry["resource"]
        for entry in response.json()["entry"]
        if entry["resource"]["resourceType"] == "Binary"
    )
    assert found["data"] == data
    as_xml = fhir.get(
        f"/Composition/{composition['id']}/$document", headers={"accept": "application/fhir+xml"}
    )
    assert MARK not in as_xml.text
    assert data in as_xml.text


def test_binaries_beyond_the_body_limit_are_not_gathered(
    fhir: httpx.Client, store: Store, patient: Resource
) -> None:
    ids = [_large(store, 512 * 1024)[1]["id"] for _ in range(3)]
    author = [{"reference": f"Patient/{patient['id']}"}]
    composition = store(_composition(patient, author=author, section=_section(*ids)))
    response = fhir.get(f"/Composition/{composition['id']}/$document")
    assert response.status_code == 413
    assert message_ids(response) == ["binary-raw-only"]


def test_only_a_composition_is_a_document(fhir: httpx.Client, patient: Resource) -> None:
    assert fhir.get("/Composition/nobody/$document").status_code == 404
    response = fhir.get(f"/Patient/{patient['id']}/$document")
    assert response.status_code == 404
    assert message_ids(response) == ["operation-not-here"]
