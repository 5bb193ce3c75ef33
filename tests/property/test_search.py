"""No search and no resource does worse than be refused."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.errors import BadRequest
from hub.search import registry
from hub.search.explain import describe_query, lines
from hub.search.extract import extract
from hub.search.folding import fold, matches_string, query_words, suffixes, words
from hub.search.parse import parse
from hub.search.parsing.filter_grammar import parse_filter
from hub.search.ranges import date_conditions, holds, number_conditions
from hub.search.rewrite import RewriteContext, apply_rules
from hub.search.values import IndexRows
from tests.property.resources import resources
from tests.search.reading import BASE, NOW, ZONE

CORE = registry.core()
PLAIN = RewriteContext(CORE)
SLOW = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

TYPES = st.sampled_from(["Patient", "Observation", "Encounter", "Bundle", "Location", "", "*", "x"])
SEARCHED = {code for name in ("Patient", "Observation", "Location") for code in CORE.of(name)}
CODES = st.sampled_from(
    [
        *sorted(SEARCHED),
        "_has",
        "_list",
        "_type",
        "_sort",
        "_include",
        "_revinclude",
        "_count",
        "_summary",
        "_total",
    ]
)
MODIFIERS = st.sampled_from(
    ["", ":exact", ":missing", ":not", ":in", ":below", ":above", ":Patient", ":identifier",
     ":of-type", ":text", ":iterate", ":", "::", ":Observation:patient", ":x"]
)  # fmt: skip
NAMES = st.one_of(
    st.text(max_size=20),
    st.builds(str.__add__, CODES, MODIFIERS),
    st.lists(st.builds(str.__add__, CODES, MODIFIERS), min_size=2, max_size=4).map(".".join),
    st.builds("_has:Observation:patient:{}".format, CODES),
)
PIECES = st.sampled_from(
    ["a", "1", "-1.5e3", "gt", "ap", "|", ",", "$", "\\", "2026", "-03", "T10:00", "Z", "+08:00",
     "Patient/1", "http://e/", "urn:oid:1", "张", "\u0301", " ", "true", "(", ")", "\"", " eq ",
     " and ", "not", "[", "]", ".", "#", "9" * 60, "E999999", "name", "\x00", "٣"]
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=30), st.lists(PIECES, max_size=8).map("".join))


@SLOW
@given(TYPES, st.lists(st.tuples(NAMES, TEXTS), max_size=4), st.booleans())
def test_a_search_is_read_or_refused(
    type: str, parameters: list[tuple[str, str]], strict: bool
) -> None:
    try:
        request = parse(
            CORE, type, parameters, zone=ZONE, base=BASE, strict=strict, clock=lambda: NOW
        )
        query = apply_rules(request.query, PLAIN)
    except BadRequest:
        return
    assert describe_query(query)
    assert lines(request, PLAIN)
    assert apply_rules(query, PLAIN) == query
    assert hash(query) == hash(apply_rules(request.query, PLAIN))


@SLOW
@given(st.sampled_from(sorted(CORE.of("Observation"))), MODIFIERS, TEXTS)
def test_a_value_of_any_parameter_is_read_or_refused(code: str, modifier: str, text: str) -> None:
    try:
        request = parse(
            CORE, "Observation", [(code + modifier, text)], zone=ZONE, base=BASE, clock=lambda: NOW
        )
        apply_rules(request.query, PLAIN)
    except BadRequest:
        return


@SLOW
@given(st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=14).map("".join)))
def test_a_filter_is_read_or_refused(text: str) -> None:
    try:
        parse_filter(text)
    except BadRequest:
        return


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000,
        "not(" * 2000 + "a eq b" + ")" * 2000,
        "a[" * 4000,
        "a eq b and " * 700 + "a eq b",
        "a." * 4000 + "b eq c",
        "_has:A:b:" * 900 + "c eq d",
    ],
)
def test_a_hostile_filter_is_refused_at_once(text: str) -> None:
    with pytest.raises(BadRequest):
        parse(CORE, "Patient", [("_filter", text)], zone=ZONE, base=BASE)


@pytest.mark.parametrize(
    "name", ["partof." * 3000 + "name", "_has:Location:partof:" * 3000 + "name"]
)
def test_a_hostile_chain_is_refused_at_once(name: str) -> None:
    with pytest.raises(BadRequest):
        parse(CORE, "Location", [(name, "x")], zone=ZONE, base=BASE)


@SLOW
@given(resources())
def test_every_resource_is_indexed(resource: dict[str, object]) -> None:
    rows = extract(CORE, resource, zone=ZONE, base=BASE)
    assert isinstance(rows, IndexRows)
    for kind in (rows.strings, rows.tokens, rows.references, rows.dates, rows.quantities):
        assert len(set(kind)) == len(kind)
    for row in rows.dates:
        assert row.low < row.high
    for number in (*rows.numbers, *rows.quantities):
        assert number.low <= number.high


@given(st.text(), st.text(max_size=3))
def test_a_string_is_found_by_its_own_beginning(text: str, other: str) -> None:
    folded = fold(text)
    assert fold(folded) == folded
    for suffix in suffixes(folded)[:5]:
        assert matches_string(folded, suffix[:2])
    assert matches_string(folded, fold(other)) == any(
        suffix.startswith(fold(other)) for suffix in suffixes(folded)
    )


@given(st.text())
def test_a_text_is_found_by_all_of_its_own_words(text: str) -> None:
    assert set(query_words(text)) <= set(words(text))


PREFIXES = ["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]


@given(st.integers(1, 9998), st.integers(0, 10**6), st.integers(1, 10**6))
def test_prefixes_of_dates_agree_with_each_other(year: int, low: int, width: int) -> None:
    found = {}
    for prefix in PREFIXES:
        text = f"{prefix}{year:04d}"
        request = parse(
            CORE, "Patient", [("birthdate", text)], zone="UTC", base=BASE, clock=lambda: NOW
        )
        value = request.query.criterion.values[0]
        found[prefix] = holds(date_conditions(value), value.low + low, value.low + low + width)
    assert found["eq"] is not found["ne"]
    assert found["ge"] == (found["gt"] or found["eq"])
    assert found["le"] == (found["lt"] or found["eq"])
    assert not (found["sa"] and found["eb"])
    assert not found["eq"] or found["ap"]


@given(st.decimals(-(10**6), 10**6, places=3), st.decimals(-(10**6), 10**6, places=3))
def test_prefixes_of_numbers_agree_with_each_other(sought: object, stored: object) -> None:
    found = {}
    for prefix in PREFIXES:
        request = parse(
            CORE, "RiskAssessment", [("probability", f"{prefix}{sought}")], zone=ZONE, base=BASE
        )
        value = request.query.criterion.values[0]
        found[prefix] = holds(number_conditions(value), float(stored), float(stored))
    assert found["eq"] is not found["ne"]
    assert found["gt"] is not found["le"]
    assert found["lt"] is not found["ge"]
    assert found["sa"] == found["gt"]
    assert found["eb"] == found["lt"]
