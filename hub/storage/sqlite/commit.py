"""Applies one `port.Commit` inside the writer's transaction.

Checks preconditions, moves replaced versions to history, writes the new ones with their index
rows, the audit row, outbox, blob uses and the idempotency key. Runs on the writer's thread,
called by `writer` through `store` and `writer_socket`; raises `CommitRefused` and leaves undoing
to the caller's savepoint.
"""

from __future__ import annotations

import time
from typing import Any

import apsw
import msgspec

from hub.search.query import Query
from hub.search.values import IndexRows
from hub.storage.port import (
    ANY_VERSION,
    BlobMissing,
    Commit,
    Committed,
    Exists,
    GenerationMoved,
    Matches,
    PreconditionChanged,
    StillReferenced,
    TargetMissing,
    Unreferenced,
    VersionConflict,
    Write,
    Written,
)
from hub.storage.sqlite import audit, index
from hub.storage.sqlite.codec import RAW
from hub.storage.sqlite.schema import INDEX_VERSION, METHODS
from hub.storage.sqlite.transaction import Transaction

NO_KEY = 0
MATCHES_DEADLINE = 5.0
"""Seconds that the search of a `Matches` may take; other requests wait meanwhile."""

METHOD_NUMBER = {name: number for number, name in enumerate(METHODS)}
DELETE = METHOD_NUMBER["DELETE"]

