"""Chains that need no join (https://hl7.org/fhir/R4/search.html#chaining)."""

from __future__ import annotations

from hub.search.query import Chain, Criterion, Has, Ids, Match, Or, Query, ReferenceValue
from hub.search.rewrite.context import RewriteContext
from hub.search.rewrite.walk import transform

_NOTHING = Or()


def rewrite_chains(query: Query, context: RewriteContext) -> Query:
    """`p:T._id=1` to `p=T/1`; a chain to nothing finds nothing."""
    return transform(query, _visit)


def _visit(criterion: Criterion, types: tuple[str, ...]) -> Criterion:
    if isinstance(criterion, Chain):
        if isinstance(criterion.criterion, Ids):
            values = tuple(
                ReferenceValue(criterion.target, logical_id)
                for logical_id in criterion.criterion.ids
            )
            return Match(criterion.parameter, values)
        if criterion.criterion == _NOTHING:
            return _NOTHING
    elif isinstance(criterion, Has) and criterion.criterion == _NOTHING:
        return _NOTHING
    return criterion
