"""What takes too much work is refused, however little there is to say about it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from terminology.core.checked import Given, Strictness
from terminology.core.content import InlineSource, Library, NotLoaded, answer
from terminology.core.effort import MOST_STEPS, Effort
from terminology.core.expansion import Wish, expand
from terminology.core.filters import LONGEST, MOST_WEIGHT, matching
from terminology.core.findings import Refused
from terminology.core.scope import Scope
from terminology.core.shapes import CodeSystem, Columns, ValueSet
from terminology.core.validate import in_value_set
from tests.terminology.core.questions import (
    ANIMALS,
    Resource,
    all_of,
    code_system,
    concept,
    filtered,
    value_set,
)

OTHER = "http://example.org/other"
THIRD = "http://example.org/third"
system = code_system(*(concept(f"c{number}", "x" * (number % 7)) for number in range(500)))


def expanded(scope: Scope, given: ValueSet) -> None:
    expand(scope, given, Wish(count=1), "2026-01-01T00:00:00Z")


def validated(scope: Scope, given: ValueSet) -> None:
    in_value_set(scope, given, [Given("c0", ANIMALS)], Strictness(), False)


Ask = Callable[[Scope, ValueSet], None]


def left(ask: Ask, of: Resource, *more: Resource, steps: int = MOST_STEPS) -> str:
    """The id of the refusal, "" without."""
    library = Library([InlineSource([system, *more])])
    library.effort = Effort(steps)
    scope, given = Scope(library), ValueSet(of)
    try:
        asyncio.run(answer(library, lambda: ask(scope, given)))
    except Refused as refused:
        return refused.findings[0].message
    return ""


def many(op: str, property: str = "display") -> list[Resource]:
    """Filters, each with another value."""
    return [
        {"property": property, "op": op, "value": f"{'x' * number}"} for number in range(1, 200)
    ]


imports = [
    value_set({"valueSet": [THIRD] * 300}, url=OTHER),
    value_set({"system": "http://example.org/none", "concept": [{"code": "a"}]}, url=THIRD),
]
WORK: list[tuple[str, Ask, Resource, list[Resource]]] = [
    ("one code system very often", expanded, value_set(*[all_of()] * 200), []),
    ("very often excluded", expanded, value_set(all_of(), exclude=[all_of()] * 200), []),
    ("very often imported", expanded, value_set({"valueSet": [OTHER] * 300}), imports),
    ("imported for one code", validated, value_set({"valueSet": [OTHER] * 300}), imports),
    ("many filters", expanded, value_set(all_of(filter=many("="))), []),
    ("filters for one code", validated, value_set(*[all_of(filter=many("not-in"))] * 2), []),
    ("regular expressions", expanded, value_set(all_of(filter=many("regex"))), []),
]


@pytest.mark.parametrize(("ask", "of", "more"), [one[1:] for one in WORK], ids=[w[0] for w in WORK])
def test_it_ends(ask: Ask, of: Resource, more: list[Resource]) -> None:
    assert left(ask, of, *more, steps=100_000) == "tx-too-much-work"


def test_what_people_write_is_far_from_it() -> None:
    usual = value_set(
        *(filtered("display", "=", "x" * number) for number in range(1, 7)),
        exclude=[filtered("code", "=", "c1")],
    )
    assert left(expanded, usual, steps=MOST_STEPS // 500) == ""
    assert left(validated, usual, steps=MOST_STEPS // 500) == ""


def test_excludes_are_looked_at_once_for_all_includes(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    find = CodeSystem.find

    def noted(self: CodeSystem, code: str) -> int | None:
        looked.append(code)
        return find(self, code)

    monkeypatch.setattr(CodeSystem, "find", noted)
    of = value_set(*[all_of()] * 100, exclude=[*[filtered("code", "=", "c9")] * 100, all_of()])
    assert left(validated, of) == ""
    assert looked.count("c0") < 300


def test_what_filters_selected_is_kept_up_to_a_weight() -> None:
    count = MOST_WEIGHT // 5
    codes = [str(number) for number in range(count)]
    large = CodeSystem({"url": ANIMALS}, Columns(codes, [""] * count))
    for number in range(12):
        element = {"property": "concept", "op": "is-not-a", "value": str(number)}
        matching(large, element, "", Effort())
        assert sum(map(len, large.selections.values())) <= MOST_WEIGHT
    before = len(large.selections)
    element = {"property": "concept", "op": "=", "value": "1" * (LONGEST + 1)}
    matching(large, element, "", Effort())
    assert len(large.selections) == before


def test_imports_are_fetched_together() -> None:
    urls = [f"{OTHER}/{number}" for number in range(50)]
    library = Library([InlineSource([])])
    with pytest.raises(NotLoaded) as missing:
        expanded(Scope(library), ValueSet(value_set(*({"valueSet": [url]} for url in urls))))
    assert list(missing.value.urls) == urls


def test_a_refusal_says_what_to_do() -> None:
    with pytest.raises(Refused) as refused:
        Effort(1).spend(2)
    (issue,) = [one.as_issue("en") for one in refused.value.findings]
    told: dict[str, Any] = issue
    assert told["code"] == "too-costly"
    assert told["diagnostics"].startswith("Include each code system once")
