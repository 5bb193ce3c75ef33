"""SMART scopes: what is read is what was written, and less is never more."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.access import scopes
from hub.access.scopes import ScopeRefused, both, covers, intersect, narrow, parse, read, write
from hub.principal import Level, Scope

RESTRICTIONS = (
    (),
    (("category", "http://terminology.hl7.org/CodeSystem/observation-category|vital-signs"),),
    (("code", "a,b"), ("status:not", "final")),
    (("_tag", "x|y z"),),
)
TYPES = ("*", "Observation", "Condition")


@st.composite
def scopes_of(draw: st.DrawFn) -> Scope:
    type = draw(st.sampled_from(TYPES))
    search = draw(st.sampled_from(RESTRICTIONS)) if type == "Observation" else ()
    letters = draw(st.frozensets(st.sampled_from("cruds"), min_size=1))
    return Scope(draw(st.sampled_from(get_args(Level))), type, letters, search)


@given(scopes_of())
def test_a_scope_is_read_as_it_was_written(scope: Scope) -> None:
    assert parse(write(scope)) == scope
    assert " " not in write(scope)


@given(scopes_of(), scopes_of(), scopes_of())
def test_what_two_scopes_have_in_common_is_covered_by_both(
    one: Scope, other: Scope, third: Scope
) -> None:
    common = both(one, other)
    if common is not None:
        assert covers([one], common)
        assert covers([other], common)
    assert covers([one, third], one)
    if covers([one], other) and covers([other], third):
        assert covers([one], third)


@given(st.lists(scopes_of(), max_size=4), st.lists(scopes_of(), max_size=4))
def test_an_intersection_is_within_both(one: list[Scope], other: list[Scope]) -> None:
    asked, allowed = (" ".join(map(write, part)) for part in (one, other))
    found = read(intersect(asked, allowed))
    for _, scope in found.resources:
        assert covers(other, scope)
        assert any(covers([wanted], scope) for wanted in one)
    assert set(intersect(asked, asked).split()) == set(read(asked).text.split())


@given(st.lists(scopes_of(), min_size=1, max_size=4), scopes_of())
def test_a_refresh_gets_what_was_granted_or_less(granted: list[Scope], asked: Scope) -> None:
    words = " ".join(map(write, granted))
    assert narrow("", words) == words
    if covers(granted, asked):
        assert narrow(write(asked), words) == write(asked)
    else:
        with pytest.raises(ScopeRefused):
            narrow(write(asked), words)


@given(st.text(max_size=60))
def test_no_text_is_more_than_refused(text: str) -> None:
    try:
        found = read(text)
    except ScopeRefused:
        return
    assert read(found.text) == found
    assert isinstance(scopes.resource_scopes(text), tuple)


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("patient/Observation.read", "rs"),
        ("user/*.write", "cud"),
        ("system/Patient.*", "cruds"),
        ("patient/Observation.cud", "cud"),
    ],
)
def test_version_1_and_version_2_mean_the_same_kind_of_thing(text: str, letters: str) -> None:
    assert parse(text).permissions == frozenset(letters)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("patient/Observation", "scope-malformed"),
        ("patient/Observation.", "scope-malformed"),
        ("patients/Observation.r", "scope-malformed"),
        ("patient/../Patient.r", "scope-malformed"),
        ("patient/Observation.r\u00e9", "scope-malformed"),
        ("launch/practitioner", "scope-malformed"),
        ("patient/Nothing.r", "scope-type"),
        ("patient/Resource.r", "scope-type"),
        ("patient/Observation.sr", "scope-permissions"),
        ("patient/Observation.rr", "scope-permissions"),
        ("patient/Observation.reads", "scope-permissions"),
        ("patient/Observation.read?category=x", "scope-restriction"),
        ("patient/Observation.rs?", "scope-restriction"),
        ("patient/Observation.rs?category=", "scope-restriction"),
        ("patient/Observation.rs?category", "scope-restriction"),
        ("patient/Observation.rs?nonsense=1", "scope-restriction"),
        ("patient/Observation.rs?date=2026", "scope-restriction"),
        ("patient/Observation.rs?subject.name=x", "scope-restriction"),
        ("patient/Observation.rs?_has:Provenance:target:agent=x", "scope-restriction"),
        ("patient/Observation.rs?_list=1", "scope-restriction"),
        ("patient/Observation.rs?_id=1", "scope-restriction"),
        ("patient/Observation.rs?code:in=http://x", "scope-restriction"),
        ("patient/*.rs?category=x", "scope-restriction"),
        ("patient/Observation.rs?category=%ff", "scope-restriction"),
    ],
)
def test_what_is_no_scope_is_refused_with_words(text: str, message: str) -> None:
    with pytest.raises(ScopeRefused) as refused:
        parse(text)
    assert refused.value.message == message
    assert scopes.resource_scopes(text) == ()


def test_many_scopes_are_refused() -> None:
    with pytest.raises(ScopeRefused):
        read(" ".join(f"patient/Observation.rs?code=c{number}" for number in range(101)))
    with pytest.raises(ScopeRefused):
        read("x" * 4001)


def test_scopes_about_no_resource_are_kept_apart() -> None:
    asked = read("openid launch/patient patient/*.rs openid fhirUser")
    assert asked.others == ("openid", "launch/patient", "fhirUser")
    assert asked.text == "openid launch/patient fhirUser patient/*.rs"
    with pytest.raises(ScopeRefused):
        narrow("openid", "patient/*.rs")
