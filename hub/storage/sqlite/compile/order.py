"""Order of a search, and the statement of one page of it.

Pages go on after the sort values and row id of the last row (keyset), so depth costs nothing
and rows that come or go elsewhere do not shift them. The order of a query does not depend on
how it is answered. Called by `hub.storage.sqlite.search`.
Spec: https://hl7.org/fhir/R4/search.html#_sort
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from hub.definitions.shapes import SearchParameter
from hub.search.folding import fold
from hub.search.query import Query, SortKey
from hub.search.sorting import SORTED_CHARACTERS, SortValue, finite, is_principal
from hub.storage.sqlite.compile.fragments import (
    EVERYWHERE,
    Node,
    Row,
    Source,
    Sql,
    both,
    either,
    every,
    union,
)
from hub.storage.sqlite.compile.logic import dated, probe
from hub.storage.sqlite.compile.planner import Planner
from hub.storage.sqlite.entry import Entry
from hub.storage.sqlite.index_tables import MISSING_DATE, stored_range
from hub.storage.sqlite.interner import CODE, NO_TYPE, TEXT_ONLY, URI_VALUE

Types = tuple[int, ...]
Kind = Literal["date", "updated", "id", "parameter"]


@dataclass(frozen=True, slots=True)
class Key:
    """One sort key.

    Attributes:
        kind: What it sorts by: principal date, lastUpdated, id, or a parameter's values.
        descending: Greatest first.
        parameter: For kind `parameter`.
    """

    kind: Kind
    descending: bool
    parameter: SearchParameter | None = None

    @property
    def direction(self) -> str:
        """For ORDER BY; what has no value is last either way."""
        return "DESC NULLS LAST" if self.descending else "ASC NULLS LAST"


DEFAULT: Final = (Key("date", True),)


def keys_of(query: Query) -> tuple[Key, ...]:
    """The sort keys of a query; newest principal date first if it has none."""
    return tuple(_key(key, query.types) for key in query.sort) or DEFAULT


def _key(key: SortKey, types: Sequence[str]) -> Key:
    parameter = key.parameter
    if parameter.code == "_lastUpdated":
        return Key("updated", key.descending)
    if parameter.code == "_id":
        return Key("id", key.descending)
    if types and all(is_principal(parameter, type) for type in types):
        return Key("date", key.descending)
    return Key("parameter", key.descending, parameter)


# --- by principal date ----------------------------------------------------------------------


def by_date(
    planner: Planner,
    sources: Sequence[Source],
    descending: bool,
    after: tuple[Any, ...] | None,
    count: int,
    is_disjoint: bool = False,
    is_undated: bool = False,
) -> list[Sql]:
    """Statements that give (rid, date) of a page; each goes on where the one before ends.

    Args:
        planner: The compilation.
        sources: Where the rows come from.
        descending: Newest first.
        after: Date (None: missing) and row id of the last row before the page.
        count: Rows wanted at most.
        is_disjoint: No row is in two sources.
        is_undated: No resource searched has a principal date.
    """
    if is_undated:
        sources = [_undated(source) for source in sources]
    missing = f"= {MISSING_DATE}"
    if descending:
        date, rid = (MISSING_DATE if after[0] is None else after[0], after[1]) if after else (0, 0)
        keyset = Sql("({date}, {rid}) < (?, ?)", (date, rid)) if after else EVERYWHERE
        return [_merged(planner, sources, keyset, "DESC", count, is_disjoint)]
    statements = []
    if after is None or after[0] is not None:
        keyset = Sql("({date}, {rid}) > (?, ?)", after or (MISSING_DATE, 2**62))
        statements.append(_merged(planner, sources, keyset, "ASC", count, is_disjoint))
    keyset = Sql(f"{{date}} {missing}")
    if after is not None and after[0] is None:
        keyset = Sql(f"{{date}} {missing} AND {{rid}} > ?", (after[1],))
    statements.append(_merged(planner, sources, keyset, "ASC", count, is_disjoint))
    return statements


def _undated(source: Source) -> Source:
    """The source with the date of all its rows at hand, which needs no looking up."""
    bare = source.bare and _undated(source.bare)
    return replace(source, date=source.date or str(MISSING_DATE), bare=bare)


def _merged(
    planner: Planner,
    sources: Sequence[Source],
    keyset: Sql,
    direction: str,
    count: int,
    is_disjoint: bool,
) -> Sql:
    order = f"ORDER BY date {direction}, rid {direction} LIMIT {count}"
    is_ordered = all(source.is_ordered for source in sources)
    if not is_ordered and (tests := _common_tests(sources)):
        bare = [source.bare for source in sources if source.bare is not None]
        listed = _listed(planner, bare, keyset)
        return _tested_in_order(planner, listed, tests, direction, count)
    selects = _listed(planner, sources, keyset)
    if len(sources) == 1:
        distinct = "SELECT" if sources[0].is_unique else "SELECT DISTINCT"
        only = selects[0]
        return Sql(f"{distinct}{only.text.removeprefix('SELECT')} {order}", only.values)
    if is_ordered and (is_disjoint or len(sources) <= planner.limits.merged):
        merged = union(selects, "UNION ALL" if is_disjoint else "UNION")
        return Sql(f"{merged.text} {order}", merged.values)
    together = union(selects)
    return Sql(f"SELECT DISTINCT rid, date FROM ({together.text}) {order}", together.values)


def _listed(planner: Planner, sources: Sequence[Source], keyset: Sql) -> list[Sql]:
    """A SELECT of row id and date for each source, after the page before."""
    selects = []
    for source in sources:
        at = dated(planner, source)
        more = Sql(keyset.text.format(date=at.date, rid=at.rid), keyset.values)
        selects.append(at.select(f"{at.rid} AS rid, {at.date} AS date", more))
    return selects


def _common_tests(sources: Sequence[Source]) -> tuple[Node, ...]:
    """The nodes that the rows of all sources are tested by, none if the sources differ."""
    first = sources[0].tests
    return first if all(source.tests == first for source in sources) else ()


def _tested_in_order(
    planner: Planner,
    listed: Sequence[Sql],
    tests: Sequence[Node],
    direction: str,
    count: int,
) -> Sql:
    """Candidates are sorted first and tested in that order, once each, until the page is full.

    SQLite keeps the order of an inner SELECT that has a LIMIT, and CROSS JOIN that of the tables.
    """
    rows = union(listed)
    outer, at = planner.alias(), planner.alias()
    row = Row(f"{outer}.rid", f"{outer}.date", f"{at}.shape", f"{at}.packed")
    where = every([probe(planner, node, row) for node in tests])
    return Sql(
        f"SELECT {outer}.rid AS rid, {outer}.date AS date FROM (SELECT DISTINCT rid, date FROM"
        f" ({rows.text}) ORDER BY date {direction}, rid {direction} LIMIT -1) AS {outer}"
        f" CROSS JOIN entry AS {at} ON {at}.rid = {outer}.rid WHERE {where.text} LIMIT {count}",
        rows.values + where.values,
    )


# --- by any keys ----------------------------------------------------------------------------


def by_keys(
    planner: Planner,
    sources: Sequence[Source],
    keys: Sequence[Key],
    after: tuple[Any, ...] | None,
    count: int,
) -> Sql:
    """A statement that gives rid and the sort values of a page's rows.

    Args:
        planner: The compilation.
        sources: Where the rows come from.
        keys: Sort keys.
        after: Sort values and row id of the last row before the page.
        count: Rows wanted at most.
    """
    rows = union([source.select(f"{source.rid} AS rid") for source in sources])
    values = [_expression(planner, key) for key in keys]
    columns = ", ".join(f"{value.text} AS k{place}" for place, value in enumerate(values))
    bound = tuple(one for value in values for one in value.values)
    select = f"SELECT c.rid, {columns} FROM (SELECT DISTINCT rid FROM ({rows.text})) AS c"
    bound = bound + rows.values
    if after is not None:
        keyset = _keyset([f"k{place}" for place in range(len(keys))], keys, after)
        select = f"WITH s AS MATERIALIZED ({select}) SELECT * FROM s WHERE {keyset.text}"
        bound = bound + keyset.values
    order = ", ".join(f"k{place} {key.direction}" for place, key in enumerate(keys))
    last = "DESC" if keys[-1].descending else "ASC"
    return Sql(f"{select} ORDER BY {order}, rid {last} LIMIT {count}", bound)


def _keyset(columns: Sequence[str], keys: Sequence[Key], after: tuple[Any, ...]) -> Sql:
    """Rows after a position, key by key."""
    operator = "<" if keys[-1].descending else ">"
    condition = Sql(f"rid {operator} ?", (after[-1],))
    for column, key, value in reversed(list(zip(columns, keys, after[:-1], strict=True))):
        if value is None:
            condition = both(Sql(f"{column} IS NULL"), condition)
            continue
        operator = "<" if key.descending else ">"
        beyond = Sql(f"{column} {operator} ? OR {column} IS NULL", (value,))
        condition = either((beyond, both(Sql(f"{column} = ?", (value,)), condition)))
    return condition


def _expression(planner: Planner, key: Key) -> Sql:
    match key.kind:
        case "date":
            return Sql(f"(SELECT nullif(date, {MISSING_DATE}) FROM entry WHERE rid = c.rid)")
        case "updated":
            return Sql("(SELECT updated FROM resource WHERE rid = c.rid)")
        case "id":
            return Sql("(SELECT id FROM resource WHERE rid = c.rid)")
        case _:
            assert key.parameter is not None
            number = planner.functions.add(sort_value(planner, key.parameter, key.descending))
            return Sql("hub_value(?, (SELECT packed FROM entry WHERE rid = c.rid))", (number,))


def sort_value(planner: Planner, parameter: SearchParameter, descending: bool) -> Any:
    """The packed counterpart of `hub.search.sorting.sort_value`: a function of an entry."""
    lexicon = planner.lexicon
    groups = frozenset(
        number
        for number, group in lexicon.groups.items()
        if parameter.key in group.keys and group.flavour in (CODE, TEXT_ONLY, URI_VALUE)
    )
    values = _VALUES.get(parameter.type)
    pick = max if descending else min

    def value(entry: Entry) -> SortValue:
        found = values(planner, entry, groups) if values else ()
        return pick(found) if found else None

    return value


def _string_values(planner: Planner, entry: Entry, groups: frozenset[int]) -> list[str]:
    flat = entry.strings
    return [
        (fold(flat[place + 1]) if flat[place + 2] is None else flat[place + 2])[:SORTED_CHARACTERS]
        for place in range(0, len(flat), 3)
        if flat[place] in groups
    ]


def _term_values(planner: Planner, entry: Entry, groups: frozenset[int]) -> list[str]:
    flat, text = entry.tokens, planner.lexicon.text
    return [
        text(flat[place + 1]) or (text(flat[place + 2]) if flat[place + 2] else "")
        for place in range(0, len(flat), 3)
        if flat[place] in groups
    ]


def _reference_values(planner: Planner, entry: Entry, groups: frozenset[int]) -> list[str]:
    flat, lexicon = entry.references, planner.lexicon
    found = []
    for place in range(0, len(flat), 3):
        if flat[place] in groups:
            type, id = lexicon.target(flat[place + 1])
            found.append(id if type == NO_TYPE else f"{lexicon.types.names[type]}/{id}")
    return found


def _date_values(planner: Planner, entry: Entry, groups: frozenset[int]) -> list[int]:
    flat = entry.dates
    return [flat[place + 1] for place in range(0, len(flat), 3) if flat[place] in groups]


def _number_values(planner: Planner, entry: Entry, groups: frozenset[int]) -> list[float]:
    flat = entry.numbers
    return [finite(flat[place + 1]) for place in range(0, len(flat), 3) if flat[place] in groups]


def _quantity_values(planner: Planner, entry: Entry, groups: frozenset[int]) -> list[float]:
    flat = entry.quantities
    return [
        finite(stored_range(flat[place + 1 : place + 8])[1])
        for place in range(0, len(flat), 8)
        if flat[place] in groups
    ]


_VALUES: Final[dict[str, Any]] = {
    "string": _string_values,
    "token": _term_values,
    "uri": _term_values,
    "reference": _reference_values,
    "date": _date_values,
    "number": _number_values,
    "quantity": _quantity_values,
}
