"""Hostile searches end: with an answer, or a refusal that the caller understands."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest

from hub.errors import BadRequest, TooCostly
from hub.messages import render
from hub.search.query import (
    And,
    Chain,
    CompositeValue,
    DateValue,
    Has,
    Ids,
    LastUpdated,
    Match,
    NearValue,
    Not,
    NumberValue,
    Or,
    QuantityValue,
    Query,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
    Words,
)
from hub.storage.port import DeadlineExceeded
from tests.contract.search_cases import PARAMETERS, index_rows
from tests.storage.sqlite.both import TENANT, Both

CODE = Match(PARAMETERS["code"], (TokenValue("", "x"),))
NAME = Match(PARAMETERS["name"], (StringValue("b", "b"),), "contains")
SUBJECT = PARAMETERS["subject"]
MANY = 1000


@pytest.fixture(scope="module")
def both() -> Both:
    made = Both()
    for number in range(60):
        rows = index_rows(
            code="|x",
            subject=f"Observation/o{number + 1}",
            name="abc",
            birthdate="2020-01-01",
            probability=1,
            content="blood pressure",
        )
        made.put("Observation", f"o{number}", rows)
    return made


def found(both: Both, criterion: Any) -> int:
    query = Query(("Observation",), criterion, count=100, total="accurate")
    page = both.searcher.search(TENANT, query, 10)
    assert page.total == len(page.rids)
    return len(page.rids)


def number(value: float) -> tuple[Any, Decimal, Decimal, Decimal]:
    return "gt", Decimal(value), Decimal(value), Decimal(value)


def many(code: str, values: Any, modifier: str = "") -> Match:
    return Match(PARAMETERS[code], tuple(values), modifier)


@pytest.mark.parametrize(
    ("criterion", "count"),
    {
        "strings": (many("name", (StringValue(f"a{n}", f"a{n}") for n in range(MANY))), 0),
        "contained": (
            many(
                "name",
                (StringValue(f"b{n}", f"b{n}"[: 2 - n % 2]) for n in range(MANY)),
                "contains",
            ),
            60,
        ),
        "tokens": (many("code", (TokenValue(None, f"x{n}"[: 2 - n % 2]) for n in range(MANY))), 60),
        "systems": (many("code", (TokenValue(f"http://{n}", None) for n in range(MANY))), 0),
        "texts": (many("code", (StringValue(f"{n}", f"{n}") for n in range(MANY)), "text"), 0),
        "references": (many("subject", (ReferenceValue("", f"o{n}") for n in range(MANY))), 0),
        "typed references": (
            many("subject", (ReferenceValue("Observation", f"o{n}") for n in range(MANY))),
            60,
        ),
        "uris": (many("url", (UriValue(f"http://{n}") for n in range(MANY)), "below"), 0),
        "dates": (many("birthdate", (DateValue("ge", n, n + 1) for n in range(MANY))), 60),
        "numbers": (many("probability", (NumberValue(*number(n)) for n in range(MANY))), 60),
        "quantities": (
            many("value-quantity", (QuantityValue(*number(n)) for n in range(MANY))),
            0,
        ),
        "places": (many("near", (NearValue(n / 20, 1.0, 10.0) for n in range(MANY))), 0),
        "tuples": (
            many(
                "code-value-code",
                (
                    CompositeValue((TokenValue("", "x"), TokenValue("", str(n))))
                    for n in range(MANY)
                ),
            ),
            0,
        ),
        "times": (LastUpdated(tuple(DateValue("ge", n, n + 1) for n in range(MANY))), 60),
        "ids": (Ids(tuple(f"o{n}" for n in range(MANY))), 60),
        "words": (Words("content", tuple(f"w{n}" for n in range(MANY))), 0),
        "and": (And((CODE,) * 900), 60),
        "or": (Or((CODE, NAME) * 450), 60),
        "chains": (Or((Chain(SUBJECT, "Observation", CODE),) * 400), 59),
        "has": (And((Has("Observation", SUBJECT, CODE),) * 400), 59),
    }.values(),
    ids=str,
)
def test_a_great_many_are_answered(both: Both, criterion: Any, count: int) -> None:
    assert found(both, criterion) == count


NESTINGS: dict[str, Any] = {
    "not and": lambda inner: Not(And((inner, CODE))),
    "or and": lambda inner: Or((And((inner, CODE)), NAME)),
    "chain": lambda inner: Chain(SUBJECT, "Observation", inner),
    "chain not": lambda inner: Chain(SUBJECT, "Observation", Not(inner)),
    "has": lambda inner: Has("Observation", SUBJECT, inner),
    "has not and": lambda inner: Has("Observation", SUBJECT, Not(And((inner, NAME)))),
}


@pytest.mark.parametrize("nesting", NESTINGS)
@pytest.mark.parametrize("depth", [3, 12, 29, 59, 400, 20_000])
def test_deep_nesting_is_answered_or_refused(both: Both, nesting: str, depth: int) -> None:
    criterion: Any = CODE
    for _ in range(depth):
        criterion = NESTINGS[nesting](criterion)
    query = Query(("Observation",), criterion, count=100)
    try:
        page = both.searcher.search(TENANT, query, 10)
    except TooCostly as error:
        assert depth > 12
        issue = error.issues[0]
        assert issue.code == "too-costly"
        assert render(issue.message, issue.arguments) != render(issue.message, {}, "zh")
    else:
        if depth <= 12:
            assert [(page.rids, None)] == both.pages(query)[0]
    # Let go of it level by level: its own end would recurse as deep as it is.
    while isinstance(criterion, Not | Chain | Has | And | Or) and criterion is not CODE:
        criterion = (
            criterion.criteria[0] if isinstance(criterion, And | Or) else criterion.criterion
        )


@pytest.mark.parametrize(
    "criterion",
    [
        Match(PARAMETERS["name"], (StringValue("%", "%"),)),
        Match(PARAMETERS["name"], (StringValue("_", "_"),), "contains"),
        Match(PARAMETERS["name"], (StringValue("a\0", "a\0"),)),
        Match(PARAMETERS["name"], (StringValue("a" * 100_000, "a" * 100_000),)),
        Match(PARAMETERS["name"], (StringValue("' OR 1=1 --", "' or 1=1 --"),)),
        Match(PARAMETERS["code"], (TokenValue("'", "'; DROP TABLE entry"),)),
        Match(PARAMETERS["probability"], (NumberValue("gt", *[Decimal("1E+999999")] * 3),)),
        Match(PARAMETERS["probability"], (NumberValue("eq", *[Decimal("NaN")] * 3),)),
        Match(PARAMETERS["birthdate"], (DateValue("gt", 2**70, 2**80),)),
        LastUpdated((DateValue("lt", -(2**80), -(2**70)),)),
        Words("content", ('"', "OR", "NEAR(", "*")),
        Ids(("",)),
    ],
)
def test_odd_values_find_nothing(both: Both, criterion: Any) -> None:
    assert found(both, criterion) == 0


def test_half_a_surrogate_pair_is_refused(both: Both) -> None:
    for criterion in (
        Match(PARAMETERS["name"], (StringValue("\ud800", "\ud800"),)),
        Match(PARAMETERS["code"], (TokenValue("", "\ud800"),)),
        Ids(("\udfff",)),
    ):
        with pytest.raises(BadRequest):
            found(both, criterion)


def test_a_search_that_takes_too_long_is_stopped_in_time(both: Both) -> None:
    inner: Any = And((Not(CODE), NAME))
    for _ in range(3):
        inner = Has("Observation", SUBJECT, And((Not(inner), NAME)))
    slow = Query((), And((Not(Not(And((inner,)))),) * 50), count=100, total="accurate")
    start = time.process_time()
    with pytest.raises(DeadlineExceeded):
        both.searcher.search(TENANT, slow, 0.03)
    assert time.process_time() - start < 2
    assert found(both, CODE) == 60
