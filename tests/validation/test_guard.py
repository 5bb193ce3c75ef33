"""Guards against the FHIRPath they stand for, on random objects of every shape with rules."""

from random import Random
from typing import Any

import pytest

from hub.definitions import type_definition, type_names
from hub.fhirpath import Environment
from hub.validation.content import shape_of
from hub.validation.guard import Guarding, not_after
from hub.validation.invariant import Rule, rules_of
from tests.validation.instances import instance

OBJECTS = 60


def all_shapes() -> list[str]:
    found = []
    for name in sorted(type_names()):
        definition = type_definition(name)
        if definition.abstract or definition.kind == "primitive-type":
            continue
        paths = [element.path for element in definition.elements]
        parents = {path.rpartition(".")[0] for path in paths} - {""}
        found += sorted(parents | {name})
    return found


ALL_SHAPES = all_shapes()
SHAPES = [name for name in ALL_SHAPES if rules_of(name)]


def bits_of(name: str) -> dict[str, int]:
    return {choice: 1 << place for place, choice in enumerate(shape_of(name).choices)}


def present(name: str, made: dict[str, Any]) -> int:
    shape, bits = shape_of(name), bits_of(name)
    return sum(bits[one] for one in bits if any(key in made for key in shape.elements[one]))


def guard(rule: Rule, name: str) -> Any:
    return compile(Guarding(shape_of(name), bits_of(name)).test_of(rule.tree), rule.name, "eval")


def test_most_rules_are_found() -> None:
    rules = [rule for name in SHAPES for rule in rules_of(name)]
    assert len({rule.constraint.key for rule in rules}) > 200


@pytest.mark.parametrize("name", SHAPES)
def test_where_a_guard_holds_the_rule_holds(name: str) -> None:
    guards = [(rule, guard(rule, name)) for rule in rules_of(name)]
    for seed in range(OBJECTS):
        rnd = Random(seed)
        made = instance(name, rnd, depth=2, density=rnd.choice([0.1, 0.3, 0.5, 0.8]))
        environment = Environment(resource=made, root_resource=made)
        for rule, code in guards:
            if eval(code, {"o": made, "s": present(name, made), "not_after": not_after}):
                assert rule.compiled().boolean(made, environment, empty=False), (
                    rule.constraint.key,
                    made,
                )


DATES = [
    "2026", "2027", "2026-01", "2026-02", "2026-01-01", "2026-01-02", "2026-01-01T00:00:00Z",
    "2026-01-01T00:00:01Z", "2026-01-01T08:00:00+08:00", "2026-01-01T00:00:00-05:00",
    "2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00.50+08:00", "2026-01-01T08:00:00.25+08:00",
]  # fmt: skip


@pytest.mark.parametrize("start", DATES)
@pytest.mark.parametrize("end", DATES)
def test_dates_that_are_surely_in_order_are(start: str, end: str) -> None:
    rule = next(rule for rule in rules_of("Period") if rule.constraint.key == "per-1")
    if not_after(start, end):
        assert rule.compiled().boolean({"start": start, "end": end}, empty=False)
