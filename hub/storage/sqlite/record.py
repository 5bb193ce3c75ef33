"""Reads versions by id, by row number and in row order.

Runs on any thread that has a `Reader`. Called by `store`.
"""

from __future__ import annotations

import builtins
import logging
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import apsw
import zstandard

from hub.storage.port import BodyDamaged, Stored
from hub.storage.sqlite.codec import Codec, UnknownCodecError
from hub.storage.sqlite.schema import METHODS, TypeNames, load_type_names
from hub.storage.sqlite.search import Searcher

READ = (
    "SELECT version, updated, sequence, method, codec, key, body, rid FROM resource"
    " WHERE tenant = ? AND type = ? AND id = ?"
)
VREAD = (
    "SELECT version, updated, sequence, method, codec, key, body FROM history"
    " WHERE rid = ? AND version = ?"
)
LAST_CHANGE = "SELECT max(updated) FROM resource WHERE tenant = ? AND type = ?"
BY_RID = (
    "SELECT type, id, version, updated, sequence, method, codec, key, body FROM resource"
    " WHERE rid = ?"
)
SCAN = (
    "SELECT rid, type, id, version, updated, sequence, method, codec, key, body FROM resource"
    " WHERE rid > ? AND tenant = ? AND deleted = 0 ORDER BY rid LIMIT ?"
)
SCAN_TYPES = (
    "SELECT rid, type, id, version, updated, sequence, method, codec, key, body FROM resource"
    " WHERE rid > ? AND tenant = ? AND type IN ({types}) AND deleted = 0 ORDER BY rid LIMIT ?"
)
SCAN_FEW = (
    "SELECT rid, type, id, version, updated, sequence, method, codec, key, body FROM resource"
    " WHERE rid IN (SELECT rid FROM resource INDEXED BY resource_updated"
    " WHERE rid > ? AND tenant = ? AND type IN ({types})) AND deleted = 0 ORDER BY rid LIMIT ?"
)
COUNT = "SELECT sum(versions) FROM statistics WHERE tenant = ? AND type IN ({types})"
FEW = 20_000
"""Resources of a type up to which sorting their row numbers beats meeting them row by row."""

SCANNED_AT_ONCE = 32 * 1024 * 1024
"""Bytes of bodies after which a scan's page ends."""

UNREADABLE = (zstandard.ZstdError, UnknownCodecError, TypeError)
"""What expanding a damaged body raises: TypeError where it is no bytes any more."""

log = logging.getLogger(__name__)

RID = "SELECT rid FROM resource WHERE tenant = ? AND type = ? AND id = ?"


@dataclass(frozen=True, slots=True)
class Reader:
    """What one thread reads with."""

    connection: apsw.Connection
    types: TypeNames
    codec: Codec
    searcher: Searcher


def reader_of(connection: apsw.Connection) -> Reader:
    """A reader on a connection of its own."""
    types = load_type_names(connection)
    return Reader(connection, types, Codec(), Searcher(connection, types))


def expanded(
    reader: Reader, where: tuple[str, str, int, int], codec: int, key: int, body: bytes
) -> bytes:
    """The tail of a version.

    Args:
        reader: Its codec.
        where: Type, id, version and row number.
        codec: Codec number of the row.
        key: Key number of the row.
        body: Stored bytes.

    Raises:
        BodyDamaged: They cannot be expanded; the log names the row.
    """
    try:
        return reader.codec.expand(codec, key, body)
    except UNREADABLE as error:
        type, _, version, rid = where
        log_damage(type, version, rid, error)
        raise BodyDamaged(*where) from error


def log_damage(type: str, version: int, rid: int, error: Exception) -> None:
    """Tell the administrator which row it is, by number: the log holds no ids."""
    name = builtins.type(error).__name__
    log.error("row %d (%s, version %d): its body is damaged: %s", rid, type, version, name)


def read(reader: Reader, tenant: int, type: str, id: str) -> Stored | None:
    """Newest version, a tombstone if deleted, None if never there."""
    row: Any = reader.connection.execute(READ, (tenant, reader.types.numbers.get(type), id)).get
    if row is None:
        return None
    version, updated, sequence, method, codec, key, body, rid = row
    tail = expanded(reader, (type, id, version, rid), codec, key, body)
    return Stored(type, id, version, updated, sequence, METHODS[method], tail)


