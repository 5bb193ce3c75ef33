"""Pieces of SQL that a search is put together from, and the plan's nodes.

A test of the row at hand is written `+EXISTS`: SQLite would make a join of a plain EXISTS, and
the time it takes to order many joins grows without bound.

Used by every module of `hub.storage.sqlite.compile`. Values are bound, in the order of their
places in the text; group numbers, type numbers and column names, which the hub itself made, are
written into the text.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import apsw

MOST_PLACES: Final = 16
"""Numbers in a list that are bound one by one; more are bound as one array."""

MOST_IN_COMPOUND: Final = 100


class Sql(NamedTuple):
    """A piece of SQL and the values of its places."""

    text: str
    values: tuple[Any, ...] = ()


NOWHERE: Final = Sql("0")
EVERYWHERE: Final = Sql("1")


def both(*parts: Sql) -> Sql:
    """The pieces joined by AND."""
    needed = [part for part in parts if part.text != "1"]
    if not needed:
        return EVERYWHERE
    return Sql(" AND ".join(part.text for part in needed), _values(needed))


def either(parts: Sequence[Sql]) -> Sql:
    """The pieces joined by OR, as a tree: SQLite limits how deep an expression is."""
    if not parts:
        return NOWHERE
    if len(parts) == 1:
        return Sql(f"({parts[0].text})", parts[0].values)
    if len(parts) <= MOST_PLACES:
        return Sql("(" + " OR ".join(f"({part.text})" for part in parts) + ")", _values(parts))
    half = len(parts) // 2
    left, right = either(parts[:half]), either(parts[half:])
    return Sql(f"({left.text} OR {right.text})", left.values + right.values)


def every(parts: Sequence[Sql]) -> Sql:
    """The pieces joined by AND, as a tree that SQLite does not look into for keys to use."""
    if len(parts) <= MOST_PLACES:
        joined = both(*parts)
        return Sql(f"+({joined.text})", joined.values)
    half = len(parts) // 2
    left, right = every(parts[:half]), every(parts[half:])
    return Sql(f"+({left.text} AND {right.text})", left.values + right.values)


def union(parts: Sequence[Sql], operator: str = "UNION ALL") -> Sql:
    """Selects joined into one; SQLite limits how many one compound holds."""
    if len(parts) <= MOST_IN_COMPOUND:
        return Sql(f" {operator} ".join(part.text for part in parts), _values(parts))
    groups = [
        union(parts[start : start + MOST_IN_COMPOUND], operator)
        for start in range(0, len(parts), MOST_IN_COMPOUND)
    ]
    return union([Sql(f"SELECT * FROM ({part.text})", part.values) for part in groups], operator)


def _values(parts: Iterable[Sql]) -> tuple[Any, ...]:
    return tuple([value for part in parts for value in part.values])


def one_of(column: str, numbers: Sequence[int]) -> Sql:
    """The column holds one of these integers; their count hardly changes the text."""
    count = len(numbers)
    if count == 1:
        return Sql(f"{column} = ?", (numbers[0],))
    if count <= MOST_PLACES:
        width = 1 << (count - 1).bit_length()
        padded = (*numbers, *[numbers[-1]] * (width - count))
        return Sql(f"{column} IN ({', '.join('?' * width)})", padded)
    return Sql(f"{column} IN carray(?)", (apsw.carray(array("q", numbers)),))


def one_of_known(column: str, numbers: Sequence[int]) -> str:
    """The column holds one of these numbers of the hub's own, written into the text."""
    if len(numbers) == 1:
        return f"{column} = {numbers[0]}"
    return f"{column} IN ({', '.join(map(str, numbers))})"


class Row(NamedTuple):
    """Expressions for the row at hand: its row id, principal date, shape and packed entry."""

    rid: str
    date: str
    shape: str
    packed: str


@dataclass(frozen=True, slots=True)
class Source:
    """Lists rows that meet a criterion.

    Attributes:
        tables: FROM clause; joins are CROSS JOINs, whose order SQLite keeps.
        where: What the tables' keys answer.
        rid: Column with the row id.
        date: Column with the principal date, "" if none of the tables has it.
        shape: Column with the shape, "" if none has it.
        packed: Column with the packed entry, "" if none has it.
        check: What remains to be tested row by row.
        is_ordered: In order of date and row id, either way.
        is_unique: Holds each row id once.
        estimate: About how many rows it lists, where counting them would cost; None: count.
        bare: The source before the nodes of `tests` were added to its check; None if there are
            none, or more was added.
        tests: Nodes that its rows must meet besides.
    """

    tables: Sql
    where: Sql
    rid: str
    date: str = ""
    shape: str = ""
    packed: str = ""
    check: Sql = EVERYWHERE
    is_ordered: bool = False
    is_unique: bool = False
    estimate: int | None = None
    bare: Source | None = None
    tests: tuple[Node, ...] = ()

    @property
    def row(self) -> Row:
        """The row it is at."""
        entry = f"FROM entry WHERE rid = {self.rid})"
        return Row(
            self.rid,
            self.date or f"(SELECT date {entry}",
            self.shape or f"(SELECT shape {entry}",
            self.packed or f"(SELECT packed {entry}",
        )

    def checked(self, check: Sql) -> Source:
        """The source with one more thing to test of each row."""
        return replace(self, check=both(self.check, check), bare=None, tests=())

    def select(self, columns: str, more: Sql = EVERYWHERE) -> Sql:
        """A SELECT of columns from its rows that also meet a condition."""
        where = both(self.where, more, self.check)
        return Sql(
            f"SELECT {columns} FROM {self.tables.text} WHERE {where.text}",
            self.tables.values + where.values,
        )


# --- the plan -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """A criterion of one kind.

    Attributes:
        label: For people; no patient data.
        probe: Makes the condition that a row at hand meets it.
        sources: Together they list all rows that meet it; None when nothing does.
    """

    label: str
    probe: Callable[[Row], Sql]
    sources: tuple[Source, ...] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class All:
    """All of the nodes."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Some:
    """At least one of the nodes."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Without:
    """Not the node."""

    node: Node


Node = Leaf | All | Some | Without

NOTHING: Final = Leaf("nothing", lambda row: NOWHERE, ())
EVERYTHING: Final = Leaf("everything", lambda row: EVERYWHERE)
