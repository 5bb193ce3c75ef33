"""The plans of searches that must stay cheap: keys are used, nothing is sorted or scanned."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.search.query import Query, SortKey
from hub.search.ranges import date_conditions, holds
from hub.storage.sqlite.compile.fragments import Sql, either, every, one_of, union
from hub.storage.sqlite.compile.planner import CountMemory, Limits
from hub.storage.sqlite.compile.range_tests import range_test
from tests.contract.search_cases import PARAMETERS, criterion, index_rows
from tests.storage import random_searches as random
from tests.storage.sqlite.both import TENANT, Both

NEWEST = ("-date",)


@pytest.fixture(scope="module")
def both() -> Both:
    # Few rows have to count as many here.
    made = Both(Limits(listed_first=3, cost_of_test=0, early=2))
    for number in range(12):
        rows = index_rows(
            code=["|common", f"|rare{number}"],
            status="|final",
            subject=f"Patient/p{number % 3}",
            name=f"name {number}",
            birthdate=f"19{number + 10}-01-01",
            probability=number,
            compartment=[f"Patient/p{number % 3}"],
            date=f"2026-01-{number + 10}",
            **{"code-value-quantity": f"|common${number} mg"},
        )
        made.put("Observation", f"o{number}", rows)
    for number in range(3):
        made.put("Patient", f"p{number}", index_rows(name=f"patient {number}", status="|active"))
    return made


def plan(both: Both, where: list[Any], sort: tuple[str, ...], types: tuple[str, ...]) -> list[str]:
    keys = tuple(SortKey(PARAMETERS[code.removeprefix("-")], code.startswith("-")) for code in sort)
    query = Query(types, criterion(where), keys, count=2)
    assert both.pages(query)[0] == both.pages(query)[1]
    return list(both.searcher.explain(TENANT, query))


CHEAP: list[tuple[list[Any], tuple[str, ...], str]] = [
    (["code", "|common"], NEWEST, "merge in order of date"),
    (["code", "|common"], (), "merge in order of date"),
    (["code", "|common"], ("date",), "merge in order of date"),
    (["code", "common"], NEWEST, "merge in order of date"),
    (["code", "|common", "|rare1"], NEWEST, "merge in order of date"),
    (["subject", "Patient/p1"], NEWEST, "merge in order of date"),
    (["and", ["subject", "Patient/p1"], ["code", "|common"]], NEWEST, "merge in order of date"),
    (["and", ["code", "|common"], ["not", ["status", "|final"]]], NEWEST, "merge in order of date"),
    (["or", ["code", "|rare1"], ["subject", "Patient/p2"]], NEWEST, "merge in order of date"),
    (["compartment", "Patient", "p1"], NEWEST, "merge in order of date"),
    (["code-value-quantity", "|common$gt5|u|mg"], NEWEST, "merge in order of date"),
    (["chain", "subject", "Patient", ["name", "patient 1"]], NEWEST, "merge in order of date"),
    (["and"], NEWEST, "walk in order of date"),
    (["not", ["status", "|final"]], NEWEST, "walk in order of date"),
    (["present", "probability"], NEWEST, "walk in order of date"),
    (["name", "name"], NEWEST, "walk in order of date, for"),
    (["chain", "subject", "Patient", ["status", "active"]], NEWEST, "walk in order of date, for"),
    (["and"], ("name",), "walk in order of name"),
    (["and"], ("-birthdate",), "walk in order of birthdate"),
    (["and"], ("-_lastUpdated",), "walk in order of updated"),
    (["and"], ("_id",), "walk in order of id"),
    (["not", ["code", "|rare1"]], ("name",), "walk in order of name"),
]


@pytest.mark.parametrize(("where", "sort", "way"), CHEAP, ids=str)
def test_a_page_stops_early(both: Both, where: list[Any], sort: tuple[str, ...], way: str) -> None:
    lines = plan(both, where, sort, ("Observation",))
    ways = [line for line in lines if line.startswith("way: ")]
    assert ways[0].startswith(f"way: {way}")
    first = lines[lines.index(ways[0]) + 1 :]
    first = first[: next((n for n, line in enumerate(first) if line.startswith("way: ")), None)]
    # The rows without a value, sorted by row id, are only asked for at the end.
    end = next((n for n, line in enumerate(first) if "NULL AS value" in line), None)
    steps = [line for line in first[:end] if line.startswith("    ")]
    assert steps
    assert not [step for step in steps if "TEMP B-TREE FOR ORDER BY" in step]
    assert not [step for step in steps if "SCAN" in step and "VIRTUAL" not in step]


def test_all_resources_of_the_system_come_in_order_of_date(both: Both) -> None:
    lines = plan(both, ["and"], (), ())
    assert "way: walk in order of date" in lines
    assert not [line for line in lines if "TEMP B-TREE" in line]


def test_what_nothing_has_is_known_before_searching(both: Both) -> None:
    lines = plan(both, ["code", "|nowhere"], (), ("Observation",))
    assert lines == ["finds nothing: a value or parameter occurs in no resource"]
    lines = plan(both, ["and", ["code", "|common"], ["name", "x"], ["url", "x"]], (), ())
    assert lines[0].startswith("finds nothing")


def test_the_smaller_criterion_drives(both: Both) -> None:
    for where in (
        ["and", ["code", "|common"], ["code", "|rare7"]],
        ["and", ["status", "|final"], ["not", ["status", "x"]], ["code", "|rare7"]],
    ):
        lines = plan(both, where, (), ("Observation",))
        assert [line for line in lines if line.startswith("candidates")] == [
            "candidates: 1 by code, in order of date"
        ]


# --- fragments ------------------------------------------------------------------------------


def test_the_text_of_a_list_hardly_depends_on_its_length() -> None:
    texts = {one_of("a", range(count)).text for count in range(1, 2000)}
    assert len(texts) == 6
    for count in (1, 2, 3, 5, 16):
        assert one_of("a", range(count)).text.count("?") == len(one_of("a", range(count)).values)


@pytest.mark.parametrize("count", [0, 1, 2, 16, 17, 500, 5000])
def test_long_conditions_are_trees(both: Both, count: int) -> None:
    parts = [Sql("? > 0", (number,)) for number in range(1, count + 1)]
    for joined in (either(parts), every(parts)):
        assert joined.text.count("?") == len(joined.values) == count
        depth = most = 0
        for character in joined.text:
            depth += {"(": 1, ")": -1}.get(character, 0)
            most = max(most, depth)
        assert most <= 24
    assert both.connection.execute(f"SELECT {every(parts).text}", every(parts).values).get == 1
    holds = both.connection.execute(f"SELECT {either(parts).text}", either(parts).values).get
    assert holds == (1 if count else 0)


@pytest.mark.parametrize("count", [1, 2, 99, 100, 101, 1000])
def test_unions_of_any_length_are_answered(both: Both, count: int) -> None:
    joined = union([Sql("SELECT ? AS n", (number,)) for number in range(count)])
    rows = both.connection.execute(*joined).fetchall()
    assert sorted(n for (n,) in rows) == list(range(count))


# --- range tests ----------------------------------------------------------------------------


@given(st.lists(random.date_values, min_size=1, max_size=3), random.ranges)
def test_compiled_range_tests_agree_with_the_table(values: Any, ends: tuple[int, int]) -> None:
    alternatives = tuple(group for value in values for group in date_conditions(value))
    assert range_test(alternatives)(*ends) == holds(alternatives, *ends)
    three = ((*alternatives[0], *alternatives[-1], *alternatives[0]),)
    assert range_test(three)(*ends) == holds(three, *ends)


def test_counts_of_long_lists_are_not_kept() -> None:
    memory = CountMemory()
    few, many = (one_of("grp", range(1, count)) for count in (9, 5000))
    for key in (few, many):
        memory.put(key, 5000, True)
    assert memory.get(few) == (5000, True)
    assert len(memory) == 1  # nobody would ever find an array of numbers again
