"""Finds rows of the audit chain, newest first, without looking at every row.

Each `SEGMENT` rows of a tenant have a summary (table `audit_segment`): the time of the oldest
event and all keys. A search passes over segments, and within a segment over rows, that cannot
answer it. Summaries are made in the transaction that writes a segment's last row, and `verify`
makes them again and compares. Called by `store` and, to seal a segment, by `transaction`.
"""

from __future__ import annotations

import logging
import struct
import time
from collections.abc import Iterator
from typing import Any

import apsw

from hub.storage.port import AuditPage, AuditQuery, AuditRow, StoreUnavailable
from hub.storage.sqlite import audit, audit_pack
from hub.storage.sqlite.record import Reader
from hub.storage.sqlite.schema import TypeNames

SEGMENT = 128
DAMAGED_ROW = "a row of the audit chain is damaged; `audit verify` tells more"
BUDGET = 0.05
"""Seconds that one call may look; the caller goes on from where it stopped."""

_LOOK_AT_CLOCK = 64
_EVENTS = 4096
"""Events that one page may hold, roughly."""

log = logging.getLogger(__name__)

Needles = tuple[tuple[bytes, ...], ...]

SEAL = "INSERT OR REPLACE INTO audit_segment VALUES (?, ?, ?, ?)"
RECORDS = "SELECT time, record FROM audit WHERE tenant = ? AND row > ? AND row <= ? ORDER BY row"
SEGMENTS = (
    "SELECT last, oldest, keys FROM audit_segment WHERE tenant = ? AND last <= ? ORDER BY last DESC"
)
ROWS = (
    "SELECT row, sequence, time, record FROM audit"
    " WHERE tenant = ? AND row > ? AND row <= ? ORDER BY row DESC"
)
TIME = "SELECT time FROM audit WHERE tenant = ? AND row = ?"


def is_last(row: int) -> bool:
    """Whether a segment ends with a row."""
    return row % SEGMENT == 0


def seal(connection: apsw.Connection, types: TypeNames, tenant: int, last: int) -> None:
    """Write the summary of a segment whose rows are all there.

    Args:
        connection: Inside a transaction.
        types: Numbers of the types.
        tenant: Tenant key.
        last: Its last row.
    """
    oldest, keys = summary(connection, types, tenant, last)
    connection.execute(SEAL, (tenant, last, oldest, keys))


def summary(
    connection: apsw.Connection, types: TypeNames, tenant: int, last: int
) -> tuple[int, bytes]:
    """Time of the oldest event and the keys of the segment that ends with a row."""
    rows: Any = connection.execute(RECORDS, (tenant, last - SEGMENT, last))
    keys: set[int] = set()
    oldest = 1 << 62
    for written, packed in rows:
        own, ago = audit_pack.stored_keys(packed, types)
        keys.update(own)
        oldest = min(oldest, written - ago)
    return oldest, struct.pack(f"<{len(keys)}I", *sorted(keys))


def find(reader: Reader, tenant: int, query: AuditQuery) -> AuditPage:
    """A page of rows; see `Store.audit_rows`.

    Raises:
        StoreUnavailable: A row is damaged.
    """
    end = audit.head(reader.connection, tenant).row
    if query.before is not None:
        end = min(end, query.before - 1)
    found: list[AuditRow] = []
    events = 0
    until = time.monotonic() + BUDGET
    needles = _needles(query)
    places = _candidates(reader.connection, tenant, query, end, needles)
    for looked, (first, last) in enumerate(places, 1):
        rows: Any = ()
        if first < last:
            rows = reader.connection.execute(ROWS, (tenant, first, last))
        for row, sequence, written, packed in rows:
            end = row
            if query.low is not None and written < query.low:
                return AuditPage(tuple(found), None)
            if _may_match(packed, written, query, needles):
                unpacked = _unpacked(packed, written, reader.types, row)
                found.append(AuditRow(row, written, sequence, *unpacked))
                events += len(unpacked.records)
                if len(found) >= query.count or events >= _EVENTS:
                    return AuditPage(tuple(found), row if row > 1 else None)
        if not looked % _LOOK_AT_CLOCK and time.monotonic() > until:
            return AuditPage(tuple(found), first + 1 if first else None)
    return AuditPage(tuple(found), None)


def _unpacked(packed: bytes, written: int, types: TypeNames, row: int) -> audit_pack.Unpacked:
    try:
        return audit_pack.unpack(packed, written, types)
    except audit_pack.DAMAGED as error:
        log.error("audit row %d is damaged: %s", row, type(error).__name__)
        raise StoreUnavailable(DAMAGED_ROW, trouble="damaged") from error


def _candidates(
    connection: apsw.Connection, tenant: int, query: AuditQuery, end: int, needles: Needles
) -> Iterator[tuple[int, int]]:
    """Ranges of rows (after the first, up to the last) to look at, newest first.

    A segment that is passed over gives an empty range, so that the caller can watch the clock.
    """
    segments: Any = connection.execute(SEGMENTS, (tenant, -(-end // SEGMENT) * SEGMENT))
    for last, oldest, keys in segments:
        while end > last:  # rows behind the last segment, or of one without a summary
            start = max((end - 1) // SEGMENT * SEGMENT, last)
            yield start, end
            end = start
        if end <= last - SEGMENT:
            continue
        start = last - SEGMENT
        if (query.high is not None and oldest >= query.high) or not _has(
            keys, 0, len(keys), needles
        ):
            yield start, start
        else:
            yield start, end
        end = start
    while end > 0:
        start = (end - 1) // SEGMENT * SEGMENT
        yield start, end
        end = start


def _needles(query: AuditQuery) -> Needles:
    return tuple(tuple(key.to_bytes(4, "little") for key in group) for group in query.keys)


def _may_match(packed: bytes, written: int, query: AuditQuery, needles: Needles) -> bool:
    if packed[:1] != b"\xc1":
        return query.high is None or written < query.high
    _, _, count, ago = audit_pack.HEADER.unpack_from(packed)
    if query.high is not None and written - ago >= query.high:
        return False
    start = audit_pack.HEADER.size
    return _has(packed, start, start + 4 * count, needles)


def _has(packed: bytes, start: int, end: int, needles: Needles) -> bool:
    """Whether one key of each group is among those at a place."""
    return all(any(_holds(packed, start, end, key) for key in group) for group in needles)


def _holds(packed: bytes, start: int, end: int, key: bytes) -> bool:
    at = packed.find(key, start, end)
    while at >= 0 and (at - start) % 4:
        at = packed.find(key, at + 1, end)
    return at >= 0
