"""FHIR datatypes in HL7 v2's words."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.hl7v2.from_fhir import tables
from adapters.hl7v2.from_fhir.datatypes import cwe, cx, dtm, hd, pl, xad, xcn_of, xpn, xtn
from adapters.hl7v2.from_fhir.pv1 import patient_class
from adapters.hl7v2.from_fhir.scene import Scene
from adapters.hl7v2.from_fhir.shape import trimmed
from adapters.hl7v2.mapping import files
from adapters.hl7v2.sites import Site

SCENE = Scene(
    {
        "Practitioner/li": {
            "resourceType": "Practitioner",
            "id": "li",
            "identifier": [{"system": "urn:oid:1.2", "value": "D7"}],
            "name": [{"family": "李", "given": ["医"]}],
        },
        "PractitionerRole/r": {
            "resourceType": "PractitionerRole",
            "id": "r",
            "practitioner": {"reference": "Practitioner/li"},
        },
        "Location/bed": {
            "resourceType": "Location",
            "id": "bed",
            "name": "3床",
            "identifier": [{"value": "3"}],
            "physicalType": {"coding": [{"code": "bd"}]},
            "partOf": {"reference": "Location/room"},
        },
        "Location/room": {
            "resourceType": "Location",
            "id": "room",
            "name": "201",
            "physicalType": {"coding": [{"code": "ro"}]},
            "partOf": {"reference": "Location/ward"},
        },
        "Location/ward": {
            "resourceType": "Location",
            "id": "ward",
            "name": "内科",
            "partOf": {"reference": "Location/ward"},
        },
    },
    namespaces={"urn:oid:1.2": "HIS", "https://x.example/mrn": "MRN"},
)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("2026", "2026"),
        ("2026-03", "202603"),
        ("2026-03-01", "20260301"),
        ("2026-03-01T08:00:00Z", "20260301160000+0800"),
        ("2026-03-01T08:00:00.1234567Z", "20260301160000.1234+0800"),
        ("2026-03-01T08:00:00-05:00", "20260301210000+0800"),
        ("2026-03-01T08:00", "202603010800+0800"),
        ("2026-02-31T08:00:00Z", ""),
        ("tomorrow", ""),
        (None, ""),
        (5, ""),
    ],
)
def test_times_keep_their_precision_and_get_the_receivers_zone(value: Any, written: str) -> None:
    assert dtm(value, "Asia/Shanghai") == written


@pytest.mark.parametrize(
    ("system", "written"),
    [
        ("", ()),
        ("urn:oid:1.2", ("HIS", "1.2", "ISO")),
        ("urn:oid:1.9", ("", "1.9", "ISO")),
        ("https://x.example/mrn", ("MRN",)),
        ("https://y.example/mrn", ("", "https://y.example/mrn", "URI")),
    ],
)
def test_identifier_systems_are_namespaces_where_the_receiver_has_one(
    system: str, written: tuple[str, ...]
) -> None:
    assert hd(system, SCENE) == written


def test_an_identifier_without_a_value_is_none() -> None:
    assert cx({"system": "urn:oid:1.2"}, SCENE) == ()


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ({"use": "official", "family": "张", "given": ["小", "明"]}, "张^小^明^^^^L"),
        ({"text": "张小明"}, "张小明^^^^^^L"),
        ({"family": "Li", "prefix": ["Dr", "h.c."], "use": "old"}, "Li^^^^Dr h.c.^^NOUSE"),
        ({}, ""),
    ],
)
def test_names(name: dict[str, Any], written: str) -> None:
    assert "^".join(map(str, trimmed(xpn(name)))) == written


def test_addresses_and_numbers() -> None:
    assert trimmed(xad({"text": "南山街7号"})) == ("南山街7号",)
    assert trimmed(xad({"line": ["a", "b", "c"], "district": "d", "use": "work"})) == (
        "a", "b c", "", "", "", "", "B", "", "d",
    )  # fmt: skip
    assert xtn({"system": "email", "value": "a@b"}) == ("", "NET", "Internet", "a@b")
    assert xtn({"system": "phone", "use": "mobile", "value": "1"})[:3] == ("1", "PRS", "CP")
    assert xtn({"system": "phone"}) == ()


def test_a_person_is_named_by_the_practitioner_behind_the_role() -> None:
    for reference in ("Practitioner/li", "PractitionerRole/r"):
        found = xcn_of({"reference": reference}, SCENE)
        assert (found[0], found[1], found[8]) == ("D7", "李", ("HIS", "1.2", "ISO"))
    assert xcn_of({"display": "王"}, SCENE) == ("", "王")
    assert xcn_of({"reference": "Organization/x", "display": "Hospital"}, SCENE) == ()


def test_a_place_is_point_of_care_room_and_bed_and_ends_where_it_goes_round() -> None:
    assert trimmed(pl(SCENE.resources["Location/bed"], SCENE)) == (
        "内科", "201", "3", "", "", "", "", "", "3床",
    )  # fmt: skip


def test_a_concept_has_two_codings_and_its_words() -> None:
    codings = [
        {"system": "http://loinc.org", "code": "1", "display": "one"},
        {"system": "urn:oid:1.2.3", "code": "2"},
        {"code": "3"},
    ]
    made = trimmed(cwe({"coding": codings, "text": "壹"}))
    assert made == ("1", "one", "LN", "2", "", "1.2.3", "", "", "壹")
    assert trimmed(cwe({"coding": codings[2:], "text": "叁"})) == ("3", "叁", "L")
    assert trimmed(cwe({"text": "话"})) == ("", "话")
    assert cwe(None) == ()


@pytest.mark.parametrize(
    ("code", "written"),
    [("IMP", "I"), ("AMB", "O"), ("VR", "O"), ("B", "B"), ("X9", "O"), (None, "N")],
)
def test_every_visit_has_a_patient_class(code: str | None, written: str) -> None:
    assert patient_class({"class": {"code": code}}, SCENE) == written


@pytest.mark.parametrize("name", sorted(files.ours("tables")))
def test_what_a_table_writes_it_reads_again_as_the_same(name: str) -> None:
    codes = files.ours("tables")[name]["codes"]
    own = tables._OWN.get(name, {})
    for given, written in tables.turned(name).items():
        if given not in own:
            target = codes[written]
            assert given == (target[0] if isinstance(target, list) else target)


def test_a_site_gets_its_own_codes() -> None:
    site = Site(tables={"sex": {"1": "male", "2": "female"}, "x": {"codes": {"7": ["seven", "S"]}}})
    scene = Scene(codes=tables.own_codes(site))
    assert [scene.code("sex", one) for one in ("male", "female", "other")] == ["1", "2", "O"]
    assert scene.codes["x"] == {"seven": "7"}
