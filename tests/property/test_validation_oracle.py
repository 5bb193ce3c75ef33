"""Validation against fhir.resources: what that library refuses, the hub refuses too.

The other way round says little: it lets wrong required codes, empty arrays and more pass.
"""

import copy
from functools import cache
from random import Random
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from hub.definitions import resource_types
from hub.validation.validator import Validator
from tests.validation.instances import PRIMITIVES, instance, objects

STRUCTURE = Validator(invariants=False)
# It has R4B, where these two are other resources than in R4, and 18 are gone.
_CHANGED = {"Evidence", "EvidenceVariable"}


@cache
def model(name: str) -> Any:
    try:
        return get_fhir_model_class(name)
    except ValueError:
        return None


def shared_types() -> list[str]:
    return [name for name in resource_types() if model(name) and name not in _CHANGED]


def oracle_refuses(made: dict[str, Any]) -> str:
    try:
        model(made["resourceType"]).model_validate(copy.deepcopy(made))
    except (ValidationError, ValueError, TypeError, AttributeError) as error:
        return str(error) or "refused"
    return ""


def has_lonely_sibling(made: dict[str, Any]) -> bool:
    """A `_x` without its `x`: the oracle does not take it for a required choice."""
    return any(
        key.startswith("_") and key[1:] not in inner
        for _location, _shape, inner in objects(made)
        for key in inner
    )


SHARED = shared_types()
JUNK = [value for values in PRIMITIVES.values() for value in values] + [
    "", " ", "2026-02-30", "not a date", -1, 2**31, {}, [], None, {"a": 1}, ["a"], [None],
    [[]], "urn:oid:x", "2026-03-01T02:00:00", {"extension": []}, [{}],
]  # fmt: skip


def test_most_types_have_an_oracle() -> None:
    assert len(SHARED) >= 126


@given(st.sampled_from(SHARED), st.integers(0, 2**32).map(Random))
@settings(max_examples=300, deadline=None)
def test_the_oracle_accepts_what_the_definitions_allow(name: str, rnd: Random) -> None:
    made = instance(name, rnd)
    assume(not has_lonely_sibling(made))
    assert oracle_refuses(made) == ""


@given(st.sampled_from(SHARED), st.integers(0, 2**32).map(Random), st.sampled_from(JUNK))
@settings(max_examples=1000, deadline=None)
def test_what_the_oracle_refuses_is_refused(name: str, rnd: Random, junk: Any) -> None:
    made = instance(name, rnd)
    assume(not has_lonely_sibling(made))
    _where, shape, broken = rnd.choice(list(objects(made)))
    key = rnd.choice([*shape.slots, *broken])
    broken[key] = copy.deepcopy(junk)
    if oracle_refuses(made):
        errors = [one for one in STRUCTURE.validate(made) if one.severity == "error"]
        assert errors, (key, junk, made, oracle_refuses(made))
