"""`:in`, `:above` and `:below` on tokens, through the expander.

https://hl7.org/fhir/R4/search.html#subsumption. Without an expander they are refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeGuard

from hub.search.expander import Asked, Expander
from hub.search.parsing.modifiers import TERMINOLOGY
from hub.search.parsing.reading import refuse
from hub.search.query import Criterion, Match, Or, Query, TokenValue, UriValue, Value
from hub.search.rewrite.context import RewriteContext
from hub.search.rewrite.walk import transform
from hub.search.traits import traits_of


def rewrite_terminology(query: Query, context: RewriteContext) -> Query:
    """`p:in=s` to `p=` all codes of s; what was not fetched stays (`explain` shows it so)."""

    def visit(criterion: Criterion, types: tuple[str, ...]) -> Criterion:
        if not _is_asking(criterion):
            return criterion
        asked = [_asked(criterion.modifier, value) for value in criterion.values]
        if context.expander is None:
            refuse(
                "not-supported",
                "search-needs-terminology",
                name=criterion.parameter.code,
                modifier=criterion.modifier,
            )
        if not context.expansions.keys() >= set(asked):
            return criterion
        values: dict[Value, None] = {}
        for question in asked:
            values.update(dict.fromkeys(_as_indexed(criterion, context.expansions[question])))
        return Match(criterion.parameter, tuple(values)) if values else Or()

    return transform(query, visit)


async def fetch_expansions(
    query: Query, expander: Expander
) -> Mapping[Asked, Sequence[TokenValue]]:
    """The codes that a query's terminology modifiers stand for.

    Args:
        query: With its negations rewritten.
        expander: Terminology.
    """
    questions: dict[Asked, None] = {}

    def visit(criterion: Criterion, types: tuple[str, ...]) -> Criterion:
        if _is_asking(criterion):
            modifier = criterion.modifier.removeprefix("not-")
            questions.update(dict.fromkeys(_asked(modifier, value) for value in criterion.values))
        return criterion

    transform(query, visit)
    return {asked: await expander.expand(asked) for asked in questions}


def _as_indexed(criterion: Match, codes: Sequence[TokenValue]) -> Sequence[TokenValue]:
    """Codes as the parameter's are indexed: folded, without a system that is implied."""
    traits = traits_of(criterion.parameter)
    folding, systems = traits.folding, traits.systems
    if folding is None and not systems:
        return codes
    return [
        TokenValue(
            "" if code.system in systems else code.system,
            code.code if folding is None or code.code is None else folding(code.code),
        )
        for code in codes
    ]


def _asked(modifier: str, value: Value) -> Asked:
    if isinstance(value, TokenValue):
        return Asked(modifier, value.system or "", value.code or "")
    return Asked(modifier, "", value.uri if isinstance(value, UriValue) else "")


def _is_asking(criterion: Criterion) -> TypeGuard[Match]:
    return (
        isinstance(criterion, Match)
        and criterion.parameter.type == "token"
        and criterion.modifier in TERMINOLOGY
    )
