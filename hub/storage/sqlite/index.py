"""The index tables: what resources are found by, written in the commit's transaction.

One table per kind of search parameter, the resource's principal date in the key wherever a
search by value is answered newest first, no table keyed by row id but `entry`, which holds all
index rows of a resource packed (`hub.storage.sqlite.entry`). Measurements are in
docs/adr/0007 and docs/performance. Called by `commit`, `expunge`, `upkeep` and `record`; searched
by `hub.storage.sqlite.search`. Spec: https://hl7.org/fhir/R4/search.html
"""

from __future__ import annotations

from typing import Any

import apsw
import msgspec

from hub.search.values import COMPARTMENT_KEY, IndexRows
from hub.storage.sqlite.entry import Packed, decode, encode, pack
from hub.storage.sqlite.index_tables import (
    Rows,
    clustering_date,
    differing,
    groups_of,
    index_tables,
)
from hub.storage.sqlite.interner import Interner
from hub.storage.sqlite.lexicon import Lexicon
from hub.storage.sqlite.schema import load_type_names
from hub.storage.sqlite.unpack import Unpacker

DDL = """
-- Holds a row while terms wait to be purged.
CREATE TABLE purge_due (id INTEGER PRIMARY KEY);
-- Terms: codes by system, uris, units, display texts. Ids come from blocks, one space each.
CREATE TABLE term_block (first INTEGER PRIMARY KEY, size INTEGER NOT NULL, space INTEGER NOT NULL);
CREATE TABLE term (id INTEGER PRIMARY KEY, text NOT NULL);
CREATE INDEX term_text ON term (text);
-- Which texts a code was displayed with; which raw units a stored unit came from.
CREATE TABLE token_text (
    text INTEGER NOT NULL, term INTEGER NOT NULL, PRIMARY KEY (text, term)
) WITHOUT ROWID;
CREATE TABLE unit_pair (
    code INTEGER NOT NULL, unit INTEGER NOT NULL, stored INTEGER NOT NULL,
    PRIMARY KEY (code, unit, stored)
) WITHOUT ROWID;
-- Parameters of a type that share a value; parameters that a resource has any value for.
CREATE TABLE index_group (
    id INTEGER PRIMARY KEY, type INTEGER NOT NULL, flavour INTEGER NOT NULL, keys BLOB NOT NULL
);
CREATE TABLE index_shape (
    id INTEGER PRIMARY KEY, type INTEGER NOT NULL, keys BLOB NOT NULL
);
-- Row ids of reference targets that are not here (yet); type 0: id is a url.
CREATE TABLE reserved (
    rid INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, type INTEGER NOT NULL, id TEXT NOT NULL
);
CREATE UNIQUE INDEX reserved_id ON reserved (tenant, type, id);
-- Distinct texts as lists of words, and the words of each.
CREATE TABLE word_list (id INTEGER PRIMARY KEY, digest BLOB NOT NULL, words NOT NULL);
CREATE UNIQUE INDEX word_list_digest ON word_list (digest);
CREATE VIRTUAL TABLE word_index USING fts5 (
    words, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii'
);

-- A resource's index rows. date: principal date in milliseconds.
CREATE TABLE entry (
    rid INTEGER PRIMARY KEY, date INTEGER NOT NULL, shape INTEGER NOT NULL, packed BLOB NOT NULL
);
CREATE TABLE by_date (
    tenant INTEGER NOT NULL, type INTEGER NOT NULL, date INTEGER NOT NULL, rid INTEGER NOT NULL,
    shape INTEGER NOT NULL, PRIMARY KEY (tenant, type, date, rid)
) WITHOUT ROWID;
CREATE TABLE token (
    tenant INTEGER NOT NULL, grp INTEGER NOT NULL, value INTEGER NOT NULL, date INTEGER NOT NULL,
    rid INTEGER NOT NULL, PRIMARY KEY (tenant, grp, value, date, rid)
) WITHOUT ROWID;
CREATE TABLE reference (
    tenant INTEGER NOT NULL, target INTEGER NOT NULL, grp INTEGER NOT NULL, date INTEGER NOT NULL,
    rid INTEGER NOT NULL, version TEXT NOT NULL,
    PRIMARY KEY (tenant, target, grp, date, rid, version)
) WITHOUT ROWID;
-- low, high and span are microseconds; long_date repeats ranges longer than entry.SHORT.
CREATE TABLE date (
    tenant INTEGER NOT NULL, grp INTEGER NOT NULL, low INTEGER NOT NULL, rid INTEGER NOT NULL,
    span INTEGER NOT NULL, PRIMARY KEY (tenant, grp, low, rid, span)
) WITHOUT ROWID;
CREATE TABLE long_date (
    tenant INTEGER NOT NULL, grp INTEGER NOT NULL, high INTEGER NOT NULL, rid INTEGER NOT NULL,
    low INTEGER NOT NULL, PRIMARY KEY (tenant, grp, high, rid, low)
) WITHOUT ROWID;
-- Numbers (unit 0) and quantities; ranges that have a width are apart.
CREATE TABLE number (
    tenant INTEGER NOT NULL, grp INTEGER NOT NULL, unit INTEGER NOT NULL, value NOT NULL,
    rid INTEGER NOT NULL, PRIMARY KEY (tenant, grp, unit, value, rid)
) WITHOUT ROWID;
CREATE TABLE wide_number (
    tenant INTEGER NOT NULL, grp INTEGER NOT NULL, unit INTEGER NOT NULL, low NOT NULL,
    high NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (tenant, grp, unit, low, high, rid)
) WITHOUT ROWID;
-- Folded strings (inner 0) and, where there is Han, their suffixes (inner 1); both cut off.
CREATE TABLE string (
    tenant INTEGER NOT NULL, grp INTEGER NOT NULL, inner INTEGER NOT NULL, text TEXT NOT NULL,
    rid INTEGER NOT NULL, PRIMARY KEY (tenant, grp, inner, text, rid)
) WITHOUT ROWID;
CREATE TABLE position (
    tenant INTEGER NOT NULL, grp INTEGER NOT NULL, latitude REAL NOT NULL,
    longitude REAL NOT NULL, rid INTEGER NOT NULL,
    PRIMARY KEY (tenant, grp, latitude, longitude, rid)
) WITHOUT ROWID;
-- value: the first component, where it is a token, uri or reference; unit, low, high: the second.
CREATE TABLE composite (
    tenant INTEGER NOT NULL, grp INTEGER NOT NULL, value INTEGER NOT NULL, date INTEGER NOT NULL,
    rid INTEGER NOT NULL, number INTEGER NOT NULL, unit INTEGER NOT NULL, low, high,
    PRIMARY KEY (tenant, grp, value, date, rid, number)
) WITHOUT ROWID;
"""

