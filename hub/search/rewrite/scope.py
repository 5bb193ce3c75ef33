"""Limits what a search may see, wherever it looks.

`RewriteContext.scoped` says for a type what a resource must meet: a SMART scope, an owner, a
consent. The limit is set at the root, behind every chain, in front of every `_has` and on the
List of `_list`; includes ask `visible`. A limit's own chains are not limited again.
"""

from __future__ import annotations

from dataclasses import replace

from hub.definitions import resource_types
from hub.search.query import (
    And,
    Chain,
    Criterion,
    Has,
    Ids,
    ListMembers,
    OfType,
    Or,
    Query,
)
from hub.search.rewrite.context import RewriteContext, Scoped
from hub.search.rewrite.walk import transform


def rewrite_scope(query: Query, context: RewriteContext) -> Query:
    """The query, with the limits of every type that it touches."""
    scoped = context.scoped
    if scoped is None:
        return query
    limit = scoped

    def visit(criterion: Criterion, types: tuple[str, ...]) -> Criterion:
        if isinstance(criterion, Chain):
            own = limit(criterion.target)
            if own is not None:
                return replace(criterion, criterion=And((criterion.criterion, own)))
        elif isinstance(criterion, Has):
            own = limit(criterion.source)
            if own is not None:
                return replace(criterion, criterion=And((criterion.criterion, own)))
        elif isinstance(criterion, ListMembers):
            return _members(criterion, context, limit)
        return criterion

    query = transform(query, visit)
    visible_here = visible(query.types, limit)
    if visible_here is None:
        return query
    return replace(query, criterion=And((query.criterion, visible_here)))


def visible(types: tuple[str, ...], scoped: Scoped) -> Criterion | None:
    """What resources of some types must meet to be seen; None when there is no limit.

    Args:
        types: Resource types; () for all.
        scoped: The limit of each type.
    """
    by_limit: dict[Criterion | None, list[str]] = {}
    for type in types or resource_types():
        by_limit.setdefault(scoped(type), []).append(type)
    if len(by_limit) == 1:
        return next(iter(by_limit))
    parts: list[Criterion] = []
    for own, names in by_limit.items():
        kinds = OfType(tuple(names))
        parts.append(kinds if own is None else And((kinds, own)))
    return Or(tuple(parts))


def _members(criterion: ListMembers, context: RewriteContext, limit: Scoped) -> Criterion:
    own = limit("List")
    item = context.registry.get("List", "item")
    if own is None or item is None:
        return criterion
    return Has("List", item, And((Ids((criterion.list_id,)), own)))
