"""Expressions of the map language are read as its page teaches them."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7v2.mapping.grammar import (
    Compare,
    Component,
    Constant,
    Count,
    Expression,
    Field,
    Has,
    Joined,
    Lacks,
    Longer,
    MapError,
    MessageWord,
    Ref,
    Template,
    condition,
    expression,
)

HERE = "segments/PID.yaml Patient name"


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("PID-8", Field("PID", 8)),
        ("PID-5.1.2", Field("PID", 5, 0, 1, 2)),
        ("PID-3[2].4", Field("PID", 3, 2, 4)),
        ("PID-3[*]", Field("PID", 3, -1)),
        ("CX.4.2", Component("CX", 4, 2)),
        ("this", Component("", 0)),
        ("=home", Constant("home")),
        ("='visit number'", Constant("visit number")),
        ("='it''s'", Constant("it's")),
        ("=http://loinc.org", Constant("http://loinc.org")),
        ("ref Patient", Ref("Patient")),
        ("trigger", MessageWord("trigger")),
    ],
)
def test_a_source_is_read(text: str, source: object) -> None:
    assert expression(text, HERE) == Expression(source)  # type: ignore[arg-type]


def test_what_follows_a_value_is_read_in_its_order() -> None:
    found = expression("PID-16 as CWE[CodeableConcept] by marital-status if not PID-31", HERE)
    assert (found.datatype, found.target) == ("CWE", "CodeableConcept")
    assert found.table == "marital-status"
    assert found.condition == Joined("not", (Compare(Field("PID", 31)),))


def test_the_condition_after_or_is_that_of_the_whole() -> None:
    found = expression("PV1-19 or PV1-50 if PV1-2 = I", HERE)
    assert found.condition == Compare(Field("PV1", 2), frozenset({"I"}))
    assert found.otherwise == Expression(Field("PV1", 50))


def test_a_template_holds_texts_and_sources_in_turn() -> None:
    source = expression("='{XTN.6} {XTN.7}'", HERE).source
    assert isinstance(source, Template)
    assert list(source.sources) == [Component("XTN", 6), Component("XTN", 7)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PV1-45", Compare(Field("PV1", 45))),
        ("PV1-2 = P", Compare(Field("PV1", 2), frozenset({"P"}))),
        ("SN.1 in ('<>', <)", Compare(Component("SN", 1), frozenset({"<>", "<"}))),
        ("PID-11 count > 1", Count(Field("PID", 11), ">", 1)),
        ("PID-7 longer 8", Longer(Field("PID", 7), 8)),
        ("lacks valueQuantity", Lacks("valueQuantity")),
        ("has Encounter", Has("Encounter")),
        (
            "trigger not in (A01, A02)",
            Joined("not", (Compare(MessageWord("trigger"), frozenset({"A01", "A02"})),)),
        ),
    ],
)
def test_a_condition_is_read(text: str, expected: object) -> None:
    assert condition(text, HERE) == expected


def test_and_binds_closer_than_or_and_brackets_closest() -> None:
    one, two, three = (Compare(Field("PID", n)) for n in (1, 2, 3))
    assert condition("PID-1 or PID-2 and PID-3", HERE) == Joined(
        "or", (one, Joined("and", (two, three)))
    )
    assert condition("(PID-1 or PID-2) and PID-3", HERE) == Joined(
        "and", (Joined("or", (one, two)), three)
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PID",
        "PID-8 as",
        "PID-8 through sex",
        "PID-8 if",
        "PID-8 if PV1-2 =",
        "PID-8 if (PV1-2",
        "PID-8 if PV1-2 in I",
        "PID-8 if PV1-2 count = many",
        "={}",
        "={ref Patient}",
        "ref",
        "PID-8 PID-9",
    ],
)
def test_what_does_not_follow_the_grammar_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(MapError) as caught:
        expression(text, HERE)
    issue = caught.value.issues[0]
    assert issue.location == HERE
    assert issue.message == "hl7v2-map-expression"


@given(st.text(alphabet="PID-35.[]*= '(){}<>!,ifasbyorefnot AX", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (expression, condition):
        with contextlib.suppress(MapError):
            read(text, HERE)