_decode_keys = msgspec.msgpack.Decoder(tuple[int, ...]).decode

KEYS = {
    "token": ("tenant", "grp", "value", "date", "rid"),
    "reference": ("tenant", "target", "grp", "date", "rid", "version"),
    "date": ("tenant", "grp", "low", "rid", "span"),
    "long_date": ("tenant", "grp", "high", "rid", "low"),
    "number": ("tenant", "grp", "unit", "value", "rid"),
    "wide_number": ("tenant", "grp", "unit", "low", "high", "rid"),
    "string": ("tenant", "grp", "inner", "text", "rid"),
    "position": ("tenant", "grp", "latitude", "longitude", "rid"),
    "composite": ("tenant", "grp", "value", "date", "rid", "number"),
}
_WIDTHS = {table: len(columns) for table, columns in KEYS.items()} | {"composite": 9}
_INSERT = {
    table: f"INSERT OR IGNORE INTO {table} VALUES ({', '.join('?' * _WIDTHS[table])})"
    for table in KEYS
}
_DELETE = {
    table: f"DELETE FROM {table} WHERE " + " AND ".join(f"{column} = ?" for column in columns)
    for table, columns in KEYS.items()
}
_HAS = {
    table: f"SELECT 1 FROM {table} WHERE " + " AND ".join(f"{column} = ?" for column in columns)
    for table, columns in KEYS.items()
}
MOST_COUNTED = 1000
"""Referring rows that `references_to` looks at."""

