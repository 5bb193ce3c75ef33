"""`compile` and `Expression`: what others code against."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hub.errors import BadRequest
from hub.fhirpath import (
    DEFAULT_LIMITS,
    Environment,
    FHIRPathError,
    FHIRPathEvaluationError,
    FHIRPathSemanticError,
    Item,
    compile,
)

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p",
    "name": [{"family": "A", "given": ["b", "c"]}, {"given": [None], "_given": [{"id": "x"}]}],
    "birthDate": "2000-01-01",
}


def test_values_are_plain_json() -> None:
    assert compile("name.given").evaluate_values(PATIENT) == ["b", "c"]
    assert compile("birthDate + 1 day").evaluate_values(PATIENT) == ["2000-01-02"]
    assert compile("1.50 'mg'").evaluate_values(PATIENT) == [
        {
            "value": Decimal("1.50"),
            "unit": "mg",
            "system": "http://unitsofmeasure.org",
            "code": "mg",
        }
    ]


def test_complex_values_are_the_resource_s_own() -> None:
    assert compile("name", root_type="Patient").evaluate_values(PATIENT)[0] is PATIENT["name"][0]


def test_an_item_without_value_has_its_element() -> None:
    for root_type in ("Patient", None):
        items = compile("name.given", root_type=root_type).evaluate(PATIENT)
        assert [(item.value, item.element) for item in items] == [
            ("b", None),
            ("c", None),
            (None, {"id": "x"}),
        ]


def test_an_unknown_root_type_is_refused() -> None:
    with pytest.raises(FHIRPathSemanticError, match="fhirpath-unknown-type"):
        compile("name", root_type="Nothing")


def test_an_expression_is_compiled_once() -> None:
    assert compile("name.given") is compile("name.given")
    assert compile("name.given", keep=False) is not compile("name.given", keep=False)


def test_types_are_known_with_the_root_type() -> None:
    assert compile("name.given", root_type="Patient").types == ("string",)
    assert compile("value", root_type="Observation").types is not None
    assert compile("(value as Period)", root_type="Observation").types == ("Period",)
    assert compile("Encounter.name", root_type="Patient").types == ()
    assert compile("name.given").types is None


def test_it_runs_on_elements_of_a_resource() -> None:
    expression = compile("start.hasValue().not() or start <= end", root_type="Period")
    assert expression.boolean({"start": "2020", "end": "2021"})
    assert not expression.boolean({"start": "2022", "end": "2021"})
    path = compile("value.exists() and code.coding.exists()", root_type="Observation.component")
    assert path.boolean({"code": {"coding": [{}]}, "valueInteger": 1})
    assert compile("hasValue()", root_type="string").boolean("x")
    assert not compile("hasValue()", root_type="string").boolean(Item(None, "string", {"id": "1"}))
    assert compile("extension.exists()", root_type="string").boolean(
        Item("x", "string", {"extension": [{"url": "u"}]})
    )


def test_an_item_can_be_the_focus() -> None:
    name = Item({"family": "A"}, "HumanName")
    assert compile("family").evaluate_values(name) == ["A"]
    assert compile("$this is HumanName").boolean(name)


def test_nothing_can_be_the_focus() -> None:
    assert compile("1 + 1").evaluate_values(None) == [2]
    assert compile("name").evaluate_values(None) == []
    assert compile("name", root_type="Patient").evaluate_values(None) == []
    assert compile("name.exists()", root_type="Patient").boolean(None) is False


def test_the_empty_result_counts_as_told() -> None:
    expression = compile("photo.title = 'x'")
    assert expression.boolean(PATIENT)
    assert not expression.boolean(PATIENT, empty=False)


def test_a_single_item_that_is_no_boolean_holds() -> None:
    assert compile("birthDate").boolean(PATIENT)
    with pytest.raises(FHIRPathEvaluationError):
        compile("name").boolean(PATIENT)


def test_locations_name_every_step() -> None:
    located = compile("name.given").evaluate_located(PATIENT)
    assert [item.location for item in located] == [
        "Patient.name[0].given[0]",
        "Patient.name[0].given[1]",
        "Patient.name[1].given[0]",
    ]
    computed = compile("'x'").evaluate_located(PATIENT)
    assert computed[0].location is None
    observation = {"resourceType": "Observation", "component": [{"valueString": "v"}]}
    found = compile("component.value").evaluate_located(observation)
    assert found[0].location == "Observation.component[0].value"
    assert found[0].key == "valueString"


def test_a_location_can_start_inside_a_resource() -> None:
    component = Item({"valueString": "v"}, "Observation.component", name="Observation.component[3]")
    found = compile("value", root_type="Observation.component").evaluate_located(component)
    assert found[0].location == "Observation.component[3].value"


def test_an_item_prints_no_value() -> None:
    assert "A" not in repr(compile("name").evaluate(PATIENT)[0])


@pytest.mark.parametrize("root_type", ["Patient", None])
@pytest.mark.parametrize(
    "broken",
    [
        {"resourceType": "Patient", "name": "A"},
        {"resourceType": "Patient", "name": {"given": "b"}},
        {"resourceType": "Patient", "name": [1, None, [2]]},
        {"resourceType": "Patient", "name": [{"given": {"x": 1}, "_given": 5}]},
        {"resourceType": "Patient", "birthDate": {"a": []}, "_birthDate": [1]},
        {"resourceType": "Patient", "birthDate": 17, "contained": [1, "x", None]},
        {"resourceType": 5, "name": []},
        {"resourceType": "Nothing", "name": [{"given": ["b"]}]},
        {"name": [{"given": ["b"]}]},
        {},
        [],
        "text",
        5,
    ],
)
def test_a_malformed_resource_gives_a_result_or_an_error(
    broken: Any, root_type: str | None
) -> None:
    texts = [
        "name.given",
        "name.given.first().length() > 0",
        "birthDate + 1 day",
        "birthDate.extension('x').value",
        "descendants().count()",
        "contained.where(id = 'x').name",
        "name.where(given = 'b').select(family | given)",
        "children().ofType(HumanName).given.distinct()",
    ]
    for text in texts:
        for environment in (None, Environment(limits=DEFAULT_LIMITS)):
            try:
                compile(text, root_type=root_type).evaluate(broken, environment)
            except FHIRPathError as problem:
                assert problem.status == 400  # noqa: PT017 - no error is as good


def test_errors_are_bad_requests_with_a_message_and_no_values() -> None:
    with pytest.raises(FHIRPathSemanticError) as caught:
        compile("nothing()")
    assert isinstance(caught.value, BadRequest)
    assert caught.value.issues[0].message == "fhirpath-unknown-function"
    with pytest.raises(FHIRPathEvaluationError) as wrong:
        compile("birthDate + 'secret'").evaluate(PATIENT)
    assert "secret" not in str(wrong.value.issues[0].arguments)
    assert "2000" not in str(wrong.value.issues[0].arguments)