FIND = (
    "SELECT rid, version, updated, deleted FROM resource WHERE tenant = ? AND type = ? AND id = ?"
)
INSERT = (
    "INSERT INTO resource (rid, tenant, type, id, version, updated, sequence, method, deleted,"
    " date, codec, key, index_version, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
TO_HISTORY = (
    "INSERT INTO history SELECT rid, version, tenant, type, updated, ?, sequence, method, codec,"
    " key, body FROM resource WHERE rid = ?"
)
UPDATE = (
    "UPDATE resource SET version = ?, updated = ?, sequence = ?, method = ?, deleted = ?,"
    " date = ?, codec = ?, key = ?, index_version = ?, body = ? WHERE rid = ?"
)
LIVE = "SELECT 1 FROM resource WHERE tenant = ? AND type = ? AND id = ? AND deleted = 0"
ID_OF = "SELECT id FROM resource WHERE rid = ?"
FIND_RESULT = "SELECT result FROM idempotency WHERE tenant = ? AND key = ?"
KEEP_RESULT = "INSERT INTO idempotency VALUES (?, ?, ?, ?)"
SEND = "INSERT INTO outbox (tenant, sequence, topic, body) VALUES (?, ?, ?, ?)"
GENERATION = "SELECT generation FROM tenant_state WHERE tenant = ?"
HAS_BLOB = "SELECT 1 FROM blob WHERE tenant = ? AND sha256 = ?"
USE_BLOB = "INSERT OR IGNORE INTO blob_use VALUES (?, ?, ?, ?)"

NO_ROWS = IndexRows()
_encode_result = msgspec.msgpack.Encoder().encode
_decode_result = msgspec.msgpack.Decoder(Committed).decode


def apply(work: Transaction, commit: Commit) -> Committed:
    """Apply a commit.

    Args:
        work: The writer's transaction; the caller undoes it when this raises.
        commit: The request.

    Raises:
        CommitRefused: A precondition does not hold.
        DeadlineExceeded: The search of a `Matches` took too long.
        apsw.Error: I/O failed.
    """
    connection, tenant = work.connection, commit.tenant
    if commit.idempotency_key:
        for (result,) in connection.execute(FIND_RESULT, (tenant, commit.idempotency_key)):
            return _decode_result(result)
    if commit.generation is not None:
        generation = connection.execute(GENERATION, (tenant,)).get or 0
        if generation != commit.generation:
            raise GenerationMoved(generation)
    for number, condition in enumerate(commit.preconditions):
        if isinstance(condition, Matches):
            _check_matches(connection, tenant, number, condition)
    sequence, updated = work.next_commit(commit.clock)
    results = []
    for number, write in enumerate(commit.writes):
        results.append(_write(work, tenant, number, write, sequence, updated))
    _check_after(work, commit)
    committed = Committed(sequence, tuple(results))
    work.append_audit(tenant, audit.pack(commit.audit, _entities(commit, committed)))
    for row in commit.outbox:
        connection.execute(SEND, (tenant, sequence, row.topic, row.body))
    if commit.idempotency_key:
        result = _encode_result(committed)
        connection.execute(KEEP_RESULT, (tenant, commit.idempotency_key, updated, result))
    return committed


def _write(
    work: Transaction, tenant: int, number: int, write: Write, sequence: int, updated: int
) -> Written:
    connection = work.connection
    type = work.types.numbers[write.type]
    found: Any = connection.execute(FIND, (tenant, type, write.id)).get
    rid, version, since, deleted = found or (0, 0, 0, 1)
    if write.expected != ANY_VERSION and write.expected != (0 if deleted else version):
        raise VersionConflict(number, write.type, write.id, 0 if deleted else version)
    method = METHOD_NUMBER[write.method]
    dead = method == DELETE
    if dead and deleted:
        return Written(version, since, False)
    if since == updated:
        raise ValueError(f"writes[{number}] is the second of one resource")
    rows = write.rows or NO_ROWS
    codec, body = (RAW, b"") if dead else work.codec.compress(write.tail)
    state = (updated, sequence, method, dead, rows.date, codec, NO_KEY, INDEX_VERSION, body)
    if found:
        connection.execute(TO_HISTORY, (updated, rid))
        connection.execute(UPDATE, (version + 1, *state, rid))
    else:
        rid = work.interner.row_id(tenant, type, write.id)
        connection.execute(INSERT, (rid, tenant, type, write.id, 1, *state))
    if dead:
        index.delete(connection, tenant, rid, type)
    elif deleted:
        index.insert(connection, work.interner, tenant, rid, type, rows)
    else:
        index.replace(connection, work.interner, tenant, rid, type, rows)
    for sha256 in write.blobs:
        _use_blob(connection, tenant, sha256, rid, version + 1)
    work.count(tenant, type, bool(deleted) - dead, 1)
    return Written(version + 1, updated, bool(deleted))


def _entities(commit: Commit, committed: Committed) -> tuple[str, ...]:
    return commit.audit.entities + tuple(
        f"{write.type}/{write.id}/_history/{result.version}"
        for write, result in zip(commit.writes, committed.results, strict=True)
        if result.version
    )


def _check_matches(
    connection: apsw.Connection, tenant: int, number: int, condition: Matches
) -> None:
    found = matching_ids(connection, tenant, condition.query)
    if frozenset(found) != condition.ids:
        raise PreconditionChanged(number, found[:2])


def matching_ids(connection: apsw.Connection, tenant: int, query: Query) -> tuple[str, ...]:
    """Logical ids that a query finds, at most `query.count`."""
    from hub.storage.sqlite import search

    deadline = time.monotonic() + MATCHES_DEADLINE
    rids = search.search(connection, tenant, query, deadline)[0]
    return tuple(str(id) for rid in rids for (id,) in connection.execute(ID_OF, (rid,)))


def _check_after(work: Transaction, commit: Commit) -> None:
    for condition in commit.preconditions:
        if isinstance(condition, Exists):
            _check_exists(work, commit.tenant, condition)
        elif isinstance(condition, Unreferenced):
            _check_unreferenced(work, commit.tenant, condition)


def _check_exists(work: Transaction, tenant: int, condition: Exists) -> None:
    type = work.types.numbers.get(condition.type, 0)
    if not work.connection.execute(LIVE, (tenant, type, condition.id)).get:
        raise TargetMissing(condition.type, condition.id, condition.location)


def _check_unreferenced(work: Transaction, tenant: int, condition: Unreferenced) -> None:
    type = work.types.numbers.get(condition.type, 0)
    found: Any = work.connection.execute(FIND, (tenant, type, condition.id)).get
    if found:
        for by, count in index.references_to(work.connection, tenant, found[0]).items():
            raise StillReferenced(condition.type, condition.id, by, count)


def _use_blob(
    connection: apsw.Connection, tenant: int, sha256: str, rid: int, version: int
) -> None:
    digest = bytes.fromhex(sha256)
    if not connection.execute(HAS_BLOB, (tenant, digest)).get:
        raise BlobMissing(sha256)
    connection.execute(USE_BLOB, (tenant, digest, rid, version))