_REFERENCES_TO = (
    "SELECT n.name, g.keys, count(*) FROM"
    " (SELECT grp FROM reference WHERE tenant = ?1 AND target = ?2 AND rid <> ?2 LIMIT ?3) AS r"
    " CROSS JOIN index_group AS g ON g.id = r.grp CROSS JOIN type_name AS n ON n.type = g.type"
    " GROUP BY g.id"
)
_DATE = (
    "SELECT r.date FROM resource AS r JOIN by_date AS b"
    " ON b.tenant = r.tenant AND b.type = r.type AND b.rid = r.rid"
    " WHERE r.rid = ? AND r.tenant = ? AND b.date = ? AND b.shape = ?"
)
_PUT_ENTRY = "INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?)"
_GET_ENTRY = "SELECT date, shape, packed FROM entry WHERE rid = ?"
_PUT_BY_DATE = "INSERT OR REPLACE INTO by_date VALUES (?, ?, ?, ?, ?)"
_DELETE_BY_DATE = "DELETE FROM by_date WHERE tenant = ? AND type = ? AND date = ? AND rid = ?"


class Gathered:
    """Index rows of several resources that are yet to be written, each table at once.

    For a report of 20 results that is 11 statements instead of 150, and an eighth less work.
    """

    __slots__ = ("by_date", "entries", "packed", "tables")

    def __init__(self) -> None:
        """Nothing is gathered yet."""
        self.entries: list[tuple[Any, ...]] = []
        self.by_date: list[tuple[Any, ...]] = []
        self.tables: Rows = {}
        self.packed: Packed = {}

    def write(self, connection: apsw.Connection) -> None:
        """Write what is gathered, and forget it.

        Args:
            connection: The write connection, in the transaction of `insert`.
        """
        if self.entries:
            connection.executemany(_PUT_ENTRY, self.entries)
            connection.executemany(_PUT_BY_DATE, self.by_date)
            for table, new in self.tables.items():
                connection.executemany(_INSERT[table], new)
            self.entries, self.by_date, self.tables, self.packed = [], [], {}, {}


def insert(
    gathered: Gathered,
    interner: Interner,
    tenant: int,
    rid: int,
    type: int,
    rows: IndexRows,
) -> None:
    """Gather the index rows of a resource that has none.

    Args:
        gathered: Where to; the caller writes it before anything reads the index.
        interner: The connection's interner.
        tenant: Tenant key.
        rid: Row id of the resource, from `Interner.row_id`.
        type: Number of the resource type.
        rows: What extraction found.
    """
    entry = pack(interner, tenant, type, rows, gathered.packed)
    date = clustering_date(rows.date)
    shape = interner.shape(type, groups_of(entry))
    gathered.entries.append((rid, date, shape, encode(entry)))
    gathered.by_date.append((tenant, type, date, rid, shape))
    tables = gathered.tables
    for table, new in index_tables(entry, tenant, rid, date).items():
        if table in tables:
            tables[table] += new
        else:
            tables[table] = new


def replace(
    connection: apsw.Connection,
    interner: Interner,
    tenant: int,
    rid: int,
    type: int,
    rows: IndexRows,
) -> None:
    """Write the index rows of a resource in place of those it has, if any.

    Rows that stay as they are are not touched. They are written at once.

    Args:
        connection: The write connection, in a transaction.
        interner: The connection's interner.
        tenant: Tenant key.
        rid: Row id of the resource.
        type: Number of the resource type.
        rows: What extraction found.
    """
    before: Any = connection.execute(_GET_ENTRY, (rid,)).get
    if before is None:
        gathered = Gathered()
        insert(gathered, interner, tenant, rid, type, rows)
        gathered.write(connection)
        return
    entry = pack(interner, tenant, type, rows)
    packed, date = encode(entry), clustering_date(rows.date)
    shape = interner.shape(type, groups_of(entry))
    old_date, old_shape, old_packed = before
    if (date, shape, packed) == before:
        return
    connection.execute(_PUT_ENTRY, (rid, date, shape, packed))
    if (date, shape) != (old_date, old_shape):
        connection.execute(_DELETE_BY_DATE, (tenant, type, old_date, rid))
        connection.execute(_PUT_BY_DATE, (tenant, type, date, rid, shape))
    old_entry = decode(old_packed)
    if date == old_date:
        old_entry, entry = differing(old_entry, entry)
    old = index_tables(old_entry, tenant, rid, old_date)
    new = index_tables(entry, tenant, rid, date)
    for table in old.keys() | new.keys():
        was, now = set(old.get(table, ())), set(new.get(table, ()))
        _remove(connection, {table: list(was - now)})
        if added := now - was:
            connection.executemany(_INSERT[table], list(added))


