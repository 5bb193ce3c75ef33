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
from hub.search.matching import Candidate, meets
from hub.search.query import (
    Chain,
    Criterion,
    Has,
    ListMembers,
    Position,
    Query,
    SortKey,
)
from hub.search.sorting import SortValue, is_principal, sort_value
from hub.search.values import ReferenceRow
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
        return meets(_candidate(row), criterion, self._related)

    def _related(self, one: Candidate, criterion: Chain | Has | ListMembers) -> bool:
        if isinstance(criterion, Chain):
            return self._chain(one, criterion)
        if isinstance(criterion, Has):
            return self._has(one, criterion)
        return self._is_listed(one, criterion.list_id)

    def _chain(self, one: Candidate, chain: Chain) -> bool:
        targets = (
            self.by_name.get((reference.type, reference.id))
            for reference in one.rows.references
            if reference.key == chain.parameter.key and reference.type == chain.target
        )
        return any(target and self.meets(target, chain.criterion) for target in targets)

    def _has(self, one: Candidate, has: Has) -> bool:
        key = has.parameter.key
        return any(
            source.stored.type == has.source
            and any(_refers(reference, key, one) for reference in source.rows.references)
            and self.meets(source, has.criterion)
            for source in self.rows
        )

    def _is_listed(self, one: Candidate, list_id: str) -> bool:
        listing = self.by_name.get(("List", list_id))
        key = search_parameters_of("List")["item"].key
        return listing is not None and any(
            _refers(reference, key, one) for reference in listing.rows.references
        )


def _candidate(row: Row) -> Candidate:
    stored = row.stored
    return Candidate(stored.type, stored.id, stored.updated, row.rows)


def _refers(reference: ReferenceRow, key: int, target: Candidate) -> bool:
    return (reference.key, reference.type, reference.id) == (key, target.type, target.id)


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
