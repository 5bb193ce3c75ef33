"""A40: what is merged away stays to be found, and what comes later goes on."""

from __future__ import annotations

from adapters.hl7v2.converted import Joined
from hub.context import Context
from tests.adapters.hl7v2.telling import (
    MRN,
    NATIONAL,
    VISITS,
    Desk,
    identifier,
    mapped,
    merge,
    message,
    name,
    patient,
    places,
    url,
    visit,
)


async def linked(desk: Desk, number: str) -> set[tuple[str, str]]:
    """The links of a patient: type and number of the other."""
    found = set()
    for link in (await desk.one("Patient", MRN, number)).get("link", ()):
        id = link["other"]["reference"].removeprefix("Patient/")
        other = (await desk.door.search(Context(), "Patient", [("_id", id)])).to_dict()
        (resource,) = (entry["resource"] for entry in other["entry"])
        numbers = [one["value"] for one in resource["identifier"] if one["system"] == MRN]
        found.add((link["type"], numbers[0]))
    return found


async def test_the_replaced_record_stays_and_points_to_the_surviving(desk: Desk) -> None:
    await desk.store(message("ADT^A01", 1, patient("1"), *visit("V1")))
    await desk.store(message("ADT^A01", 1, patient("2"), *visit("V2")))
    outcome = await desk.store(merge(2, "1", "2"))
    assert outcome.state == "stored"
    replaced = await desk.one("Patient", MRN, "2")
    assert replaced["active"] is False
    assert await linked(desk, "2") == {("replaced-by", "1")}
    assert await linked(desk, "1") == {("replaces", "2")}
    visited = await desk.one("Encounter", VISITS, "V2")
    assert visited["subject"]["reference"] == f"Patient/{replaced['id']}"


async def test_a_merge_of_patients_that_are_not_there_makes_both(desk: Desk) -> None:
    assert (await desk.store(merge(2, "1", "2", gender="male"))).state == "stored"
    assert await linked(desk, "2") == {("replaced-by", "1")}
    assert (await desk.one("Patient", MRN, "1"))["gender"] == "male"


async def test_the_same_merge_again_changes_nothing(desk: Desk) -> None:
    await desk.store(merge(2, "1", "2", gender="male"))
    assert (await desk.store(merge(3, "1", "2", gender="male"))).written == ()


async def test_a_later_message_under_the_old_number_goes_to_the_surviving(desk: Desk) -> None:
    await desk.store(message("ADT^A04", 1, patient("2", name=name("旧"))))
    await desk.store(merge(2, "1", "2", name=name("张")))
    late = message("ADT^A01", 3, patient("2", gender="male"), *visit("V9"))
    await desk.store(late)
    surviving = await desk.one("Patient", MRN, "1")
    assert (surviving["gender"], surviving["name"]) == ("male", name("张"))
    visited = await desk.one("Encounter", VISITS, "V9")
    assert visited["subject"]["reference"] == f"Patient/{surviving['id']}"
    assert surviving["identifier"] == [identifier(MRN, "1")]


async def test_a_message_from_before_the_merge_stays_with_the_old_record(desk: Desk) -> None:
    await desk.store(merge(5, "1", "2", name=name("张")))
    await desk.store(message("ADT^A01", 3, patient("2", birthDate="1970-01-01"), *visit("V9")))
    surviving, replaced = await desk.one("Patient", MRN, "1"), await desk.one("Patient", MRN, "2")
    assert "birthDate" not in surviving
    assert (replaced["birthDate"], replaced["active"]) == ("1970-01-01", False)
    visited = await desk.one("Encounter", VISITS, "V9")
    assert visited["subject"]["reference"] == f"Patient/{replaced['id']}"


async def test_what_came_before_a_late_merge_reaches_the_surviving(desk: Desk) -> None:
    await desk.store(message("ADT^A04", 1, patient("2", birthDate="1970-01-01")))
    await desk.store(message("ADT^A08", 7, patient("2", gender="male")))
    await desk.store(message("ADT^A04", 1, patient("1", name=name("张"))))
    await desk.store(merge(5, "1", "2"))
    surviving = await desk.one("Patient", MRN, "1")
    assert (surviving["gender"], surviving["name"]) == ("male", name("张"))
    assert "birthDate" not in surviving


async def test_what_was_emptied_under_the_old_number_is_empty_in_the_surviving(desk: Desk) -> None:
    await desk.store(merge(2, "1", "2", gender="male"))
    await desk.store(message("ADT^A08", 3, patient("2", deleted=frozenset(("gender",)))))
    assert "gender" not in await desk.one("Patient", MRN, "1")


