"""Pages of versions, newest first: of a resource, a type or the whole system.

lastUpdated rises with the sequence, so versions are in order of `(updated, rid)`, and a page
ends at such a pair. A page merges one ordered cursor per type and table, each read only as far
as needed; the versions of a list's members are looked up and sorted instead. Called by `store` on
a reading thread.
Spec: https://hl7.org/fhir/R4/http.html#history
"""

from __future__ import annotations

import heapq
import json
import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any

from hub.search.query import Position
from hub.storage.port import HistoryPage, HistoryQuery, Stored
from hub.storage.sqlite.record import Reader, expanded, rid_of, snapshot
from hub.storage.sqlite.schema import METHODS

NEWEST = (
    "SELECT r.updated, r.rid, r.type, r.id, r.version, r.sequence, r.method, r.codec, r.key,"
    " r.body FROM resource r"
)
OLDER = (
    "SELECT h.updated, h.rid, h.type, r.id, h.version, h.sequence, h.method, h.codec, h.key,"
    " h.body FROM history h CROSS JOIN resource r ON r.rid = h.rid"
)
OF_TYPE = " WHERE {t}.tenant = :tenant AND {t}.type = :key"
OF_ONE = " WHERE {t}.rid = :key AND {t}.tenant = :tenant"
OF_MEMBERS = (
    " WHERE {t}.rid = value ->> 0 AND {t}.tenant = :tenant"
    " AND (value ->> 1 IS NULL OR {t}.version = value ->> 1)"
)
MEMBERS = " json_each(:key) CROSS JOIN"
BEFORE = " AND ({t}.updated, {t}.rid) < (:updated, :rid)"
SINCE = " AND {t}.updated >= :since"
AT_NEWEST = " AND r.updated < :high"
AT_OLDER = " AND h.updated < :high AND h.until > :low"
ORDER = " ORDER BY {t}.updated DESC, {t}.rid DESC"
COUNT = "SELECT count(*) FROM{members} {table} {t}"
TYPES = "SELECT type, versions FROM statistics WHERE tenant = ?"

ROW = tuple[int, int, int, str, int, int, int, int, int, bytes]

Key = int | str
"""Number of a type or a row, or a JSON array of members: row number and version, null for all."""


def history(reader: Reader, tenant: int, query: HistoryQuery) -> HistoryPage:
    """A page of history.

    Args:
        reader: What to read with; one snapshot serves page and total.
        tenant: Tenant key.
        query: What is asked.

    Raises:
        DeadlineExceeded: The reader's deadline ran out.
    """
    with snapshot(reader.connection):
        kinds = _kinds(reader, tenant, query)
        rows = islice(
            heapq.merge(
                *(_rows(reader, tenant, query, key, table) for key, _ in kinds for table in "rh"),
                key=lambda row: row[:2],
                reverse=True,
            ),
            query.count + 1,
        )
        page, position = _page(reader, query, rows) if query.count else ([], None)
        total = _total(reader, tenant, query, kinds)
    return HistoryPage(tuple(page), position, total)


def _page(
    reader: Reader, query: HistoryQuery, rows: Iterator[ROW]
) -> tuple[list[Stored], Position | None]:
    """The versions of a page, and where it ends if there are more."""
    found: list[Stored] = []
    left = sys.maxsize if query.room is None else query.room
    last: ROW | None = None
    for row in rows:
        if last is not None and (len(found) == query.count or left < 0):
            return found, Position(last[:2])
        last = row
        found.append(_stored(reader, row))
        left -= len(found[-1].tail)
    return found, None


def _kinds(reader: Reader, tenant: int, query: HistoryQuery) -> list[tuple[Key, int]]:
    """What the second parameter of the statements goes through, with versions where known."""
    if query.members is not None:
        members = _members(reader, tenant, query)
        return [(json.dumps(members), 0)] if members else []
    if query.id:
        rid = rid_of(reader, tenant, query.type, query.id)
        return [] if rid is None else [(rid, 0)]
    counted: Any = reader.connection.execute(TYPES, (tenant,)).fetchall()
    return [
        (type, versions)
        for type, versions in counted
        if query.type in ("", reader.types.names[type])
    ]


def _members(reader: Reader, tenant: int, query: HistoryQuery) -> list[tuple[int, int | None]]:
    """Row numbers of the query's members, each with a version or None for all of them."""
    found: list[tuple[int, int | None]] = []
    for (type, id), versions in (query.members or {}).items():
        if query.type in ("", type) and query.id in ("", id):
            rid = rid_of(reader, tenant, type, id)
            if rid is not None:
                found += [(rid, version) for version in sorted(versions) or (None,)]
    return found


def _where(query: HistoryQuery, table: str, page: bool) -> str:
    clause = OF_MEMBERS if query.members is not None else OF_ONE if query.id else OF_TYPE
    if query.since is not None:
        clause += SINCE
    if query.at is not None:
        clause += AT_NEWEST if table == "r" else AT_OLDER
    if page and query.before is not None:
        clause += BEFORE
    return clause.format(t=table)


def _bindings(tenant: int, query: HistoryQuery, key: Key) -> dict[str, Any]:
    low, high = query.at or (None, None)
    updated, rid = query.before.values if query.before else (None, None)
    return {
        "tenant": tenant,
        "key": key,
        "since": query.since,
        "low": low,
        "high": high,
        "updated": updated,
        "rid": rid,
        "most": query.count + 1,
    }


def _rows(reader: Reader, tenant: int, query: HistoryQuery, key: Key, table: str) -> Iterator[ROW]:
    select = NEWEST if table == "r" else OLDER
    if query.members is not None:
        select = select.replace(" FROM", f" FROM{MEMBERS}")
    sql = select + _where(query, table, page=True) + ORDER.format(t=table)
    if query.members is not None:
        sql += " LIMIT :most"  # so that sorting keeps no more
    rows: Any = reader.connection.execute(sql, _bindings(tenant, query, key))
    return iter(rows)


def _total(reader: Reader, tenant: int, query: HistoryQuery, kinds: list[tuple[Key, int]]) -> int:
    members = "" if query.members is None else MEMBERS
    if not members and not query.id and query.since is None and query.at is None:
        return sum(versions for _, versions in kinds)
    total = 0
    for key, _ in kinds:
        for table, name in (("r", "resource"), ("h", "history")):
            sql = COUNT.format(members=members, table=name, t=table) + _where(
                query, table, page=False
            )
            counted: Any = reader.connection.execute(sql, _bindings(tenant, query, key)).get
            total += counted
    return total


def _stored(reader: Reader, row: ROW) -> Stored:
    updated, rid, number, id, version, sequence, method, codec, key, body = row
    type = reader.types.names[number]
    tail = expanded(reader, (type, id, version, rid), codec, key, body)
    return Stored(type, id, version, updated, sequence, METHODS[method], tail)
