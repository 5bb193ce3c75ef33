"""Compiles a criterion of the search AST into a plan's node, kind by kind.

Entry point of the package for criteria; called by `hub.storage.sqlite.search`.
"""

from __future__ import annotations

from typing import Any, Final

from hub.errors import TooCostly, fault
from hub.search.query import (
    And,
    Chain,
    CompositeValue,
    Criterion,
    DateValue,
    Has,
    Ids,
    InCompartment,
    LastUpdated,
    ListMembers,
    Match,
    NearValue,
    Not,
    NumberValue,
    OfType,
    Or,
    Present,
    QuantityValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
    Words,
)
from hub.storage.sqlite.compile import rows, tokens
from hub.storage.sqlite.compile.chains import chain, has
from hub.storage.sqlite.compile.composites import composites
from hub.storage.sqlite.compile.dates import dates, last_updated
from hub.storage.sqlite.compile.fragments import NOTHING, Node
from hub.storage.sqlite.compile.logic import all_of, some_of, without
from hub.storage.sqlite.compile.numbers import numbers, quantities
from hub.storage.sqlite.compile.planner import Planner
from hub.storage.sqlite.compile.positions import positions
from hub.storage.sqlite.compile.references import compartment, references
from hub.storage.sqlite.compile.strings import strings
from hub.storage.sqlite.compile.words import words

DEEPEST: Final = 60
"""Levels of nested criteria; the SQL of more would be deeper than SQLite allows."""

MOST_CRITERIA: Final = 1000

Types = tuple[int, ...]


def check_size(criterion: Criterion) -> None:
    """Refuse criteria too deep or too many to compile.

    Raises:
        TooCostly: They are.
    """
    level: list[Criterion] = [criterion]
    depth = total = 0
    while level:
        depth, total = depth + 1, total + len(level)
        if depth > DEEPEST or total > MOST_CRITERIA:
            raise TooCostly(fault("too-costly", "search-too-complex"))
        level = [inner for one in level for inner in _inner(one)]


def _inner(criterion: Criterion) -> tuple[Criterion, ...]:
    match criterion:
        case And(criteria) | Or(criteria):
            return criteria
        case Not(inner) | Chain(criterion=inner) | Has(criterion=inner):
            return (inner,)
        case _:
            return ()


def plan(planner: Planner, criterion: Criterion, types: Types) -> Node:
    """Compile a criterion.

    Args:
        planner: The compilation.
        criterion: One that `check_size` let through.
        types: Numbers of the types searched, empty for all.
    """
    match criterion:
        case And(criteria):
            return all_of([plan(planner, one, types) for one in criteria])
        case Or(criteria):
            return some_of([plan(planner, one, types) for one in criteria])
        case Not(inner):
            return without(plan(planner, inner, types))
        case Match():
            return _match(planner, criterion, types)
        case Chain():
            return chain(planner, criterion, types, plan)
        case Has():
            return has(planner, criterion, types, plan)
        case _:
            return _on_resource(planner, criterion, types)


def _on_resource(planner: Planner, criterion: Any, types: Types) -> Node:
    match criterion:
        case Present(parameter):
            return rows.present(planner, parameter.key, types)
        case Ids():
            return rows.ids(planner, criterion, types)
        case LastUpdated(values):
            return last_updated(planner, values, types)
        case InCompartment(name, id):
            return compartment(planner, name, id, types)
        case OfType(names):
            numbers = planner.lexicon.types.numbers
            chosen = tuple(numbers[name] for name in dict.fromkeys(names) if name in numbers)
            return rows.of_type(planner, tuple(n for n in chosen if not types or n in types))
        case Words():
            return words(planner, criterion, types)
        case ListMembers(list_id):
            wanted = types or tuple(planner.lexicon.types.names)
            return rows.list_members(planner, list_id, wanted)
        case _:
            raise TypeError(f"no such criterion: {type(criterion).__name__}")


def _match(planner: Planner, criterion: Match, types: Types) -> Node:
    """Values of one kind make one leaf."""
    by_kind: dict[type, list[Any]] = {}
    for value in criterion.values:
        by_kind.setdefault(type(value), []).append(value)
    return some_of(
        [_values(planner, criterion, kind, values, types) for kind, values in by_kind.items()]
    )


def _values(
    planner: Planner, criterion: Match, kind: type, values: list[Any], types: Types
) -> Node:
    key, modifier = criterion.parameter.key, criterion.modifier
    if kind is TokenValue:
        return tokens.tokens(planner, key, values, modifier, types)
    if kind is StringValue:
        if modifier == "text":
            return tokens.texts(planner, key, values, types)
        return strings(planner, key, values, modifier, types)
    if kind is ReferenceValue:
        return references(planner, criterion.parameter, values, modifier, types)
    if kind is UriValue:
        return tokens.uris(planner, key, values, modifier, types)
    compile = _PLAIN.get(kind)
    return NOTHING if compile is None else compile(planner, key, values, types)


_PLAIN: dict[type, Any] = {
    DateValue: dates,
    NumberValue: numbers,
    QuantityValue: quantities,
    NearValue: positions,
    CompositeValue: composites,
}