async def test_a_surviving_number_that_was_never_heard_of_is_not_the_replaced_record(
    desk: Desk,
) -> None:
    await desk.store(message("ADT^A04", 1, patient("2", (NATIONAL, "N1"), gender="male")))
    goes_on = patient("1", (NATIONAL, "N1"), name=name("张"))
    ends = mapped("Patient[2]", {}, (MRN, "2"))
    joined = [Joined(goes_on.full_url, ends.full_url)]
    outcome = await desk.store(message("ADT^A40", 2, goes_on, ends, joined=joined))
    assert (outcome.state, outcome.remarks) == ("stored", ())
    assert await linked(desk, "2") == {("replaced-by", "1")}
    surviving = await desk.one("Patient", MRN, "1")
    assert (surviving["name"], "gender" in surviving) == (name("张"), False)
    await desk.store(message("ADT^A08", 3, patient("1", (NATIONAL, "N1"), gender="female")))
    assert (await desk.one("Patient", MRN, "1"))["gender"] == "female"


async def test_a_surviving_patient_who_is_the_replaced_one_is_refused(desk: Desk) -> None:
    await desk.store(message("ADT^A04", 1, patient("1", (NATIONAL, "N1"))))
    goes_on = patient("1")
    ends = mapped("Patient[2]", {}, (NATIONAL, "N1"), sources=(("identifier", "MRG", "1"),))
    joined = [Joined(goes_on.full_url, ends.full_url)]
    outcome = await desk.store(message("ADT^A40", 2, goes_on, ends, joined=joined))
    assert places(outcome) == [("hl7v2-merge-cycle", "MRG-1")]


async def test_merges_form_a_chain(desk: Desk) -> None:
    await desk.store(merge(2, "1", "2"))
    await desk.store(merge(3, "3", "1"))
    await desk.store(message("ADT^A08", 4, patient("2", gender="male"), *visit("V9")))
    last = await desk.one("Patient", MRN, "3")
    assert last["gender"] == "male"
    visited = await desk.one("Encounter", VISITS, "V9")
    assert visited["subject"]["reference"] == f"Patient/{last['id']}"
    assert await linked(desk, "1") == {("replaces", "2"), ("replaced-by", "3")}


async def test_a_cycle_is_refused(desk: Desk) -> None:
    await desk.store(merge(2, "1", "2"))
    await desk.store(merge(3, "3", "1"))
    for surviving, replaced in (("2", "1"), ("2", "3"), ("1", "1")):
        before = await desk.one("Patient", MRN, "2")
        outcome = await desk.store(merge(4, surviving, replaced))
        assert places(outcome)[0][0] == "hl7v2-merge-cycle"
        assert before == await desk.one("Patient", MRN, "2")


async def test_the_newest_merge_says_where_a_record_goes_on(desk: Desk) -> None:
    await desk.store(merge(2, "1", "3"))
    await desk.store(merge(4, "2", "3"))
    await desk.store(merge(3, "9", "3"))
    assert await linked(desk, "3") == {("replaced-by", "2")}
    assert await linked(desk, "2") == {("replaces", "3")}
    assert await linked(desk, "1") == set()
    assert await linked(desk, "9") == set()


async def test_a_link_that_a_person_made_is_followed(desk: Desk) -> None:
    await desk.store(message("ADT^A04", 1, patient("1")))
    await desk.store(message("ADT^A04", 1, patient("2")))
    one, two = await desk.one("Patient", MRN, "1"), await desk.one("Patient", MRN, "2")
    link = {"other": {"reference": f"Patient/{one['id']}"}, "type": "replaced-by"}
    await desk.door.update(Context(), "Patient", two["id"], two | {"link": [link], "active": False})
    hours = 24 * 365 * 30
    await desk.store(message("ADT^A01", hours, patient("2", gender="male"), *visit("V9")))
    assert (await desk.one("Patient", MRN, "1"))["gender"] == "male"
    visited = await desk.one("Encounter", VISITS, "V9")
    assert visited["subject"]["reference"] == f"Patient/{one['id']}"


async def test_a_knot_that_a_person_tied_hangs_nobody_up(desk: Desk) -> None:
    await desk.store(message("ADT^A04", 1, patient("1")))
    await desk.store(message("ADT^A04", 1, patient("2")))
    one, two = await desk.one("Patient", MRN, "1"), await desk.one("Patient", MRN, "2")
    for own, other in ((one, two), (two, one)):
        link = {"other": {"reference": f"Patient/{other['id']}"}, "type": "replaced-by"}
        await desk.door.update(Context(), "Patient", own["id"], own | {"link": [link]})
    outcome = await desk.store(message("ADT^A08", 24 * 365 * 30, patient("2", gender="male")))
    assert outcome.state == "stored"


async def test_a_result_under_the_old_number_is_about_the_surviving(desk: Desk) -> None:
    await desk.store(merge(2, "1", "2"))
    content = {"status": "final", "code": {"text": "x"}, "subject": url("Patient")}
    await desk.store(
        message("ORU^R01", 3, patient("2"), mapped("Observation", content, ("o", "1")))
    )
    surviving = await desk.one("Patient", MRN, "1")
    result = await desk.one("Observation", "o", "1")
    assert result["subject"]["reference"] == f"Patient/{surviving['id']}"
