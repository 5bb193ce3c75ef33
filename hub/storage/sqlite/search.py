"""Runs searches on one connection: compiles, counts, pages, explains, and stops in time.

Called by the store for each reading connection and by `commit` for preconditions.
Spec: https://hl7.org/fhir/R4/search.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import apsw

from hub.errors import BadRequest, TooCostly, fault
from hub.search.query import And, Position, Query
from hub.storage.sqlite.clock import Clock
from hub.storage.sqlite.compile import totals
from hub.storage.sqlite.compile.criteria import check_size, plan
from hub.storage.sqlite.compile.explain import explain
from hub.storage.sqlite.compile.fragments import NOTHING
from hub.storage.sqlite.compile.planner import CountMemory, Limits, Planner
from hub.storage.sqlite.compile.route import Way, Ways, ways
from hub.storage.sqlite.functions import Functions
from hub.storage.sqlite.index_tables import MISSING_DATE
from hub.storage.sqlite.lexicon import Lexicon
from hub.storage.sqlite.schema import TypeNames

DEADLINE: Final = 5.0
"""Seconds a search may take when its caller does not say."""

EVERYTHING_SOUGHT: Final = And()

LIMITS_OF_SQLITE: Final = ("too large", "too many", "stack overflow", "too big")

Types = tuple[int, ...]


class Found(NamedTuple):
    """A page of matches: row ids in order, where the next page starts, the total if counted.

    Attributes:
        rows: For each of them row id and sort values.
        is_by_date: See `Ways`.
    """

    rids: list[int]
    next: Position | None
    total: int | None
    estimated: bool
    rows: Sequence[Any] = ()
    is_by_date: bool = False

    def after(self, index: int) -> Position:
        """Where the next page starts when this one ends with one of its rows."""
        return _position(self.rows[index], self.is_by_date)


class Searcher:
    """Searches on one connection; one user at a time."""

    def __init__(
        self, connection: apsw.Connection, types: TypeNames, limits: Limits | None = None
    ) -> None:
        """Register the SQL functions with the connection.

        Args:
            connection: Any connection to the database.
            types: Numbers of the resource types.
            limits: Where one way of answering gives way to another.
        """
        self._limits = limits or Limits()
        self._connection = connection
        self._types = types
        self._functions = Functions(connection)
        self._clock = Clock(connection)
        self._counts = CountMemory()
        self.lexicon = Lexicon(connection, types)

    def forget(self) -> None:
        """Forget numbers that were looked up; after a transaction here was rolled back."""
        self.lexicon = Lexicon(self._connection, self._types)

    def search(self, tenant: int, query: Query, deadline: float | None = None) -> Found:
        """A page of current resources.

        Args:
            tenant: Tenant key.
            query: What is asked.
            deadline: Seconds it may take, `DEADLINE` if None.

        Raises:
            DeadlineExceeded: It would take longer.
            TooCostly: The criteria are too deep or too many.
            BadRequest: A value is no Unicode text.
        """
        with self._clock.within(DEADLINE if deadline is None else deadline):
            try:
                planner, types, found = self._compile(tenant, query)
                if found is not None:
                    return self._run(planner, query, types, found)
            except apsw.SQLError as error:
                raise _too_complex(error) from error
            except UnicodeEncodeError as error:
                raise BadRequest(fault("value", "search-text-invalid")) from error
            return Found([], None, None if query.total == "none" else 0, False)

    def explain(self, tenant: int, query: Query) -> tuple[str, ...]:
        """The plan of a search, line by line; arguments as for `search`."""
        with self._clock.within(DEADLINE):
            planner, types, found = self._compile(tenant, query)
            return tuple(explain(planner, query, types, found))

    def _compile(self, tenant: int, query: Query) -> tuple[Planner, Types, Ways | None]:
        check_size(query.criterion)
        self.lexicon.refresh()
        self._functions.calls.clear()
        planner = Planner(
            self._connection,
            self.lexicon,
            self._functions,
            tenant,
            self._limits,
            known=self._counts,
        )
        numbers = self._types.numbers
        types = tuple(numbers[name] for name in dict.fromkeys(query.types) if name in numbers)
        if query.types and not types:
            return planner, types, None
        node = plan(planner, query.criterion, types)
        return planner, types, None if node is NOTHING else ways(planner, query, types, node)

    def _run(self, planner: Planner, query: Query, types: Types, found: Ways) -> Found:
        page = self._page(planner, query, found) if query.count else Found([], None, None, False)
        if query.total == "none":
            return page
        if query.count and query.after is None and page.next is None:
            return page._replace(total=len(page.rids))
        if query.criterion == EVERYTHING_SOUGHT:
            return page._replace(total=totals.live(planner, types))
        if query.total == "accurate":
            total = totals.exact(planner, found.sources, found.is_disjoint)
            return page._replace(total=total)
        total, estimated = totals.estimate(planner, found.sources, found.is_disjoint, types)
        return page._replace(total=total, estimated=estimated)

    def _page(self, planner: Planner, query: Query, found: Ways) -> Found:
        """The page, nothing counted."""
        rows: list[Any] = []
        for way in found.ways:
            if way.seconds is None:
                rows = _rows(planner, way, query.count)
                break
            with self._clock.tried_for(way.seconds) as stopped:
                rows = _rows(planner, way, query.count)
            if not stopped:
                break
        own = rows[: query.count]
        rids = [row[0] for row in own]
        following = _position(own[-1], found.is_by_date) if len(rows) > query.count else None
        return Found(rids, following, None, False, own, found.is_by_date)


def _position(row: Any, is_by_date: bool) -> Position:
    rid, *values = row
    if is_by_date and values[0] == MISSING_DATE:
        values = [None]
    return Position((*values, rid))


def _too_complex(error: apsw.SQLError) -> Exception:
    """What SQLite's limits on a statement mean for the caller."""
    if any(limit in str(error) for limit in LIMITS_OF_SQLITE):
        return TooCostly(fault("too-costly", "search-too-complex"))
    return error


def _rows(planner: Planner, way: Way, count: int) -> list[Any]:
    """(row id, sort values) of a page, and of one row more if there is one."""
    rows: list[Any] = []
    for statement in way.statements:
        rows += planner.rows(statement)
        if len(rows) > count:
            break
    return rows
