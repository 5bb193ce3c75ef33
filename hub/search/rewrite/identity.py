"""`_id` and `_lastUpdated` are columns of every store (https://hl7.org/fhir/R4/search.html#all)."""

from __future__ import annotations

from hub.model.identity import valid_id
from hub.search.query import (
    And,
    Criterion,
    DateValue,
    Ids,
    LastUpdated,
    Match,
    Or,
    Present,
    Query,
    TokenValue,
)
from hub.search.rewrite.context import RewriteContext
from hub.search.rewrite.walk import transform

_COLUMNS = frozenset(["_id", "_lastUpdated"])


def rewrite_columns(query: Query, context: RewriteContext) -> Query:
    """`_id` to `Ids`, `_lastUpdated` to `LastUpdated`; both are always present."""
    return transform(query, _visit)


def _visit(criterion: Criterion, types: tuple[str, ...]) -> Criterion:
    if not isinstance(criterion, Match | Present) or criterion.parameter.code not in _COLUMNS:
        return criterion
    if isinstance(criterion, Present):
        return And()
    if criterion.parameter.code == "_id":
        ids = (value.code or "" for value in criterion.values if isinstance(value, TokenValue))
        known = tuple(dict.fromkeys(filter(valid_id, ids)))
        return Ids(known) if known else Or()
    return LastUpdated(tuple(value for value in criterion.values if isinstance(value, DateValue)))
