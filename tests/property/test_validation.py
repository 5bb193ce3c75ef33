"""Properties of validation: the two passes agree, and nothing broken gets through."""

import copy
from collections.abc import Callable
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.validation.content import Shape
from hub.validation.scope import Scope
from hub.validation.validator import Validator
from tests.validation.instances import objects, resource

STRUCTURE = Validator(invariants=False)
FULL = Validator()
RANDOM = st.integers(0, 2**32).map(Random)


def errors(validator: Validator, made: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (issue.location, issue.message)
        for issue in validator.validate(made)
        if issue.severity == "error"
    ]


@given(RANDOM)
@settings(max_examples=300, deadline=None)
def test_what_the_definitions_allow_is_valid(rnd: Random) -> None:
    made = resource(rnd)
    assert STRUCTURE.fast.passes(made, Scope(made)), errors(STRUCTURE, made)
    assert errors(STRUCTURE, made) == []


@given(RANDOM)
@settings(max_examples=300, deadline=None)
def test_the_passes_agree_on_invariants(rnd: Random) -> None:
    made = resource(rnd, density=0.5)
    walked = [one for one in FULL.validate(made, warnings=True) if one.severity == "error"]
    assert FULL.fast.passes(made, Scope(made)) == (not walked), walked


Break = Callable[[Random, str, Shape, dict[str, Any]], tuple[str, str] | None]


def drop_required(
    rnd: Random, where: str, shape: Shape, made: dict[str, Any]
) -> tuple[str, str] | None:
    if not shape.required:
        return None
    name = rnd.choice(shape.required)
    for key in shape.elements[name]:
        made.pop(key, None)
    return f"{where}.{name}", "validation-required"


def add_unknown(
    rnd: Random, where: str, _shape: Shape, made: dict[str, Any]
) -> tuple[str, str] | None:
    made[rnd.choice(["qqq", "Name", "fhir_comments", "_", "值"])] = "a"
    return where, "validation-unknown"


def break_type(
    rnd: Random, where: str, shape: Shape, made: dict[str, Any]
) -> tuple[str, str] | None:
    key = rnd.choice([key for key in made if key in shape.slots] or [""])
    if not key:
        return None
    slot = shape.slots[key]
    wrong: Any = {"a": 1} if slot.kind == "primitive" else 7
    made[key] = [wrong] if slot.many else wrong
    place = f"{where}.{slot.element.name}" + ("[0]" if slot.many else "")
    return place, "validation-json-type" if slot.kind == "primitive" else "validation-object"


def choose_twice(
    rnd: Random, where: str, shape: Shape, made: dict[str, Any]
) -> tuple[str, str] | None:
    for name in shape.choices:
        present = [key for key in shape.elements[name] if key in made]
        others = [
            key
            for key in shape.elements[name]
            if not {key, f"_{key}"} & made.keys() and not key.startswith("_")
        ]
        if present and others:
            made[rnd.choice(others)] = {"extension": [{"url": "http://a", "valueCode": "b"}]}
            return f"{where}.{name}", "validation-choice"
    return None


def empty_it(rnd: Random, where: str, shape: Shape, made: dict[str, Any]) -> tuple[str, str] | None:
    key = rnd.choice([key for key in made if key in shape.slots] or [""])
    if not key:
        return None
    slot = shape.slots[key]
    place = f"{where}.{slot.element.name}"
    if slot.many:
        made[key] = []
        return place, "validation-empty-array"
    if slot.kind == "complex":
        made[key] = {}
        return place, "validation-empty-object"
    made[key] = None
    return place, "validation-null"


def wrap_or_unwrap(
    rnd: Random, where: str, shape: Shape, made: dict[str, Any]
) -> tuple[str, str] | None:
    key = rnd.choice([key for key in made if key in shape.slots] or [""])
    if not key:
        return None
    slot = shape.slots[key]
    place = f"{where}.{slot.element.name}"
    if slot.many:
        made[key] = made[key][0]
        return place, "validation-no-array"
    made[key] = [made[key]]
    return place, "validation-array"


BREAKS: list[Break] = [
    drop_required, add_unknown, break_type, choose_twice, empty_it, wrap_or_unwrap,
]  # fmt: skip


@given(RANDOM, st.sampled_from(BREAKS))
@settings(max_examples=600, deadline=None)
def test_what_is_broken_is_refused_where_it_is_broken(rnd: Random, break_it: Break) -> None:
    made = resource(rnd)
    before = copy.deepcopy(made)
    where, shape, broken = rnd.choice(list(objects(made)))
    expected = break_it(rnd, where, shape, broken)
    if expected is None:
        return
    found = errors(STRUCTURE, made)
    place, message = expected
    assert any(location == place and issue.startswith(message) for location, issue in found), (
        before,
        made,
        expected,
        found,
    )
    assert not STRUCTURE.fast.passes(made, Scope(made))
    assert not FULL.fast.passes(made, Scope(made))


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["id", "extension", "url", "value", "valueString", "_value", "coding", "contained",
             "resourceType", "reference", "meta", "profile", "entry", "resource", "text", "div"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=20,
)  # fmt: skip


@given(RANDOM, JUNK)
@settings(max_examples=500, deadline=None)
def test_anything_may_stand_anywhere_without_a_crash(rnd: Random, junk: Any) -> None:
    made = resource(rnd)
    _where, shape, broken = rnd.choice(list(objects(made)))
    broken[rnd.choice([*shape.slots, "resourceType"])] = junk
    found = [one for one in FULL.validate(made, warnings=True) if one.severity == "error"]
    assert FULL.fast.passes(made, Scope(made)) <= (not found), found
