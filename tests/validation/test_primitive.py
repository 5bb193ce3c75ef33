"""Primitive values: the table of cases, and the fast tests against the exact ones."""

import json
import re
import time
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub.definitions import type_definition, type_names
from hub.messages import catalogue
from hub.validation.narrative import is_safe
from hub.validation.primitive import FAST, FAST_NAMES, MAX_TEXT, problem

TABLE = tomllib.loads(
    (Path(__file__).parent.parent / "cases/validation/primitive_values.toml").read_text()
)
TYPES = sorted(TABLE)
NAMES = {**FAST_NAMES, "is_safe": is_safe}
COMPILED = {name: compile(text, name, "eval") for name, text in FAST.items()}


def fast(type_name: str, value: Any) -> bool:
    try:
        return bool(eval(COMPILED[type_name], NAMES, {"v": value}))
    except (TypeError, AttributeError, KeyError):
        return False


def rows(kind: str) -> list[Any]:
    found = []
    for type_name, row in TABLE.items():
        for case in row[kind]:
            text, *message = [case] if isinstance(case, str) else case
            value = json.loads(text, parse_float=Decimal)
            found.append(pytest.param(type_name, value, *message, id=f"{type_name} {text}"))
    return found


def test_every_primitive_of_r4_is_checked() -> None:
    primitives = {n for n in type_names() if type_definition(n).kind == "primitive-type"}
    assert primitives == set(FAST) == set(TYPES) | {"xhtml"}


@pytest.mark.parametrize(("type_name", "value"), rows("good"))
def test_a_good_value_is_accepted(type_name: str, value: Any) -> None:
    assert problem(type_name, value) is None


@pytest.mark.parametrize(("type_name", "value", "message"), rows("bad"))
def test_a_bad_value_is_refused(type_name: str, value: Any, message: str) -> None:
    found = problem(type_name, value)
    assert found is not None
    assert found.message == "validation-" + message
    assert not fast(type_name, value)
    assert "{" not in catalogue()[found.message][0].format_map(found.arguments)


def test_a_string_of_more_than_a_million_characters_is_refused() -> None:
    assert problem("string", "a" * MAX_TEXT) is None
    found = problem("string", "a" * (MAX_TEXT + 1))
    assert found is not None
    assert found.message == "validation-too-long"


def test_a_float_is_no_decimal() -> None:
    assert problem("decimal", 1.5) is not None
    assert problem("decimal", Decimal("NaN")) is not None


ALPHABET = st.sampled_from("0123456789-:.TZ+ aAéz\u3000\n\t\x01=/|#小") | st.characters()
VALUES = (
    st.text(ALPHABET, max_size=30)
    | st.integers()
    | st.decimals()
    | st.booleans()
    | st.none()
    | st.dates().map(str)
    | st.datetimes().map(lambda moment: moment.isoformat() + "+08:00")
    | st.binary().map(lambda data: __import__("base64").b64encode(data).decode())
    | st.sampled_from([[], {}, ["a"], {"a": 1}])
)


@given(st.sampled_from(TYPES), VALUES)
@example("date", "2024-02-29")
def test_the_fast_test_accepts_nothing_that_is_wrong(type_name: str, value: Any) -> None:
    if fast(type_name, value):
        assert problem(type_name, value) is None


@given(st.sampled_from(TYPES), VALUES)
def test_the_fast_test_accepts_what_is_right(type_name: str, value: Any) -> None:
    if problem(type_name, value) is None:
        assert fast(type_name, value)


@given(st.sampled_from(TYPES), st.text(ALPHABET, max_size=30))
def test_what_is_accepted_matches_the_published_pattern(type_name: str, value: str) -> None:
    pattern = type_definition(type_name).regex
    if pattern is not None and problem(type_name, value) is None:
        assert re.fullmatch(pattern, value)


@pytest.mark.parametrize("type_name", TYPES)
@pytest.mark.parametrize("unit", ["a", " ", "a ", "1", "-", "2026-", "1.", "urn:oid:1.", "é", "="])
def test_long_hostile_text_takes_no_time(type_name: str, unit: str) -> None:
    text = unit * 200_000
    start = time.process_time()
    problem(type_name, text)
    fast(type_name, text)
    assert time.process_time() - start < 0.5
