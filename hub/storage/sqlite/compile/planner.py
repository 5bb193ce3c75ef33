"""What compiling one search needs: numbers of strings, counts of rows, numbered functions.

Made per search by `hub.storage.sqlite.search`, passed to every module of this package.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import apsw

from hub.storage.sqlite.compile.fragments import Row, Source, Sql, union
from hub.storage.sqlite.functions import Functions, Predicate, Values
from hub.storage.sqlite.lexicon import Lexicon

_PLAIN = (int, float, str, bytes)


@dataclass(frozen=True, slots=True)
class Limits:
    """Where one way of answering gives way to another; every way gives the same answers.

    Attributes:
        merged: Sources that are merged in order of date; more are collected and sorted.
        early: Rows of an inner criterion (of a chain ...) that are looked up before the search.
        scanned: Rows that such a criterion may look at to be looked up first.
        listed: Terms that are listed by the start of a text; if more, rows are tested.
        sorted: Candidates counted to tell how long a walk in order may be tried.
        listed_first: Up to so many candidates no walk is tried.
        cost_of_test: What testing a row on a walk costs, next to listing one.
        counts: Rows counted at most to compare criteria, in rounds.
    """

    merged: int = 8
    early: int = 500
    scanned: int = 2000
    listed: int = 20_000
    sorted: int = 20_000
    listed_first: int = 1000
    cost_of_test: int = 4
    counts: tuple[int, ...] = (128, 2048, 16_384)


class CountMemory:
    """Counts of rows that are many, kept a while: plans need no exact ones."""

    LEAST = 200
    SECONDS = 60.0
    MOST = 2000

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._counts: dict[Sql, tuple[int, bool, float]] = {}

    def __len__(self) -> int:
        return len(self._counts)

    def get(self, key: Sql) -> tuple[int, bool] | None:
        """The count, and whether counting stopped there."""
        found = self._counts.get(key)
        if found is None or found[2] < time.monotonic():
            return None
        return found[:2]

    def put(self, key: Sql, count: int, stopped: bool) -> None:
        """Keep a count, if it is of many and can be found again.

        Arrays are equal to nothing but themselves: they would be held here for nothing.
        """
        if count < self.LEAST or not all(isinstance(value, _PLAIN) for value in key.values):
            return
        if len(self._counts) >= self.MOST:
            self._counts.clear()
        self._counts[key] = count, stopped, time.monotonic() + self.SECONDS


@dataclass(slots=True)
class Planner:
    """State of one compilation.

    Attributes:
        connection: The connection that searches.
        lexicon: Its lexicon, refreshed.
        functions: Its SQL functions, none added yet.
        tenant: Tenant key.
        limits: Where one way of answering gives way to another.
        counts: Rows per source: (count, whether counting stopped there).
        known: Counts of earlier searches.
    """

    connection: apsw.Connection
    lexicon: Lexicon
    functions: Functions
    tenant: int
    limits: Limits = field(default_factory=Limits)
    counts: dict[Sql, tuple[int, bool]] = field(default_factory=dict)
    known: CountMemory = field(default_factory=lambda: CountMemory())
    aliases: int = 0

    def alias(self) -> str:
        """A table alias that is not in use yet."""
        self.aliases += 1
        return f"t{self.aliases}"

    def rows(self, statement: Sql) -> list[Any]:
        """All rows of a statement."""
        return self.connection.execute(*statement).fetchall()

    def one(self, text: str, *values: Any) -> Any:
        """The one value of a statement's one row, or the row; None if there is none."""
        return self.connection.execute(text, values).get

    def test(self, predicate: Predicate, row: Row) -> Sql:
        """A condition on the packed entry of a row at hand."""
        return Sql(f"hub_test(?, {row.packed})", (self.functions.add(predicate),))

    def values(self, values: Values, row: Row, alias: str) -> Sql:
        """A table of integers (column `value`) from the packed entry of a row at hand."""
        number = self.functions.add(values)
        return Sql(f"json_each(hub_values(?, {row.packed})) AS {alias}", (number,))

    def count(self, sources: Iterable[Source], most: int) -> int:
        """Rows that sources list, checks left out; `most` if there are as many or more."""
        total = 0
        for source in sources:
            total += self._count(source, most - total)
            if total >= most:
                return most
        return total

    def _count(self, source: Source, most: int) -> int:
        if source.estimate is not None:
            return min(source.estimate, most)
        key = Sql(
            f"SELECT 1 FROM {source.tables.text} WHERE {source.where.text}",
            source.tables.values + source.where.values,
        )
        count, stopped = self.counts.get(key) or self.known.get(key) or (0, True)
        if stopped and count < most:
            found = self.one(f"SELECT count(*) FROM ({key.text} LIMIT ?)", *key.values, most)
            count, stopped = found, found >= most
            self.counts[key] = count, stopped
            self.known.put(key, count, stopped)
        return min(count, most)

    def rids(self, sources: Iterable[Source], most: int) -> list[int] | None:
        """Row ids that sources list, None if they are more than so many."""
        selects = union([source.select(source.rid) for source in sources])
        found = self.rows(
            Sql(f"SELECT DISTINCT * FROM ({selects.text}) LIMIT ?", (*selects.values, most + 1))
        )
        return None if len(found) > most else [rid for (rid,) in found]
