"""Objects that begin with what a datatype map makes, lines of a text, equal numbers, answers."""

from __future__ import annotations

from base64 import b64decode
from decimal import Decimal
from typing import Any

import pytest

from adapters.hl7v2.mapping.primitives import KINDS
from adapters.hl7v2.sites import Site
from tests.adapters.hl7v2.mapping.trial import PID, remarks, resource, said


def made(site_map: dict[str, Any], *segments: str) -> dict[str, Any]:
    """What a map of ZZZ makes of segments."""
    site = Site(segments={"ZZZ": {"Observation": {"status": "=final", **site_map}}})
    return resource(said(PID, *segments, site=site), "Observation")


QUANTITY = {"valueQuantity": {"$from": ["ZZZ-1 as NM[Quantity]", "ZZZ-2 as CWE[Quantity]"]}}


def test_an_object_begins_with_what_its_source_makes_and_is_filled_by_others() -> None:
    assert made(QUANTITY, "ZZZ|<5.0|mg/L^^UCUM")["valueQuantity"] == {
        "comparator": "<",
        "value": Decimal("5.0"),
        "unit": "mg/L",
        "system": "http://unitsofmeasure.org",
        "code": "mg/L",
    }


def test_where_the_source_makes_nothing_there_is_no_object() -> None:
    found = made({**QUANTITY, "valueString": "ZZZ-1 if lacks value[x]"}, "ZZZ|none|mg/L")
    assert "valueQuantity" not in found
    assert found["valueString"] == "none"


def test_all_repetitions_are_the_lines_of_one_text() -> None:
    found = made({"valueString": "ZZZ-1[*]"}, "ZZZ|one~  two\\T\\^x~~four")
    assert found["valueString"] == "one\n  two&^x\n\nfour"


def test_lines_of_another_segment_are_those_for_which_the_condition_holds() -> None:
    segments = ("TXA|1|||||||||||7^HIS", "OBX|1|TX|||one~two", "OBX|2|RP|||x", "OBX|3|TX|||three")
    result = said(PID, "PV1|1|O", *segments, kind="MDM^T02")
    first, second = resource(result, "DocumentReference")["content"]
    assert b64decode(first["attachment"]["data"]) == b"one\ntwo\nthree"
    assert second["attachment"]["url"] == "x"


def test_a_hole_of_several_sources_holds_the_first_that_is_there() -> None:
    assert made({"valueString": "={ZZZ-1|ZZZ-2}/{ZZZ-3}"}, "ZZZ||b|c")["valueString"] == "b/c"


def test_equal_identifiers_in_one_message_are_told_apart_by_their_turn() -> None:
    order = "OBR|1||9^LIS|X|||20260301|||||||||||||||||||F"
    values = [f"OBX|{turn}|ST|CMT||text {turn}||||||F" for turn in (1, 2, 3)]
    result = said(PID, order, *values, kind="ORU^R01")
    numbers = [
        one.resource["identifier"][0]["value"]
        for one in result.resources
        if one.type == "Observation"
    ]
    assert numbers == ["9/CMT", "9/CMT#2", "9/CMT#3"]


def test_what_results_say_of_a_patient_holds_while_nothing_else_has_told() -> None:
    result = said(PID + '|||""', "OBR|1||9^LIS|X|||||||||||||||||||||F", kind="ORU^R01")
    patient = next(one for one in result.resources if one.type == "Patient")
    assert patient.initial == {"name"}
    assert patient.deleted == frozenset()


def test_an_answer_names_what_it_answers_each_name_once() -> None:
    result = said("MSA|AA|77", "RF1|A|||||77^HUB|||||88^HIS", PID, kind="RRI^I12")
    assert result.answers == ("77", "88")


def test_a_translation_that_is_not_there_leaves_the_local_code_and_says_so() -> None:
    site = Site(concept_maps={"OBX-3": "http://example.org/map"})
    segments = (PID, "OBR|1||9^LIS|X|||||||||||||||||||||F", "OBX|1|ST|A^a^99L||x||||||F")
    result = said(*segments, kind="ORU^R01", site=site, translate=lambda *_: None)
    assert resource(result, "Observation[1]")["code"]["coding"][0]["code"] == "A"
    assert ("OBX-3", "hl7v2-code-untranslated") in remarks(result)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("sum", "202603160900 + 30 min", "2026-03-16T09:30:00+08:00"),
        ("sum", "202603162350 + 1 h", "2026-03-17T00:50:00+08:00"),
        ("sum", "202603160900 + 30 分钟", "2026-03-16T09:30:00+08:00"),
        ("sum", " + 30 min", None),
        ("sum", "202603160900 +  min", None),
        ("low", "3.50-9.5", Decimal("3.50")),
        ("high", "3.50-9.5", Decimal("9.5")),
        ("low", "-5--1", -5),
        ("high", "-5--1", -1),
        ("high", "3.5--9.5", Decimal("9.5")),
        ("low", "2026-01", None),
        ("low", "<5", None),
        ("high", "阴性", None),
        ("samples", "0^12^-3~7.5", "0 12 -3 7.5"),
        ("mediatype", "AP/PDF", "application/pdf"),
        ("mediatype", "/JPG", "image/jpeg"),
        ("mediatype", "image/svg+xml", "image/svg+xml"),
        ("mediatype", "TX/", None),
        ("ucumsystem", "mm[Hg]", "http://unitsofmeasure.org"),
        ("ucumsystem", "剂", None),
    ],
)
def test_kinds_for_results_and_appointments(kind: str, text: str, value: Any) -> None:
    found = KINDS[kind](text, "Asia/Shanghai")
    assert str(found) == str(value)
