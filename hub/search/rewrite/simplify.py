"""Flattens And and Or, drops what says nothing; the last rule."""

from __future__ import annotations

from hub.search.query import And, Chain, Criterion, Has, Not, Or, Query
from hub.search.rewrite.context import RewriteContext
from hub.search.rewrite.walk import transform

_EVERYTHING, _NOTHING = And(), Or()


def simplify(query: Query, context: RewriteContext) -> Query:
    """`And(a, And(b, c))` to `And(a, b, c)`, `Not(Not(a))` to `a`; chains to nothing are it."""
    return transform(query, _visit)


def _visit(criterion: Criterion, types: tuple[str, ...]) -> Criterion:
    if isinstance(criterion, And):
        return _joined_and(criterion)
    if isinstance(criterion, Or):
        return _joined_or(criterion)
    if isinstance(criterion, Not):
        inner = criterion.criterion
        if isinstance(inner, Not):
            return inner.criterion
        if inner == _EVERYTHING:
            return _NOTHING
        if inner == _NOTHING:
            return _EVERYTHING
    if isinstance(criterion, Chain | Has) and criterion.criterion == _NOTHING:
        return _NOTHING
    return criterion


def _joined_and(criterion: And) -> Criterion:
    parts: list[Criterion] = []
    for part in criterion.criteria:
        if isinstance(part, And):
            parts.extend(part.criteria)
        elif part == _NOTHING:
            return _NOTHING
        else:
            parts.append(part)
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _joined_or(criterion: Or) -> Criterion:
    parts: list[Criterion] = []
    for part in criterion.criteria:
        if isinstance(part, Or):
            parts.extend(part.criteria)
        elif part == _EVERYTHING:
            return _EVERYTHING
        else:
            parts.append(part)
    return parts[0] if len(parts) == 1 else Or(tuple(parts))
