"""`:not` is none of the values (https://hl7.org/fhir/R4/search.html#token).

It includes resources that have no value, and negates the whole list of values: `:not=a,b` is
neither a nor b.
"""

from __future__ import annotations

from dataclasses import replace

from hub.search.query import Criterion, Match, Not, Query
from hub.search.rewrite.context import RewriteContext
from hub.search.rewrite.walk import transform

_POSITIVE = {"not": "", "not-in": "in"}


def rewrite_negations(query: Query, context: RewriteContext) -> Query:
    """`p:not=v` to `Not(p=v)`, `p:not-in=s` to `Not(p:in=s)`."""
    return transform(query, _visit)


def _visit(criterion: Criterion, types: tuple[str, ...]) -> Criterion:
    if isinstance(criterion, Match) and criterion.modifier in _POSITIVE:
        return Not(replace(criterion, modifier=_POSITIVE[criterion.modifier]))
    return criterion
