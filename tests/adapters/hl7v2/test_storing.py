"""From what a message says to one transaction in the record."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from adapters.hl7v2.converted import Converted
from adapters.hl7v2.storing import Outcome
from hub.context import Context
from hub.errors import Unavailable
from hub.interactions import sight
from hub.principal import Principal, Scope
from hub.storage.port import AlreadySettled, StoreUnavailable
from tests.adapters.hl7v2.telling import (
    DOCTORS,
    MRN,
    VISITS,
    WARDS,
    Desk,
    admission,
    identifier,
    mapped,
    message,
    name,
    patient,
    places,
    url,
    visit,
)

LOCAL = Context()


def types(outcome: Outcome) -> list[str]:
    return sorted(reference.partition("/")[0] for reference in outcome.written)


async def test_a_message_is_one_transaction_with_its_end(desk: Desk) -> None:
    row = await desk.receive(first := admission())
    outcome = await desk.store(first, row)
    assert outcome.state == "stored"
    assert types(outcome) == ["Encounter", "Location", "Patient", "Practitioner", "Provenance"]
    arrival = await desk.door.store.messages.arrival(1, row)
    assert arrival
    assert arrival.arrival.state == "stored"
    made = await desk.one("Encounter", VISITS, "V1")
    person = await desk.one("Patient", MRN, "1")
    assert made["subject"] == {"reference": f"Patient/{person['id']}"}
    doctor = await desk.one("Practitioner", DOCTORS, "D7")
    assert made["participant"][0]["individual"]["reference"] == f"Practitioner/{doctor['id']}"
    history = await desk.door.history(LOCAL, "", "", ())
    assert history.total == 5


async def test_what_is_stored_already_makes_no_new_version(desk: Desk) -> None:
    await desk.store(admission())
    again = await desk.store(admission(hours=2))
    assert again == Outcome("stored")
    assert (await desk.one("Patient", MRN, "1"))["meta"]["versionId"] == "1"
    older = message("ADT^A08", 1.5, patient("1", name=name("王")))
    assert (await desk.store(older)).written == ()


async def test_only_what_changes_has_a_new_version(desk: Desk) -> None:
    await desk.store(admission())
    changed = await desk.store(
        message("ADT^A03", 3, patient("1", name=name("张")), *visit("V1", "finished"))
    )
    assert types(changed) == ["Encounter", "Provenance"]
    assert (await desk.one("Encounter", VISITS, "V1"))["status"] == "finished"


async def test_what_is_found_is_never_changed(desk: Desk) -> None:
    there = {"resourceType": "Practitioner", "identifier": [identifier(DOCTORS, "D7")]}
    created = await desk.door.create(LOCAL, "Practitioner", there)
    outcome = await desk.store(admission())
    assert "Practitioner" not in types(outcome)
    assert created.stored
    doctor = await desk.one("Practitioner", DOCTORS, "D7")
    assert (doctor["id"], "name" in doctor) == (created.stored.id, False)


async def test_messages_at_once_create_everything_once(desk: Desk) -> None:
    outcomes = await asyncio.gather(
        *(desk.store(admission(str(number), visit_number=f"V{number}")) for number in range(12))
    )
    assert {outcome.state for outcome in outcomes} == {"stored"}
    await desk.one("Practitioner", DOCTORS, "D7")
    await desk.one("Location", WARDS, "W3")
    for number in range(12):
        visited = await desk.one("Encounter", VISITS, f"V{number}")
        person = await desk.one("Patient", MRN, str(number))
        assert visited["subject"]["reference"] == f"Patient/{person['id']}"


async def test_messages_at_once_about_one_patient_leave_the_newest(desk: Desk) -> None:
    messages = [
        message("ADT^A08", hours, patient("1", name=name(f"n{hours}"), gender="male"))
        for hours in (3, 9, 1, 7, 5)
    ]
    await asyncio.gather(*map(desk.store, messages))
    assert (await desk.one("Patient", MRN, "1"))["name"] == name("n9")


async def test_a_newer_message_that_changes_nothing_still_beats_an_older_one(desk: Desk) -> None:
    await desk.store(message("ADT^A08", 1, patient("1", gender="male")))
    newer = message("ADT^A08", 9, patient("1", gender="male"))
    older = message("ADT^A08", 5, patient("1", gender="female"))
    await asyncio.gather(desk.store(newer), desk.store(older))
    assert (await desk.one("Patient", MRN, "1"))["gender"] == "male"


async def test_a_client_that_creates_at_the_same_time_wins_or_waits(desk: Desk) -> None:
    resource = {"resourceType": "Patient", "identifier": [identifier(MRN, "1")]}
    await asyncio.gather(
        desk.store(admission()),
        desk.door.create(LOCAL, "Patient", resource, if_none_exist=f"identifier={MRN}|1"),
    )
    assert (await desk.one("Patient", MRN, "1"))["birthDate"] == "1970-03-01"


async def test_new_resources_are_left_alone_when_sent_again(desk: Desk) -> None:
    def note(text: str, hours: float) -> Converted:
        content = {"status": "current", "content": [{"attachment": {"title": text}}]}
        document = mapped("DocumentReference", content, ("urn:doc", "7"), how="new")
        return message("MDM^T02", hours, document)

    await desk.store(note("first", 1))
    assert (await desk.store(note("second", 2))).written == ()
    found = await desk.one("DocumentReference", "urn:doc", "7")
    assert found["content"][0]["attachment"]["title"] == "first"


async def test_what_has_no_identity_is_always_created(desk: Desk) -> None:
    for hours in (1, 2):
        alert = mapped("Observation", {"status": "final", "code": {"text": "x"}})
        await desk.store(message("ORU^R01", hours, alert))
    found = await desk.door.search(LOCAL, "Observation", ())
    assert len(found.entries) == 2


async def test_many_results_are_found_again(desk: Desk) -> None:
    def results(hours: float, count: int) -> Converted:
        content = {"status": "final", "code": {"text": "x"}, "subject": url("Patient")}
        made = [mapped(f"Observation[{n}]", content, ("urn:o", f"{n}")) for n in range(count)]
        return message("ORU^R01", hours, patient("1"), *made)

    assert len((await desk.store(results(1, 300))).written) == 302
    outcome = await desk.store(results(2, 310))
    assert types(outcome) == ["Observation"] * 10 + ["Provenance"]
    found = await desk.door.search(LOCAL, "Observation", [("_summary", "count")])
    assert found.total == 310


async def test_twins_in_a_message_are_one(desk: Desk) -> None:
    again = mapped("Practitioner[2]", {"name": [{"text": "x"}]}, (DOCTORS, "D7"), how="find")
    arrived = admission()
    arrived.resources.append(again)
    arrived.resources[-2].resource["participant"].append({"individual": url("Practitioner[2]")})
    again.event = arrived.event
    await desk.store(arrived)
    doctor = await desk.one("Practitioner", DOCTORS, "D7")
    participants = (await desk.one("Encounter", VISITS, "V1"))["participant"]
    assert [one["individual"]["reference"] for one in participants] == [
        f"Practitioner/{doctor['id']}"
    ] * 2


async def test_a_conditional_reference_is_resolved(desk: Desk) -> None:
    there = {"resourceType": "Organization", "name": "x", "identifier": [identifier("urn:o", "9")]}
    created = await desk.door.create(LOCAL, "Organization", there)
    reference = {"reference": "Organization?identifier=urn:o|9"}
    await desk.store(message("ADT^A08", 1, patient("1", managingOrganization=reference)))
    assert created.stored
    person = await desk.one("Patient", MRN, "1")
    assert person["managingOrganization"]["reference"] == f"Organization/{created.stored.id}"


@pytest.mark.parametrize("text", ["Organization?identifier=urn:o|none", "urn:uuid:" + "0" * 36])
async def test_a_reference_to_nothing_names_its_field(desk: Desk, text: str) -> None:
    person = patient("1", gender="male")
    person.resource["managingOrganization"] = {"reference": text}
    person.sources.append(person.sources[0]._replace(element="managingOrganization", field="22"))
    outcome = await desk.store(message("ADT^A08", 1, person))
    assert places(outcome) == [("hl7v2-reference-unknown", "PID-22")]


async def test_content_that_is_not_valid_names_its_field_and_stores_nothing(desk: Desk) -> None:
    row = await desk.receive(bad := message("ADT^A08", 1, patient("1", birthDate="1970-13-01")))
    outcome = await desk.store(bad, row)
    assert (outcome.state, places(outcome)) == (
        "quarantined",
        [("validation-format-date", "PID-7")],
    )
    assert await desk.found("Patient", MRN, "1") == []
    arrival = await desk.door.store.messages.arrival(1, row)
    assert arrival
    assert arrival.arrival.state == "waiting"


async def test_a_missing_target_names_its_field(desk: Desk) -> None:
    person = patient("1", managingOrganization={"reference": "Organization/none"})
    person.sources.append(
        person.sources[0]._replace(element="managingOrganization.reference", field="22")
    )
    outcome = await desk.store(message("ADT^A08", 1, person))
    assert places(outcome) == [("reference-target-missing", "PID-22")]


async def test_a_choice_s_error_names_its_field(desk: Desk) -> None:
    content = {
        "status": "final",
        "code": {"text": "x"},
        "valueQuantity": {"value": "no number"},
    }
    result = mapped(
        "Observation[2]", content, ("urn:o", "1"), sources=(("valueQuantity.value", "OBX[2]", "5"),)
    )
    outcome = await desk.store(message("ORU^R01", 1, result))
    assert [place for _, place in places(outcome)] == ["OBX[2]-5"]


async def test_a_message_is_settled_once(desk: Desk) -> None:
    row = await desk.receive(admission())
    await desk.store(admission(), row)
    for hours in (1, 5):
        changed = message("ADT^A08", hours, patient("1", name=name("other")))
        with pytest.raises(AlreadySettled):
            await desk.store(changed, row)
    assert (await desk.one("Patient", MRN, "1"))["name"] == name("张")


async def test_a_record_that_cannot_answer_quarantines_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any) -> None:
        raise StoreUnavailable("gone", trouble="full")

    monkeypatch.setattr(type(desk.door.store), "commit", fail)
    with pytest.raises(Unavailable):
        await desk.store(admission())


async def test_a_person_s_newer_correction_beats_an_older_message(desk: Desk) -> None:
    await desk.store(admission())
    person = await desk.one("Patient", MRN, "1")
    corrected = person | {"birthDate": "1971-01-01", "maritalStatus": {"text": "x"}}
    await desk.door.update(LOCAL, "Patient", person["id"], corrected)
    late = message("ADT^A08", 8, patient("1", birthDate="1970-03-01", gender="male"))
    await desk.store(late)
    now = await desk.one("Patient", MRN, "1")
    assert (now["birthDate"], now["gender"]) == ("1971-01-01", "male")
    assert now["maritalStatus"] == {"text": "x"}
    newer = message("ADT^A08", 24 * 365 * 30, patient("1", birthDate="1972-02-02"))
    await desk.store(newer)
    assert (await desk.one("Patient", MRN, "1"))["birthDate"] == "1972-02-02"


async def test_what_a_person_has_deleted_comes_back_by_newer_messages_only(desk: Desk) -> None:
    await desk.store(admission())
    person = await desk.one("Patient", MRN, "1")
    visited = await desk.one("Encounter", VISITS, "V1")
    for resource in (visited, person):
        await desk.door.delete(LOCAL, resource["resourceType"], resource["id"])
    old = message("ADT^A08", 2, patient("1", name=name("旧")))
    outcome = await desk.store(old)
    assert (outcome.state, places(outcome)) == ("quarantined", [("hl7v2-deleted", "PID-3.1")])
    assert await desk.found("Patient", MRN, "1") == []
    await desk.store(message("ADT^A08", 24 * 365 * 30, patient("1", name=name("新"))))
    back = await desk.one("Patient", MRN, "1")
    assert (back["id"], back["name"]) == (person["id"], name("新"))
    assert "birthDate" not in back
    await desk.store(message("ADT^A08", 3, patient("1", gender="male")))
    assert "gender" not in await desk.one("Patient", MRN, "1")


async def test_what_comes_back_has_its_initial_elements_too(desk: Desk) -> None:
    await desk.store(admission())
    visited = await desk.one("Encounter", VISITS, "V1")
    await desk.door.delete(LOCAL, "Encounter", visited["id"])
    *others, encounter = visit("V1", "in-progress")
    encounter.initial = frozenset(("status",))
    newer = message("ADT^A08", 24 * 365 * 30, patient("1"), *others, encounter)
    assert (await desk.store(newer)).state == "stored"
    assert (await desk.one("Encounter", VISITS, "V1"))["status"] == "in-progress"


def limited(**scopes: str) -> Principal:
    """A site that may do with some types what the letters say."""
    return Principal(
        "hl7v2:lab",
        frozenset(("system",)),
        client="hl7v2:lab",
        scopes=tuple(Scope("system", type, frozenset(letters)) for type, letters in scopes.items()),
    )


async def test_a_limited_site_may_not_write_elsewhere(desk: Desk) -> None:
    lab = Desk(
        desk.door,
        Context(principal=limited(Observation="cruds", Patient="rs", Provenance="crs")),
    )
    await desk.store(admission())
    result = mapped(
        "Observation",
        {"status": "final", "code": {"text": "x"}, "subject": url("Patient")},
        ("urn:o", "1"),
        sources=(("status", "OBX", "11"),),
    )
    person = patient("1")
    person.how = "find"
    assert (await lab.store(message("ORU^R01", 2, person, result))).state == "stored"
    for converted in (
        admission("7", visit_number="V7"),
        message("ADT^A08", 2, patient("1", gender="male")),
    ):
        outcome = await lab.store(converted)
        assert outcome.state == "quarantined"
        assert {issue.code for issue in outcome.issues} == {"forbidden"}
    assert await desk.found("Patient", MRN, "7") == []
    assert "gender" not in await desk.one("Patient", MRN, "1")


async def test_the_audit_names_the_site(desk: Desk) -> None:
    await desk.store(admission())
    rows = await desk.door.store.audit_records(1, 0, 10)
    assert [record.principal for *_, record in rows] == ["hl7v2:central"]
    assert not sight.is_unlimited(Context(principal=limited(Patient="r")))
