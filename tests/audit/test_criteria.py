"""What rows must have is never narrower than the criteria."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.audit.criteria import backwards, narrowed
from hub.definitions import search_parameters_of
from hub.search.matching import matches
from hub.search.query import (
    And,
    Criterion,
    DateValue,
    Has,
    Ids,
    InCompartment,
    LastUpdated,
    ListMembers,
    Match,
    Not,
    Or,
    Prefix,
    ReferenceValue,
    StringValue,
    TokenValue,
)
from hub.search.values import DateRow, IndexRows
from hub.storage.audit_keys import action_key, name_key, outcome_key, reference_key

PARAMETERS = search_parameters_of("AuditEvent")
PREFIXES: tuple[Prefix, ...] = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")


def match(code: str, *values: object, modifier: str = "") -> Match:
    return Match(PARAMETERS[code], values, modifier)  # type: ignore[arg-type]


ONE, TWO = ReferenceValue("Patient", "1"), ReferenceValue("Patient", "2")
KEYS = [
    (match("patient", ReferenceValue("", "1")), [(reference_key("Patient/1"),)]),
    (match("entity", ONE, TWO), [(reference_key("Patient/1"), reference_key("Patient/2"))]),
    (match("entity", ReferenceValue("", "1")), []),
    (match("entity", ONE, ReferenceValue("", "", "urn:x")), []),
    (match("agent", TokenValue(None, "Li"), modifier="identifier"), [(name_key("li"),)]),
    (match("action", TokenValue(None, "C")), [(action_key("C"),)]),
    (match("action", TokenValue("urn:x", None)), []),
    (match("type", TokenValue(None, "rest")), []),
    (match("type", TokenValue(None, "nothing")), [()]),
    (match("agent-name", StringValue("x", "x")), []),
    (InCompartment("Patient", "1"), [(reference_key("Patient/1"),)]),
    (And((match("patient", ONE), match("action", TokenValue(None, "C")))),
     [(reference_key("Patient/1"),), (action_key("C"),)]),
    (Or((match("patient", ONE), match("outcome", TokenValue(None, "4")))),
     [(reference_key("Patient/1"), outcome_key("4"))]),
    (Or((match("patient", ONE), match("agent-name", StringValue("x", "x")))), []),
    (Or((And((match("agent-name", StringValue("x", "x")), match("patient", ONE))),)),
     [(reference_key("Patient/1"),)]),
    (Or(()), [()]),
    (Not(match("patient", ONE)), []),
]  # fmt: skip


@pytest.mark.parametrize(("criterion", "groups"), KEYS)
def test_criteria_give_groups_of_keys(criterion: Criterion, groups: list[tuple[int, ...]]) -> None:
    assert narrowed(criterion).groups == groups


def test_ids_are_narrowed_to_what_all_allow() -> None:
    assert narrowed(And((Ids(("a", "b")), Ids(("b", "c"))))).ids == {"b"}
    assert narrowed(Not(Ids(("a",)))).ids is None


@given(
    st.sampled_from(PREFIXES), st.integers(0, 50_000), st.integers(0, 50_000), st.integers(0, 60)
)
def test_no_instant_that_meets_a_date_is_left_out(
    prefix: Prefix, low: int, width: int, at: int
) -> None:
    criterion = match("date", DateValue(prefix, low, low + width))
    row = DateRow(PARAMETERS["date"].key, at * 1000, at * 1000 + 1000)
    narrow = narrowed(criterion)
    within = (narrow.since is None or at >= narrow.since) and (
        narrow.high is None or at < narrow.high
    )
    assert within or not matches(IndexRows(dates=(row,)), criterion)


def test_rows_that_were_written_later_count_for_last_updated() -> None:
    narrow = narrowed(LastUpdated((DateValue("ge", 5_000_000, 5_001_000),)))
    assert (narrow.low, narrow.since) == (5_000, None)


def test_what_points_here_cannot_be_asked() -> None:
    parameter = PARAMETERS["entity"]
    assert backwards(And((Or((Not(Has("AuditEvent", parameter, And())),)),)))
    assert backwards(ListMembers("x"))
    assert not backwards(And((match("patient", ONE),)))
