"""$everything page by page: nothing twice, nothing left out, whatever the size of a page."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.operations.conftest import Resource, Store

Key = tuple[str, str]


def _all(fhir: httpx.Client, url: str) -> list[tuple[str, Key]]:
    """Mode and key of every entry of every page."""
    found: list[tuple[str, Key]] = []
    following: str | None = url
    pages = 0
    while following is not None:
        response = fhir.get(following)
        assert response.status_code == 200, response.text
        bundle = response.json()
        found += [
            (entry["search"]["mode"], (entry["resource"]["resourceType"], entry["resource"]["id"]))
            for entry in bundle.get("entry", [])
        ]
        links = {link["relation"]: link["url"] for link in bundle["link"]}
        following = links.get("next")
        pages += 1
        assert pages < 200
    return found


@pytest.fixture(scope="module")
def clinic(operations_hub: Any) -> dict[str, Any]:
    """Three patients who share a doctor, a clinic and an appointment."""
    fhir = operations_hub.client

    def put(type_: str, id_: str, **more: Any) -> Key:
        resource = {"resourceType": type_, "id": id_} | more
        response = fhir.put(
            f"/{type_}/{id_}", json=resource, headers={"content-type": "application/fhir+json"}
        )
        assert response.status_code in (200, 201), response.text
        return type_, id_

    def to(key: Key) -> dict[str, str]:
        return {"reference": "/".join(key)}

    organization = put("Organization", "pg-clinic", name="x")
    doctor = put("Practitioner", "pg-doctor")
    role = put(
        "PractitionerRole", "pg-role", practitioner=to(doctor), organization=to(organization)
    )
    members: dict[str, set[Key]] = {}
    patients = []
    for number in range(3):
        patient = put("Patient", f"pg-p{number}", managingOrganization=to(organization))
        patients.append(patient)
        mine = {patient}
        for visit in range(4):
            encounter = put(
                "Encounter",
                f"pg-e{number}-{visit}",
                status="finished",
                **{"class": {"code": "AMB"}},
                subject=to(patient),
                period={"start": f"2026-0{visit + 1}-01", "end": f"2026-0{visit + 1}-20"},
                participant=[{"individual": to(role)}],
            )
            mine.add(encounter)
            mine.add(
                put(
                    "Observation",
                    f"pg-o{number}-{visit}",
                    status="final",
                    code={"text": "x"},
                    subject=to(patient),
                    encounter=to(encounter),
                    effectiveDateTime=f"2026-0{visit + 1}-15",
                )
            )
        members[patient[1]] = mine
    shared = put(
        "Appointment",
        "pg-shared",
        status="booked",
        start="2026-09-01T08:00:00Z",
        end="2026-09-01T09:00:00Z",
        participant=[{"actor": to(one), "status": "accepted"} for one in patients],
    )
    group = put(
        "Group",
        "pg-group",
        type="person",
        actual=True,
        member=[
            {"entity": to(patients[0])},
            {"entity": to(patients[1])},
            {"entity": to(patients[2]), "inactive": True},
        ],
    )
    return {
        "members": members,
        "outside": {organization, doctor, role},
        "shared": shared,
        "group": group,
    }


@pytest.mark.parametrize("count", [1, 2, 3, 7, 100])
def test_a_patient_comes_once_with_everything(
    fhir: httpx.Client, clinic: dict[str, Any], count: int
) -> None:
    found = _all(fhir, f"/Patient/pg-p0/$everything?_count={count}")
    keys = [key for _, key in found]
    assert len(keys) == len(set(keys))
    assert {key for mode, key in found if mode == "include"} == clinic["outside"]
    inside = {key for mode, key in found if mode == "match"}
    # Groups that it belongs to are in its compartment.
    assert inside == clinic["members"]["pg-p0"] | {clinic["shared"], clinic["group"]}
    assert keys[0] == ("Patient", "pg-p0")


@pytest.mark.parametrize("count", [1, 4, 100])
def test_a_group_gives_its_active_patients_and_nothing_twice(
    fhir: httpx.Client, clinic: dict[str, Any], count: int
) -> None:
    found = _all(fhir, f"/Group/pg-group/$everything?_count={count}")
    keys = [key for _, key in found]
    assert len(keys) == len(set(keys))
    wanted = clinic["members"]["pg-p0"] | clinic["members"]["pg-p1"] | clinic["outside"]
    assert set(keys) == wanted | {clinic["shared"], clinic["group"]}


@pytest.mark.parametrize("count", [3, 50])
def test_all_patients_come_with_everything(
    fhir: httpx.Client, clinic: dict[str, Any], count: int
) -> None:
    found = _all(fhir, f"/Patient/$everything?_count={count}&_type=Patient,Observation,Appointment")
    keys = [key for _, key in found]
    assert len(keys) == len(set(keys))
    mine = {key for key in keys if key[1].startswith("pg-")}
    every = set().union(*clinic["members"].values())
    assert mine == {key for key in every if key[0] != "Encounter"} | {clinic["shared"]}


def test_care_that_overlaps_the_dates_is_within(fhir: httpx.Client, clinic: dict[str, Any]) -> None:
    url = "/Patient/pg-p0/$everything?_type=Encounter,Observation&start=2026-02-10&end=2026-03-10"
    assert {key for _, key in _all(fhir, url)} == {
        ("Encounter", "pg-e0-1"),
        ("Encounter", "pg-e0-2"),
        ("Observation", "pg-o0-1"),
    }


def test_supporting_types_can_be_asked_for_alone(
    fhir: httpx.Client, clinic: dict[str, Any]
) -> None:
    found = _all(fhir, "/Patient/pg-p0/$everything?_type=Practitioner,Organization&_count=2")
    assert {key for _, key in found} == clinic["outside"] - {("PractitionerRole", "pg-role")}


def test_an_encounter_comes_with_whom_it_is_about(
    fhir: httpx.Client, clinic: dict[str, Any]
) -> None:
    found = _all(fhir, "/Encounter/pg-e0-1/$everything")
    assert {key for mode, key in found if mode == "match"} == {
        ("Encounter", "pg-e0-1"),
        ("Observation", "pg-o0-1"),
    }
    assert {key for mode, key in found if mode == "include"} == clinic["outside"] | {
        ("Patient", "pg-p0")
    }


def test_parameters_of_a_body_stand_in_the_links(
    fhir: httpx.Client, clinic: dict[str, Any]
) -> None:
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "_count", "valueInteger": 2},
            {"name": "_type", "valueCode": "Observation"},
            {"name": "start", "valueDate": "2026-02-01"},
        ],
    }
    bundle = fhir.post("/Patient/pg-p0/$everything", json=body).json()
    links = {link["relation"]: link["url"] for link in bundle["link"]}
    rest = _all(fhir, links["next"])
    keys = [entry["resource"]["id"] for entry in bundle["entry"]] + [key[1] for _, key in rest]
    assert sorted(keys) == ["pg-o0-1", "pg-o0-2", "pg-o0-3"]


def test_a_patient_deleted_between_pages_leaves_the_others(
    fhir: httpx.Client, store: Store
) -> None:
    def patient(number: int) -> Resource:
        return store({"resourceType": "Patient", "name": [{"text": f"between {number}"}]})

    made = [patient(number) for number in range(4)]
    first = fhir.get("/Patient/$everything?_type=Patient&_count=1").json()
    following = {link["relation"]: link["url"] for link in first["link"]}["next"]
    seen = {entry["resource"]["id"] for entry in first["entry"]}
    gone = next(one for one in made if one["id"] not in seen)
    fhir.delete(f"/Patient/{gone['id']}")
    rest = {key[1] for _, key in _all(fhir, following)}
    assert {one["id"] for one in made} - {gone["id"]} <= seen | rest
    assert gone["id"] not in rest
