"""The ways to a page: list candidates and sort them, or walk the resources in order.

Where few rows meet the criteria, listing them is best; where many do, the first matches come
sooner by walking in order and testing. Which it is cannot always be known, so a walk may be
tried for about as long as listing would take. Called by `hub.storage.sqlite.search`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from hub.search import principal_date
from hub.search.query import Query
from hub.storage.sqlite.compile import order
from hub.storage.sqlite.compile.fragments import (
    EVERYTHING,
    EVERYWHERE,
    Node,
    Source,
    Sql,
    both,
    one_of,
    union,
)
from hub.storage.sqlite.compile.logic import drive, probe
from hub.storage.sqlite.compile.order import Key
from hub.storage.sqlite.compile.planner import Planner
from hub.storage.sqlite.compile.rows import walk
from hub.storage.sqlite.compile.totals import live
from hub.storage.sqlite.interner import CODE

Types = tuple[int, ...]

LEAST_TRIED: Final = 0.002
TRIED_PER_ROW: Final = 1e-6
"""Seconds a walk may take, at least and per candidate of the other way."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to a page.

    Attributes:
        label: For people.
        statements: Give (row id, sort values) in order; each goes on where the one before ends.
        seconds: How long it may be tried; None: until the deadline.
    """

    label: str
    statements: tuple[Sql, ...]
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Ways:
    """A search's ways, in the order in which they are tried.

    Attributes:
        ways: At least one.
        sources: All matches, for counting.
        is_disjoint: No row is in two of the sources.
        is_by_date: The one sort value is the principal date, which may stand for none.
    """

    ways: tuple[Way, ...]
    sources: tuple[Source, ...]
    is_disjoint: bool
    is_by_date: bool


def ways(planner: Planner, query: Query, types: Types, node: Node) -> Ways | None:
    """The ways to a page of a query; None when nothing can match.

    Args:
        planner: The compilation.
        query: The query.
        types: Numbers of its types, empty for all.
        node: Its criterion, compiled.
    """
    keys = order.keys_of(query)
    listed = None if node is EVERYTHING else drive(planner, node, types)
    if listed == ():
        return None
    after = None if query.after is None else query.after.values
    is_undated = bool(query.types) and principal_date.table().keys().isdisjoint(query.types)
    paging = _Paging(planner, keys, after, query.count + 1, is_undated)
    by_date = paging.is_by_date
    candidates = 0
    if listed is not None:
        if by_date and paging.are_merged(listed):
            return Ways(
                (Way("merge in order of date", paging.page(listed)),), listed, False, by_date
            )
        candidates = planner.count(listed, planner.limits.sorted)
        if candidates < planner.limits.listed_first or not _is_walk_promising(
            planner, query, types, candidates
        ):
            return Ways((Way("list and sort", paging.page(listed)),), listed, False, by_date)
    walked = _walked(planner, node, types)
    if not walked:
        return None
    in_order = _in_order(paging, node, types, walked)
    sources = walked if listed is None else listed
    if listed is None:
        chosen = in_order or Way("walk and sort", paging.page(walked, is_disjoint=True))
        return Ways((chosen,), sources, True, by_date)
    full = Way("list and sort", paging.page(listed))
    if in_order is None:
        return Ways((full,), sources, False, by_date)
    seconds = LEAST_TRIED + candidates * TRIED_PER_ROW
    return Ways((Way(in_order.label, in_order.statements, seconds), full), sources, False, by_date)


def _is_walk_promising(planner: Planner, query: Query, types: Types, candidates: int) -> bool:
    """Whether walking meets a page of candidates before listing has all of them, at best."""
    rows_walked = (query.count + 1) * live(planner, types) // max(1, candidates)
    return rows_walked * planner.limits.cost_of_test < candidates


def _walked(planner: Planner, node: Node, types: Types) -> tuple[Source, ...]:
    walked = walk(planner, types)
    if node is EVERYTHING:
        return walked
    return tuple(source.checked(probe(planner, node, source.row)) for source in walked)


def _in_order(paging: _Paging, node: Node, types: Types, walked: tuple[Source, ...]) -> Way | None:
    """The walk in the order of the sort key, if an index has that order."""
    if paging.is_by_date:
        statements = paging.page(walked, is_disjoint=True)
        return Way("walk in order of date", statements)
    if len(paging.keys) != 1:
        return None
    key = paging.keys[0]
    sorted_sources = _sorted_sources(paging.planner, key, node, types)
    if sorted_sources is None:
        return None
    label = key.kind if key.parameter is None else key.parameter.code
    return Way(
        f"walk in order of {label}", _sorted_page(paging, key, sorted_sources, walked, types)
    )


# --- order of the whole ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Paging:
    """Which page of which order."""

    planner: Planner
    keys: tuple[Key, ...]
    after: tuple[Any, ...] | None
    count: int
    is_undated: bool

    @property
    def is_by_date(self) -> bool:
        return len(self.keys) == 1 and self.keys[0].kind == "date"

    def are_merged(self, sources: Sequence[Source]) -> bool:
        few = len(sources) <= self.planner.limits.merged
        return few and all(source.is_ordered for source in sources)

    def page(self, sources: Sequence[Source], is_disjoint: bool = False) -> tuple[Sql, ...]:
        if self.is_by_date:
            descending = self.keys[0].descending
            found = order.by_date(
                self.planner,
                sources,
                descending,
                self.after,
                self.count,
                is_disjoint,
                self.is_undated,
            )
            return tuple(found)
        return (order.by_keys(self.planner, sources, self.keys, self.after, self.count),)


# --- walks in the order of one key ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Sorted:
    """A source whose rows come in the order of a column."""

    source: Source
    column: str


def _sorted_sources(planner: Planner, key: Key, node: Node, types: Types) -> list[_Sorted] | None:
    """Sources in the order of a key, None if no index has it."""
    if key.kind in ("updated", "id"):
        found = [
            _resources(planner, type, key.kind) for type in types or planner.lexicon.types_held
        ]
    elif key.parameter is not None and key.parameter.type in ("string", "date"):
        found = _values(planner, key, types)
    else:
        return None
    if node is EVERYTHING:
        return found
    return [
        _Sorted(one.source.checked(probe(planner, node, one.source.row)), one.column)
        for one in found
    ]


def _resources(planner: Planner, type: int, column: str) -> _Sorted:
    table = planner.alias()
    source = Source(
        Sql(f"resource AS {table}"),
        Sql(f"{table}.tenant = ? AND {table}.type = {type}", (planner.tenant,)),
        f"{table}.rid",
        check=Sql(f"{table}.deleted = 0"),
    )
    return _Sorted(source, f"{table}.{column}")


def _values(planner: Planner, key: Key, types: Types) -> list[_Sorted]:
    """Rows of the string or date table; of a resource's rows only the one that sorts it."""
    assert key.parameter is not None
    is_string = key.parameter.type == "string"
    number = planner.functions.add(order.sort_value(planner, key.parameter, key.descending))
    found = []
    for group in planner.lexicon.groups_of(key.parameter.key, CODE, types):
        table = planner.alias()
        column = f"{table}.text" if is_string else f"{table}.low"
        inner = f" AND {table}.inner = 0" if is_string else ""
        source = Source(
            Sql(f"{'string' if is_string else 'date'} AS {table}"),
            Sql(f"{table}.tenant = ? AND {table}.grp = {group}{inner}", (planner.tenant,)),
            f"{table}.rid",
        )
        sorts = Sql(f"{column} = hub_value(?, {source.row.packed})", (number,))
        found.append(_Sorted(source.checked(sorts), column))
    return found


