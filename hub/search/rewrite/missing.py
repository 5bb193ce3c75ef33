"""`:missing=true` is the absence of any value (https://hl7.org/fhir/R4/search.html#missing)."""

from __future__ import annotations

from hub.search.query import Criterion, Match, Not, Or, Present, Query, TokenValue
from hub.search.rewrite.context import RewriteContext
from hub.search.rewrite.walk import transform


def rewrite_missing(query: Query, context: RewriteContext) -> Query:
    """`p:missing=true` to `Not(Present(p))`, `=false` to `Present(p)`."""
    return transform(query, _visit)


def _visit(criterion: Criterion, types: tuple[str, ...]) -> Criterion:
    if not isinstance(criterion, Match) or criterion.modifier != "missing":
        return criterion
    present = Present(criterion.parameter)
    wanted = {value.code for value in criterion.values if isinstance(value, TokenValue)}
    if wanted == {"true"}:
        return Not(present)
    return present if wanted == {"false"} else Or((present, Not(present)))
