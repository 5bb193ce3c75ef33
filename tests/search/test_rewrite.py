"""Rewrite rules: modifiers, scopes, expansions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from hub.errors import BadRequest
from hub.search import registry
from hub.search.expander import Asked
from hub.search.explain import describe, describe_query
from hub.search.query import (
    And,
    Chain,
    Criterion,
    Has,
    Match,
    Not,
    Or,
    Present,
    TokenValue,
)
from hub.search.rewrite import RULES, RewriteContext, apply, apply_rules
from hub.search.rewrite.scope import visible
from tests.search.reading import cases, read

CORE = registry.core()
PLAIN = RewriteContext(CORE)
REACHING_A_STORE = frozenset(
    ["", "exact", "contains", "equals", "ends", "text", "of-type", "identifier", "above", "below"]
)
LABEL = CORE.of("Patient")["_security"]
SECRET = Not(Match(LABEL, (TokenValue(None, "v"),)))


def only_open_records(type: str) -> Criterion | None:
    """A limit on patients and what points at them; everything else may be seen."""
    return SECRET if type in ("Patient", "Observation", "List") else None


SCOPED = replace(PLAIN, scoped=only_open_records)
LIMIT = "Not(_security(v))"


def rewritten(url: str, context: RewriteContext = PLAIN) -> str:
    return describe_query(apply_rules(read(url).query, context)).replace(" count 20", "")


def nodes(criterion: Criterion) -> list[Criterion]:
    match criterion:
        case And(parts) | Or(parts):
            return [criterion, *(node for part in parts for node in nodes(part))]
        case Not(part) | Chain(_, _, part) | Has(_, _, part):
            return [criterion, *nodes(part)]
    return [criterion]


def test_a_store_sees_only_modifiers_it_knows() -> None:
    for _, url, expected in cases():
        if expected[0].startswith("!"):
            continue
        for node in nodes(apply_rules(read(url).query, PLAIN).criterion):
            if isinstance(node, Match):
                assert node.modifier in REACHING_A_STORE, url
                assert node.parameter.code not in ("_id", "_lastUpdated"), url
                assert node.values, url
            if isinstance(node, Present):
                assert node.parameter.code not in ("_id", "_lastUpdated"), url


def test_rules_change_nothing_the_second_time() -> None:
    for _, url, expected in cases():
        if not expected[0].startswith("!"):
            once = apply_rules(read(url).query, PLAIN)
            assert apply_rules(once, PLAIN) == once, url


def test_each_rule_stands_in_a_file_of_its_name() -> None:
    assert len({rule.__module__ for rule in RULES}) == len(RULES)
    assert all(rule.__doc__ for rule in RULES)


# --- scope ----------------------------------------------------------------------------------


def test_a_scope_at_the_root_limits_the_matches() -> None:
    assert rewritten("Patient?name=x", SCOPED) == f'Patient: And(name("x"), {LIMIT})'
    assert rewritten("Location?name=x", SCOPED) == 'Location: name("x")'


def test_a_scope_reaches_the_target_of_a_chain() -> None:
    assert rewritten("Encounter?patient.name=x", SCOPED) == (
        f'Encounter: Chain(patient -> Patient: And(name("x"), {LIMIT}))'
    )


def test_a_scope_reaches_every_link_of_a_long_chain() -> None:
    said = rewritten("Provenance?target:Observation.patient.organization.name=x", SCOPED)
    assert said == (
        "Provenance: Chain(target -> Observation: And(Chain(patient -> Patient: "
        f'And(Chain(organization -> Organization: name("x")), {LIMIT})), {LIMIT}))'
    )


def test_a_scope_reaches_the_source_of_has() -> None:
    assert rewritten("Location?_has:Encounter:location:_id=1", SCOPED) == (
        "Location: Has(Encounter.location: Ids(1))"
    )
    assert rewritten("Encounter?_has:Observation:encounter:code=1", SCOPED) == (
        f"Encounter: Has(Observation.encounter: And(code(1), {LIMIT}))"
    )


def test_a_chain_by_id_keeps_its_limit() -> None:
    assert rewritten("Encounter?patient._id=1", SCOPED) == (
        f"Encounter: Chain(patient -> Patient: And(Ids(1), {LIMIT}))"
    )


def test_a_scope_reaches_filters_negations_and_alternatives() -> None:
    said = rewritten('Encounter?_filter=not (patient.name co "x") or status eq a', SCOPED)
    behind = f'Chain(patient -> Patient: And(name:contains("x"), {LIMIT}))'
    assert said == f"Encounter: Or(Not({behind}), status(a))"


def test_a_scope_reaches_hierarchies() -> None:
    limited = replace(PLAIN, scoped=lambda type: SECRET if type == "Location" else None)
    said = rewritten("Encounter?location:below=1", limited)
    assert said.count("Chain(") == said.count(LIMIT)


def test_a_scope_reaches_the_list_of_a_list_search() -> None:
    assert rewritten("Location?_list=5", SCOPED) == (
        f"Location: Has(List.item: And(Ids(5), {LIMIT}))"
    )
    assert rewritten("Location?_list=5") == "Location: ListMembers(5)"


def test_a_scope_over_all_types_limits_each_type() -> None:
    limit = visible((), only_open_records)
    assert isinstance(limit, Or)
    assert len(limit.criteria) == 2
    assert describe(visible(("Patient", "Location"), only_open_records) or And()) == (
        f"Or(And(OfType(Patient), {LIMIT}), OfType(Location))"
    )
    assert visible(("Location", "Organization"), only_open_records) is None


def test_a_scope_that_forbids_a_type_finds_nothing_of_it() -> None:
    closed = replace(PLAIN, scoped=lambda type: Or() if type == "Patient" else None)
    assert rewritten("Patient?name=x", closed) == "Patient: Or()"
    assert rewritten("Encounter?patient.name=x", closed) == "Encounter: Or()"


def test_the_limit_of_a_scope_is_rewritten_as_well() -> None:
    missing = Match(CORE.of("Patient")["active"], (TokenValue(None, "true"),), "missing")
    limited = replace(PLAIN, scoped=lambda type: missing)
    assert rewritten("Patient?_id=1", limited) == "Patient: And(Ids(1), Not(Present(active)))"


# --- terminology ----------------------------------------------------------------------------


class Known:
    """An expander of two value sets."""

    async def expand(self, asked: Asked) -> Sequence[TokenValue]:
        if asked == Asked("in", "", "http://e/vs"):
            return [TokenValue("http://s", "A"), TokenValue("http://s", "b")]
        return [TokenValue(asked.system, asked.code), TokenValue("http://s", "deeper")]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("Condition?code:in=http://e/vs", "Condition: code(http://s|a, http://s|b)"),
        ("Condition?code:not-in=http://e/vs", "Condition: Not(code(http://s|a, http://s|b))"),
        ("Condition?code:below=http://s|x", "Condition: code(http://s|x, http://s|deeper)"),
        (
            "Observation?_has:Provenance:target:agent-role:in=http://e/vs",
            "Observation: Has(Provenance.target: agent-role(http://s|a, http://s|b))",
        ),
        ("Condition?_filter=code ss s|x", "Condition: code(s|x, http://s|deeper)"),
    ],
)
async def test_an_expander_answers_terminology(url: str, expected: str) -> None:
    query = await apply(read(url).query, replace(PLAIN, expander=Known()))
    assert describe_query(query) == f"{expected} count 20"


async def test_codes_of_many_value_sets_are_bounded_together() -> None:
    class Large:
        async def expand(self, asked: Asked) -> Sequence[TokenValue]:
            return [TokenValue("http://s", asked.code)] * 90_000

    context = replace(PLAIN, expander=Large())
    await apply(read("Condition?code:in=http://e/1,http://e/2").query, context)
    with pytest.raises(BadRequest) as refused:
        await apply(read("Condition?code:in=http://e/1,http://e/2,http://e/3").query, context)
    assert refused.value.issues[0].message == "search-too-many-codes"


async def test_a_value_set_without_codes_finds_nothing() -> None:
    class Empty:
        async def expand(self, asked: Asked) -> Sequence[TokenValue]:
            return []

    query = await apply(
        read("Condition?code:in=http://e/none").query, replace(PLAIN, expander=Empty())
    )
    assert query.criterion == Or()


async def test_without_an_expander_terminology_is_refused() -> None:
    with pytest.raises(BadRequest) as refused:
        await apply(read("Condition?code:in=http://e/vs").query, PLAIN)
    assert refused.value.issues[0].message == "search-needs-terminology"
    assert refused.value.issues[0].arguments == {"name": "code", "modifier": "in"}