def read_many(
    reader: Reader, tenant: int, targets: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], Stored]:
    """Current, undeleted versions of those that exist."""
    found = {}
    for target in targets:
        stored = read(reader, tenant, *target)
        if stored is not None and not stored.deleted:
            found[target] = stored
    return found


def vread(reader: Reader, tenant: int, type: str, id: str, version: int) -> Stored | None:
    """That version, or None."""
    connection = reader.connection
    row: Any = connection.execute(READ, (tenant, reader.types.numbers.get(type), id)).get
    if row is None:
        return None
    rid = row[7]
    if row[0] != version:
        row = connection.execute(VREAD, (rid, version)).get
        if row is None:
            # it may have been replaced between the two statements, never un-replaced
            return None
    updated, sequence, method, codec, key, body = row[1:7]
    tail = expanded(reader, (type, id, version, rid), codec, key, body)
    return Stored(type, id, version, updated, sequence, METHODS[method], tail)


def by_rids(
    reader: Reader,
    rids: Sequence[int],
    damaged: list[tuple[str, str]],
    room: int | None = None,
) -> tuple[tuple[Stored, ...], int]:
    """Newest versions by row number, in the order given; rows that are gone are left out.

    Args:
        reader: What to read with.
        rids: Row numbers.
        damaged: Gets type and id of those whose body cannot be read.
        room: Bytes of bodies after which no more are read; None: all are.

    Returns:
        The versions, and how many of the row numbers were dealt with.
    """
    left = sys.maxsize if room is None else room
    execute, names, expand = reader.connection.execute, reader.types.names, reader.codec.expand
    found: list[Stored] = []
    for done, rid in enumerate(rids):
        if left < 0:
            return tuple(found), done
        row: Any = execute(BY_RID, (rid,)).get
        if row is not None:
            type, id, version, updated, sequence, method, codec, key, body = row
            try:
                tail = expand(codec, key, body)
            except UNREADABLE as error:
                damaged.append((names[type], id))
                log_damage(names[type], version, rid, error)
                continue
            left -= len(tail)
            found.append(Stored(names[type], id, version, updated, sequence, METHODS[method], tail))
    return tuple(found), len(rids)


def scan(
    reader: Reader, tenant: int, types: Sequence[str], after: int, count: int
) -> tuple[list[Stored], int]:
    """Current, undeleted resources in row order after a row number, and the last one's.

    Raises:
        BodyDamaged: The first of them cannot be read.
    """
    numbers = [reader.types.numbers[type] for type in types if type in reader.types.numbers]
    marks = ",".join("?" * len(numbers))
    if types:
        kept: Any = reader.connection.execute(COUNT.format(types=marks), (tenant, *numbers)).get
        sql = (SCAN_FEW if (kept or 0) <= FEW else SCAN_TYPES).format(types=marks)
        rows: Any = reader.connection.execute(sql, (after, tenant, *numbers, count))
    else:
        rows = reader.connection.execute(SCAN, (after, tenant, count))
    found: list[Stored] = []
    left = SCANNED_AT_ONCE
    for rid, number, id, version, updated, sequence, method, codec, key, body in rows:
        type = reader.types.names[number]
        try:
            tail = expanded(reader, (type, id, version, rid), codec, key, body)
        except BodyDamaged:
            if found:
                break
            raise
        found.append(Stored(type, id, version, updated, sequence, METHODS[method], tail))
        after = rid
        left -= len(tail)
        if left < 0:
            break
    return found, after


def rid_of(reader: Reader, tenant: int, type: str, id: str) -> int | None:
    """Row number of a resource."""
    key = (tenant, reader.types.numbers.get(type), id)
    found: int | None = reader.connection.execute(RID, key).get
    return found


@contextmanager
def snapshot(connection: apsw.Connection) -> Iterator[None]:
    """All statements inside see the same state."""
    connection.execute("BEGIN")
    try:
        yield
    except BaseException:
        with suppress(apsw.Error):  # damage is told as what it is, not as what follows from it
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
