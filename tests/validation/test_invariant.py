"""Single rules: the table of cases, and that all of R4's compile and are accounted for."""

import json
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hub.fhirpath import Environment
from hub.messages import render
from hub.messages.invariants import MESSAGES
from hub.validation.content import shape_of
from hub.validation.guard import Guarding, not_after
from hub.validation.invariant import Rule, rules_at, rules_of
from hub.validation.validator import Validator
from tests.validation.test_guard import ALL_SHAPES, SHAPES, bits_of, present

CASES = Path(__file__).parent.parent / "cases/validation"
TABLE = tomllib.loads((CASES / "rules.toml").read_text())["rule"]
PARTICULARS = tomllib.loads(
    (Path(__file__).parents[2] / "hub/validation/invariants.toml").read_text()
)
ELEMENT_RULES = [
    rule for name in ALL_SHAPES for slot in shape_of(name).slots.values() for rule in rules_at(slot)
]
ALL = [(name, rule) for name in SHAPES for rule in rules_of(name)]


def rule_of(key: str, where: str) -> Rule:
    return next(rule for rule in rules_of(where) if rule.constraint.key == key)


def rows(kind: str) -> list[Any]:
    return [
        pytest.param(row, json.loads(text, parse_float=Decimal), id=f"{row['key']} {text}")
        for row in TABLE
        for text in row[kind]
    ]


def holds(row: dict[str, Any], value: dict[str, Any]) -> bool:
    rule = rule_of(row["key"], row["where"])
    if shape_of(row["where"]).is_resource:
        value = {"resourceType": row["where"], **value}
    resource = json.loads(row["resource"]) if "resource" in row else value
    environment = Environment(resource=resource, root_resource=resource)
    answer = rule.compiled().boolean(value, environment, empty=rule.empty)
    guard = Guarding(shape_of(row["where"]), bits_of(row["where"])).test_of(rule.tree)
    names = {"o": value, "s": present(row["where"], value), "not_after": not_after}
    assert answer or not eval(guard, names)
    return answer


@pytest.mark.parametrize(("row", "value"), rows("good"))
def test_a_rule_is_kept(row: dict[str, Any], value: dict[str, Any]) -> None:
    assert holds(row, value)


@pytest.mark.parametrize(("row", "value"), rows("bad"))
def test_a_rule_is_broken(row: dict[str, Any], value: dict[str, Any]) -> None:
    assert not holds(row, value)


@pytest.mark.parametrize(("name", "rule"), ALL, ids=lambda part: getattr(part, "name", part))
def test_every_rule_compiles_and_takes_an_empty_object(name: str, rule: Rule) -> None:
    environment = Environment(resource={}, root_resource={})
    assert rule.compiled().boolean({}, environment) in (True, False)


def test_what_is_particular_about_rules_names_rules_that_exist() -> None:
    known = {(rule.constraint.key, name) for name, rule in ALL}
    known |= {(rule.constraint.key, rule.where) for rule in ELEMENT_RULES}
    for kind in PARTICULARS.values():
        for row in kind:
            assert (row["key"], row["where"]) in known
            assert row["reason"]


def test_every_rule_has_its_words() -> None:
    for _name, rule in ALL + [("", rule) for rule in ELEMENT_RULES]:
        arguments = {"key": rule.constraint.key, "human": rule.constraint.human}
        assert rule.constraint.human in render(rule.message, arguments)
        chinese = render(rule.message, arguments, "zh-CN")
        assert rule.constraint.key in chinese
        assert rule.constraint.human not in chinese


def test_every_message_belongs_to_a_rule() -> None:
    used = {rule.message for _name, rule in ALL} | {rule.message for rule in ELEMENT_RULES}
    assert used == set(MESSAGES)


@pytest.mark.parametrize(
    ("resource", "location", "key"),
    [
        ({"name": "a", "telecom": [{"use": "home", "value": "1", "system": "phone"}]},
         "Organization.telecom[0]", "org-3"),
        ({"name": "a", "address": [{"text": "a"}, {"use": "home", "text": "b"}]},
         "Organization.address[1]", "org-2"),
        ({"status": "final", "subject": {"reference": "Patient/1"},
          "prediction": [{"probabilityRange": {"low": {"value": 1}}}]},
         "RiskAssessment.prediction[0].probability", "ras-1"),
    ],
)  # fmt: skip
def test_rules_of_elements_are_told_at_the_element(
    resource: dict[str, Any], location: str, key: str
) -> None:
    made = {"resourceType": location.partition(".")[0], **resource}
    (issue,) = Validator().validate(made)
    assert (issue.location, issue.arguments["key"]) == (location, key)
