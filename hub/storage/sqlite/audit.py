"""The audit table: append-only rows, each chained to the one before by SHA-256.

One row per commit, naming every version it wrote: a row per version would cost a bundle of a
hundred entries a hundred hashes and say no more. A tenant's rows are numbered 1, 2, 3 ... and
row n's hash is SHA-256(hash of row n - 1, tenant, n, sequence, time, record), so that no row
can be changed, taken out or put in without every later hash showing it. The hash before row 1
is 32 zero bytes. Called by `commit` (append), `record` (read) and `verify`.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import apsw
import msgspec

from hub.storage.port import AuditRecord
from hub.storage.sqlite.interner import grow, shrink
from hub.storage.sqlite.schema import TypeNames

FIRST_HASH = bytes(32)
_HEAD = struct.Struct(">32sqqqq").pack
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[str, str, str, Any, str, tuple[Any, ...]]).decode
_is_hex = re.compile(r"[0-9a-f]{32}").fullmatch

LAST = "SELECT row, hash FROM audit WHERE tenant = ? ORDER BY row DESC LIMIT 1"
INSERT = "INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?)"
READ = (
    "SELECT row, sequence, time, record, hash FROM audit"
    " WHERE tenant = ? AND row > ? ORDER BY row LIMIT ?"
)


class Head(NamedTuple):
    """Where a tenant's chain ends: number and hash of its last row."""

    row: int = 0
    hash: bytes = FIRST_HASH


class AuditRow(NamedTuple):
    """A row as it is stored."""

    row: int
    sequence: int
    time: int
    record: bytes
    hash: bytes


def head(connection: apsw.Connection, tenant: int) -> Head:
    """The end of a tenant's chain."""
    found: Any = connection.execute(LAST, (tenant,)).get
    return Head(*found) if found else Head()


def pack(
    record: AuditRecord, written: Iterable[tuple[int, str, int]], entities: Sequence[str] = ()
) -> bytes:
    """A record as bytes; a third of them is saved by packing UUIDs.

    Args:
        record: The record.
        written: Type number, id and version of each version that the commit wrote.
        entities: Further entities besides the record's own.
    """
    request: str | bytes = record.request_id
    if _is_hex(record.request_id):
        request = bytes.fromhex(record.request_id)
    return _encode(
        (
            record.action,
            record.interaction,
            record.principal,
            request,
            record.outcome,
            [
                *record.entities,
                *entities,
                *[(type, shrink(id), version) for type, id, version in written],
            ],
        )
    )


def unpack(packed: bytes, types: TypeNames) -> AuditRecord:
    """A record from its bytes.

    Raises:
        msgspec.DecodeError: They are damaged.
        KeyError: So is a type number.
    """
    action, interaction, principal, request, outcome, entities = _decode(packed)
    return AuditRecord(
        action,
        interaction,
        principal,
        request if isinstance(request, str) else request.hex(),
        outcome,
        tuple(
            entity
            if isinstance(entity, str)
            else f"{types.names[entity[0]]}/{grow(entity[1])}/_history/{entity[2]}"
            for entity in entities
        ),
    )


def digest(before: bytes, tenant: int, row: int, sequence: int, time: int, record: bytes) -> bytes:
    """The hash of a row."""
    return hashlib.sha256(_HEAD(before, tenant, row, sequence, time) + record).digest()


def append(
    connection: apsw.Connection, tenant: int, last: Head, sequence: int, time: int, record: bytes
) -> Head:
    """Add a row to a tenant's chain.

    Args:
        connection: Inside a transaction.
        tenant: Tenant key.
        last: The end of the chain.
        sequence: Sequence of the commit.
        time: Its time in milliseconds.
        record: What `pack` made.

    Returns:
        The new end of the chain.
    """
    row = last.row + 1
    hashed = digest(last.hash, tenant, row, sequence, time, record)
    connection.execute(INSERT, (tenant, row, sequence, time, record, hashed))
    return Head(row, hashed)


def rows(connection: apsw.Connection, tenant: int, after: int, count: int) -> Iterator[AuditRow]:
    """Rows after a row number, oldest first."""
    page: Any = connection.execute(READ, (tenant, after, count))
    for found in page:
        yield AuditRow(*found)
