"""The audit table: append-only rows, each chained to the one before by SHA-256.

A row is a commit, naming every version it wrote (a row per version would cost a bundle of a
hundred entries a hundred hashes and say no more), or a block of events that wrote nothing:
reads, searches, refusals, logins. A tenant's rows are numbered 1, 2, 3 ... and row n's hash is
SHA-256(hash of row n - 1, tenant, n, sequence, time, record), so that no row can be changed,
taken out or put in without every later hash showing it. The hash before row 1 is 32 zero bytes.
`audit_pack` makes and reads the records, `audit_search` finds rows. Called by `transaction`
(append), `store` and `verify`.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

import apsw

from hub.storage.port import AuditHead

FIRST_HASH = bytes(32)
FIRST = AuditHead(0, FIRST_HASH)
_HEAD = struct.Struct(">32sqqqq").pack

LAST = "SELECT row, hash FROM audit WHERE tenant = ? ORDER BY row DESC LIMIT 1"
INSERT = "INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?)"
READ = (
    "SELECT row, sequence, time, record, hash FROM audit"
    " WHERE tenant = ? AND row > ? ORDER BY row LIMIT ?"
)


class StoredRow(NamedTuple):
    """A row as it is stored."""

    row: int
    sequence: int
    time: int
    record: bytes
    hash: bytes


def head(connection: apsw.Connection, tenant: int) -> AuditHead:
    """The end of a tenant's chain."""
    found: Any = connection.execute(LAST, (tenant,)).get
    return AuditHead(*found) if found else FIRST


def digest(before: bytes, tenant: int, row: int, sequence: int, time: int, record: bytes) -> bytes:
    """The hash of a row."""
    return hashlib.sha256(_HEAD(before, tenant, row, sequence, time) + record).digest()


def append(
    connection: apsw.Connection,
    tenant: int,
    last: AuditHead,
    sequence: int,
    time: int,
    record: bytes,
) -> AuditHead:
    """Add a row to a tenant's chain.

    Args:
        connection: Inside a transaction.
        tenant: Tenant key.
        last: The end of the chain.
        sequence: Sequence of the commit.
        time: Its time in milliseconds.
        record: What `audit_pack` made.

    Returns:
        The new end of the chain.
    """
    row = last.row + 1
    hashed = digest(last.hash, tenant, row, sequence, time, record)
    connection.execute(INSERT, (tenant, row, sequence, time, record, hashed))
    return AuditHead(row, hashed)


def rows(connection: apsw.Connection, tenant: int, after: int, count: int) -> Iterator[StoredRow]:
    """Rows after a row number, oldest first."""
    page: Any = connection.execute(READ, (tenant, after, count))
    for found in page:
        yield StoredRow(*found)
