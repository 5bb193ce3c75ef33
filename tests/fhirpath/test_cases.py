"""FHIRPath by section of its specification: each case runs in every mode.

The cases are in tests/cases/fhirpath; a file's `resource` names what they run on.
"""

from __future__ import annotations

import tomllib
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hub.fhirpath import DEFAULT_LIMITS, Environment, FHIRPathError, Item, compile
from hub.fhirpath.quantity import Quantity
from hub.fhirpath.temporal import Temporal
from hub.model import json

CASES = Path(__file__).parents[1] / "cases" / "fhirpath"
NOW = datetime(2026, 3, 1, 10, 20, 30, 456789, timezone(timedelta(hours=8)))
TRUSTED = Environment(now=NOW)
GUARDED = Environment(now=NOW, limits=DEFAULT_LIMITS)

Case = tuple[str, str, list[Any]]


def _load(table: str) -> list[Any]:
    found = []
    for path in sorted(CASES.glob("*.toml")):
        content = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
        resource = content.get("resource", "patient")
        for expression, *expected in content.get(table, ()):
            name = f"{path.stem}: {expression[:60]}"
            found.append(pytest.param(resource, expression, expected, id=name))
    return found


def _resource(name: str) -> dict[str, Any]:
    return json.load((CASES / "resources" / f"{name}.json").read_bytes())


def _simple(item: Item) -> Any:
    value = item.value
    return value.text if isinstance(value, Temporal | Quantity) else value


def _values(items: list[Item]) -> list[Any]:
    return [_simple(item) for item in items if item.value is not None]


def _same(found: list[Any], expected: list[Any]) -> bool:
    def text(value: Any) -> Any:
        # A decimal keeps its digits, so 1.0 is not 1.00 here; true is not 1.
        return (isinstance(value, bool), value if isinstance(value, dict | bool) else str(value))

    return [text(value) for value in found] == [text(value) for value in expected]


def _modes(resource: dict[str, Any], expression: str, strict: bool = False) -> dict[str, Any]:
    """The ways to evaluate an expression, none run yet."""
    own = resource["resourceType"]
    return {
        "typed": lambda: compile(expression, root_type=own, strict=strict).evaluate(
            resource, TRUSTED
        ),
        "untyped": lambda: compile(expression, strict=strict).evaluate(resource, TRUSTED),
        "guarded": lambda: compile(expression, strict=strict).evaluate(resource, GUARDED),
    }


@pytest.mark.parametrize(("name", "expression", "expected"), _load("cases"))
def test_an_expression_gives_the_items_the_specification_says(
    name: str, expression: str, expected: list[Any]
) -> None:
    for mode, run in _modes(_resource(name), expression).items():
        found = _values(run())
        assert _same(found, expected), f"{mode}: {found}"


@pytest.mark.parametrize(("name", "expression", "expected"), _load("types"))
def test_an_item_knows_its_type(name: str, expression: str, expected: list[str]) -> None:
    for mode, run in _modes(_resource(name), expression).items():
        assert [item.type for item in run()] == expected, mode


@pytest.mark.parametrize(("name", "expression", "expected"), _load("errors"))
def test_a_wrong_expression_says_what_is_wrong(
    name: str, expression: str, expected: list[str]
) -> None:
    strict = expected == ["fhirpath-unknown-element"]
    for mode, run in _modes(_resource(name), expression, strict).items():
        with pytest.raises(FHIRPathError) as caught:
            run()
        assert caught.value.message in expected, mode


@pytest.mark.parametrize(("name", "expression", "expected"), _load("strict"))
def test_strict_mode_refuses_what_cannot_be(
    name: str, expression: str, expected: list[str]
) -> None:
    for mode, run in _modes(_resource(name), expression, strict=True).items():
        with pytest.raises(FHIRPathError) as caught:
            run()
        assert caught.value.message == expected[0], mode


@pytest.mark.parametrize(("name", "expression", "expected"), _load("lenient"))
def test_without_strict_mode_it_is_empty_or_filters(
    name: str, expression: str, expected: list[Any]
) -> None:
    for mode, run in _modes(_resource(name), expression).items():
        assert _same(_values(run()), expected), mode
