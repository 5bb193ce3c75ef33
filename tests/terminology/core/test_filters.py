"""The filters of an include, and that none of them can hang the hub."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from terminology.core.code_system import code_system
from terminology.core.effort import Effort
from terminology.core.filters import R5_OPERATOR, matching
from terminology.core.findings import Refused
from terminology.core.shapes import CodeSystem
from tests.terminology.core.questions import animals, concept
from tests.terminology.core.questions import code_system as resource

CASES = Path(__file__).parents[2] / "cases" / "terminology" / "filters.tsv"


def rows() -> list[list[str]]:
    lines = CASES.read_text().splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


def select(system: CodeSystem, property: str, op: str, value: str) -> list[str]:
    element = {"property": property, "op": op, "value": value}
    found = matching(system, element, "ValueSet.compose.include[0].filter[0]", Effort())
    return [system.code(ordinal) for ordinal in sorted(found)]


def outcome(system: CodeSystem, pattern: str) -> str:
    """The codes that a regular expression selects, or the message it is refused with."""
    try:
        return str(select(system, "code", "regex", pattern))
    except Refused as refused:
        return refused.findings[0].message


@pytest.mark.parametrize("row", rows(), ids=lambda row: " ".join(row[:3]))
def test_a_filter_selects_what_it_says(row: list[str]) -> None:
    property, op, value, wanted = row
    expected = [] if wanted == "-" else wanted.split()
    assert select(code_system(animals), property, op, value) == expected


def test_an_operator_of_r5_comes_in_an_extension() -> None:
    element = {
        "property": "concept",
        "_op": {"extension": [{"url": R5_OPERATOR, "valueCode": "child-of"}]},
        "value": "dog",
    }
    system = code_system(animals)
    assert [system.code(one) for one in matching(system, element, "", Effort())] == ["puppy"]


@pytest.mark.parametrize("value", [None, "", 3])
def test_a_filter_without_a_value_is_refused(value: object) -> None:
    element = {"property": "concept", "op": "is-a", "value": value}
    with pytest.raises(Refused) as refused:
        matching(code_system(animals), element, "ValueSet.compose.include[0].filter[0]", Effort())
    (finding,) = refused.value.findings
    assert finding.message == "tx-filter-no-value"
    assert finding.location == "ValueSet.compose.include[0].filter[0]"


@pytest.mark.parametrize("op", ["", "above", "is-a"])
def test_a_filter_that_cannot_be_answered_is_refused(op: str) -> None:
    with pytest.raises(Refused) as refused:
        select(code_system(animals), "size", op, "x")
    assert refused.value.findings[0].message == "tx-filter-unsupported"


@pytest.mark.parametrize("value", ["(", "[", "a{2", "(?P<x>", "a" * 2000])
def test_what_is_no_regular_expression_is_refused_or_matches_nothing(value: str) -> None:
    assert outcome(code_system(animals), value) in ("[]", "tx-filter-regex")


@pytest.mark.parametrize("value", ["(a+)+b", "(a|a)*b", "(a*)*b", "(.*)*x", r"(\w+\s?)+#"])
def test_a_catastrophic_regular_expression_ends(value: str) -> None:
    system = code_system(resource(*(concept("a" * 60 + str(n)) for n in range(300))))
    started = time.process_time()
    assert outcome(system, value) in ("[]", "tx-filter-slow")
    assert time.process_time() - started < 10


def test_what_a_filter_selected_is_kept_with_its_code_system() -> None:
    system = code_system(animals)
    element = {"property": "concept", "op": "is-a", "value": "dog"}
    assert matching(system, element, "", Effort()) is matching(system, element, "", Effort())
    for number in range(600):
        matching(system, element | {"value": str(number)}, "", Effort())
    assert len(system.selections) <= 256


def test_a_property_is_known_by_its_uri_under_another_code() -> None:
    system = code_system(
        resource(
            concept("a", property=[{"code": "abstract-one", "valueBoolean": True}]),
            concept("b"),
            property=[
                {
                    "code": "abstract-one",
                    "uri": "http://hl7.org/fhir/concept-properties#notSelectable",
                    "type": "boolean",
                }
            ],
        )
    )
    assert select(system, "abstract-one", "=", "true") == ["a"]
    assert select(system, "notSelectable", "=", "true") == ["a"]


def test_a_coding_is_compared_by_its_code_and_its_system() -> None:
    coding = {"system": "http://example.org/x", "code": "y"}
    system = code_system(
        resource(concept("a", property=[{"code": "p", "valueCoding": coding}]), concept("b"))
    )
    assert select(system, "p", "=", "y") == ["a"]
    assert select(system, "p", "=", "http://example.org/x|y") == ["a"]
    assert select(system, "p", "=", "z") == []