def mend(connection: apsw.Connection, tenant: int, rid: int, type: int) -> None:
    """Put back every row that the entry of a resource says and that is not there.

    Args:
        connection: The write connection, in a transaction.
        tenant: Tenant key.
        rid: Row id of the resource.
        type: Number of the resource type.
    """
    stored: Any = connection.execute(_GET_ENTRY, (rid,)).get
    if stored is not None:
        date, shape, packed = stored
        connection.execute(_PUT_BY_DATE, (tenant, type, date, rid, shape))
        for table, rows in index_tables(decode(packed), tenant, rid, date).items():
            connection.executemany(_INSERT[table], rows)


def delete(connection: apsw.Connection, tenant: int, rid: int, type: int) -> None:
    """Remove the index rows of a resource; nothing happens when it has none.

    Args:
        connection: The write connection, in a transaction.
        tenant: Tenant key.
        rid: Row id of the resource.
        type: Number of the resource type.
    """
    before: Any = connection.execute(_GET_ENTRY, (rid,)).get
    if before is None:
        return
    date, _, packed = before
    _remove(connection, index_tables(decode(packed), tenant, rid, date))
    connection.execute(_DELETE_BY_DATE, (tenant, type, date, rid))
    connection.execute("DELETE FROM entry WHERE rid = ?", (rid,))


def _remove(connection: apsw.Connection, rows: Rows) -> None:
    for table, old in rows.items():
        if old:
            width = len(KEYS[table])
            keys = old if width == _WIDTHS[table] else [row[:width] for row in old]
            connection.executemany(_DELETE[table], keys)


def references_to(connection: apsw.Connection, tenant: int, rid: int) -> dict[str, int]:
    """Types of current resources that refer to a resource, with how many, up to a limit.

    Its references to itself do not count, nor does compartment membership by itself.

    Args:
        connection: Any connection.
        tenant: Tenant key.
        rid: Row id of the target.
    """
    found: dict[str, int] = {}
    for name, keys, count in connection.execute(_REFERENCES_TO, (tenant, rid, MOST_COUNTED)):
        if _decode_keys(keys) != (COMPARTMENT_KEY,):
            found[name] = found.get(name, 0) + count
    return found


def read(
    connection: apsw.Connection, tenant: int, rid: int, lexicon: Lexicon | None = None
) -> IndexRows | None:
    """What the index tables hold of a resource, sorted and without repeats.

    Args:
        connection: Any connection.
        tenant: Tenant key.
        rid: Row id of the resource.
        lexicon: The connection's, when it has one.

    Returns:
        Its index rows, without those that miss a row in any table; None if it has no entry.
    """
    stored: Any = connection.execute(_GET_ENTRY, (rid,)).get
    if stored is None:
        return None
    date, shape, packed = stored
    entry = decode(packed)
    missing: Rows = {}
    for table, rows in index_tables(entry, tenant, rid, date).items():
        for row in rows:
            key = row[: len(KEYS[table])]
            if not connection.execute(_HAS[table], key).get:
                missing.setdefault(table, []).append(row)
    exact: Any = connection.execute(_DATE, (rid, tenant, date, shape)).get
    if lexicon is None:
        lexicon = Lexicon(connection, load_type_names(connection))
    lexicon.refresh()
    return Unpacker(connection, lexicon).rows(entry, exact or 0, missing, (tenant, rid, date))
