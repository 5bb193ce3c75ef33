"""`:below` and `:above` on references to things that are part of others.

https://hl7.org/fhir/R4/search.html#recursive: `location:below=42` finds what happened at
location 42 or at one that is part of it. The hierarchy is followed `LEVELS` deep, as nested
chains; a canonical keeps its modifier, which a store answers by version.
"""

from __future__ import annotations

from collections.abc import Callable

from hub.definitions import SearchParameter
from hub.search.parsing.reading import refuse
from hub.search.query import (
    Chain,
    Criterion,
    Has,
    Ids,
    Match,
    Or,
    Query,
    ReferenceValue,
)
from hub.search.registry import ParameterRegistry
from hub.search.rewrite.context import RewriteContext
from hub.search.rewrite.walk import transform
from hub.search.traits import targets_of

LEVELS = 6
"""How many levels of parts are followed."""

_PARENTS = ("partof", "part-of")
_MODIFIERS = frozenset(["above", "below"])


def rewrite_hierarchies(query: Query, context: RewriteContext) -> Query:
    """`p:below=T/id` to `p=T/id`, or a chain to what is part of it; `above` the other way."""

    def visit(criterion: Criterion, types: tuple[str, ...]) -> Criterion:
        if (
            not isinstance(criterion, Match)
            or criterion.modifier not in _MODIFIERS
            or criterion.parameter.type != "reference"
        ):
            return criterion
        parts = tuple(
            _by_canonical(criterion, value)
            if value.url
            else _by_hierarchy(context.registry, criterion, value, types)
            for value in criterion.values
            if isinstance(value, ReferenceValue)
        )
        return parts[0] if len(parts) == 1 else Or(parts)

    return transform(query, visit)


def _by_canonical(criterion: Match, value: ReferenceValue) -> Criterion:
    if criterion.modifier == "above":
        _refuse(criterion)
    return Match(criterion.parameter, (value,), "below")


def _by_hierarchy(
    registry: ParameterRegistry, criterion: Match, value: ReferenceValue, types: tuple[str, ...]
) -> Criterion:
    parts: list[Criterion] = []
    expand = _below if criterion.modifier == "below" else _above
    for target in _targets(criterion.parameter, value, types):
        parent = _parent(registry, target)
        if parent is not None:
            own = ReferenceValue(target, value.id)
            parts.append(Match(criterion.parameter, (own,)))
            parts.append(Chain(criterion.parameter, target, expand(parent, target, value.id)))
    if not parts:
        _refuse(criterion)
    return Or(tuple(parts))


def _targets(
    parameter: SearchParameter, value: ReferenceValue, types: tuple[str, ...]
) -> tuple[str, ...]:
    if value.type:
        return (value.type,)
    return tuple(dict.fromkeys(name for type in types for name in targets_of(parameter, type)))


def _parent(registry: ParameterRegistry, type: str) -> SearchParameter | None:
    """The parameter by which a resource names the one that it is part of."""
    for code in _PARENTS:
        parameter = registry.get(type, code)
        if parameter is not None and type in targets_of(parameter, type):
            return parameter
    return None


def _below(parent: SearchParameter, type: str, logical_id: str) -> Criterion:
    """Is part of `logical_id`, at any level."""
    direct = Match(parent, (ReferenceValue(type, logical_id),))
    return _nested(direct, lambda inner: Or((direct, Chain(parent, type, inner))))


def _above(parent: SearchParameter, type: str, logical_id: str) -> Criterion:
    """Has `logical_id` as a part, at any level."""
    direct = Ids((logical_id,))
    return _nested(
        Has(type, parent, direct),
        lambda inner: Or((Has(type, parent, direct), Has(type, parent, inner))),
    )


def _nested(innermost: Criterion, wrap: Callable[[Criterion], Criterion]) -> Criterion:
    found = innermost
    for _ in range(LEVELS - 1):
        found = wrap(found)
    return found


def _refuse(criterion: Match) -> None:
    refuse(
        "not-supported",
        "search-unsuitable-modifier",
        name=criterion.parameter.code,
        modifier=criterion.modifier,
        kind=criterion.parameter.type,
    )
