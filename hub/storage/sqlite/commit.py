"""Applies one `port.Commit` inside the writer's transaction.

Checks preconditions, moves replaced versions to history, writes the new ones with their index
rows, the audit row, outbox, blob uses, the end of the work on a message and the idempotency key.
Runs on the writer's thread, called by `writer` through `store` and `writer_socket`; raises
`CommitRefused` and leaves undoing to the caller's savepoint.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import apsw
import msgspec

from hub.search.query import Query
from hub.search.values import INDEX_VERSION, IndexRows
from hub.storage.port import (
    ANY_VERSION,
    HOLDERS,
    WITNESSES,
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
from hub.storage.sqlite import audit_pack, index, message_writes
from hub.storage.sqlite.codec import RAW
from hub.storage.sqlite.schema import METHODS
from hub.storage.sqlite.transaction import Transaction

NO_KEY = 0
MATCHES_DEADLINE = 1.0
"""Seconds that the search of a `Matches` may take; other requests wait meanwhile."""

MOST_GATHERED = 512
"""New resources of a commit that are written together."""

METHOD_NUMBER = {name: number for number, name in enumerate(METHODS)}
DELETE = METHOD_NUMBER["DELETE"]

FIND = (
    "SELECT rid, version, updated, deleted FROM resource WHERE tenant = ? AND type = ? AND id = ?"
)
INSERT = (
    "INSERT INTO resource (rid, tenant, type, id, version, updated, sequence, method, deleted,"
    " date, codec, key, index_version, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
# OR FAIL: it copies one row, so that there is nothing to take back. Otherwise SQLite would open
# a savepoint of its own for it, at which full-text indexes write out what they have gathered.
TO_HISTORY = (
    "INSERT OR FAIL INTO history SELECT rid, version, tenant, type, updated, ?, sequence, method,"
    " codec, key, body FROM resource WHERE rid = ?"
)
UPDATE = (
    "UPDATE resource SET version = ?, updated = ?, sequence = ?, method = ?, deleted = ?,"
    " date = ?, codec = ?, key = ?, index_version = ?, body = ? WHERE rid = ?"
)
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
    """Apply a commit; nothing is written before every check but one has passed.

    The exception is an `Unreferenced` among several writes, which is checked at the end; see
    `checks_late`.

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
        earlier: Any = connection.execute(FIND_RESULT, (tenant, commit.idempotency_key)).get
        if earlier is not None:
            return _decode_result(earlier)
    site = "" if commit.message is None else message_writes.check(work, tenant, commit.message)
    places = _check(work, commit)
    sequence, updated = work.next_commit(commit.clock)
    # All before any is written: what refers to a later one need not reserve its row id.
    places = [
        place if place.version else place._replace(rid=_new_rid(work, tenant, write, place))
        for write, place in zip(commit.writes, places, strict=True)
    ]
    made = _Made([], index.Gathered())
    results = tuple(
        [
            _write(work, tenant, write, place, (sequence, updated), made)
            for write, place in zip(commit.writes, places, strict=True)
        ]
    )
    made.write(connection)
    if checks_late(commit):
        _check_unreferenced(work, commit)
    committed = Committed(sequence, results)
    written = [
        (place.type, write.type, write.id, result.version)
        for write, place, result in zip(commit.writes, places, results, strict=True)
        if result.version
    ]
    work.append_audit(tenant, audit_pack.pack(commit.audit, written))
    for row in commit.outbox:
        connection.execute(SEND, (tenant, sequence, row.topic, row.body))
    if commit.message is not None:
        message_writes.end(work, tenant, site, commit.message)
    if commit.idempotency_key:
        result = _encode_result(committed)
        connection.execute(KEEP_RESULT, (tenant, commit.idempotency_key, updated, result))
    return committed


def checks_late(commit: Commit) -> bool:
    """Whether a commit may be refused after it has written.

    `Unreferenced` asks for the state after the writes, which is the one before them only when
    the one write deletes its target.
    """
    targets = [
        (condition.type, condition.id)
        for condition in commit.preconditions
        if isinstance(condition, Unreferenced)
    ]
    if not targets:
        return False
    deleted = [(write.type, write.id) for write in commit.writes if write.method == "DELETE"]
    return targets != deleted or len(commit.writes) != 1


class Place(NamedTuple):
    """Where a write goes: number of the type, and the newest version, zeros if there is none."""

    type: int
    rid: int = 0
    version: int = 0
    updated: int = 0
    deleted: int = 1


