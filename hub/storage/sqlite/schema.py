"""Tables of the record, and the numbers that stand for resource types.

The whole schema is `DDL` (this file and `message_schema`) and `index.DDL` (the search side). A
change to any adds a step to `migrations.STEPS`. Called by `migrations` and by whoever needs a
type's number.

A version's body is the tail that `hub.model.body` makes, compressed by `codec`; `codec` names
the dictionary, `key` the encryption key (0: none) and `index_version` how its index rows were
made. `method` is an index into `METHODS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import apsw

from hub.definitions import resource_types
from hub.storage.port import Method
from hub.storage.sqlite import message_schema

APPLICATION_ID = 0x46484842
"""`FHHB`: marks a database file as a hub's."""

METHODS: tuple[Method, ...] = ("POST", "PUT", "PATCH", "DELETE")

RECORD_DDL = """
CREATE TABLE type_name (
    type INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- Newest version of each resource; a tombstone has deleted = 1 and an empty body.
-- rid is never changed; updated is milliseconds, date (principal date) microseconds.
CREATE TABLE resource (
    rid INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    type INTEGER NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    method INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    date INTEGER NOT NULL,
    codec INTEGER NOT NULL,
    key INTEGER NOT NULL,
    index_version INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX resource_id ON resource (tenant, type, id);
-- updated rises with sequence, so this orders history, _since and _lastUpdated alike.
CREATE INDEX resource_updated ON resource (tenant, type, updated);

-- Older versions; until is the time at which the next one replaced it.
CREATE TABLE history (
    rid INTEGER NOT NULL,
    version INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    type INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    until INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    method INTEGER NOT NULL,
    codec INTEGER NOT NULL,
    key INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (rid, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX history_updated ON history (tenant, type, updated);

-- live: undeleted resources; versions: all versions, tombstones included.
CREATE TABLE statistics (
    tenant INTEGER NOT NULL,
    type INTEGER NOT NULL,
    live INTEGER NOT NULL,
    versions INTEGER NOT NULL,
    PRIMARY KEY (tenant, type)
) STRICT, WITHOUT ROWID;

-- One row: the newest commit; fence counts the writer's groups and recoveries (see writer.py).
CREATE TABLE state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    sequence INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    fence INTEGER NOT NULL
) STRICT;
INSERT INTO state VALUES (1, 0, 0, 0);

-- Append-only; hash chains a tenant's rows (see audit.py).
CREATE TABLE audit (
    tenant INTEGER NOT NULL,
    row INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    time INTEGER NOT NULL,
    record BLOB NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (tenant, row)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
    tenant INTEGER NOT NULL,
    key TEXT NOT NULL,
    time INTEGER NOT NULL,
    result BLOB NOT NULL,
    PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;

-- What the owner answered to other processes, so that a commit sent again is not applied again:
-- a client gives each commit under way a slot of its own (see writer_socket.py).
CREATE TABLE answered (
    client INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    number INTEGER NOT NULL,
    time INTEGER NOT NULL,
    result BLOB NOT NULL,
    PRIMARY KEY (client, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    topic TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;

CREATE TABLE blob (
    tenant INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    size INTEGER NOT NULL,
    created INTEGER NOT NULL,
    PRIMARY KEY (tenant, sha256)
) STRICT, WITHOUT ROWID;
CREATE INDEX blob_sha256 ON blob (sha256);
CREATE TABLE blob_use (
    tenant INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    rid INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (tenant, sha256, rid, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX blob_use_rid ON blob_use (rid);

-- generation counts changes of definitions; next_parameter is the next key to give out.
CREATE TABLE tenant_state (
    tenant INTEGER PRIMARY KEY,
    generation INTEGER NOT NULL,
    next_parameter INTEGER NOT NULL
) STRICT;
CREATE TABLE runtime_parameter (
    tenant INTEGER NOT NULL,
    key INTEGER NOT NULL,
    url TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    status TEXT NOT NULL,
    indexed INTEGER NOT NULL,
    counted INTEGER NOT NULL,
    after INTEGER NOT NULL,
    PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX runtime_parameter_url ON runtime_parameter (tenant, url);
"""

LEDGER_DDL = """
-- Accounts, clients, grants, keys ... (see hub/storage/ledger.py); expires 0: never.
CREATE TABLE ledger (
    tenant INTEGER NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    revision INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    PRIMARY KEY (tenant, kind, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_expires ON ledger (expires) WHERE expires > 0;
"""

AUDIT_SEGMENT_DDL = """
-- What to know of every so many audit rows to pass over them (see audit_search.py): the time of
-- the oldest event, and the keys, 4 bytes each.
CREATE TABLE audit_segment (
    tenant INTEGER NOT NULL,
    last INTEGER NOT NULL,
    oldest INTEGER NOT NULL,
    keys BLOB NOT NULL,
    PRIMARY KEY (tenant, last)
) STRICT, WITHOUT ROWID;
"""

DDL = RECORD_DDL + LEDGER_DDL + AUDIT_SEGMENT_DDL + message_schema.DDL


@dataclass(frozen=True, slots=True)
class TypeNames:
    """The numbers that stand for resource types in this database.

    Attributes:
        numbers: Number by name.
        names: Name by number.
    """

    numbers: dict[str, int]
    names: dict[int, str]


def add_type_names(connection: apsw.Connection) -> None:
    """Give every R4 resource type that has none a number; called by the owner at opening."""
    known = {name for (name,) in connection.execute("SELECT name FROM type_name")}
    missing = [(name,) for name in resource_types() if name not in known]
    connection.executemany("INSERT INTO type_name (name) VALUES (?)", missing)


def load_type_names(connection: apsw.Connection) -> TypeNames:
    """The numbers this database gives to resource types; they never change."""
    rows: list[Any] = connection.execute("SELECT type, name FROM type_name").fetchall()
    return TypeNames({name: number for number, name in rows}, dict(rows))
