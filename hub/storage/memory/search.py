"""Searching the memory store: every criterion tested on every resource.

The reference that the other stores' searches are compared with, page by page.
Spec: https://hl7.org/fhir/R4/search.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cmp_to_key
from typing import Any

from hub.definitions import search_parameters_of
from hub.search.query import (
    And,
    Chain,
    Criterion,
    DateValue,
    Has,
    Ids,
    InCompartment,
    LastUpdated,
    ListMembers,
    Match,
    Not,
    OfType,
    Or,
    Position,
    Present,
    Query,
    SortKey,
    Words,
)
from hub.search.ranges import date_conditions, holds
from hub.search.sorting import SortValue, is_principal, sort_value
from hub.search.values import COMPARTMENT_KEY, IndexRows, ReferenceRow
from hub.storage.memory.matching import matches
from hub.storage.memory.record import Record, Row

LATEST = 2**47 - 1
"""Principal dates beyond this many milliseconds from the epoch count as so many."""


def search(
    record: Record, tenant: int, query: Query
) -> tuple[list[Row], Position | None, int | None, bool]:
    """A page of current resources.

    Args:
        record: The store's content.
        tenant: Tenant key.
        query: What is asked.

    Returns:
        The page's rows, where the next page starts, the total if asked for, and False: it is
        never an estimate.
    """
    current = Current.of(record.current(tenant))
    found = [
        row
        for row in current.rows
        if (not query.types or row.stored.type in query.types)
        and current.meets(row, query.criterion)
    ]
    total = None if query.total == "none" else len(found)
    order = Order(query)
    found.sort(
        key=cmp_to_key(lambda one, other: order.compare(order.place(one), order.place(other)))
    )
    if query.after is not None:
        start = query.after.values
        found = [row for row in found if order.compare(order.place(row), start) > 0]
    page = found[: query.count]
    more = bool(page) and len(found) > len(page)
    return page, Position(order.place(page[-1])) if more else None, total, False


# --- criteria -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Current:
    """The current resources of a tenant.

    Attributes:
        rows: In the order of their row numbers.
        by_name: Row by type and id.
    """

    rows: tuple[Row, ...]
    by_name: dict[tuple[str, str], Row]

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Current:
        """Take note of where each is."""
        ordered = tuple(sorted(rows, key=lambda row: row.rid))
        return cls(ordered, {(row.stored.type, row.stored.id): row for row in ordered})

    def meets(self, row: Row, criterion: Criterion) -> bool:
        """Whether a resource meets a criterion."""
        match criterion:
            case And(criteria):
                return all(self.meets(row, inner) for inner in criteria)
            case Or(criteria):
                return any(self.meets(row, inner) for inner in criteria)
            case Not(inner):
                return not self.meets(row, inner)
            case Match():
                return matches(row.rows, criterion)
            case Chain():
                return self._chain(row, criterion)
            case Has():
                return self._has(row, criterion)
            case ListMembers(list_id):
                return self._is_listed(row, list_id)
            case _:
                return _meets_alone(row, criterion)

    def _chain(self, row: Row, chain: Chain) -> bool:
        targets = (
            self.by_name.get((reference.type, reference.id))
            for reference in row.rows.references
            if reference.key == chain.parameter.key and reference.type == chain.target
        )
        return any(target and self.meets(target, chain.criterion) for target in targets)

    def _has(self, row: Row, has: Has) -> bool:
        key = has.parameter.key
        return any(
            source.stored.type == has.source
            and any(_refers(reference, key, row) for reference in source.rows.references)
            and self.meets(source, has.criterion)
            for source in self.rows
        )

    def _is_listed(self, row: Row, list_id: str) -> bool:
        listing = self.by_name.get(("List", list_id))
        key = search_parameters_of("List")["item"].key
        return listing is not None and any(
            _refers(reference, key, row) for reference in listing.rows.references
        )


def _refers(reference: ReferenceRow, key: int, target: Row) -> bool:
    stored = target.stored
    return (reference.key, reference.type, reference.id) == (key, stored.type, stored.id)


def _meets_alone(row: Row, criterion: Criterion) -> bool:
    """Criteria that need no other resource."""
    match criterion:
        case Present(parameter):
            return parameter.key in _keys(row.rows)
        case Ids(ids):
            return row.stored.id in ids
        case LastUpdated(values):
            return any(_is_updated(row.stored.updated, value) for value in values)
        case InCompartment(name, id):
            return any(
                (reference.key, reference.type, reference.id) == (COMPARTMENT_KEY, name, id)
                for reference in row.rows.references
            )
        case OfType(types):
            return row.stored.type in types
        case Words(field, words):
            held = (row.rows.text if field == "text" else row.rows.content).split(" ")
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


# --- order ----------------------------------------------------------------------------------


class Order:
    """The order of a query's matches, and their places in it.

    A place is the values of the sort keys, None for one that is missing, and the row number.
    Rows that sort alike come in the order of their numbers, in the direction of the last key.
    """

    def __init__(self, query: Query) -> None:
        """Without sort keys, the newest principal date comes first."""
        self.sort, self.types = query.sort, query.types
        self.descending = [key.descending for key in query.sort] or [True]
        self.sort_key = cmp_to_key(self._compare_placed)

    def place(self, row: Row) -> tuple[SortValue, ...]:
        """A row's place."""
        if not self.sort:
            return _date(row), row.rid
        return (*(self._value(row, key) for key in self.sort), row.rid)

    def _value(self, row: Row, key: SortKey) -> SortValue:
        parameter = key.parameter
        if parameter.code == "_lastUpdated":
            return row.stored.updated
        if parameter.code == "_id":
            return row.stored.id
        if self.types and all(is_principal(parameter, type) for type in self.types):
            return _date(row)
        return sort_value(row.rows, parameter, key.descending)

    def _compare_placed(
        self, one: tuple[tuple[Any, ...], Row], other: tuple[tuple[Any, ...], Row]
    ) -> int:
        return self.compare(one[0], other[0])

    def compare(self, one: tuple[Any, ...], other: tuple[Any, ...]) -> int:
        """Less than 0 when the first place comes first."""
        directions = [*self.descending, self.descending[-1]]
        for left, right, descending in zip(one, other, directions, strict=True):
            if left == right:
                continue
            if left is None or right is None:
                return 1 if left is None else -1
            return -1 if (left > right) is descending else 1
        return 0


def _date(row: Row) -> int | None:
    """Principal date in milliseconds."""
    if not row.rows.date:
        return None
    return max(-LATEST, min(row.rows.date // 1000, LATEST))
