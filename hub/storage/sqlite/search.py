"""Runs searches on one connection: compiles, counts, pages, explains, and stops in time.

Called by the store for each reading connection and by `commit` for preconditions.
Spec: https://hl7.org/fhir/R4/search.html
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import apsw

from hub.search.query import Position, Query
from hub.storage.port import DeadlineExceeded
from hub.storage.sqlite.compile import order
from hub.storage.sqlite.compile.criteria import check_size, plan
from hub.storage.sqlite.compile.fragments import (
    EVERYTHING,
    NOTHING,
    Node,
    Source,
    Sql,
    union,
)
from hub.storage.sqlite.compile.logic import drive, probe
from hub.storage.sqlite.compile.planner import Limits, Planner
from hub.storage.sqlite.compile.rows import walk
from hub.storage.sqlite.entry import MISSING_DATE
from hub.storage.sqlite.functions import Functions
from hub.storage.sqlite.lexicon import Lexicon
from hub.storage.sqlite.schema import TypeNames

DEADLINE: Final = 5.0
"""Seconds a search may take when its caller does not say."""

STEPS: Final = 4000
"""SQLite's steps between two looks at the clock; some tens of microseconds."""

EXACT_ESTIMATE: Final = 1000
"""Matches up to which an estimate is exact."""

SAMPLE: Final = 1000

Types = tuple[int, ...]


class Found(NamedTuple):
    """A page of matches: row ids in order, where the next page starts, the total if counted."""

    rids: list[int]
    next: Position | None
    total: int | None
    estimated: bool


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
        """
        with self._deadline(deadline):
            planner, types, node = self._compile(tenant, query)
            if node is NOTHING or not _can_match(query, types):
                return Found([], None, None if query.total == "none" else 0, False)
            search = Search(planner, query, types, node)
            if not search.sources:
                return Found([], None, None if query.total == "none" else 0, False)
            rids, position = search.page() if query.count else ([], None)
            total, estimated = search.total(rids, position)
            return Found(rids, position, total, estimated)

    def explain(self, tenant: int, query: Query) -> tuple[str, ...]:
        """The plan of a search, line by line; arguments as for `search`."""
        with self._deadline(None):
            planner, types, node = self._compile(tenant, query)
            if node is NOTHING or not _can_match(query, types):
                return ("nothing can match",)
            return tuple(Search(planner, query, types, node).explain())

    def _compile(self, tenant: int, query: Query) -> tuple[Planner, Types, Node]:
        check_size(query.criterion)
        self.lexicon.refresh()
        self._functions.calls.clear()
        planner = Planner(self._connection, self.lexicon, self._functions, tenant, self._limits)
        numbers = self._types.numbers
        types = tuple(numbers[name] for name in dict.fromkeys(query.types) if name in numbers)
        return planner, types, plan(planner, query.criterion, types)

    @contextmanager
    def _deadline(self, seconds: float | None) -> Iterator[None]:
        end = time.monotonic() + (DEADLINE if seconds is None else seconds)
        self._connection.set_progress_handler(lambda: time.monotonic() > end, STEPS)
        try:
            yield
        except apsw.InterruptError as error:
            raise DeadlineExceeded from error
        finally:
            self._connection.set_progress_handler(None)


def _can_match(query: Query, types: Types) -> bool:
    """Whether a type is searched that exists here."""
    return bool(types) or not query.types


class Search:
    """One search, compiled."""

    def __init__(self, planner: Planner, query: Query, types: Types, node: Node) -> None:
        """Choose where candidates come from."""
        self.planner, self.query, self.types, self.node = planner, query, types, node
        self.keys = order.keys_of(query)
        self.is_by_date = len(self.keys) == 1 and self.keys[0].kind == "date"
        self.is_walk = False
        self.sources = self._sources()

    def _sources(self) -> tuple[Source, ...]:
        planner = self.planner
        sources = None
        if self.node is not EVERYTHING:
            sources = drive(planner, self.node, self.types)
        if sources is not None and not self._prefers_walk(sources):
            return sources
        self.is_walk = True
        walked = walk(planner, self.types)
        if self.node is EVERYTHING:
            return walked
        return tuple(source.checked(probe(planner, self.node, source.row)) for source in walked)

    def _prefers_walk(self, sources: tuple[Source, ...]) -> bool:
        """Whether so many candidates are to be sorted that the first matches come sooner."""
        if not self.is_by_date or (
            len(sources) <= self.planner.limits.merged and all(s.is_ordered for s in sources)
        ):
            return False
        most = self.planner.limits.sorted
        return self.planner.count(sources, most) >= most

    # --- a page ----------------------------------------------------------------------------

    def statements(self) -> list[Sql]:
        """Statements that give the page's rows, and one more, in order."""
        after = None if self.query.after is None else self.query.after.values
        most = self.query.count + 1
        if self.is_by_date:
            descending = self.keys[0].descending
            return order.by_date(self.planner, self.sources, descending, after, most, self.is_walk)
        return [order.by_keys(self.planner, self.sources, self.keys, after, most)]

    def page(self) -> tuple[list[int], Position | None]:
        """Row ids of the page, and where the next one starts."""
        rows: list[Any] = []
        for statement in self.statements():
            rows += self.planner.rows(statement)
            if len(rows) > self.query.count:
                break
        more = len(rows) > self.query.count
        rows = rows[: self.query.count]
        rids = [row[0] for row in rows]
        if not more:
            return rids, None
        rid, *values = rows[-1]
        if self.is_by_date and values[0] == MISSING_DATE:
            values = [None]
        return rids, Position((*values, rid))

    # --- totals ----------------------------------------------------------------------------

    def total(self, rids: list[int], position: Position | None) -> tuple[int | None, bool]:
        """How many match, and whether that is an estimate."""
        mode = self.query.total
        if mode == "none":
            return None, False
        if self.query.count and self.query.after is None and position is None:
            return len(rids), False
        if self.node is EVERYTHING:
            return self._live(), False
        if mode == "accurate":
            return self._count(None), False
        counted = self._count(EXACT_ESTIMATE + 1)
        if counted <= EXACT_ESTIMATE:
            return counted, False
        return self._estimate(), True

    def _live(self) -> int:
        types = f" AND type IN ({', '.join(map(str, self.types))})" if self.types else ""
        found: Any = self.planner.connection.execute(
            f"SELECT ifnull(sum(live), 0) FROM statistics WHERE tenant = ?{types}",
            (self.planner.tenant,),
        ).get
        return int(found)

    def _count(self, most: int | None) -> int:
        rows = union([source.select(f"{source.rid} AS rid") for source in self.sources])
        is_unique = self.is_walk or (len(self.sources) == 1 and self.sources[0].is_unique)
        distinct = "" if is_unique else "DISTINCT "
        limit = "" if most is None else f" LIMIT {most}"
        found: Any = self.planner.connection.execute(
            f"SELECT count(*) FROM (SELECT {distinct}rid FROM ({rows.text}){limit})", rows.values
        ).get
        return int(found)

    def _estimate(self) -> int:
        """Candidates times the share of the first ones that match."""
        candidates = self.planner.count(self.sources, 100_000)
        return max(EXACT_ESTIMATE + 1, candidates)

    # --- explanation -----------------------------------------------------------------------

    def explain(self) -> Iterator[str]:
        """The plan, line by line."""
        yield from ()
