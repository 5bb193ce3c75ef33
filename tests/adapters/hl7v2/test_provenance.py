"""One Provenance per message: who said what, from which fields."""

from __future__ import annotations

from typing import Any

from hub.context import Context
from hub.model import json
from hub.storage.memory.store import MemoryStore
from tests.adapters.hl7v2.telling import MRN, Desk, mapped, merge, message, name, patient, visit
from tests.interactions.conftest import door_over


async def provenances(desk: Desk) -> list[dict[str, Any]]:
    """Those of messages, newest first."""
    search = [("agent:identifier", "urn:fhir-hub:hl7v2:sender|HIS|CENTRAL")]
    answer = (await desk.door.search(Context(), "Provenance", search)).to_dict()
    return [entry["resource"] for entry in answer.get("entry", ())]


def sources(target: dict[str, Any]) -> str:
    extensions = target.get("extension", [{"valueCode": ""}])
    return str(extensions[0]["valueCode"])


async def test_it_names_versions_sender_and_message(desk: Desk) -> None:
    first = message("ADT^A01", 1, patient("1", name=name("张")), *visit("V1"))
    row = await desk.receive(first)
    outcome = await desk.store(first, row)
    (made,) = await provenances(desk)
    assert [target["reference"] for target in made["target"]] == list(outcome.written[:-1])
    assert outcome.written[-1] == f"Provenance/{made['id']}"
    who = made["agent"][0]["who"]
    assert (who["identifier"]["value"], who["display"]) == ("HIS|CENTRAL", "central")
    what = made["entity"][0]["what"]
    assert what["identifier"]["value"] == f"HIS|CENTRAL|{first.control_id}"
    assert (what["display"], what["extension"][0]["valuePositiveInt"]) == ("ADT^A01", row)
    assert made["activity"]["coding"][0]["code"] == "A01"
    for target in made["target"]:
        type, id, _, version = target["reference"].split("/")
        assert (await desk.door.vread(Context(), type, id, version)).version == 1


async def test_each_element_has_its_fields(desk: Desk) -> None:
    await desk.store(message("ADT^A01", 1, patient("1", name=name("张")), *visit("V1")))
    (made,) = await provenances(desk)
    told = {one["reference"].partition("/")[0]: sources(one) for one in made["target"]}
    assert told == {
        "Patient": "identifier PID-3; name PID-5",
        "Practitioner": "identifier PV1-7",
        "Location": "identifier PV1-3",
        "Encounter": "identifier PV1-19; status PV1-44; class PV1-2",
    }


async def test_only_what_the_message_is_the_newest_to_tell_is_named(desk: Desk) -> None:
    await desk.store(message("ADT^A08", 2, patient("1", name=name("张"))))
    late = patient("1", name=name("旧"), gender="male")
    await desk.store(message("ADT^A08", 1, late))
    made, _ = await provenances(desk)
    assert sources(made["target"][0]) == "gender PID-8"


async def test_a_repeating_segment_has_its_number(desk: Desk) -> None:
    content = {"status": "final", "code": {"text": "x"}, "valueQuantity": {"value": 1}}
    result = mapped(
        "Observation[3]",
        content,
        ("urn:o", "1"),
        sources=(
            ("code.text", "OBX[3]", "3.2"),
            ("valueQuantity.value", "OBX[3]", "5"),
            ("valueQuantity.unit", "OBX[3]", "6.1"),
            ("code.coding[0].code", "OBR[1]", "4.1"),
        ),
    )
    await desk.store(message("ORU^R01", 1, result))
    (made,) = await provenances(desk)
    assert sources(made["target"][0]) == "code OBX[3]-3, OBR-4; value OBX[3]-5, OBX[3]-6"


async def test_a_message_that_changes_nothing_has_none(desk: Desk) -> None:
    for hours in (1, 2):
        await desk.store(message("ADT^A08", hours, patient("1")))
    assert len(await provenances(desk)) == 1


async def test_what_goes_on_to_the_surviving_patient_is_named_too(desk: Desk) -> None:
    await desk.store(merge(1, "1", "2"))
    await desk.store(message("ADT^A08", 2, patient("2", gender="male")))
    made, _ = await provenances(desk)
    surviving = await desk.one("Patient", MRN, "1")
    told = {one["reference"].split("/")[1]: sources(one) for one in made["target"]}
    assert told[surviving["id"]] == "gender PID-8"


async def test_it_is_found_by_its_message(desk: Desk) -> None:
    first = message("ADT^A08", 1, patient("1"))
    await desk.store(first)
    value = f"urn:fhir-hub:hl7v2:message|HIS\\|CENTRAL\\|{first.control_id}"
    answer = await desk.door.search(Context(), "Provenance", [("entity:identifier", value)])
    assert len(answer.entries) == 1


async def test_it_is_small() -> None:
    desk = Desk(door_over(MemoryStore()))
    await desk.store(message("ADT^A01", 1, patient("1", name=name("张")), *visit("V1")))
    (made,) = await provenances(desk)
    targets = json.encode(made["target"])
    assert len(json.encode(made)) - len(targets) < 800
    assert len(targets) < 4 * 220
