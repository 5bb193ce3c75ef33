"""Search URLs to queries, by section of the specification (tests/cases/search/urls)."""

from __future__ import annotations

import pytest

from hub.errors import BadRequest
from hub.messages import catalogue, render
from hub.search import registry
from hub.search.explain import lines
from hub.search.parse import criteria_of, parse
from hub.search.parsing.modifiers import SUITABLE
from hub.search.query import And, InCompartment, Match, OfType, Or, TokenValue
from hub.search.rewrite import RULES, RewriteContext
from tests.search.reading import BASE, CASES, NOW, ZONE, cases, outcome, read

CORE = registry.core()


@pytest.mark.parametrize(("section", "url", "expected"), list(cases()))
def test_a_url_becomes_this_query(section: str, url: str, expected: list[str]) -> None:
    assert outcome(url) == expected


def test_there_are_cases_of_every_section() -> None:
    sections = {path.stem for path in (CASES / "urls").glob("*.txt")}
    assert sections == {
        "chain", "composite", "date", "filter", "has", "prefix", "quantity", "reference",
        "results", "special", "string", "token", "unknown", "uri",
    }  # fmt: skip


def test_strict_handling_refuses_what_lenient_ignores() -> None:
    for _, url, expected in cases("unknown.txt"):
        if any(line.startswith("ignored") for line in expected):
            with pytest.raises(BadRequest) as refused:
                read(url, strict=True)
            assert refused.value.issues[0].message == "search-unknown-parameter"


def test_every_refusal_can_be_said_in_english_and_chinese() -> None:
    for _, url, expected in cases():
        if expected[0].startswith("!") and "terminology" not in expected[0]:
            try:
                outcome(url)
                parse_and_render(url)
            except KeyError as missing:
                pytest.fail(f"{url}: {missing}")


def parse_and_render(url: str) -> None:
    try:
        read(url)
    except BadRequest as error:
        for issue in error.issues:
            assert issue.message in catalogue()
            english = render(issue.message, issue.arguments, "en")
            chinese = render(issue.message, issue.arguments, "zh-CN")
            assert english
            assert chinese != english


def test_no_refusal_repeats_a_search_value() -> None:
    for name in ("birthdate", "name:missing", "general-practitioner", "_count", "_summary"):
        with pytest.raises(BadRequest) as refused:
            read(f"Patient?{name}=%23secret-value")
        assert "secret-value" not in repr(refused.value.issues)


def test_the_self_link_holds_what_was_honoured() -> None:
    request = read("Patient?name=x&foo=1&_count=5&_sort=nothing&_format=json&_cursor=")
    assert request.self_parameters == (("name", "x"), ("_count", "5"), ("_format", "json"))
    assert request.ignored == ("foo", "_sort")
    assert request.empty == ("_cursor",)


def test_the_self_link_says_that_a_count_was_lowered() -> None:
    assert read("Patient?_count=5000").self_parameters == (("_count", "1000"),)


def test_a_search_in_a_compartment_is_limited_to_it() -> None:
    request = parse(
        CORE, "Observation", [("code", "1")], zone=ZONE, base=BASE, compartment=("Patient", "p1")
    )
    assert request.query.criterion == And(
        (
            InCompartment("Patient", "p1"),
            Match(CORE.of("Observation")["code"], (TokenValue(None, "1"),)),
        )
    )


def test_a_compartment_search_over_all_types_is_limited_to_it() -> None:
    for type in ("", "*"):
        request = parse(CORE, type, [], zone=ZONE, base=BASE, compartment=("Patient", "p1"))
        assert request.query.types == ()
        assert request.query.criterion == InCompartment("Patient", "p1")


@pytest.mark.parametrize(
    ("type", "compartment"),
    [
        ("Location", ("Patient", "1")),
        ("Patient", ("Organization", "1")),
        ("Observation", ("Patient", "a_b")),
    ],
)
def test_a_type_outside_of_a_compartment_is_refused(
    type: str, compartment: tuple[str, str]
) -> None:
    with pytest.raises(BadRequest):
        parse(CORE, type, [], zone=ZONE, base=BASE, compartment=compartment)


def test_several_types_have_each_their_own_parameter() -> None:
    query = read("?_type=Patient,Practitioner&name=x").query
    assert query.types == ("Patient", "Practitioner")
    assert isinstance(query.criterion, Or)
    assert [part.criteria[0] for part in query.criterion.criteria if isinstance(part, And)] == [
        OfType(("Patient",)),
        OfType(("Practitioner",)),
    ]


def test_a_day_is_read_in_the_tenants_zone() -> None:
    here = parse(CORE, "Observation", [("date", "2026-03-01")], zone="Asia/Shanghai", base=BASE)
    there = parse(CORE, "Observation", [("date", "2026-03-01")], zone="UTC", base=BASE)
    assert here.query != there.query


def test_a_condition_refuses_unknown_and_result_parameters() -> None:
    for search in ([("foo", "1")], [("_count", "1")], [("_include", "Patient:organization")]):
        with pytest.raises(BadRequest):
            criteria_of(CORE, "Patient", search, zone=ZONE, base=BASE)


def test_a_condition_is_the_query_of_the_same_search() -> None:
    search = [("identifier", "http://e|1"), ("_id", "5")]
    condition = criteria_of(CORE, "Patient", search, zone=ZONE, base=BASE)
    assert condition.criterion == read("Patient?identifier=http://e|1&_id=5").query.criterion


def test_a_condition_without_a_value_is_refused_not_widened() -> None:
    with pytest.raises(BadRequest):
        criteria_of(CORE, "Patient", [("identifier", "")], zone=ZONE, base=BASE)


def test_too_many_parameters_and_values_are_refused() -> None:
    many = ",".join(map(str, range(1001)))
    for parameters in ([("name", "x")] * 501, [("_id", many)]):
        with pytest.raises(BadRequest) as refused:
            parse(CORE, "Patient", parameters, zone=ZONE, base=BASE)
        assert refused.value.issues[0].code == "too-costly"


@pytest.mark.parametrize("kind", SUITABLE)
def test_a_modifier_is_taken_or_refused_by_parameter_type(kind: str) -> None:
    parameter = next(one for one in CORE.by_url.values() if one.type == kind and one.expression)
    type = parameter.base[0]
    every = set().union(*SUITABLE.values()) | {"text", "Patient", "nonsense"}
    for modifier in sorted(every - SUITABLE[kind]):
        if (kind, modifier) in (("reference", "Patient"),):
            continue
        assert outcome(f"{type}?{parameter.code}:{modifier}=1")[0].startswith("! not-supported")


def test_explanations_show_each_rule_that_changed_the_query() -> None:
    said = lines(read("Patient?gender:not=male&foo=1&_include=Patient:organization"), context())
    assert said == [
        "read: Patient: gender:not(male) count 20",
        "rewrite_negations: Patient: Not(gender(male)) count 20",
        "then: _include Patient:organization",
        "ignored: foo",
    ]
    assert {rule.__name__ for rule in RULES} >= {"rewrite_negations", "simplify"}


def context() -> RewriteContext:
    return RewriteContext(CORE)


def test_approximate_dates_need_a_clock() -> None:
    near = parse(
        CORE, "Observation", [("date", "ap2026-05-31")], zone=ZONE, base=BASE, clock=lambda: NOW
    )
    assert near.query == read("Observation?date=ap2026-05-31").query
