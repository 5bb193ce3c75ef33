"""The same resources in a memory record and in SQLite's index tables, without a store."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import apsw

from hub.search.query import Query
from hub.search.values import IndexRows
from hub.storage.memory import search as memory_search
from hub.storage.memory.record import NO_ROWS, Record, Row
from hub.storage.port import Stored
from hub.storage.sqlite import index, schema
from hub.storage.sqlite.compile.planner import Limits
from hub.storage.sqlite.interner import Interner
from hub.storage.sqlite.search import Searcher

TENANT = 7
PAGES = 40


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
                self.record, TENANT, replace(query, after=after)
            )
            found.append(([row.rid for row in rows], total))
            if after is None:
                break
        return found

    def _from_sqlite(self, query: Query) -> list[Any]:
        found, after = [], None
        for _ in range(PAGES):
            page = self.searcher.search(TENANT, replace(query, after=after), 60)
            after = page.next
            found.append((page.rids, page.total))
            if after is None:
                break
        return found
