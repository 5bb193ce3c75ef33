"""What R4 itself asks of the engine: its invariants and its search parameters."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.definitions import search_parameters_of, type_definition, type_names
from hub.fhirpath import DEFAULT_LIMITS, Environment, FHIRPathError, compile, schema
from hub.model import json

RESOURCES = Path(__file__).parents[1] / "cases" / "fhirpath" / "resources"


def _invariants() -> list[tuple[str, str]]:
    return sorted(
        {
            (element.path, constraint.expression)
            for name in type_names()
            for element in type_definition(name).elements
            for constraint in element.constraints
            if schema.is_known(element.path)
        }
    )


def test_every_invariant_of_r4_compiles_for_its_type() -> None:
    found = _invariants()
    assert len(found) > 500
    for path, expression in found:
        compile(expression, root_type=path)


def test_every_search_parameter_of_r4_compiles_for_its_types() -> None:
    count = 0
    for name in type_names():
        if not schema.is_resource(name) or type_definition(name).abstract:
            continue
        for parameter in search_parameters_of(name).values():
            if parameter.expression:
                compile(parameter.expression, root_type=name)
                count += 1
    assert count > 1_300


@pytest.mark.parametrize("path", sorted(RESOURCES.glob("*.json")), ids=lambda path: path.stem)
def test_both_modes_agree_on_all_of_them(path: Path) -> None:
    resource = json.load(path.read_bytes())
    own = resource["resourceType"]
    expressions = [one.expression for one in type_definition(own).elements[0].constraints]
    expressions += [one.expression for one in search_parameters_of(own).values() if one.expression]
    trusted = Environment(narrative=lambda _: True)
    guarded = Environment(narrative=lambda _: True, limits=DEFAULT_LIMITS)

    def run(expression: str, environment: Environment) -> object:
        try:
            items = compile(expression, root_type=own).evaluate(resource, environment)
        except FHIRPathError as problem:
            return problem.message
        return [(item.type, item.value, item.element) for item in items]

    for expression in expressions:
        assert run(expression, trusted) == run(expression, guarded), expression


def test_invariants_hold_on_valid_resources() -> None:
    for name in ("patient", "observation", "questionnaire"):
        resource = json.load((RESOURCES / f"{name}.json").read_bytes())
        own = resource["resourceType"]
        environment = Environment(resource=resource)
        for constraint in type_definition(own).elements[0].constraints:
            if constraint.severity == "error":
                expression = compile(constraint.expression, root_type=own)
                assert expression.boolean(resource, environment), constraint.key
