"""search and history over HTTP: by GET and POST, in JSON and XML, with links that work."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

from tests.rest.running import message_ids


@pytest.fixture
def family(fhir: httpx.Client) -> str:
    """A family name that three patients share."""
    name = uuid.uuid4().hex
    for given in ("a", "b", "c"):
        body = {"resourceType": "Patient", "name": [{"family": name, "given": [given]}]}
        assert fhir.post("/Patient", json=body).status_code == 201
    return name


def _link(bundle: dict[str, Any], relation: str) -> str:
    return next(link["url"] for link in bundle["link"] if link["relation"] == relation)


def test_a_search_finds_by_get_and_by_post(fhir: httpx.Client, family: str) -> None:
    by_get = fhir.get("/Patient", params={"family": family, "_total": "accurate"}).json()
    assert by_get["type"] == "searchset"
    assert by_get["total"] == 3
    assert {entry["search"]["mode"] for entry in by_get["entry"]} == {"match"}
    by_post = fhir.post("/Patient/_search", data={"family": family}).json()
    assert len(by_post["entry"]) == 3
    both = fhir.post(f"/Patient/_search?family={family}", data={"given": "a"}).json()
    assert len(both["entry"]) == 1


def test_pages_follow_their_links(fhir: httpx.Client, family: str) -> None:
    page = fhir.get("/Patient", params={"family": family, "_count": "2"}).json()
    assert len(page["entry"]) == 2
    rest = fhir.get(_link(page, "next")).json()
    assert len(rest["entry"]) == 1
    ids = {entry["resource"]["id"] for entry in page["entry"] + rest["entry"]}
    assert len(ids) == 3


def test_a_search_comes_as_xml_by_a_form_field(fhir: httpx.Client, family: str) -> None:
    response = fhir.post("/Patient/_search", data={"family": family, "_format": "xml"})
    assert response.headers["content-type"] == "application/fhir+xml; charset=utf-8"
    assert response.text.count("<entry>") == 3


def test_the_whole_system_is_searched(fhir: httpx.Client, family: str) -> None:
    found = fhir.get("/", params={"_type": "Patient,Observation", "_count": "1"})
    assert found.status_code == 200
    assert found.json()["type"] == "searchset"
    assert fhir.post("/_search", data={"_type": "Patient"}).status_code == 200


def test_a_compartment_is_searched(fhir: httpx.Client, patient: dict[str, Any]) -> None:
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": f"Patient/{patient['id']}"},
    }
    made = fhir.post("/Observation", json=observation).json()
    for url in (f"/Patient/{patient['id']}/Observation", f"/Patient/{patient['id']}/*"):
        found = fhir.get(url).json()
        assert made["id"] in {entry["resource"]["id"] for entry in found.get("entry", ())}
    posted = fhir.post(f"/Patient/{patient['id']}/Observation/_search", data={"status": "final"})
    assert len(posted.json()["entry"]) == 1


def test_an_unknown_parameter_is_ignored_or_refused(fhir: httpx.Client) -> None:
    lenient = fhir.get("/Patient", params={"colour": "red", "_count": "0"})
    assert lenient.status_code == 200
    assert "colour" not in _link(lenient.json(), "self")
    strict = fhir.get("/Patient", params={"colour": "red"}, headers={"prefer": "handling=strict"})
    assert strict.status_code == 400


def test_history_is_newest_first(fhir: httpx.Client, patient: dict[str, Any]) -> None:
    url = f"/Patient/{patient['id']}"
    fhir.put(url, json={**patient, "active": True})
    fhir.delete(url)
    bundle = fhir.get(f"{url}/_history").json()
    assert bundle["type"] == "history"
    methods = [entry["request"]["method"] for entry in bundle["entry"]]
    assert methods == ["DELETE", "PUT", "POST"]
    for scope in ("/Patient/_history", "/_history"):
        page = fhir.get(scope, params={"_count": "1"}).json()
        assert len(page["entry"]) == 1
        assert fhir.get(_link(page, "next")).json()["entry"]


def test_a_form_in_another_character_set_is_unsupported(fhir: httpx.Client) -> None:
    content_type = "application/x-www-form-urlencoded; charset=gbk"
    response = fhir.post(
        "/Patient/_search", content=b"name=a", headers={"content-type": content_type}
    )
    assert response.status_code == 415
    assert message_ids(response) == ["charset-unsupported"]


def test_a_search_without_a_form_is_a_search_for_everything(fhir: httpx.Client) -> None:
    assert fhir.post("/Patient/_search").status_code == 200


def test_operations_answer_on_their_levels(fhir: httpx.Client, patient: dict[str, Any]) -> None:
    url = f"/Patient/{patient['id']}"
    assert fhir.get(f"{url}/$everything").json()["type"] == "searchset"
    assert fhir.get(f"{url}/%24meta").json()["resourceType"] == "Parameters"
    checked = fhir.post("/Patient/$validate", json={"resourceType": "Patient", "gender": "x"})
    assert checked.status_code == 200
    assert checked.json()["resourceType"] == "OperationOutcome"
    converted = fhir.post("/$convert", json=patient, headers={"accept": "application/fhir+xml"})
    assert "<Patient" in converted.text