def _check(work: Transaction, commit: Commit) -> list[Place]:
    """Check what can be checked before writing; gives a place for each write."""
    tenant = commit.tenant
    _check_search(work, commit)
    places, after = [], {}
    for number, write in enumerate(commit.writes):
        if (write.type, write.id) in after:
            raise ValueError(f"writes[{number}] is the second of one resource")
        after[write.type, write.id] = write.method != "DELETE"
        places.append(_place(work, tenant, number, write))
    for condition in commit.preconditions:
        if isinstance(condition, Exists):
            exists = after.get((condition.type, condition.id))
            if exists is None:
                type = work.types.numbers.get(condition.type, 0)
                exists = work.is_live(tenant, type, condition.id)
            if not exists:
                raise TargetMissing(condition.type, condition.id, condition.location)
    if not checks_late(commit):
        _check_unreferenced(work, commit)
    return places


def _check_search(work: Transaction, commit: Commit) -> None:
    if commit.generation is not None:
        generation: Any = work.connection.execute(GENERATION, (commit.tenant,)).get or 0
        if generation != commit.generation:
            raise GenerationMoved(generation)
    for number, condition in enumerate(commit.preconditions):
        if isinstance(condition, Matches):
            found = _matching_ids(work, commit.tenant, condition.query)
            if frozenset(found) != condition.ids:
                raise PreconditionChanged(number, found[:2])


def _place(work: Transaction, tenant: int, number: int, write: Write) -> Place:
    type = work.types.numbers[write.type]
    found: Any = work.connection.execute(FIND, (tenant, type, write.id)).get
    place = Place(type, *found) if found else Place(type)
    current = 0 if place.deleted else place.version
    if write.expected not in (ANY_VERSION, current):
        raise VersionConflict(number, write.type, write.id, current)
    for sha256 in write.blobs:
        if work.connection.execute(HAS_BLOB, (tenant, bytes.fromhex(sha256))).get is None:
            raise BlobMissing(sha256)
    return place


class _Made(NamedTuple):
    """Rows of new resources and their index rows, which are written together."""

    resources: list[tuple[Any, ...]]
    rows: index.Gathered

    def write(self, connection: apsw.Connection) -> None:
        """Write what is gathered."""
        if self.resources:
            connection.executemany(INSERT, self.resources)
            self.resources.clear()
        self.rows.write(connection)


def _new_rid(work: Transaction, tenant: int, write: Write, place: Place) -> int:
    """The row id of a resource that was never there; 0 when it is not made now either."""
    return 0 if write.method == "DELETE" else work.interner.row_id(tenant, place.type, write.id)


def _write(
    work: Transaction,
    tenant: int,
    write: Write,
    place: Place,
    moment: tuple[int, int],
    made: _Made,
) -> Written:
    """Write a resource, or gather what is new; `moment` is the commit's sequence and time."""
    connection, (sequence, updated) = work.connection, moment
    type, rid, version, since, deleted = place
    method = METHOD_NUMBER[write.method]
    dead = method == DELETE
    if dead and deleted:
        return Written(version, since, False)
    rows = write.rows or NO_ROWS
    codec, body = (RAW, b"") if dead else work.codec.compress(write.tail)
    state = (updated, sequence, method, dead, rows.date, codec, NO_KEY, INDEX_VERSION, body)
    if version:
        connection.execute(TO_HISTORY, (updated, rid))
        connection.execute(UPDATE, (version + 1, *state, rid))
    else:
        made.resources.append((rid, tenant, type, write.id, 1, *state))
        if len(made.resources) >= MOST_GATHERED:
            made.write(connection)
    if dead:
        work.live.discard((tenant, type, write.id))
        index.delete(connection, tenant, rid, type)
    elif deleted:
        index.insert(made.rows, work.interner, tenant, rid, type, rows)
    else:
        index.replace(connection, work.interner, tenant, rid, type, rows)
    for sha256 in write.blobs:
        connection.execute(USE_BLOB, (tenant, bytes.fromhex(sha256), rid, version + 1))
    work.count(tenant, type, deleted - dead, 1)
    return Written(version + 1, updated, bool(deleted))


def _matching_ids(work: Transaction, tenant: int, query: Query) -> tuple[str, ...]:
    rids = work.searcher.search(tenant, query, MATCHES_DEADLINE).rids
    rows: list[Any] = [work.connection.execute(ID_OF, (rid,)).get for rid in rids]
    return tuple(rows)


def _check_unreferenced(work: Transaction, commit: Commit) -> None:
    for condition in commit.preconditions:
        if isinstance(condition, Unreferenced):
            type = work.types.numbers.get(condition.type, 0)
            found: Any = work.connection.execute(FIND, (commit.tenant, type, condition.id)).get
            if found:
                by = index.references_to(work.connection, commit.tenant, found[0])
                for name, count in by.items():
                    if name in HOLDERS or name in WITNESSES:
                        continue
                    raise StillReferenced(condition.type, condition.id, name, count)
