"""`subject:Patient=123` names the target's type (https://hl7.org/fhir/R4/search.html#reference)."""

from __future__ import annotations

from dataclasses import replace

from hub.definitions import SearchParameter, is_resource_type
from hub.search.parsing.reading import refuse
from hub.search.query import Criterion, Match, Or, Query, ReferenceValue, Value
from hub.search.rewrite.context import RewriteContext
from hub.search.rewrite.walk import transform
from hub.search.traits import targets_of


def rewrite_type_modifiers(query: Query, context: RewriteContext) -> Query:
    """`p:T=id` to `p=T/id`; a value of another type finds nothing."""
    return transform(query, _visit)


def _visit(criterion: Criterion, types: tuple[str, ...]) -> Criterion:
    if not isinstance(criterion, Match) or not is_resource_type(criterion.modifier):
        return criterion
    wanted = criterion.modifier
    for type in types:
        _check_target(criterion.parameter, type, wanted)
    values = tuple(
        typed for value in criterion.values if (typed := _typed(value, wanted)) is not None
    )
    return Match(criterion.parameter, values) if values else Or()


def _check_target(parameter: SearchParameter, type: str, wanted: str) -> None:
    targets = targets_of(parameter, type)
    if targets and wanted not in targets:
        refuse("not-found", "search-target-type", name=parameter.code, target=wanted)


def _typed(value: Value, wanted: str) -> Value | None:
    if not isinstance(value, ReferenceValue) or value.url:
        return value
    if value.type not in ("", wanted):
        return None
    return replace(value, type=wanted)
