"""Chains that need no join (https://hl7.org/fhir/R4/search.html#chaining)."""

from __future__ import annotations

from hub.search.query import Chain, Criterion, Ids, Match, Query, ReferenceValue
from hub.search.rewrite.context import RewriteContext
from hub.search.rewrite.walk import transform


def rewrite_chains(query: Query, context: RewriteContext) -> Query:
    """`p:T._id=1` to `p=T/1`."""
    return transform(query, _visit)


def _visit(criterion: Criterion, types: tuple[str, ...]) -> Criterion:
    if not isinstance(criterion, Chain) or not isinstance(criterion.criterion, Ids):
        return criterion
    return Match(
        criterion.parameter,
        tuple(
            ReferenceValue(criterion.target, logical_id) for logical_id in criterion.criterion.ids
        ),
    )
