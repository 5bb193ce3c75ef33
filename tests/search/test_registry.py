"""The registry, and SearchParameters made at run time."""

from __future__ import annotations

import time
from typing import Any

import pytest

from hub.definitions import left_out_parameters, resource_types, search_parameters
from hub.errors import Unprocessable
from hub.messages import catalogue, render
from hub.search import registry
from hub.search.extract import extract
from hub.search.parse import parse
from hub.search.query import Match
from hub.search.runtime import compile_parameter
from hub.search.traits import targets_of, traits_of
from tests.search.reading import BASE, ZONE

CORE = registry.core()


def definition(**changes: Any) -> dict[str, Any]:
    """A SearchParameter for an extension on Patient."""
    made: dict[str, Any] = {
        "resourceType": "SearchParameter",
        "url": "http://example.org/SearchParameter/patient-eye",
        "name": "Eye",
        "status": "active",
        "description": "Colour of the eyes",
        "code": "eye",
        "base": ["Patient"],
        "type": "token",
        "expression": "Patient.extension('http://example.org/eye').value",
    }
    made.update(changes)
    return {name: value for name, value in made.items() if value is not None}


EYES = {
    "resourceType": "Patient",
    "extension": [{"url": "http://example.org/eye", "valueCode": "Blue"}],
}


def indexed(parameter: Any, resource: dict[str, Any]) -> list[Any]:
    known = CORE.with_runtime([parameter])
    rows = extract(known, resource, zone=ZONE, base=BASE)
    every = (rows.strings, rows.tokens, rows.references, rows.dates, rows.numbers, rows.composites)
    return [row for kind in every for row in kind if row.key == parameter.key]


def test_every_type_has_the_parameters_of_its_bases() -> None:
    for resource_type in resource_types():
        own = CORE.of(resource_type)
        assert {"_id", "_lastUpdated", "_tag", "_profile", "_security", "_source"} <= own.keys()
        assert not {one.url for one in own.values()} & (
            left_out_parameters().keys()
            - {"http://hl7.org/fhir/SearchParameter/Resource-content"}
            - {one.url for one in search_parameters() if one.code in ("_text", "_filter", "_query")}
        )


def test_targets_are_those_that_both_parameter_and_element_allow() -> None:
    own = CORE.of("Observation")
    assert targets_of(own["patient"], "Observation") == ("Patient",)
    assert targets_of(own["subject"], "Observation") == ("Device", "Group", "Location", "Patient")
    assert targets_of(own["focus"], "Observation") == ()
    assert targets_of(CORE.of("Encounter")["location"], "Encounter") == ("Location",)


def test_codes_are_compared_without_case_identifiers_as_written() -> None:
    assert traits_of(CORE.of("Condition")["code"]).folding is str.casefold
    assert traits_of(CORE.of("Patient")["identifier"]).folding is None
    assert traits_of(CORE.of("Patient")["gender"]).folding is None
    assert traits_of(CORE.of("Patient")["gender"]).systems == {
        "http://hl7.org/fhir/administrative-gender"
    }


def test_a_parameter_made_at_run_time_is_indexed_and_searched() -> None:
    parameter = compile_parameter(definition(), 10_000, CORE)
    known = CORE.with_runtime([parameter])
    assert known.get("Patient", "eye") == parameter
    assert CORE.get("Patient", "eye") is None
    assert [row.code for row in indexed(parameter, EYES)] == ["Blue"]
    request = parse(known, "Patient", [("eye", "Blue")], zone=ZONE, base=BASE)
    assert isinstance(request.query.criterion, Match)


def test_a_parameter_of_resource_applies_to_every_type() -> None:
    made = definition(base=["Resource"], expression="Resource.meta.versionId", code="version-id")
    parameter = compile_parameter(made, 10_001, CORE)
    resource = {"resourceType": "Binary", "contentType": "x", "meta": {"versionId": "7"}}
    assert [row.code for row in indexed(parameter, resource)] == ["7"]


