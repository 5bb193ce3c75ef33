"""$expunge over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.operations.conftest import Resource
from tests.rest.running import message_ids


def _confirm(target: Any) -> Resource:
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": "confirm", "valueString": target}],
    }


def test_a_deleted_resource_is_removed_with_its_history(
    fhir: httpx.Client, patient: Resource
) -> None:
    url = f"/Patient/{patient['id']}"
    assert fhir.put(url, json=patient | {"gender": "male"}).status_code == 200
    fhir.delete(url)
    assert fhir.get(url).status_code == 410
    response = fhir.post(f"{url}/$expunge", json=_confirm(url[1:]))
    assert response.status_code == 200, response.text
    assert response.json()["parameter"] == [{"name": "versions", "valueInteger": 3}]
    for gone in (url, f"{url}/_history", f"{url}/_history/1", f"{url}/_history/3"):
        assert fhir.get(gone).status_code == 404
    history = fhir.get("/Patient/_history?_count=1000").text
    assert patient["id"] not in history
    again = fhir.post(f"{url}/$expunge", json=_confirm(url[1:]))
    assert again.status_code == 404


def test_what_is_not_deleted_stays(fhir: httpx.Client, patient: Resource) -> None:
    url = f"/Patient/{patient['id']}"
    response = fhir.post(f"{url}/$expunge", json=_confirm(url[1:]))
    assert response.status_code == 409
    assert message_ids(response) == ["expunge-not-deleted"]
    assert fhir.get(url).json() == patient


@pytest.mark.parametrize("confirm", ["", "Patient/other", "yes", 5, None, {}])
def test_without_its_name_as_confirmation_it_stays(
    fhir: httpx.Client, patient: Resource, confirm: Any
) -> None:
    url = f"/Patient/{patient['id']}"
    fhir.delete(url)
    response = fhir.post(f"{url}/$expunge", json=_confirm(confirm))
    assert response.status_code in (400, 422)
    assert fhir.get(url).status_code == 410
    assert fhir.get(f"{url}/_history/1").status_code == 200


def test_a_call_without_a_body_is_refused(fhir: httpx.Client, patient: Resource) -> None:
    url = f"/Patient/{patient['id']}"
    fhir.delete(url)
    response = fhir.post(f"{url}/$expunge")
    assert response.status_code == 422
    assert message_ids(response) == ["expunge-confirm"]


def test_what_never_was_is_not_found(fhir: httpx.Client) -> None:
    response = fhir.post("/Patient/nobody/$expunge", json=_confirm("Patient/nobody"))
    assert response.status_code == 404
