"""Who asked for what over HTTP, and whether it was answered, is found as AuditEvent."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.rest.running import RunningHub, running


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub that asks for tokens; its client is an administrator."""
    with running(tmp_path_factory.mktemp("audit"), auth="on") as found:
        yield found
        assert found.unexpected_errors() == 0, found.tracebacks()


def events(client: httpx.Client, query: str, count: int) -> list[dict[str, Any]]:
    """The events that a search finds, as soon as there are so many."""
    found: list[dict[str, Any]] = []
    for _ in range(40):
        answer = client.get(f"/AuditEvent?{query}", headers={"accept": "application/fhir+json"})
        answer.raise_for_status()
        found = [entry["resource"] for entry in answer.json().get("entry", [])]
        found = [one for one in found if "AuditEvent?" not in str(one["entity"])]
        if len(found) >= count:
            break
        time.sleep(0.05)
    return found


def codes(found: list[dict[str, Any]]) -> list[str]:
    return [one["subtype"][0]["code"] for one in found]


def test_reads_of_a_patient_are_found_newest_first(
    fhir: httpx.Client, patient: dict[str, Any]
) -> None:
    id = patient["id"]
    observation = {
        "resourceType": "Observation", "status": "final", "code": {"text": "x"},
        "subject": {"reference": f"Patient/{id}"},
    }  # fmt: skip
    made = fhir.post("/Observation", json=observation).json()
    fhir.get(f"/Observation/{made['id']}").raise_for_status()
    fhir.get(f"/Patient/{id}", headers={"accept": "application/fhir+xml"}).raise_for_status()
    fhir.get(f"/Patient/{id}/_history/1").raise_for_status()
    fhir.get(f"/Patient/{id}/_history").raise_for_status()
    fhir.get(f"/Observation?subject=Patient/{id}").raise_for_status()
    fhir.post("/Observation/_search", data={"patient": id}).raise_for_status()
    fhir.get(f"/Patient/{id}/Observation").raise_for_status()
    fhir.get(f"/Patient/{id}/$everything").raise_for_status()
    entry = [{"request": {"method": "GET", "url": f"Patient/{id}"}}]
    fhir.post("", json={"resourceType": "Bundle", "type": "batch", "entry": entry})
    assert fhir.put(f"/Patient/{id}", json={"resourceType": "Patient"}).status_code == 400
    found = events(fhir, f"patient={id}&_count=50", 12)
    assert codes(found) == [
        "update",
        "transaction",
        "everything",
        "search-type",
        "search-type",
        "search-type",
        "history-instance",
        "vread",
        "read",
        "read",
        "create",
        "create",
    ]
    assert [one["outcome"] for one in found[:2]] == ["4", "0"]
    forms = [entity for entity in found[4]["entity"] if "query" in entity]
    assert forms[0]["description"].startswith("Observation?patient=")
    times = [one["recorded"] for one in found]
    assert times == sorted(times, reverse=True)


def test_a_stranger_and_what_was_not_there_leave_traces(
    hub: RunningHub, fhir: httpx.Client
) -> None:
    with httpx.Client(base_url=hub.url) as stranger:
        refused = stranger.get("/fhir/Patient/secret", headers={"x-request-id": "stranger-1"})
    assert refused.status_code == 401
    assert fhir.get("/Patient/never-there").status_code == 404
    found = events(fhir, "patient=never-there", 1)
    assert [one["outcome"] for one in found] == ["4"]
    alerts = events(fhir, "type=110113", 1)
    assert "stranger-1" in str(alerts)
    assert all(one["type"]["code"] == "110113" for one in alerts)


def test_events_come_in_pages_and_in_xml(fhir: httpx.Client, patient: dict[str, Any]) -> None:
    events(fhir, f"entity=Patient/{patient['id']}", 1)
    url = f"/AuditEvent?date=gt2001&_count=2&agent={quote('Practitioner/none')},Practitioner/x"
    assert "entry" not in fhir.get(url).json()
    first = fhir.get("/AuditEvent?action=C&_count=1").json()
    following = {one["relation"]: one["url"] for one in first["link"]}
    if "next" in following:
        second = fhir.get(following["next"]).json()
        assert first["entry"][0]["resource"]["id"] != second["entry"][0]["resource"]["id"]
    id = first["entry"][0]["resource"]["id"]
    answer = fhir.get(f"/AuditEvent/{id}", headers={"accept": "application/fhir+xml"})
    assert answer.status_code == 200
    assert f'<id value="{id}"/>' in answer.text
    strict = {"prefer": "handling=strict"}
    assert fhir.get("/AuditEvent?_sort=date", headers=strict).status_code == 400
    assert fhir.get(f"/AuditEvent/{id}").headers["etag"] == 'W/"1"'
