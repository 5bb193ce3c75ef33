"""Resources to index rows (tests/cases/search/extraction), and real data."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hub.definitions import compartment, compartment_names
from hub.model import json
from hub.search import registry
from hub.search.extract import extract, references_of
from hub.search.extraction.found import Found
from hub.search.values import COMPARTMENT_KEY, LINK_KEY, IndexRows, ReferenceRow
from tests.search.reading import BASE, CASES, ZONE
from tests.search.rows import indexed, said

CORE = registry.core()


def resources() -> list[dict[str, Any]]:
    text = (CASES / "extraction" / "resources.json").read_bytes()
    return json.load(b'{"cases":' + text + b"}")["cases"]


@pytest.mark.parametrize("case", resources(), ids=lambda case: case["name"])
def test_a_resource_is_indexed(case: dict[str, Any]) -> None:
    assert said(case["resource"]) == case["rows"]


def test_extraction_does_not_touch_the_resource() -> None:
    for case in resources():
        before = json.encode(case["resource"])
        indexed(case["resource"])
        assert json.encode(case["resource"]) == before


def test_the_same_resource_gives_the_same_rows() -> None:
    for case in resources():
        assert indexed(case["resource"]) == indexed(json.load(json.encode(case["resource"])))


def test_rows_are_there_once() -> None:
    coding = {"system": "http://s", "code": "1"}
    rows = indexed({"resourceType": "Condition", "code": {"coding": [coding, coding]}})
    assert len(rows.tokens) == len(set(rows.tokens)) == 1


def test_a_patient_is_in_its_own_compartment_only_with_an_id() -> None:
    assert ReferenceRow(COMPARTMENT_KEY, "Patient", "p") in indexed(patient("p")).references
    assert indexed({"resourceType": "Patient"}).references == ()


def patient(logical_id: str) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": logical_id}


@pytest.mark.parametrize("name", compartment_names())
def test_every_compartment_parameter_puts_a_resource_into_it(name: str) -> None:
    members = compartment(name)
    for resource_type, codes in members.items():
        for code in codes:
            if code == "{def}":
                continue
            parameter = CORE.get(resource_type, code)
            assert parameter is not None, (resource_type, code)
            assert parameter.type == "reference"


def test_absolute_references_to_the_own_base_are_local() -> None:
    resource = {
        "resourceType": "Observation",
        "subject": {"reference": "https://a.example/fhir/Patient/1"},
    }
    here = extract(CORE, resource, zone=ZONE, base="https://a.example/fhir")
    there = extract(CORE, resource, zone=ZONE, base=BASE)
    assert ReferenceRow(COMPARTMENT_KEY, "Patient", "1") in here.references
    assert all(row.url for row in there.references)


def test_the_zone_decides_on_days() -> None:
    resource = {"resourceType": "Observation", "effectiveDateTime": "2026-03-01"}
    assert (
        extract(CORE, resource, zone="UTC", base=BASE).dates
        != extract(CORE, resource, zone=ZONE, base=BASE).dates
    )


def test_references_of_one_parameter_leave_out_links_and_others() -> None:
    resource = {
        "resourceType": "Observation",
        "id": "o",
        "subject": {"reference": "Group/1"},
        "performer": [{"reference": "Practitioner/2"}, {"reference": "Practitioner/2"}],
    }
    own = CORE.of("Observation")
    assert references_of(CORE, own["patient"], resource, base=BASE) == []
    found = references_of(CORE, own["performer"], resource, base=BASE)
    assert found == [ReferenceRow(own["performer"].key, "Practitioner", "2")]


def test_text_is_bounded() -> None:
    resource = {"resourceType": "Basic", "extension": [{"url": "http://e", "valueString": "a"}]}
    resource["extension"][0]["valueString"] = " ".join(f"w{n}" for n in range(200_000))
    assert len(indexed(resource).content) <= 200_000


@pytest.mark.parametrize(
    "markup", ["<" * 300_000, "<a" * 150_000, "&" * 300_000, "<div" + " " * 300_000]
)
def test_hostile_narrative_takes_no_time(markup: str) -> None:
    start = time.process_time()
    indexed({"resourceType": "Basic", "text": {"status": "generated", "div": markup}})
    assert time.process_time() - start < 1


def test_many_codes_of_a_composite_are_bounded() -> None:
    codings = [{"code": f"c{n}"} for n in range(3000)]
    rows = indexed(
        {
            "resourceType": "Observation",
            "code": {"coding": codings},
            "valueCodeableConcept": {"coding": codings},
        }
    )
    assert len(rows.composites) <= 4 * 4096


def test_found_keeps_nothing_between_resources() -> None:
    assert Found({}, ZONE, BASE).tokens is not Found({}, ZONE, BASE).tokens


@pytest.mark.shared
def test_synthea_is_indexed(shared: Path) -> None:
    bundles = sorted((shared / "data" / "synthea").glob("*.json"))
    assert bundles
    for path in bundles[:6]:
        for entry in json.load(path.read_bytes())["entry"]:
            rows = indexed(entry["resource"])
            assert isinstance(rows, IndexRows)
            if entry["resource"]["resourceType"] in ("Observation", "Condition", "Encounter"):
                assert rows.date
                assert rows.tokens


def literal_references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["reference"]} if isinstance(node.get("reference"), str) else set()
        return own.union(*map(literal_references, node.values()), set())
    if isinstance(node, list):
        return set().union(*map(literal_references, node))
    return set()


@pytest.mark.shared
def test_every_literal_reference_of_synthea_is_a_row(shared: Path) -> None:
    path = min((shared / "data" / "synthea").glob("*.json"), key=lambda one: one.stat().st_size)
    entries = json.load(path.read_bytes())["entry"]
    text = path.read_text(encoding="utf-8")
    for entry in entries:
        target = f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
        text = text.replace(entry.get("fullUrl", target), target)
    for entry in json.load(text.encode())["entry"]:
        resource = entry["resource"]
        rows = {f"{row.type}/{row.id}" for row in indexed(resource).references if row.type}
        local = {
            one
            for one in literal_references(resource)
            if not one.startswith("#") and "?" not in one
        }
        assert local <= rows


def test_links_and_compartments_have_keys_apart_from_parameters() -> None:
    keys = {parameter.key for parameter in CORE.by_url.values()}
    assert not keys & {LINK_KEY, COMPARTMENT_KEY}
    assert max(keys) < registry.FIRST_RUNTIME_KEY


def test_a_negative_zero_is_indexed_as_the_store_gives_it_back() -> None:
    quantity = {"resourceType": "Observation", "valueQuantity": {"value": Decimal("-0.00")}}
    (row,) = {row[1:] for row in indexed(quantity).quantities}
    assert "-0.0" not in repr(row)
    place = {"latitude": Decimal("-0.0"), "longitude": Decimal("-0.0")}
    (where,) = indexed({"resourceType": "Location", "position": place}).positions
    assert "-0.0" not in repr(where)
