"""Maps do what the page of the map language says: shown by maps of a site's own Z-segment."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.hl7v2.mapping.grammar import MapError
from adapters.hl7v2.mapping.library import Library
from adapters.hl7v2.sites import Site
from tests.adapters.hl7v2.mapping.trial import PID, remarks, resource, said


def mapped(segment: str, site_map: dict[str, Any], key: str = "Observation", **rest: Any) -> Any:
    """What a map of ZZZ makes of a segment, after the PID."""
    site = Site(segments={"ZZZ": {key: site_map}}, **rest)
    return said(PID, segment, site=site)


def made(segment: str, site_map: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return resource(mapped(segment, {"status": "=final", **site_map}, **rest), "Observation")


def test_a_text_is_read_by_the_type_of_its_element() -> None:
    found = made("ZZZ|Y|2.50|202603010830|12", {
        "valueBoolean": "ZZZ-1",
        "valueDateTime": "ZZZ-3",
        "component": [{"valueInteger": "ZZZ-4"}],
    })  # fmt: skip
    assert found["valueBoolean"] is True
    assert found["valueDateTime"] == "2026-03-01T08:30:00+08:00"
    assert found["component"] == [{"valueInteger": 12}]


def test_a_constant_is_read_by_the_type_of_its_element() -> None:
    found = made("ZZZ|x", {
        "valueBoolean": "=true",
        "referenceRange": [{"low": {"value": "=0.50"}, "text": "ZZZ-1"}],
        "component": [{"valueInteger": "=12", "interpretation": [{"text": "ZZZ-1"}]}],
    })  # fmt: skip
    assert found["valueBoolean"] is True
    assert str(found["referenceRange"][0]["low"]["value"]) == "0.50"
    assert found["component"][0]["valueInteger"] == 12


def test_components_repetitions_and_subcomponents_are_found() -> None:
    found = made("ZZZ|a^b&c~d^e&f", {
        "valueString": "={ZZZ-1.2.2}/{ZZZ-1[2].1}/{ZZZ-1[2].2.1}/{ZZZ-1[3].1}",
    })  # fmt: skip
    assert found["valueString"] == "c/d/e/"


def test_an_element_that_repeats_takes_every_repetition() -> None:
    found = made("ZZZ|7^^^A~8^^^B", {"identifier": "ZZZ-1 as CX"})
    assert [one["value"] for one in found["identifier"]] == ["7", "8"]


def test_one_that_does_not_repeat_takes_the_first_that_gives_something() -> None:
    found = made("ZZZ||b~c|d", {"valueString": ["ZZZ-1", "ZZZ-2", "ZZZ-3"]})
    assert found["valueString"] == "b"


def test_each_repetition_makes_an_object_of_which_the_map_fills_what_is_open() -> None:
    telecom = {"$each": "ZZZ-1 as XTN", "use": "=home if not ZZZ-1.2", "rank": "=1"}
    found = resource(
        mapped("ZZZ|^WPN^PH^^^^5551~5552", {"telecom": [telecom]}, key="Patient"), "Patient"
    )
    assert [(one["value"], one["use"], one["rank"]) for one in found["telecom"]] == [
        ("5551", "work", 1),
        ("5552", "home", 1),
    ]


def test_an_object_of_which_nothing_came_from_the_message_is_left_out() -> None:
    code = {"coding": [{"system": "=http://loinc.org", "code": "ZZZ-1"}]}
    note = [{"text": "ZZZ-2", "authorString": "='the sender'"}]
    found = made("ZZZ|8480-6||x", {"code": code, "note": note, "valueString": "ZZZ-3"})
    assert found["code"] == {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]}
    assert "note" not in found


def test_a_condition_decides_on_a_value_and_on_an_object() -> None:
    site_map = {
        "valueString": "ZZZ-1 if ZZZ-2 in (A, B) and not ZZZ-3",
        "component": [{"$when": "ZZZ-1 longer 2 or ZZZ-2 = C", "valueString": "ZZZ-2"}],
    }
    assert made("ZZZ|xyz|A", site_map)["valueString"] == "xyz"
    assert "valueString" not in made("ZZZ|xyz|A|no", site_map)
    assert "component" not in made("ZZZ|x|A", site_map)
    assert made("ZZZ|x|C", site_map)["component"] == [{"valueString": "C"}]


def test_lacks_tells_whether_the_map_has_made_an_element() -> None:
    site_map = {"valueInteger": "ZZZ-1", "valueString": "ZZZ-1 if lacks valueInteger"}
    assert "valueString" not in made("ZZZ|5", site_map)
    assert made("ZZZ|five", site_map)["valueString"] == "five"


def test_ref_is_a_reference_to_what_the_message_makes() -> None:
    converted = mapped("ZZZ|x", {"subject": "ref Patient", "encounter": "ref Encounter"})
    patient = converted.resources[0].full_url
    assert resource(converted, "Observation") == {
        "resourceType": "Observation",
        "subject": {"reference": patient},
    }


def test_a_person_with_a_number_becomes_a_practitioner_once() -> None:
    site_map = {"$new": "true", "performer": ["ZZZ-1 as XCN[Practitioner]"]}
    converted = mapped("ZZZ|D7^周^明~D7^周^明~^无^名", site_map)
    keys = [one.key for one in converted.resources]
    assert keys == ["Patient", "Practitioner[1]", "Observation[1]"]
    doctor, observation = converted.resources[1:]
    assert doctor.how == "find"
    assert doctor.identities == (("urn:id:CENTRAL:HIS", "D7"),)
    assert observation.resource["performer"] == [
        {"reference": doctor.full_url, "display": "周明"},
        {"reference": doctor.full_url, "display": "周明"},
        {"display": "无名"},
    ]


def test_a_code_goes_through_its_table_and_through_that_of_the_site_first() -> None:
    site = Site(tables={"sex": {"1": "male", "O": "unknown"}})
    for code, gender in (("1", "male"), ("f", "female"), ("O", "unknown")):
        found = said(f"PID|1||7||||| {code} ", site=site)
        assert resource(found, "Patient")["gender"] == gender
        assert found.remarks == []
    strange = said("PID|1||7|||||9", site=site)
    assert resource(strange, "Patient")["gender"] == "unknown"
    assert remarks(strange) == [("PID-8", "hl7v2-code-unknown")]


def test_a_concept_keeps_the_local_code_beside_the_mapped_one() -> None:
    found = resource(said(f"{PID}|||||||||||M^已婚^HL70002"), "Patient")["maritalStatus"]
    assert found == {
        "coding": [
            {
                "system": "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus",
                "code": "M",
                "display": "Married",
            },
            {
                "system": "http://terminology.hl7.org/CodeSystem/v2-0002",
                "code": "M",
                "display": "已婚",
            },
        ],
        "text": "已婚",
    }


def test_an_unknown_code_stays_alone_with_a_remark() -> None:
    converted = said(f"{PID}|||||||||||9^丧偶^99CN")
    assert resource(converted, "Patient")["maritalStatus"] == {
        "coding": [{"system": "urn:id:CENTRAL:99CN", "code": "9", "display": "丧偶"}],
        "text": "丧偶",
    }
    assert remarks(converted) == [("PID-16", "hl7v2-code-unknown")]


def test_a_local_code_is_translated_by_the_concept_map_of_its_field() -> None:
    asked: list[tuple[str, str, str]] = []

    def translate(canonical: str, system: str, code: str) -> list[dict[str, Any]]:
        asked.append((canonical, system, code))
        return [{"system": "http://loinc.org", "code": "2345-7"}] if code == "GLU" else []

    site = Site(
        concept_maps={"ZZZ-1": "http://central.example/lab"},
        segments={"ZZZ": {"Observation": {"$new": "true", "code": "ZZZ-1 as CWE"}}},
    )
    converted = said(PID, "ZZZ|GLU^^L", "ZZZ|XYZ^^L", site=site, translate=translate)
    one, two = (resource(converted, f"Observation[{n}]")["code"]["coding"] for n in (1, 2))
    assert [coding["code"] for coding in one] == ["2345-7", "GLU"]
    assert [coding["code"] for coding in two] == ["XYZ"]
    assert asked[0] == ("http://central.example/lab", "urn:id:CENTRAL:L", "GLU")
    assert remarks(converted) == [("ZZZ[2]-1", "hl7v2-code-untranslated")]


def test_what_a_site_names_replaces_ours_and_the_rest_stays() -> None:
    site = Site(
        segments={"PID": {"Patient": {"birthDate": "PID-33", "maritalStatus": "ZZZ-1 as CWE"}}}
    )
    found = resource(said(f"{PID}||19800101|M", "ZZZ|1^未婚", site=site), "Patient")
    assert "birthDate" not in found
    assert found["gender"] == "male"
    assert found["maritalStatus"]["text"] == "未婚"


def test_a_segment_that_nothing_maps_is_told() -> None:
    assert remarks(said(PID, "ZZZ|1", "GT1|1")) == [
        ("ZZZ", "hl7v2-segment-unmapped"),
        ("GT1", "hl7v2-segment-unmapped"),
    ]


def test_a_bad_value_is_left_out_and_its_place_is_told() -> None:
    converted = said(PID.replace("^^^HIS^MR", "^^^HIS^MR^^1985^bad") + "||19851350|M")
    assert "birthDate" not in resource(converted, "Patient")
    assert remarks(converted) == [("PID-3.8", "hl7v2-bad-date"), ("PID-7", "hl7v2-bad-date")]


@pytest.mark.parametrize(
    ("site_map", "message", "element"),
    [
        ({"name": "ZZZ-1"}, "hl7v2-map-element", "name"),
        ({"code": "ZZZ-1"}, "hl7v2-map-as", "code"),
        ({"code": "ZZZ-1 as XYZ"}, "hl7v2-map-datatype", "code"),
        ({"status": "ZZZ-1 by nothing"}, "hl7v2-map-table", "status"),
        ({"status": "ZZZ 1"}, "hl7v2-map-expression", "status"),
        ({"status": {"code": "ZZZ-1"}}, "hl7v2-map-shape", "status"),
        ({"status": "CX.1"}, "hl7v2-map-component", "status"),
        ({"status": "ref Patient"}, "hl7v2-map-type", "status"),
        ({"code": {"text": "ZZZ-1", "$if": "ZZZ-2"}}, "hl7v2-map-word", "code"),
        ({"code": {"$each": "ZZZ-1"}}, "hl7v2-map-each", "code $each"),
        ({"valueInteger": "=five"}, "hl7v2-map-shape", "valueInteger"),
        ({"valueBoolean": "=yes"}, "hl7v2-map-shape", "valueBoolean"),
        ({"valueQuantity": {"value": "=1,5"}}, "hl7v2-map-expression", "valueQuantity.value"),
        ({"valueQuantity": {"value": "='1,5'"}}, "hl7v2-map-shape", "valueQuantity.value"),
        ({"$how": "never"}, "hl7v2-map-shape", "$how"),
        ({"$sometimes": "true"}, "hl7v2-map-word", ""),
    ],
)
def test_a_map_that_does_not_fit_is_refused_with_its_place(
    site_map: dict[str, Any], message: str, element: str
) -> None:
    with pytest.raises(MapError) as caught:
        mapped("ZZZ|1", site_map)
    issue = caught.value.issues[0]
    assert issue.message == message
    assert issue.location == f"default: segments.ZZZ.Observation {element}".rstrip()


@pytest.mark.parametrize(
    ("site", "message", "at"),
    [
        ({"tables": {"sexx": {"1": "male"}}}, "hl7v2-map-table-unused", "tables.sexx"),
        ({"tables": {"sex": {"1": [1, 2, 3, 4]}}}, "hl7v2-map-shape", "tables.sex 1"),
        ({"tables": {"sex": {"1": "man"}}}, "hl7v2-map-target", "tables.sex 1"),
        ({"concept_maps": {"OBX3": "http://a.b"}}, "hl7v2-map-concept-map", "concept_maps.OBX3"),
        ({"concept_maps": {"PID-7": "http://a.b"}}, "hl7v2-map-concept-map", "concept_maps.PID-7"),
    ],
)
def test_what_a_site_says_of_no_map_is_refused(site: Any, message: str, at: str) -> None:
    with pytest.raises(MapError) as caught:
        Library(Site(name="north", **site)).check()
    issue = caught.value.issues[0]
    assert (issue.message, issue.location) == (message, f"north: {at}")


def test_a_site_has_tables_and_concept_maps_of_its_own() -> None:
    own = {"ZPD": {"Patient": {"gender": "ZPD-1 by ward-sex"}}}
    tables = {"ward-sex": {"1": "male"}, "sex": {"1": "male"}}
    concept_maps = {"OBX-3": "http://a.b", "DG1-3": "http://a.b", "OBR-4": "http://a.b"}
    Library(Site(segments=own, tables=tables, concept_maps=concept_maps)).check()


def test_a_code_that_a_site_added_is_said_to_be_in_no_system() -> None:
    site = Site(tables={"marital-status": {"2": "M"}})
    made = resource(said("PID|1||7^^^HIS^MR||Li^Wei|||||||||||2", site=site), "Patient")
    assert [one["code"] for one in made["maritalStatus"]["coding"]] == ["M", "2"]
    assert "system" not in made["maritalStatus"]["coding"][1]
