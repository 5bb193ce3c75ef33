"""The ledger in SQLite: a table beside the record, changed by the one writer.

Reads are point reads on the event loop's connection. A change is an action of the writer's
group commit; one that comes from another process carries a key of its own, under which it is
remembered (table `idempotency`), so that a change sent again after a lost connection is
answered and not made twice: the second `take` of a code would otherwise find nothing.
Used by `store`, `local_writer` and `verify`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from typing import Any, NamedTuple, Protocol

import apsw
import msgspec

from hub.storage.ledger import ABSENT, ANY, LONGEST_KEY, Record, check_names
from hub.storage.port import Finding
from hub.storage.sqlite.connect import FAULTS, unavailable
from hub.storage.sqlite.transaction import Transaction

GET = "SELECT value, revision, expires FROM ledger WHERE tenant = ? AND kind = ? AND key = ?"
PUT = "INSERT OR REPLACE INTO ledger VALUES (?, ?, ?, ?, ?, ?)"
REMOVE = "DELETE FROM ledger WHERE tenant = ? AND kind = ? AND key = ?"
LIST = (
    "SELECT key, value, revision, expires FROM ledger WHERE tenant = ? AND kind = ? AND key > ?"
    " AND (expires = 0 OR expires > ?) ORDER BY key LIMIT ?"
)
EXPIRED = "DELETE FROM ledger WHERE expires > 0 AND expires <= ?"
MADE = "SELECT result FROM idempotency WHERE tenant = ? AND key = ?"
REMEMBER = "INSERT INTO idempotency VALUES (?, ?, ?, ?)"
DAMAGED = (
    "SELECT kind, key FROM ledger WHERE tenant = ?1"
    " AND (revision < 1 OR expires < 0 OR kind = '' OR length(key) NOT BETWEEN 1 AND ?2)"
)
_PREFIX = "ledger "

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Record).decode


class Change(NamedTuple):
    """A change of one record.

    Attributes:
        tenant: Tenant key.
        kind: Kind of the record.
        key: Its key.
        value: Its new content; None: remove it.
        now: Milliseconds since the epoch.
        expected: Revision that it must have.
        expires: When the new content ends; 0: never.
        once: "" or a key under which a repetition is answered with the first result.
    """

    tenant: int
    kind: str
    key: str
    value: bytes | None
    now: int
    expected: int = ANY
    expires: int = 0
    once: str = ""


class Writing(Protocol):
    """Where changes go; as in `store`."""

    def change_ledger(self, change: Change) -> Awaitable[Record | None]:
        """Make a change; the record put or taken."""

    def expire_ledger(self, tenant: int, now: int) -> Awaitable[int]:
        """Remove what has expired."""


class SqliteLedger:
    """See `hub.storage.ledger.Ledger` for what each method promises."""

    def __init__(self, connection: apsw.Connection, writing: Writing) -> None:
        """Put the parts together.

        Args:
            connection: The event loop's reading connection.
            writing: Where changes go.
        """
        self._connection, self._writing = connection, writing

    async def get(self, tenant: int, kind: str, key: str, now: int) -> Record | None:
        """The record."""
        try:
            found: Any = self._connection.execute(GET, (tenant, kind, key)).get
        except FAULTS as error:
            raise unavailable(error) from error
        if found is None:
            return None
        record = Record(key, *found)
        return record if record.alive(now) else None

    async def put(
        self,
        tenant: int,
        kind: str,
        key: str,
        value: bytes,
        *,
        now: int,
        expected: int = ANY,
        expires: int = 0,
    ) -> Record | None:
        """Store a record."""
        check_names(kind, key)
        change = Change(tenant, kind, key, value, now, expected, expires)
        return await self._writing.change_ledger(change)

    async def take(
        self, tenant: int, kind: str, key: str, *, now: int, expected: int = ANY
    ) -> Record | None:
        """Remove a record and give it."""
        return await self._writing.change_ledger(Change(tenant, kind, key, None, now, expected))

    async def records(
        self, tenant: int, kind: str, now: int, after: str = "", count: int = 1000
    ) -> list[Record]:
        """Records of a kind in order of their keys."""
        try:
            rows: list[Any] = self._connection.execute(
                LIST, (tenant, kind, after, now, count)
            ).fetchall()
        except FAULTS as error:
            raise unavailable(error) from error
        return [Record(*row) for row in rows]

    async def remove_expired(self, tenant: int, now: int) -> int:
        """Remove what has expired."""
        return await self._writing.expire_ledger(tenant, now)


def make(work: Transaction, change: Change) -> Record | None:
    """Make a change; an action on the writer's thread.

    What it replaces or removes is overwritten in the file: it may be a private key.

    Returns:
        The record put or taken; None when nothing was changed.
    """
    work.connection.pragma("secure_delete", True)
    try:
        return _make(work, change)
    finally:
        work.connection.pragma("secure_delete", False)


def _make(work: Transaction, change: Change) -> Record | None:
    execute = work.connection.execute
    once = change.once and _PREFIX + change.once
    if once:
        made: Any = execute(MADE, (change.tenant, once)).get
        if made is not None:
            record = _decode(made)
            return record if change.value is None else record._replace(value=change.value)
    names = (change.tenant, change.kind, change.key)
    row: Any = execute(GET, names).get
    found = Record(change.key, *row) if row else None
    if found is not None and not found.alive(change.now):
        found = None
    if change.expected not in (ANY, found.revision if found else ABSENT):
        return None
    if change.value is None:
        if found is None:
            return None
        execute(REMOVE, names)
        result = found
    else:
        # A row may be older than this count, which did not always give its revision.
        revision = work.take_number(row[1] if row else 0)
        result = Record(change.key, change.value, revision, change.expires)
        execute(PUT, (*names, *result[1:]))
    if once:
        told = result if change.value is None else result._replace(value=b"")
        execute(REMEMBER, (change.tenant, once, change.now, _encode(told)))
    return result


def expire(work: Transaction, now: int, tenant: int | None = None) -> int:
    """Remove what has expired, of every tenant when None; an action on the writer's thread."""
    work.connection.pragma("secure_delete", True)
    try:
        if tenant is None:
            work.connection.execute(EXPIRED, (now,))
        else:
            work.connection.execute(f"{EXPIRED} AND tenant = ?", (now, tenant))
        return work.connection.changes()
    finally:
        work.connection.pragma("secure_delete", False)


def findings(connection: apsw.Connection, tenant: int) -> Iterator[Finding]:
    """Records that no `put` could have made; keys are told by their kind only."""
    rows: Any = connection.execute(DAMAGED, (tenant, LONGEST_KEY))
    for kind, _ in rows:
        yield Finding(f"ledger {kind}", "a record has an impossible key, revision or end")
