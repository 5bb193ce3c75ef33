"""Writes that are no commits: reindexing, run-time parameters, outbox, expunge, sweeping.

Each function is an action on the writer's thread (see `writer`). Called by `store` and
`writer_socket`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from msgspec import structs

from hub.search.values import INDEX_VERSION
from hub.storage.port import (
    ANY_VERSION,
    DAY,
    AuditRecord,
    Commit,
    Reindexed,
    RuntimeParameter,
    VersionConflict,
)
from hub.storage.sqlite import blob, commit, index, ledger, message_writes, purge
from hub.storage.sqlite.transaction import Transaction

FIRST_PARAMETER = 10_000

CURRENT = (
    "SELECT rid FROM resource"
    " WHERE tenant = ? AND type = ? AND id = ? AND version = ? AND deleted = 0"
)
SET_DATE = "UPDATE resource SET date = ?, index_version = ? WHERE rid = ?"

GENERATION = "SELECT generation FROM tenant_state WHERE tenant = ?"
MOVE_GENERATION = (
    "INSERT INTO tenant_state VALUES (?, 1, ?)"
    " ON CONFLICT DO UPDATE SET generation = generation + 1"
)
TAKE_PARAMETER = (
    "INSERT INTO tenant_state VALUES (?1, 0, ?2 + 1)"
    " ON CONFLICT DO UPDATE SET next_parameter = next_parameter + 1"
    " RETURNING next_parameter - 1"
)
PARAMETERS = (
    "SELECT key, url, resource_id, status, indexed, counted, after FROM runtime_parameter"
    " WHERE tenant = ? ORDER BY key"
)
ONE_PARAMETER = (
    "SELECT key, url, resource_id, status FROM runtime_parameter WHERE tenant = ? AND url = ?"
)
DROP_PARAMETER = "DELETE FROM runtime_parameter WHERE tenant = ? AND url = ?"
PUT_PARAMETER = "INSERT INTO runtime_parameter VALUES (?, ?, ?, ?, ?, ?, ?, ?)"

DELIVERED = "DELETE FROM outbox WHERE tenant = ? AND row = ?"
FORGET_RESULTS = "DELETE FROM idempotency WHERE time < ?"
FORGET_ANSWERS = "DELETE FROM answered WHERE time < ?"

FIND = "SELECT rid, deleted, version FROM resource WHERE tenant = ? AND type = ? AND id = ?"
DROP_RESOURCE = "DELETE FROM resource WHERE rid = ?"
DROP_HISTORY = "DELETE FROM history WHERE rid = ?"


def reindex(work: Transaction, tenant: int, rows: Sequence[Reindexed]) -> int:
    """Replace index rows of versions that are still current; gives how many were."""
    replaced = 0
    for entry in rows:
        type = work.types.numbers[entry.type]
        found: Any = work.connection.execute(CURRENT, (tenant, type, entry.id, entry.version)).get
        if found:
            rid: int = found
            work.connection.execute(SET_DATE, (entry.rows.date, INDEX_VERSION, rid))
            index.replace(work.connection, work.interner, tenant, rid, type, entry.rows)
            index.mend(work.connection, tenant, rid, type)
            replaced += 1
    return replaced


def put_parameter(
    work: Transaction, tenant: int, parameter: RuntimeParameter | None, url: str
) -> RuntimeParameter | None:
    """Add, change or remove a parameter; see the port."""
    execute = work.connection.execute
    old: Any = execute(ONE_PARAMETER, (tenant, url)).get
    execute(DROP_PARAMETER, (tenant, url))
    new: Any = None
    if parameter is not None:
        key: Any = parameter.key or (old[0] if old else 0)
        if not key:
            key = execute(TAKE_PARAMETER, (tenant, FIRST_PARAMETER)).get
        parameter = replace(parameter, key=key, url=url)
        new = (key, url, parameter.resource_id, parameter.status)
        execute(
            PUT_PARAMETER,
            (tenant, *new, parameter.indexed, parameter.counted, parameter.after),
        )
    if old != new:
        execute(MOVE_GENERATION, (tenant, FIRST_PARAMETER))
    return parameter


def delivered(work: Transaction, tenant: int, rows: Sequence[int]) -> None:
    """Take rows out of the outbox."""
    work.connection.executemany(DELIVERED, [(tenant, row) for row in rows])


def expunge(
    work: Transaction,
    tenant: int,
    type: str,
    id: str,
    audit: AuditRecord,
    clock: int,
    expected: int = ANY_VERSION,
) -> tuple[int, list[str]]:
    """Remove a resource with all versions, and the blobs that nothing else uses.

    Freed pages are overwritten, so that nothing of it stays in the database file.

    Returns:
        Versions removed, and hashes of blobs whose files may go now.
    """
    connection = work.connection
    number = work.types.numbers.get(type)
    found: Any = connection.execute(FIND, (tenant, number, id)).get
    versions, blobs = found[2] if found else 0, []
    if expected not in (ANY_VERSION, versions):
        raise VersionConflict(0, type, id, versions)
    if found and number is not None:
        rid, deleted, versions = found
        work.live.discard((tenant, number, id))
        connection.pragma("secure_delete", True)
        try:
            if not deleted:
                index.delete(connection, tenant, rid, number)
            blobs = blob.drop_uses(work, tenant, rid)
            connection.execute(DROP_HISTORY, (rid,))
            connection.execute(DROP_RESOURCE, (rid,))
            if index.references_to(connection, tenant, rid):
                work.interner.reserve(tenant, number, id, rid)
            else:
                work.interner.release(tenant, number, id)
            message_writes.forget_mark(work, tenant, type, id)
            purge.due(connection)
        finally:
            connection.pragma("secure_delete", False)
        work.count(tenant, number, -(not deleted), -versions)
    record = structs.replace(
        audit, interaction="expunge", entities=(*audit.entities, f"{type}/{id}")
    )
    commit.apply(work, Commit(tenant, (), record, clock))
    return versions, blobs


def append_audit(work: Transaction, tenant: int, packed: bytes, clock: int, once: str = "") -> int:
    """Add a block to the audit chain; gives its row.

    Args:
        work: The writer's transaction.
        tenant: Tenant key.
        packed: What `audit_pack.pack_block` made.
        clock: Now, milliseconds since the epoch.
        once: "" or a key under which a repetition is answered with the first result.
    """
    key = once and "audit " + once
    if key:
        earlier: Any = work.connection.execute(commit.FIND_RESULT, (tenant, key)).get
        if earlier is not None:
            return int.from_bytes(earlier, "big")
    _, time = work.next_commit(clock)
    row = work.append_audit(tenant, packed)
    if key:
        result = row.to_bytes(8, "big")
        work.connection.execute(commit.KEEP_RESULT, (tenant, key, time, result))
    return row


def sweep(work: Transaction, clock: int, grace: int) -> list[str]:
    """Forget what has had its time, and unused blobs; gives hashes whose files may go now.

    After an expunge, the terms and texts that only the expunged resource had go as well.
    """
    work.connection.execute(FORGET_RESULTS, (clock - DAY,))
    work.connection.execute(FORGET_ANSWERS, (clock - DAY,))
    ledger.expire(work, clock)
    work.connection.pragma("secure_delete", True)
    try:
        purge.purge_if_due(work.connection, work.interner)
    finally:
        work.connection.pragma("secure_delete", False)
    return blob.drop_unused(work, clock - grace)