def _sorted_page(
    paging: _Paging,
    key: Key,
    sources: Sequence[_Sorted],
    walked: Sequence[Source],
    types: Types,
) -> tuple[Sql, ...]:
    """Rows that have the sort value in its order, then those without one."""
    statements = []
    if sources and (paging.after is None or paging.after[0] is not None):
        statements.append(_with_value(paging, key, sources))
    if key.parameter is not None:
        statements.append(_without_value(paging, key, walked, types))
    return tuple(statements)


def _with_value(paging: _Paging, key: Key, sources: Sequence[_Sorted]) -> Sql:
    direction, operator = ("DESC", "<") if key.descending else ("ASC", ">")
    selects = []
    for source, column in ((one.source, one.column) for one in sources):
        more = EVERYWHERE
        if paging.after is not None:
            more = Sql(f"({column}, {source.rid}) {operator} (?, ?)", paging.after)
        selects.append(source.select(f"{source.rid} AS rid, {column} AS value", more))
    rows = union(selects, "UNION ALL" if key.parameter is None else "UNION")
    if len(selects) == 1 and key.parameter is not None:
        rows = Sql(f"SELECT DISTINCT{rows.text.removeprefix('SELECT')}", rows.values)
    return Sql(
        f"{rows.text} ORDER BY value {direction}, rid {direction} LIMIT {paging.count}",
        rows.values,
    )


def _without_value(paging: _Paging, key: Key, walked: Sequence[Source], types: Types) -> Sql:
    assert key.parameter is not None
    planner = paging.planner
    direction, operator = ("DESC", "<") if key.descending else ("ASC", ">")
    shapes = planner.lexicon.shapes_of(key.parameter.key, types)
    number = planner.functions.add(order.sort_value(planner, key.parameter, key.descending))
    selects = []
    for source in walked:
        has_none = Sql(f"hub_value(?, {source.row.packed}) IS NULL", (number,))
        if shapes:
            known = one_of(source.row.shape, shapes)
            has_none = both(Sql(f"NOT ({known.text})", known.values), has_none)
        if paging.after is not None and paging.after[0] is None:
            has_none = both(Sql(f"{source.rid} {operator} ?", (paging.after[-1],)), has_none)
        selects.append(source.select(f"{source.rid} AS rid, NULL AS value", has_none))
    if not selects:
        return Sql("SELECT 0, NULL WHERE 0")
    rows = union(selects)
    return Sql(f"{rows.text} ORDER BY rid {direction} LIMIT {paging.count}", rows.values)
