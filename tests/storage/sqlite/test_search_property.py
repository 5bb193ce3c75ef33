"""Random index rows and queries give the same pages from SQLite as from the memory store."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import apsw
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from hub.definitions import search_parameters_of
from hub.search.query import Position, Query
from hub.search.values import IndexRows
from hub.storage.memory import search as memory_search
from hub.storage.memory.record import NO_ROWS, Record, Row
from hub.storage.port import Stored
from hub.storage.sqlite import index, schema
from hub.storage.sqlite.compile.planner import Limits
from hub.storage.sqlite.interner import Interner
from hub.storage.sqlite.search import Searcher
from tests.storage import random_searches as random

TENANT = 7
PAGES = 40
LIMITS = (
    Limits(),
    Limits(merged=1, counts=(1, 2)),
    Limits(early=0, scanned=1),
    Limits(merged=0, early=0, scanned=1, listed=1, sorted=1, counts=(), listed_first=0),
    Limits(sorted=1, listed=1, listed_first=0),
    Limits(listed_first=0),
)


@lru_cache(maxsize=1)
def _empty() -> bytes:
    connection = apsw.Connection(":memory:")
    connection.execute(schema.RECORD_DDL + index.DDL)
    schema.add_type_names(connection)
    return connection.serialize("main")


class Both:
    """The same resources in a memory record and in index tables."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.connection = apsw.Connection(":memory:")
        self.connection.deserialize("main", _empty())
        self.types = schema.load_type_names(self.connection)
        self.interner = Interner(self.connection, self.types.numbers)
        self.searcher = Searcher(self.connection, self.types, limits)
        self.record = Record()
        self.clock = 0

    def put(self, type: str, id: str, rows: IndexRows | None) -> None:
        self.clock += 1
        key = (TENANT, type, id)
        number = self.types.numbers[type]
        known = self.record.rows.get(key)
        rid = known.rid if known else self.interner.row_id(TENANT, number, id)
        method: Any = "DELETE" if rows is None else "PUT"
        stored = Stored(type, id, 1, self.clock, self.clock, method, b"")
        self.record.rows[key] = Row(rid, stored, rows or NO_ROWS)
        self.connection.execute(
            "INSERT OR REPLACE INTO resource VALUES (?, ?, ?, ?, 1, ?, ?, 0, ?, ?, 0, 0, 0, x'')",
            (
                rid,
                *key[:1],
                number,
                id,
                self.clock,
                self.clock,
                rows is None,
                (rows or NO_ROWS).date,
            ),
        )
        if rows is None:
            index.delete(self.connection, TENANT, rid, number)
        else:
            index.replace(self.connection, self.interner, TENANT, rid, number, rows)
        self.interner.keep()
        self.connection.execute(
            "INSERT OR REPLACE INTO statistics SELECT ?1, ?2, count(*), 0 FROM resource"
            " WHERE tenant = ?1 AND type = ?2 AND deleted = 0",
            (TENANT, number),
        )

    def pages(self, query: Query) -> tuple[list[Any], list[Any]]:
        """(ids, total) page by page from both."""
        return self._from_memory(query), self._from_sqlite(query)

    def _from_memory(self, query: Query) -> list[Any]:
        found, after = [], None
        for _ in range(PAGES):
            rows, after, total, _ = memory_search.search(
                self.record, TENANT, structs_replace(query, after)
            )
            found.append(([row.rid for row in rows], total))
            if after is None:
                break
        return found

    def _from_sqlite(self, query: Query) -> list[Any]:
        found, after = [], None
        for _ in range(PAGES):
            page = self.searcher.search(TENANT, structs_replace(query, after), 60)
            after = page.next
            found.append((page.rids, page.total))
            if after is None:
                break
        return found


def structs_replace(query: Query, after: Position | None) -> Query:
    return Query(query.types, query.criterion, query.sort, query.count, after, query.total)


@lru_cache(maxsize=1)
def _item_key() -> int:
    return search_parameters_of("List")["item"].key


def _with_items(rows: IndexRows) -> IndexRows:
    """References of the first parameter are also entries of a List."""
    items = [
        row._replace(key=_item_key())
        for row in rows.references
        if row.key == random.PARAMETERS["reference"][0].key
    ]
    return structs.replace(rows, references=rows.references + tuple(items))


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(random.changes, st.data(), st.sampled_from(LIMITS))
def test_sqlite_gives_the_pages_that_memory_gives(
    changes: Any, data: st.DataObject, limits: Limits
) -> None:
    both = Both(limits)
    for type, id, rows in changes:
        both.put(type, id, rows and _with_items(rows))
    queries = random.queries_on(changes)
    for _ in range(6):
        query = data.draw(queries)
        from_memory, from_sqlite = both.pages(query)
        assert from_sqlite == from_memory, query


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(random.changes)
def test_index_rows_read_back_as_they_were_written(changes: Any) -> None:
    both = Both()
    for type, id, rows in changes:
        both.put(type, id, rows)
    for row in both.record.rows.values():
        held = index.read(both.connection, TENANT, row.rid, both.searcher.lexicon)
        if row.stored.deleted:
            assert held is None
            continue
        made = {
            name: tuple(sorted(set(value)))
            for name, value in structs.asdict(row.rows).items()
            if isinstance(value, tuple)
        }
        assert held == structs.replace(row.rows, **made)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(random.changes)
def test_nothing_is_left_when_everything_is_deleted(changes: Any) -> None:
    both = Both()
    for type, id, rows in changes:
        both.put(type, id, rows)
    for (_, type, id), row in list(both.record.rows.items()):
        if not row.stored.deleted:
            both.put(type, id, None)
    for table in ("entry", "by_date", *index.KEYS):
        assert both.connection.execute(f"SELECT count(*) FROM {table}").get == 0
