"""`subject=123` may be any type that the reference allows.

https://hl7.org/fhir/R4/search.html#reference
"""

from __future__ import annotations

from dataclasses import replace

from hub.search.query import Criterion, Match, Query, ReferenceValue, Value
from hub.search.rewrite.context import RewriteContext
from hub.search.rewrite.walk import transform
from hub.search.traits import targets_of

_MOST_TARGETS = 12
"""References to more types keep the open type, which a store answers by id alone."""


def rewrite_untyped_references(query: Query, context: RewriteContext) -> Query:
    """An id without a type becomes one value per allowed type."""
    return transform(query, _visit)


def _visit(criterion: Criterion, types: tuple[str, ...]) -> Criterion:
    if (
        not isinstance(criterion, Match)
        or criterion.parameter.type != "reference"
        or not any(_is_open(value) for value in criterion.values)
    ):
        return criterion
    allowed: dict[str, None] = {}
    for type in types or criterion.parameter.base:
        targets = targets_of(criterion.parameter, type)
        if not targets:
            return criterion
        allowed.update(dict.fromkeys(targets))
    if len(allowed) > _MOST_TARGETS:
        return criterion
    values: list[Value] = []
    for value in criterion.values:
        if isinstance(value, ReferenceValue) and _is_open(value):
            values.extend(replace(value, type=type) for type in allowed)
        else:
            values.append(value)
    return replace(criterion, values=tuple(values))


def _is_open(value: Value) -> bool:
    return isinstance(value, ReferenceValue) and not value.type and not value.url
