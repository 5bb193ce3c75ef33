"""Which resources of the record a message is about."""

from __future__ import annotations

import pytest

from hub.context import Context
from tests.adapters.hl7v2.telling import (
    DOCTORS,
    MRN,
    NATIONAL,
    VISITS,
    Desk,
    admission,
    identifier,
    mapped,
    message,
    patient,
    places,
    url,
)

LOCAL = Context()


async def test_an_identifier_without_a_value_finds_nobody(desk: Desk) -> None:
    await desk.store(admission())
    nobody = patient("")
    nobody.resource = {"resourceType": "Patient", "gender": "male"}
    await desk.store(message("ADT^A08", 2, nobody))
    assert "gender" not in await desk.one("Patient", MRN, "1")


async def test_who_was_registered_by_hand_is_found(desk: Desk) -> None:
    resource = {"resourceType": "Patient", "identifier": [identifier(MRN, "1")], "gender": "female"}
    created = await desk.door.create(LOCAL, "Patient", resource)
    await desk.store(admission())
    person = await desk.one("Patient", MRN, "1")
    assert created.stored
    assert (person["id"], person["gender"]) == (created.stored.id, "female")


async def test_a_changed_identifier_is_believed_not_the_directory(desk: Desk) -> None:
    await desk.store(admission())
    person = await desk.one("Patient", MRN, "1")
    moved = person | {"identifier": [identifier(MRN, "2")]}
    await desk.door.update(LOCAL, "Patient", person["id"], moved)
    await desk.store(message("ADT^A08", 2, patient("2", gender="male")))
    assert (await desk.one("Patient", MRN, "2"))["id"] == person["id"]
    await desk.store(message("ADT^A04", 2, patient("1", gender="female")))
    assert (await desk.one("Patient", MRN, "1"))["id"] != person["id"]


async def test_several_with_one_identifier_are_for_a_person(desk: Desk) -> None:
    ids = []
    for _ in range(2):
        resource = {"resourceType": "Patient", "identifier": [identifier(MRN, "1")]}
        created = await desk.door.create(LOCAL, "Patient", resource)
        assert created.stored
        ids.append(created.stored.id)
    outcome = await desk.store(admission())
    assert places(outcome) == [("hl7v2-identity-ambiguous", "PID-3.1")]
    inactive = {"resourceType": "Patient", "id": ids[0], "identifier": [identifier(MRN, "1")]}
    await desk.door.update(LOCAL, "Patient", ids[0], inactive | {"active": False})
    assert (await desk.store(admission())).state == "stored"
    there = await desk.door.read(LOCAL, "Patient", ids[1])
    assert there.version == 2


async def test_several_doctors_with_one_identifier_stop_nothing(desk: Desk) -> None:
    for _ in range(2):
        there = {"resourceType": "Practitioner", "identifier": [identifier(DOCTORS, "D7")]}
        await desk.door.create(LOCAL, "Practitioner", there)
    outcome = await desk.store(admission())
    assert [(one.id, one.place) for one in outcome.remarks] == [
        ("hl7v2-identity-several", "PV1-7.1")
    ]


async def test_who_is_there_need_not_be_told_in_full(desk: Desk) -> None:
    there = {
        "resourceType": "Encounter",
        "identifier": [identifier(VISITS, "V7")],
        "status": "planned",
        "class": {"code": "AMB"},
    }
    await desk.door.create(LOCAL, "Encounter", there)
    visit = mapped("Encounter", {"subject": url("Patient")}, (VISITS, "V7"), how="find")
    outcome = await desk.store(message("ADT^A08", 1, patient("1"), visit))
    assert outcome.state == "stored"
    assert (await desk.one("Encounter", VISITS, "V7"))["status"] == "planned"


async def test_an_identifier_of_another_patient_is_left_out_and_told(desk: Desk) -> None:
    await desk.store(message("ADT^A04", 1, patient("1", (NATIONAL, "N1"))))
    await desk.store(message("ADT^A04", 1, patient("2")))
    outcome = await desk.store(message("ADT^A08", 2, patient("2", (NATIONAL, "N1"), gender="male")))
    assert [one.id for one in outcome.remarks] == ["hl7v2-identifier-elsewhere"]
    person = await desk.one("Patient", MRN, "2")
    assert person["identifier"] == [identifier(MRN, "2")]
    assert person["gender"] == "male"
    await desk.one("Patient", NATIONAL, "N1")


async def test_a_patient_is_found_by_the_second_identifier_too(desk: Desk) -> None:
    await desk.store(message("ADT^A04", 1, patient("1", (NATIONAL, "N1"))))
    await desk.store(message("ADT^A04", 2, patient("9", (NATIONAL, "N1"), gender="male")))
    person = await desk.one("Patient", MRN, "9")
    assert person == await desk.one("Patient", MRN, "1")
    assert len(person["identifier"]) == 3


async def test_a_newborn_with_its_mothers_number_is_not_its_mother(desk: Desk) -> None:
    mother = patient("1", (NATIONAL, "N1"), gender="female", birthDate="1996-05-01")
    await desk.store(message("ADT^A04", 1, mother))
    for hours in (2, 3):
        child = patient("2", (NATIONAL, "N1"), gender="female", birthDate="2026-03-01")
        outcome = await desk.store(message("ADT^A01", hours, child))
        assert len(outcome.remarks) == 1
    assert (await desk.one("Patient", NATIONAL, "N1"))["birthDate"] == "1996-05-01"
    born = await desk.one("Patient", MRN, "2")
    assert born["birthDate"] == "2026-03-01"
    assert born["identifier"] == [identifier(MRN, "2")]


@pytest.mark.parametrize(
    ("there", "told", "same"),
    [
        ({"birthDate": "1950"}, {"birthDate": "1950-03-01"}, True),
        ({"birthDate": "1950-03-01"}, {}, True),
        ({"gender": "unknown"}, {"gender": "male"}, True),
        ({"gender": "female"}, {"gender": "male"}, False),
        ({"birthDate": "1950-03-01"}, {"birthDate": "1950-04-01"}, False),
    ],
)
async def test_a_lesser_identifier_finds_who_is_not_told_to_be_another(
    desk: Desk, there: dict[str, str], told: dict[str, str], same: bool
) -> None:
    await desk.store(message("ADT^A04", 1, patient("1", (NATIONAL, "N1"), **there)))
    await desk.store(message("ADT^A04", 2, patient("2", (NATIONAL, "N1"), **told)))
    first, second = await desk.one("Patient", MRN, "1"), await desk.one("Patient", MRN, "2")
    assert (first["id"] == second["id"]) is same


@pytest.mark.parametrize("value", ["a,b", "a|b", "a$b", "a\\b", "a b&c=d", "张", "*", "x" * 400])
async def test_any_identifier_finds_its_resource(desk: Desk, value: str) -> None:
    for hours in (1, 2):
        await desk.store(message("ADT^A08", hours, patient(value, birthDate=f"197{hours}-01-01")))
    found = await desk.door.search(LOCAL, "Patient", ())
    assert len(found.entries) == 1