def test_a_computed_expression_is_evaluated_by_the_engine() -> None:
    made = definition(expression="Patient.name.count() > 1", code="renamed")
    parameter = compile_parameter(made, 10_002, CORE)
    renamed = {"resourceType": "Patient", "name": [{"text": "a"}, {"text": "b"}]}
    assert [row.code for row in indexed(parameter, renamed)] == ["true"]


def test_an_expression_that_never_ends_gives_no_rows() -> None:
    made = definition(expression="Patient.name.family.repeat($this & 'x').count().toString()")
    parameter = compile_parameter(made, 10_003, CORE)
    start = time.process_time()
    assert indexed(parameter, {"resourceType": "Patient", "name": [{"family": "a"}]}) == []
    assert time.process_time() - start < 5


def test_a_composite_is_made_of_known_parameters() -> None:
    made = definition(
        code="name-use",
        type="composite",
        expression="Patient.name",
        component=[
            {
                "definition": "http://hl7.org/fhir/SearchParameter/individual-family|4.0.1",
                "expression": "family",
            },
            {
                "definition": "http://hl7.org/fhir/SearchParameter/Patient-language",
                "expression": "use",
            },
        ],
    )
    parameter = compile_parameter(made, 10_004, CORE)
    named = {"resourceType": "Patient", "name": [{"family": "A", "use": "old"}, {"family": "B"}]}
    (row,) = indexed(parameter, named)
    assert [part.key for part in row.parts] == [0, 1]


@pytest.mark.parametrize(
    ("changes", "message", "location"),
    [
        ({"expression": None}, "search-parameter-no-expression", "SearchParameter.expression"),
        ({"type": "special"}, "search-parameter-type", "SearchParameter.type"),
        ({"code": "a b"}, "search-parameter-code", "SearchParameter.code"),
        ({"code": "_x.y"}, "search-parameter-code", "SearchParameter.code"),
        ({"base": ["Nothing"]}, "search-parameter-base", "SearchParameter.base[0]"),
        ({"base": []}, "search-parameter-base", "SearchParameter.base"),
        ({"target": ["Nothing"]}, "search-parameter-target", "SearchParameter.target[0]"),
        ({"expression": "Patient.("}, "fhirpath-unexpected-token", "SearchParameter.expression"),
        (
            {"expression": "Patient.foo()"},
            "fhirpath-unknown-function",
            "SearchParameter.expression",
        ),
        ({"expression": "Group.name"}, "search-parameter-nothing", "SearchParameter.expression"),
        ({"expression": "Patient.photo"}, "search-parameter-nothing", "SearchParameter.expression"),
        ({"expression": "Patient.nmae"}, "search-parameter-nothing", "SearchParameter.expression"),
        (
            {"expression": "Patient.name.famly | Patient.nmae"},
            "search-parameter-nothing",
            "SearchParameter.expression",
        ),
        (
            {"expression": "Patient.nmae.where(use = 'official').family"},
            "search-parameter-nothing",
            "SearchParameter.expression",
        ),
        ({"expression": "nmae.first()"}, "search-parameter-nothing", "SearchParameter.expression"),
        ({"type": "composite"}, "search-parameter-components", "SearchParameter.component"),
        (
            {
                "type": "composite",
                "expression": "Patient.name",
                "component": [{"definition": "http://no", "expression": "family"}] * 2,
            },
            "search-parameter-component",
            "SearchParameter.component[0]",
        ),
    ],
)
def test_a_parameter_that_cannot_be_indexed_is_refused(
    changes: dict[str, Any], message: str, location: str
) -> None:
    with pytest.raises(Unprocessable) as refused:
        compile_parameter(definition(**changes), 10_000, CORE)
    issue = refused.value.issues[0]
    assert (issue.message, issue.location) == (message, location)
    for language in ("en", "zh"):
        assert render(message, issue.arguments, language)


def test_every_message_of_search_is_in_the_catalogue() -> None:
    assert sum(name.startswith("search-") for name in catalogue()) >= 35
