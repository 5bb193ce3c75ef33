"""Whether a resource meets a criterion, by its index rows: the reference for every store.

Plain comparisons, value by value and row by row. Called by `hub.storage.memory.search`, by
`hub.interactions.sight` on single resources and by the audit's search on what it renders.
Spec: https://hl7.org/fhir/R4/search.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from hub.search.distance import metres
from hub.search.folding import matches_string
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
    Value,
    Words,
)
from hub.search.ranges import date_conditions, holds, number_conditions
from hub.search.values import (
    COMPARTMENT_KEY,
    CompositeRow,
    DateRow,
    IndexRows,
    NumberRow,
    PositionRow,
    QuantityRow,
    ReferenceRow,
    StringRow,
    TokenRow,
    UriRow,
)


class Candidate(NamedTuple):
    """A resource that may meet a criterion.

    Attributes:
        type: Resource type.
        id: Logical id.
        updated: lastUpdated, milliseconds since the epoch.
        rows: Its index rows.
    """

    type: str
    id: str
    updated: int
    rows: IndexRows


Related = Callable[[Candidate, Chain | Has | ListMembers], bool]
"""Answers a criterion that asks about other resources too."""


def meets(one: Candidate, criterion: Criterion, related: Related | None = None) -> bool:
    """Whether a resource meets a criterion, as a store understands it.

    Args:
        one: The resource.
        criterion: Any, as the rewrite rules leave it.
        related: Knows other resources; without it chains, `_has` and lists cannot be answered.

    Raises:
        TypeError: There is no such criterion, or nothing to answer it with.
    """
    match criterion:
        case And(criteria):
            return all(meets(one, inner, related) for inner in criteria)
        case Or(criteria):
            return any(meets(one, inner, related) for inner in criteria)
        case Not(inner):
            return not meets(one, inner, related)
        case Match():
            return matches(one.rows, criterion)
        case Chain() | Has() | ListMembers() if related is not None:
            return related(one, criterion)
        case _:
            return _meets_alone(one, criterion)


def _meets_alone(one: Candidate, criterion: Criterion) -> bool:
    """Criteria that are no parameter's and need no other resource."""
    match criterion:
        case Present(parameter):
            return parameter.key in _keys(one.rows)
        case Ids(ids):
            return one.id in ids
        case LastUpdated(values):
            return any(_is_updated(one.updated, value) for value in values)
        case InCompartment(name, id):
            return any(
                (reference.key, reference.type, reference.id) == (COMPARTMENT_KEY, name, id)
                for reference in one.rows.references
            )
        case OfType(types):
            return one.type in types
        case Words(field, words):
            held = (one.rows.text if field == "text" else one.rows.content).split(" ")
            return bool(words) and all(word in held for word in words)
        case _:
            raise TypeError(f"no such criterion: {type(criterion).__name__}")


def _keys(rows: IndexRows) -> set[int]:
    """Keys of the parameters that have any value."""
    kinds: tuple[tuple[Any, ...], ...] = (
        rows.strings,
        rows.tokens,
        rows.references,
        rows.dates,
        rows.numbers,
        rows.quantities,
        rows.uris,
        rows.positions,
        rows.composites,
    )
    return {row.key for kind in kinds for row in kind}


def _is_updated(updated: int, value: DateValue) -> bool:
    """Whether a time in milliseconds, as wide as one, is what a value allows."""
    return holds(date_conditions(value), updated * 1000, updated * 1000 + 1000)


def matches(rows: IndexRows, match: Match) -> bool:
    """Whether a resource meets a criterion on a parameter.

    Args:
        rows: Its index rows.
        match: The criterion.
    """
    key, modifier = match.parameter.key, match.modifier
    return any(
        row.key == key and row_matches(row, value, modifier)
        for value in match.values
        for row in _rows_for(rows, value, modifier)
    )


def _rows_for(rows: IndexRows, value: Value, modifier: str) -> tuple[Any, ...]:
    match value:
        case StringValue():
            return rows.tokens if modifier == "text" else rows.strings
        case TokenValue():
            return rows.tokens
        case ReferenceValue():
            return rows.references
        case DateValue():
            return rows.dates
        case NumberValue():
            return rows.numbers
        case QuantityValue():
            return rows.quantities
        case UriValue():
            return rows.uris
        case NearValue():
            return rows.positions
        case CompositeValue():
            return rows.composites


def row_matches(row: Any, value: Value, modifier: str = "") -> bool:
    """Whether an index row meets a value.

    Args:
        row: Any kind of row.
        value: Any kind of value; other kinds than the row's never match.
        modifier: A modifier that reaches a store, or "".
    """
    match row, value:
        case TokenRow(), StringValue(_, folded):
            return row.kind == "code" and bool(row.text) and matches_string(row.text, folded)
        case StringRow(), StringValue():
            return _string(row, value, modifier)
        case TokenRow(), TokenValue():
            return _token(row, value, modifier)
        case ReferenceRow(), ReferenceValue():
            return _reference(row, value, modifier)
        case DateRow(), DateValue():
            return holds(date_conditions(value), row.low, row.high)
        case NumberRow(), NumberValue():
            return holds(number_conditions(value), row.low, row.high)
        case QuantityRow(), QuantityValue():
            return _quantity(row, value)
        case UriRow(), UriValue(uri):
            return _uri(row.uri, uri, modifier)
        case PositionRow(), NearValue(latitude, longitude, reach):
            return metres(row.latitude, row.longitude, latitude, longitude) <= reach
        case CompositeRow(_, parts), CompositeValue(sought):
            return len(parts) == len(sought) and all(map(row_matches, parts, sought))
        case _:
            return False


def _string(row: StringRow, value: StringValue, modifier: str) -> bool:
    match modifier:
        case "exact":
            return row.exact == value.text
        case "contains":
            return value.folded in row.folded
        case "equals":
            return row.folded == value.folded
        case "ends":
            return row.folded.endswith(value.folded)
        case _:
            return matches_string(row.folded, value.folded)


def _token(row: TokenRow, value: TokenValue, modifier: str) -> bool:
    if row.kind != (modifier or "code"):
        return False
    if row.kind == "code" and row.text and not (row.system or row.code):
        return False
    return value.system in (None, row.system) and value.code in (None, row.code)


def _reference(row: ReferenceRow, value: ReferenceValue, modifier: str) -> bool:
    is_there = bool(value.url) and row.url == value.url
    if not is_there and value.id and not row.url:
        is_there = row.id == value.id and value.type in ("", row.type)
    if not is_there or not value.version:
        return is_there
    is_below = modifier == "below" and row.version.startswith(f"{value.version}.")
    return row.version == value.version or is_below


def _quantity(row: QuantityRow, value: QuantityValue) -> bool:
    if value.canonical_unit:
        return row.canonical_unit == value.canonical_unit and holds(
            number_conditions(value, canonical=True), row.canonical_low, row.canonical_high
        )
    if value.code:
        if value.system is None:
            has_unit = value.code in (row.code, row.unit)
        else:
            has_unit = (value.system, value.code) == (row.system, row.code)
        if not has_unit:
            return False
    return holds(number_conditions(value), row.low, row.high)


def _uri(uri: str, sought: str, modifier: str) -> bool:
    match modifier:
        case "below":
            return uri.startswith(sought)
        case "above":
            stem = uri if uri.endswith("/") else f"{uri}/"
            return uri == sought or (bool(uri) and sought.startswith(stem))
        case _:
            return uri == sought
