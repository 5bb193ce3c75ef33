"""`:in`, `:above` and `:below` on tokens, through the expander.

https://hl7.org/fhir/R4/search.html#subsumption. Without an expander they are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import TypeGuard

from hub.errors import BadRequest, fault
from hub.search.expander import Asked, Expander
from hub.search.parsing.modifiers import TERMINOLOGY
from hub.search.parsing.reading import refuse
from hub.search.query import Criterion, Match, Or, Query, TokenValue, UriValue, Value
from hub.search.rewrite.context import RewriteContext
from hub.search.rewrite.walk import transform
from hub.search.traits import traits_of

MOST = 200_000
"""Codes that one search stands for, over all its value sets and concepts."""


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
        traits = traits_of(criterion.parameter)
        found = [
            _as_indexed(_Same(context.expansions[question]), traits.folding, traits.systems)
            for question in asked
        ]
        values = found[0] if len(found) == 1 else tuple(dict.fromkeys(chain.from_iterable(found)))
        return Match(criterion.parameter, values) if values else Or()

    return transform(query, visit)


async def fetch_expansions(
    query: Query, expander: Expander
) -> Mapping[Asked, Sequence[TokenValue]]:
    """The codes that a query's terminology modifiers stand for.

    Args:
        query: With its negations rewritten.
        expander: Terminology.

    Raises:
        BadRequest: They are too many together.
    """
    questions: dict[Asked, None] = {}

    def visit(criterion: Criterion, types: tuple[str, ...]) -> Criterion:
        if _is_asking(criterion):
            modifier = criterion.modifier.removeprefix("not-")
            questions.update(dict.fromkeys(_asked(modifier, value) for value in criterion.values))
        return criterion

    transform(query, visit)
    found: dict[Asked, Sequence[TokenValue]] = {}
    total = 0
    for asked in questions:
        found[asked] = await expander.expand(asked)
        total += len(found[asked])
        if total > MOST:
            raise BadRequest(fault("too-costly", "search-too-many-codes", total=total, most=MOST))
    return found


class _Same:
    """Codes as a key: by what they are, not by what they hold, for they may be many."""

    __slots__ = ("codes",)

    def __init__(self, codes: Sequence[TokenValue]) -> None:
        self.codes = codes

    def __hash__(self) -> int:
        return id(self.codes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.codes is self.codes


@lru_cache(maxsize=16)
def _as_indexed(
    same: _Same, folding: Callable[[str], str] | None, systems: frozenset[str]
) -> tuple[Value, ...]:
    """Codes as a parameter's are indexed, each once: folded, without a system that is implied."""
    return tuple(
        dict.fromkeys(
            TokenValue(
                "" if code.system in systems else code.system,
                code.code if folding is None or code.code is None else folding(code.code),
            )
            for code in same.codes
        )
    )


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
