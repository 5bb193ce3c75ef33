"""What a code means, and which of two is above."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from terminology.core.content import answer
from terminology.core.findings import Refused
from terminology.core.lookup import lookup, subsumes
from tests.terminology.core.questions import (
    ANIMALS,
    Resource,
    animals,
    code_system,
    concept,
    scope_of,
)


def look(
    code: str, *content: Resource, properties: Sequence[str] = (), language: str = "", **rules: Any
) -> dict[str, list[Any]]:
    """The Parameters of a lookup: values by name, parts as dicts."""
    scope = scope_of(content or (animals,), language, **rules)
    made = asyncio.run(answer(scope.library, lambda: lookup(scope, ANIMALS, "", code, properties)))
    found: dict[str, list[Any]] = {}
    for one in made["parameter"]:
        found.setdefault(one["name"], []).append(_value(one))
    return found


def _value(one: Resource) -> Any:
    if "part" in one:
        return {part["name"]: _value(part) for part in one["part"]}
    return next(content for name, content in one.items() if name.startswith("value"))


def relation(first: str, second: str, *content: Resource) -> str:
    scope = scope_of(content or (animals,))
    return asyncio.run(answer(scope.library, lambda: subsumes(scope, ANIMALS, "", first, second)))


def test_a_code_is_told_with_all_that_is_known_of_it() -> None:
    found = look("dog")
    assert found["display"] == ["Dog"]
    assert found["abstract"] == [False]
    assert found["version"] == ["1.0.0"]
    properties = {one["code"]: one["value"] for one in found["property"]}
    assert properties == {"inactive": False, "size": "large", "parent": "animal", "child": "puppy"}
    assert [one["value"] for one in found["designation"]] == ["Dog", "狗", "Hund", "Hound"]


def test_only_the_properties_asked_for_are_told() -> None:
    found = look("dog", properties=["size"])
    assert [one["code"] for one in found["property"]] == ["size"]
    assert "designation" not in found
    assert "definition" not in look("dog")
    assert look("plant")["definition"] == ["It grows."]


def test_the_display_follows_the_language() -> None:
    assert look("dog", language="zh-CN")["display"] == ["狗"]
    assert look("cat", language="zh-CN")["display"] == ["Cat"]
    assert look("cat", language="zh-CN,*;q=0")["display"] == ["Cat"]


def test_many_children_are_told_only_when_asked_for() -> None:
    wide = code_system(concept("top", "", *(concept(f"c{n}") for n in range(600))))
    assert not any(one["code"] == "child" for one in look("top", wide)["property"])
    assert len(look("top", wide, properties=["child"])["property"]) == 600


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("dog", "dog", "equivalent"),
        ("animal", "puppy", "subsumes"),
        ("puppy", "animal", "subsumed-by"),
        ("dog", "cat", "not-subsumed"),
    ],
)
def test_one_code_stands_above_another(first: str, second: str, expected: str) -> None:
    assert relation(first, second) == expected


def test_codes_in_a_ring_are_told_apart() -> None:
    ring = code_system(
        concept("a", property=[{"code": "parent", "valueCode": "b"}]),
        concept("b", property=[{"code": "parent", "valueCode": "a"}]),
    )
    assert relation("a", "b", ring) == "subsumes"


@pytest.mark.parametrize(("code", "message"), [("cow", "tx-code-unknown"), ("", "tx-code-unknown")])
def test_an_unknown_code_is_refused(code: str, message: str) -> None:
    for ask in (lambda: look(code), lambda: relation("dog", code)):
        with pytest.raises(Refused) as refused:
            ask()
        assert refused.value.findings[0].message == message
        assert refused.value.status == 404


def test_an_unknown_code_system_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        look("dog", code_system(url="http://example.org/x"))
    assert refused.value.findings[0].message == "tx-system-unknown"
