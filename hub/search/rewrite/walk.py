"""Walks a criterion, bottom up, with the resource types that each part is asked of.

Called by the rules of `hub.search.rewrite`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

from hub.search.query import And, Chain, Criterion, Has, Not, Or, Query

Visit = Callable[[Criterion, tuple[str, ...]], Criterion]
"""Gives a node in place of one whose children are done; types () are all."""


def transform(query: Query, visit: Visit) -> Query:
    """A query with every node of its criterion visited; itself when nothing changed.

    Args:
        query: The query.
        visit: Gives the new node.
    """
    found = transformed(query.criterion, query.types, visit)
    return query if found is query.criterion else replace(query, criterion=found)


def transformed(criterion: Criterion, types: tuple[str, ...], visit: Visit) -> Criterion:
    """As `transform`, for a criterion.

    Args:
        criterion: The criterion.
        types: Resource types it is asked of.
        visit: Gives the new node.
    """
    kind = type(criterion)
    if kind not in _PARENTS:
        return visit(criterion, types)
    if kind is And or kind is Or:
        criterion = _joined(cast(And | Or, criterion), types, visit)
    elif isinstance(criterion, Not):
        part = transformed(criterion.criterion, types, visit)
        if part is not criterion.criterion:
            criterion = Not(part)
    elif isinstance(criterion, Chain):
        part = transformed(criterion.criterion, (criterion.target,), visit)
        if part is not criterion.criterion:
            criterion = replace(criterion, criterion=part)
    elif isinstance(criterion, Has):
        part = transformed(criterion.criterion, (criterion.source,), visit)
        if part is not criterion.criterion:
            criterion = replace(criterion, criterion=part)
    return visit(criterion, types)


def _joined(criterion: And | Or, types: tuple[str, ...], visit: Visit) -> And | Or:
    parts: list[Criterion] = []
    is_changed = False
    for part in criterion.criteria:
        new = transformed(part, types, visit)
        parts.append(new)
        is_changed = is_changed or new is not part
    return type(criterion)(tuple(parts)) if is_changed else criterion


_PARENTS = frozenset([And, Or, Not, Chain, Has])
