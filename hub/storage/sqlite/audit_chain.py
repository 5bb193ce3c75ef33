"""Where the audit chain is broken: the first row altered, missing or inserted.

Whoever changes the file and does not hash anew leaves a row that is not what its hash says.
Whoever does hash anew leaves a row that does not follow from the one before, unless the whole
rest of the chain is hashed anew: only a head that was noted elsewhere shows that, or a tail that
was cut off. Called by `store` (`Store.check_audit`) and `verify`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apsw

from hub.storage.port import AuditHead, Finding
from hub.storage.sqlite import audit
from hub.storage.sqlite.audit import StoredRow, digest
from hub.storage.sqlite.patience import patience
from hub.storage.sqlite.record import Reader, snapshot

PAGE = 1000

ALTERED = "it was altered"
EITHER = "it was altered, or the row before it was altered and hashed anew"
MISSING = "it is missing"
INSERTED = "it was inserted"
SHIFTED = "a row is missing here: those after it were given other numbers"
DISORDER = (
    "its sequence or time is not later than that of the row before: it was put there, or altered"
)
CUT_OFF = "it is missing: the chain was cut off and ends with row {row}"
ANEW = "its hash is not the expected one: it or a row before it was altered, and all hashed anew"


def first_break(
    reader: Reader, folder: Path, tenant: int, expected: AuditHead | None
) -> Finding | None:
    """The first place at which the chain does not hold; see `Store.check_audit`."""
    with snapshot(reader.connection), patience(reader.connection, folder):
        return broken(reader.connection, tenant, expected)


def broken(
    connection: apsw.Connection, tenant: int, expected: AuditHead | None = None
) -> Finding | None:
    """As `first_break`, in the caller's transaction."""
    before, last = StoredRow(0, 0, 0, b"", audit.FIRST_HASH), None
    for row in _rows(connection, tenant):
        if row.row != before.row + 1:
            return Finding(f"audit row {before.row + 1}", MISSING)
        if not _follows(row, before.hash, tenant, row.row):
            return _told(connection, tenant, last, before, row)
        if row.sequence <= before.sequence or row.time <= before.time:
            return Finding(f"audit row {row.row}", DISORDER)
        if expected is not None and row.row == expected.row and row.hash != expected.hash:
            return Finding(f"audit row {row.row}", ANEW)
        last, before = before, row
    if expected is not None and expected.row > before.row:
        return Finding(f"audit row {before.row + 1}", CUT_OFF.format(row=before.row))
    return None


def _told(
    connection: apsw.Connection,
    tenant: int,
    last: StoredRow | None,
    before: StoredRow,
    row: StoredRow,
) -> Finding:
    """What happened where a row does not follow from the one before."""
    here = f"audit row {row.row}"
    if last is not None and _follows(row, last.hash, tenant, row.row - 1):
        return Finding(f"audit row {before.row}", INSERTED)
    following = next(audit.rows(connection, tenant, row.row, 1), None)
    if following is not None and _follows(following, before.hash, tenant, row.row):
        return Finding(here, INSERTED)
    if following is not None and _follows(following, row.hash, tenant, following.row + 1):
        return Finding(here, SHIFTED)
    return Finding(here, EITHER if before.row else ALTERED)


def _follows(row: StoredRow, before: bytes, tenant: int, number: int) -> bool:
    """Whether a row's hash is that of its content, under a number and after another hash."""
    return row.hash == digest(before, tenant, number, row.sequence, row.time, row.record)


def _rows(connection: apsw.Connection, tenant: int) -> Iterator[StoredRow]:
    after = 0
    while page := list(audit.rows(connection, tenant, after, PAGE)):
        yield from page
        after = page[-1].row
