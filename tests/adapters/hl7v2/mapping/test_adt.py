"""Admissions, visits and patients: what the ADT maps decide."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.hl7v2.converted import Converted, Joined
from adapters.hl7v2.message import parse
from adapters.hl7v2.sites import Site
from adapters.hl7v2.to_fhir import convert
from hub.errors import HubError
from tests.adapters.hl7v2.mapping.trial import PID, RECEIVED, remarks, resource, said


def visit(**fields: str) -> str:
    """A PV1: `visit(n2="I", n19="V1")`."""
    numbers = {int(name[1:]): text for name, text in fields.items()}
    return "|".join(["PV1", *(numbers.get(number, "") for number in range(1, max(numbers) + 1))])


def encounter(converted: Converted) -> dict[str, Any]:
    return resource(converted, "Encounter")


@pytest.mark.parametrize(
    ("trigger", "fields", "status", "initial"),
    [
        ("A01", {"n2": "I"}, "in-progress", False),
        ("A04", {"n2": "O"}, "in-progress", False),
        ("A04", {"n2": "P"}, "planned", False),
        ("A05", {"n2": "I"}, "planned", False),
        ("A03", {"n2": "I"}, "finished", False),
        ("A03", {"n2": "I", "n45": "20260301"}, "finished", False),
        ("A11", {"n2": "I"}, "cancelled", False),
        ("A12", {"n2": "I"}, "in-progress", False),
        ("A13", {"n2": "I", "n45": "20260301"}, "in-progress", False),
        ("A14", {"n2": "I"}, "planned", False),
        ("A23", {"n2": "I"}, "entered-in-error", False),
        ("A08", {"n2": "I"}, "in-progress", True),
        ("A31", {"n2": "O"}, "in-progress", True),
        ("A08", {"n2": "I", "n45": "20260301"}, "finished", False),
        ("A01", {"n2": "?"}, "unknown", False),
        ("A01", {"n3": "W^1^2"}, "unknown", False),
    ],
)
def test_the_status_of_a_visit(
    trigger: str, fields: dict[str, str], status: str, initial: bool
) -> None:
    converted = said(PID, visit(n19="V1", **fields), kind=f"ADT^{trigger}")
    assert encounter(converted)["status"] == status
    mapped = next(one for one in converted.resources if one.type == "Encounter")
    assert ("status" in mapped.initial) is initial


@pytest.mark.parametrize(
    ("fields", "pid18", "identities"),
    [
        ({"n19": "V1", "n50": "X1", "n5": "P1"}, "A1", ["V1", "X1", "P1"]),
        ({"n50": "X1"}, "A1", ["X1"]),
        ({"n5": "P1"}, "A1", ["P1"]),
        ({"n44": "202603010900"}, "A1", ["A1"]),
        ({"n44": "202603010900"}, "", ["7/202603010900"]),
        ({}, "", None),
    ],
)
def test_what_a_visit_is_found_by(
    fields: dict[str, str], pid18: str, identities: list[str] | None
) -> None:
    pid = PID + "|" * 13 + pid18
    converted = said(pid, visit(n2="I", **fields))
    found = [one for one in converted.resources if one.type == "Encounter"]
    if identities is None:
        assert found == []
        return
    assert [value for _, value in found[0].identities] == identities
    identifiers = [one["value"] for one in found[0].resource["identifier"]]
    assert set(identities) <= set(identifiers), "what it is found by is in it"


def test_a_visit_that_is_none_makes_no_encounter() -> None:
    assert [one.key for one in said(PID, visit(n2="N", n19="V1")).resources] == ["Patient"]


def test_a_bed_is_within_its_room_and_its_ward() -> None:
    converted = said(PID, visit(n2="I", n3="W1^301^02^CENTRAL", n6="W1^302", n19="V1"))
    places = {one.key: one for one in converted.resources if one.type == "Location"}
    values = [one.identities[0][1] for one in places.values()]
    assert values == [
        "CENTRAL",
        "CENTRAL///W1",
        "CENTRAL///W1/301",
        "CENTRAL///W1/301/02",
        "///W1",
        "///W1/302",
    ]
    bed = places["Location[4]"]
    assert bed.resource["partOf"]["reference"] == places["Location[3]"].full_url
    assert bed.how == "find"
    one, two = encounter(converted)["location"]
    assert one["location"] == {"reference": bed.full_url, "display": "W1 301 02"}
    assert (one["status"], two["status"]) == ("active", "completed")


def test_two_quotes_empty_an_element_unless_another_field_fills_it() -> None:
    converted = said('PID|1||7||Li^Wei||""|""|||||""|13800000000||""')
    patient = converted.resources[0]
    assert patient.deleted == {"birthDate", "gender", "maritalStatus"} | patient.deleted
    assert "telecom" not in patient.deleted
    assert {"birthDate", "gender", "maritalStatus"}.isdisjoint(patient.resource)


def test_without_an_identifier_a_message_is_refused_with_the_field() -> None:
    with pytest.raises(HubError) as caught:
        said("PID|1||^^^HIS^MR||Li^Wei")
    assert caught.value.issues[0].location == "PID-3"
    with pytest.raises(HubError) as caught:
        said("PV1|1|I")
    assert caught.value.issues[0].location == "PID"


def test_an_unknown_kind_is_refused_with_the_field() -> None:
    with pytest.raises(HubError) as caught:
        said(PID, kind="ADT^A99")
    assert caught.value.issues[0].location == "MSH-9"


def test_a_merge_names_both_records() -> None:
    converted = said(
        PID, "MRG|8^^^HIS^MR~9^^^HIS^MR||||||Li^W", "PID|2||10", "MRG|11", kind="ADT^A40"
    )
    by_number = {one.identities[0][1]: one for one in converted.resources}
    assert set(by_number) == {"7", "8", "9", "10", "11"}
    assert converted.joined == [
        Joined(by_number["7"].full_url, by_number["8"].full_url),
        Joined(by_number["7"].full_url, by_number["9"].full_url),
        Joined(by_number["10"].full_url, by_number["11"].full_url),
    ]
    assert by_number["8"].how == "find"
    assert by_number["8"].resource["name"] == [{"family": "Li", "given": ["W"]}]


def test_a_patient_is_not_found_by_the_number_of_an_account() -> None:
    patient = said("PID|1|9|A1^^^HIS^AN~7^^^HIS^MR~V1^^^HIS^VN||Li^Wei").resources[0]
    assert [value for _, value in patient.identities] == ["7", "9"]
    assert [one["value"] for one in patient.resource["identifier"]] == ["A1", "7", "V1", "9"]


def test_the_same_number_of_two_hospitals_is_not_the_same_patient() -> None:
    text = "MSH|^~\\&|HIS|{}|HUB||20260301083000||ADT^A08|C1|P|2.5.1\rPID|1||7^^^MRN^MR\r"
    found = {
        convert(parse(text.format(facility)), Site(), RECEIVED).resources[0].identities[0]
        for facility in ("NORTH", "SOUTH")
    }
    assert found == {("urn:id:NORTH:MRN", "7"), ("urn:id:SOUTH:MRN", "7")}


@pytest.mark.parametrize(
    ("authority", "systems", "system"),
    [
        ("HIS", {"HIS": "urn:oid:1.2.3"}, "urn:oid:1.2.3"),
        ("HIS&2.16.156.1&ISO", {}, "urn:oid:2.16.156.1"),
        ("HIS&2.16.156.1&ISO", {"2.16.156.1": "http://a.example/id"}, "http://a.example/id"),
        ("A B", {}, "urn:id:CENTRAL:A%20B"),
        ("", {}, "urn:id:CENTRAL:HIS"),
        ("", {"": "http://a.example/id"}, "http://a.example/id"),
    ],
)
def test_an_authority_becomes_a_system(
    authority: str, systems: dict[str, str], system: str
) -> None:
    converted = said(f"PID|1||7^^^{authority}^MR", site=Site(systems=systems))
    assert converted.resources[0].identities == ((system, "7"),)


def test_the_event_is_when_it_was_recorded_else_when_it_was_sent_else_when_it_came() -> None:
    text = "MSH|^~\\&|HIS|CENTRAL|HUB||{}||ADT^A08|C1|P|2.5.1\rEVN|A08|{}\rPID|1||7\r"

    def event(sent: str, recorded: str) -> int:
        return convert(parse(text.format(sent, recorded)), Site(), RECEIVED).event

    assert event("20260301083000", "20260301082000") == 1_772_324_400_000
    assert event("20260301083000", "bad") == 1_772_325_000_000
    assert event("20260301083000", "") == event("20260301003000+0000", "")
    assert event("", "") == RECEIVED


def test_converted_again_a_message_is_the_same() -> None:
    segments = (PID, visit(n2="I", n3="W^1^2", n7="D1^Wang^Wu", n19="V1"), "AL1|1||PEN")
    assert said(*segments) == said(*segments)
    urls = {one.full_url for one in said(*segments).resources}
    assert len(urls) == len(said(*segments).resources)
    other = {one.full_url for one in said(*segments, "AL1|2||EGG").resources}
    assert urls.isdisjoint(other)


def test_a_relative_without_anything_to_reach_is_no_contact() -> None:
    converted = said(PID, "NK1|1||FTH", "NK1|2|Li^Da|FTH", "NK1|3|||||13800000000|E")
    assert [
        one["relationship"][0]["coding"][0]["code"]
        for one in resource(converted, "Patient")["contact"]
    ] == ["FTH", "E"]
    assert [one.key for one in converted.resources if one.type == "RelatedPerson"] == [
        "RelatedPerson[1]"
    ]


def test_a_relative_of_two_patients_is_one_of_each() -> None:
    child = "NK1|1|Li^Da|FTH" + "|" * 30 + "990101^^^PRC^NI"
    found = set()
    for patient in ("7", "8"):
        converted = said(
            f"PID|1||{patient}" + "|" * 18 + "M1^^^HIS^MR",
            child,
            "IN1|1|YB|X|Fund" + "|" * 32 + "P1",
        )
        for mapped in converted.resources:
            if mapped.type in ("RelatedPerson", "Coverage"):
                assert mapped.identities
                found |= {(mapped.type, *pair) for pair in mapped.identities}
                identifiers = {
                    (one["system"], one["value"]) for one in mapped.resource["identifier"]
                }
                assert set(mapped.identities) <= identifiers
    assert len(found) == 2 * 4, "father by number and by name, mother, insurance"


def test_a_diagnosis_is_a_condition_and_stands_in_the_visit() -> None:
    converted = said(
        PID, visit(n2="I", n19="V1"), "DG1|1||I20.0^心绞痛^I10||20260301|A|||||||||1", "DG1|2||||x"
    )
    condition = next(one for one in converted.resources if one.type == "Condition")
    assert condition.resource["code"]["coding"][0]["system"] == "http://hl7.org/fhir/sid/icd-10"
    (diagnosis,) = encounter(converted)["diagnosis"]
    assert diagnosis["condition"] == {"reference": condition.full_url}
    assert (diagnosis["use"]["coding"][0]["code"], diagnosis["rank"]) == ("AD", 1)


def test_a_procedure_names_who_did_it() -> None:
    pr1 = "PR1|1||45.23^结肠镜^I9C||20260301|||D1^Wang|||D2^Zhao~D3^Qian"
    procedure = resource(said(PID, visit(n2="I", n19="V1"), pr1), "Procedure[1]")
    assert procedure["status"] == "unknown"
    assert procedure["code"]["text"] == "结肠镜"
    assert [one["function"]["coding"][0]["code"] for one in procedure["performer"]] == [
        "88189002",
        "304292004",
        "304292004",
    ]
    assert procedure["identifier"][0]["value"] == "7/V1/45.23/20260301"


def test_the_sources_name_segments_and_fields() -> None:
    converted = said(PID + "|||M", visit(n2="I", n7="D1^Wang", n19="V1"))
    patient = converted.resources[0]
    assert ("gender", "PID[1]", "8") in patient.sources
    doctor = converted.resources[1]
    assert doctor.sources == [("", "PV1[1]", "7")]


def test_traced_every_element_has_its_component() -> None:
    converted = said(PID, visit(n2="I", n19="V1"), "PV2|||^pain", "PV2|||^cough", trace=True)
    sources = {one.element: (one.segment, one.field) for one in converted.resources[0].sources}
    assert sources["identifier[0].value"] == ("PID[1]", "3.1")
    assert sources["name[0].given[0]"] == ("PID[1]", "5.2")
    assert said(PID, trace=True).resources[0].resource == said(PID).resources[0].resource
    last = {one.element: one.segment for one in converted.resources[-1].sources}
    assert last["reasonCode[0].text"] == "PV2[1]"
    assert last["reasonCode[1].text"] == "PV2[2]"


def test_a_bad_time_of_the_visit_is_told_and_the_rest_goes_on() -> None:
    converted = said(PID, visit(n2="I", n19="V1", n44="soon"))
    assert "period" not in encounter(converted)
    assert remarks(converted) == [("PV1-44", "hl7v2-bad-date")]
