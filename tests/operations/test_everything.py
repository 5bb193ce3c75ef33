"""$everything over HTTP, page by page."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.operations.conftest import Resource, Store
from tests.rest.running import message_ids

Keys = list[tuple[str, str]]


def _record(store: Store) -> tuple[str, set[tuple[str, str]], set[tuple[str, str]]]:
    """A patient with a record: id, what is in the compartment, what it refers to outside."""
    organization = store({"resourceType": "Organization", "name": "中心"})
    gp = store({"resourceType": "Practitioner", "name": [{"text": "李明"}]})
    nurse = store({"resourceType": "Practitioner", "name": [{"text": "王芳"}]})
    patient = store(
        {
            "resourceType": "Patient",
            "generalPractitioner": [{"reference": f"Practitioner/{gp['id']}"}],
            "managingOrganization": {"reference": f"Organization/{organization['id']}"},
        }
    )
    subject = {"reference": f"Patient/{patient['id']}"}
    made = [patient]
    made += [
        store(
            {
                "resourceType": "Observation",
                "status": "final",
                "code": {"text": "weight"},
                "subject": subject,
                "effectiveDateTime": f"2026-01-{day:02}",
                "performer": [{"reference": f"Practitioner/{nurse['id']}"}],
            }
        )
        for day in range(1, 18)
    ]
    made += [
        store({"resourceType": "Condition", "subject": subject, "code": {"text": str(number)}})
        for number in range(6)
    ]
    outside = (organization, gp, nurse)
    return patient["id"], set(_keys(made)), set(_keys(outside))


def _keys(resources: Any) -> Keys:
    return [(one["resourceType"], one["id"]) for one in resources]


def _pages(fhir: httpx.Client, url: str) -> list[dict[str, Keys]]:
    """Keys by search.mode, of every page."""
    found = []
    following: str | None = url
    while following is not None:
        response = fhir.get(following)
        assert response.status_code == 200, response.text
        bundle = response.json()
        assert bundle["type"] == "searchset"
        modes: dict[str, Keys] = {"match": [], "include": []}
        for entry in bundle.get("entry", []):
            modes[entry["search"]["mode"]] += _keys([entry["resource"]])
        found.append(modes)
        assert len(found) < 100
        links = {link["relation"]: link["url"] for link in bundle["link"]}
        following = links.get("next")
    return found


def _matches(fhir: httpx.Client, url: str) -> Keys:
    return [key for page in _pages(fhir, url) for key in page["match"]]


def test_the_pages_have_no_gap_and_no_duplicate(fhir: httpx.Client, store: Store) -> None:
    id, inside, outside = _record(store)
    pages = _pages(fhir, f"/Patient/{id}/$everything?_count=5")
    assert len(pages) >= 5
    assert all(len(page["match"]) <= 6 for page in pages)
    matches = [key for page in pages for key in page["match"]]
    assert matches[0] == ("Patient", id)
    assert len(matches) == len(set(matches))
    assert set(matches) == inside
    assert {key for page in pages for key in page["include"]} == outside
    for page in pages:
        assert len(page["include"]) == len(set(page["include"]))


def test_one_page_holds_it_all_by_default(fhir: httpx.Client, store: Store) -> None:
    id, inside, outside = _record(store)
    (page,) = _pages(fhir, f"/Patient/{id}/$everything")
    assert set(page["match"]) == inside
    assert set(page["include"]) == outside


def test_types_can_be_chosen(fhir: httpx.Client, store: Store) -> None:
    id, inside, _ = _record(store)
    (page,) = _pages(fhir, f"/Patient/{id}/$everything?_type=Condition")
    wanted = {key for key in inside if key[0] == "Condition"}
    assert set(page["match"]) == wanted
    assert page["include"] == []


def test_since_leaves_out_what_is_older(fhir: httpx.Client, store: Store) -> None:
    id, inside, _ = _record(store)
    newer = store(
        {
            "resourceType": "Condition",
            "subject": {"reference": f"Patient/{id}"},
            "code": {"text": "new"},
        }
    )
    since = newer["meta"]["lastUpdated"]
    url = str(httpx.URL(f"/Patient/{id}/$everything", params={"_since": since}))
    found = _matches(fhir, url)
    assert ("Condition", newer["id"]) in found
    older = {key for key in inside if key[0] == "Observation"}
    assert len(older & set(found)) < len(older)
    assert _matches(fhir, f"/Patient/{id}/$everything?_since=2999-01-01") == []


def test_start_and_end_are_inclusive_and_keep_what_has_no_date(
    fhir: httpx.Client, store: Store
) -> None:
    id, _, _ = _record(store)
    url = f"/Patient/{id}/$everything?start=2026-01-03&end=2026-01-05&_count=5"
    kinds = [type for type, _ in _matches(fhir, url)]
    assert kinds.count("Observation") == 3
    assert kinds.count("Condition") == 6
    assert kinds.count("Patient") == 1


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("start=abc", "operation-parameter-type"),
        ("end=2026-13", "operation-parameter-type"),
        ("start=2026&start=2027", "operation-parameter-repeated"),
        ("_since=abc", "operation-parameter-type"),
        ("_count=0", "operation-parameter-range"),
        ("_count=x", "operation-parameter-range"),
        ("_type=Foo", "operation-parameter-type"),
        ("_cursor=x", "search-cursor-invalid"),
        ("_cursor=7~", "search-cursor-invalid"),
        ("_cursor=0~abc", "search-cursor-invalid"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_refused(
    fhir: httpx.Client, patient: Resource, query: str, message: str
) -> None:
    response = fhir.get(f"/Patient/{patient['id']}/$everything?{query}")
    assert response.status_code == 400
    assert message_ids(response) == [message]


def test_an_encounter_comes_with_its_patient_and_practitioner(
    fhir: httpx.Client, store: Store, patient: Resource
) -> None:
    doctor = store({"resourceType": "Practitioner"})
    subject = {"reference": f"Patient/{patient['id']}"}
    visit = store(
        {
            "resourceType": "Encounter",
            "status": "finished",
            "class": {"code": "AMB"},
            "subject": subject,
            "participant": [{"individual": {"reference": f"Practitioner/{doctor['id']}"}}],
        }
    )
    reading = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "subject": subject,
    }
    within = store(reading | {"encounter": {"reference": f"Encounter/{visit['id']}"}})
    store(reading)
    (page,) = _pages(fhir, f"/Encounter/{visit['id']}/$everything")
    assert page["match"] == _keys([visit, within])
    assert set(page["include"]) == set(_keys([patient, doctor]))


def test_a_group_gives_the_records_of_its_patients(fhir: httpx.Client, store: Store) -> None:
    one, inside_one, outside_one = _record(store)
    two, inside_two, outside_two = _record(store)
    members = [{"entity": {"reference": f"Patient/{id}"}} for id in (one, two)]
    group = store({"resourceType": "Group", "type": "person", "actual": True, "member": members})
    pages = _pages(fhir, f"/Group/{group['id']}/$everything?_count=5")
    matches = [key for page in pages for key in page["match"]]
    assert matches[0] == ("Group", group["id"])
    assert len(matches) == len(set(matches))
    assert set(matches) == inside_one | inside_two | {("Group", group["id"])}
    assert {key for page in pages for key in page["include"]} == outside_one | outside_two


def test_a_group_without_patients_gives_itself(fhir: httpx.Client, store: Store) -> None:
    group = store({"resourceType": "Group", "type": "person", "actual": True})
    assert _matches(fhir, f"/Group/{group['id']}/$everything") == [("Group", group["id"])]


def test_who_is_not_there_has_no_record(fhir: httpx.Client, patient: Resource) -> None:
    assert fhir.get("/Patient/nobody/$everything").status_code == 404
    fhir.delete(f"/Patient/{patient['id']}")
    assert fhir.get(f"/Patient/{patient['id']}/$everything").status_code == 410
