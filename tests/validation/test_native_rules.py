"""Rules checked natively against their FHIRPath, on many resources."""

from random import Random
from typing import Any

import pytest

from hub.definitions import type_definition
from hub.fhirpath import Environment, Item, compile
from hub.validation.contained import problems
from hub.validation.content import shape_of
from hub.validation.invariant import rules_of
from hub.validation.native import RULES
from hub.validation.reference import text_problem
from hub.validation.scope import Scope
from hub.validation.validator import Validator
from tests.validation.instances import instance

STRUCTURE = Validator(invariants=False)


def expression(type_name: str, key: str) -> Any:
    root = type_definition(type_name).elements[0]
    rule = next(rule for rule in root.constraints if rule.key == key)
    return compile(rule.expression, root_type=type_name)


def pointer(rnd: Random, target: str) -> dict[str, Any]:
    # dom-3 takes a uri for a pointer to a contained resource, but not for one to the container.
    kinds = ["Canonical"] if target == "#" else ["Canonical", "Uri", "Url"]
    return rnd.choice(
        [
            {"managingOrganization": {"reference": target}},
            {"extension": [{"url": "http://a", "valueReference": {"reference": target}}]},
            {"extension": [{"url": "http://a", f"value{rnd.choice(kinds)}": target}]},
            {"link": [{"type": "refer", "other": {"reference": target}}]},
        ]
    )


def container(rnd: Random) -> dict[str, Any]:
    rows: list[dict[str, Any]] = []
    for identity in rnd.sample(["a", "b", "c"], rnd.randint(1, 3)):
        row: dict[str, Any] = {"resourceType": "Patient", "id": identity}
        if rnd.random() < 0.5:
            row.update(pointer(rnd, rnd.choice(["#", "#a", "#b", "Patient/1"])))
        if rnd.random() < 0.2:
            row["meta"] = rnd.choice(
                [{"versionId": "1"}, {"lastUpdated": "2026-03-01T00:00:00Z"},
                 {"security": [{"code": "a"}]}, {"tag": [{"code": "a"}]}]
            )  # fmt: skip
        if rnd.random() < 0.2:
            row["contained"] = [{"resourceType": "Patient", "id": "d"}]
        rows.append(row)
    made = {"resourceType": "Patient", "contained": rows}
    return made | pointer(rnd, rnd.choice(["#a", "#b", "#c", "#", "Organization/1"]))


@pytest.mark.parametrize("key", ["dom-2", "dom-3", "dom-4", "dom-5"])
def test_contained_rules_agree(key: str) -> None:
    rule = expression("Patient", key)
    seen = set()
    for seed in range(400):
        made = container(Random(seed))
        native = {found.arguments.get("key") for _, found in problems(made)}
        holds = rule.boolean(made)
        seen.add(holds)
        assert (key not in native) == holds, made
    assert seen == {True, False}


def test_ref_1_agrees() -> None:
    rule = expression("Reference", "ref-1")
    for seed in range(300):
        rnd = Random(seed)
        made = container(rnd)
        for text in ("#a", "#b", "#c", "#d", "Patient/1", "http://a/Patient/1"):
            environment = Environment(resource=made, root_resource=made)
            holds = rule.boolean({"reference": text}, environment)
            assert (text_problem(text, Scope(made)) is None) == holds, (made, text)


def test_ele_1_agrees() -> None:
    rule = expression("Element", "ele-1")
    for seed in range(300):
        rnd = Random(seed)
        name = rnd.choice(["HumanName", "Coding", "Patient.contact", "Timing", "Quantity"])
        made = instance(name, rnd, density=rnd.choice([0, 0.5]))
        kept = rnd.choice([made, {}, {"id": "a"}, {"id": "a", **made}])
        holds = rule.boolean(Item(kept, name), empty=False)
        # As a shape decides: something besides the id.
        assert bool(kept.keys() - {"id"}) == holds, kept


def test_ext_1_agrees() -> None:
    rule = expression("Extension", "ext-1")
    inner = {"url": "a", "valueCode": "b"}
    validator = Validator()
    for extra in (
        {},
        {"valueCode": "a"},
        {"extension": [inner]},
        {"valueCode": "a", "extension": [inner]},
    ):
        made = {"url": "http://a", **extra}
        issues = validator.validate({"resourceType": "Patient", "extension": [made]})
        assert bool(issues) != rule.boolean(made)


def tree(rnd: Random, children: str, name: str, depth: int) -> list[dict[str, Any]]:
    rows = []
    for _ in range(rnd.randint(1, 3)):
        row: dict[str, Any] = {name: str(rnd.randint(1, 30))}
        if rnd.random() < 0.1:
            row = {"extension": [{"url": "http://a", "valueCode": "b"}]}
        if depth and rnd.random() < 0.5:
            row[children] = tree(rnd, children, name, depth - 1)
        rows.append(row)
    return rows


@pytest.mark.parametrize(("key", "where"), RULES)
def test_unique_codes_agree(key: str, where: str) -> None:
    rule = next(rule for rule in rules_of(where) if rule.constraint.key == key)
    children, name = ("concept", "code") if where == "CodeSystem" else ("item", "linkId")
    seen = set()
    for seed in range(300):
        made = {"resourceType": where, children: tree(Random(seed), children, name, 3)}
        seen.add(RULES[key, where](made))
        assert RULES[key, where](made) == rule.compiled().boolean(made), made
    assert seen == {True, False}


def test_every_native_rule_is_still_in_the_definitions() -> None:
    keys = {rule.key for rule in shape_of("Patient").constraints}
    assert {"dom-2", "dom-3", "dom-4", "dom-5"} <= keys
    assert {rule.key for rule in shape_of("Reference").constraints} == {"ref-1"}
    assert {rule.key for rule in shape_of("Narrative").slots["div"].constraints} == {
        "txt-1",
        "txt-2",
    }
