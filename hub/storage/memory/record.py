"""The memory store's tables and what a commit does to them: the reference of `port.Commit`.

`apply` checks and applies a commit on the event loop, whole or not at all. Called by
`hub.storage.memory.store`; `hub.storage.memory.search` reads `Record.rows`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from msgspec import structs

from hub.search.query import Query
from hub.search.values import COMPARTMENT_KEY, IndexRows
from hub.storage.memory.message_log import Messages
from hub.storage.port import (
    ANY_VERSION,
    HOLDERS,
    WITNESSES,
    AuditRecord,
    AuditRow,
    BlobMissing,
    Commit,
    Committed,
    Exists,
    GenerationMoved,
    Matches,
    OutboxRow,
    PreconditionChanged,
    RuntimeParameter,
    StillReferenced,
    Stored,
    TargetMissing,
    Unreferenced,
    VersionConflict,
    Write,
    Written,
)

Key = tuple[int, str, str]
"""tenant, type, id."""

Search = Callable[["Record", int, Query], tuple[str, ...]]
"""Logical ids that a query finds, at most `query.count`."""

NO_ROWS = IndexRows()


@dataclass(slots=True)
class Row:
    """Newest version of a resource.

    Attributes:
        rid: Row number, rising by age, never changed.
        stored: The version, maybe a tombstone.
        rows: What it is found by; `NO_ROWS` for a tombstone.
    """

    rid: int
    stored: Stored
    rows: IndexRows


@dataclass(slots=True)
class Record:
    """Everything a memory store holds.

    Attributes:
        rows: Newest version by key.
        versions: All versions by key, oldest first, the newest included.
        audit: Audit rows by tenant, oldest first.
        blobs: Contents by tenant and hash, with the time it was made.
        uses: Key and version that use a blob, by tenant and hash.
        results: Results by tenant and idempotency key, with their time.
        messages: What other systems sent, and what is sent to them.
    """

    rows: dict[Key, Row] = field(default_factory=dict)
    versions: dict[Key, list[Stored]] = field(default_factory=dict)
    audit: dict[int, list[AuditRow]] = field(default_factory=dict)
    outbox: dict[int, tuple[int, OutboxRow]] = field(default_factory=dict)
    blobs: dict[tuple[int, str], tuple[int, bytes]] = field(default_factory=dict)
    uses: dict[tuple[int, str], set[tuple[Key, int]]] = field(default_factory=dict)
    results: dict[tuple[int, str], tuple[int, Committed]] = field(default_factory=dict)
    messages: Messages = field(default_factory=Messages)
    parameters: dict[int, dict[str, RuntimeParameter]] = field(default_factory=dict)
    generations: dict[int, int] = field(default_factory=dict)
    next_parameter: dict[int, int] = field(default_factory=dict)
    sequence: int = 0
    updated: int = 0
    next_rid: int = 1
    next_outbox: int = 1

    def current(self, tenant: int) -> Iterator[Row]:
        """Rows of the tenant that are not tombstones."""
        for key, row in self.rows.items():
            if key[0] == tenant and not row.stored.deleted:
                yield row

    def live(self, tenant: int, type: str, id: str) -> bool:
        """Whether type/id is there, undeleted."""
        row = self.rows.get((tenant, type, id))
        return row is not None and not row.stored.deleted

    def take_out(self, tenant: int, rows: Iterable[int]) -> None:
        """Take a tenant's rows out of the outbox."""
        for number in rows:
            if self.outbox.get(number, (None,))[0] == tenant:
                del self.outbox[number]


def apply(record: Record, commit: Commit, search: Search) -> Committed:
    """Apply a commit whole or not at all.

    Args:
        record: What to change.
        commit: The transaction.
        search: Finds the ids for `Matches`.

    Raises:
        CommitRefused: A precondition does not hold; nothing was changed.
    """
    earlier = record.results.get((commit.tenant, commit.idempotency_key))
    if commit.idempotency_key and earlier is not None:
        return earlier[1]
    _check_before(record, commit, search)
    sequence, updated = record.sequence + 1, max(commit.clock, record.updated + 1)
    undo: list[tuple[Key, Row | None]] = []
    results: list[Written] = []
    for write in commit.writes:
        key = (commit.tenant, write.type, write.id)
        undo.append((key, record.rows.get(key)))
        results.append(_put(record, key, write, sequence, updated))
    try:
        _check_after(record, commit)
    except Exception:  # whatever it is, nothing may stay half-applied
        for key, row in reversed(undo):
            _restore(record, key, row)
        raise
    committed = Committed(sequence, tuple(results))
    record.sequence, record.updated = sequence, updated
    _note(record, commit, committed)
    return committed


def entities_of(commit: Commit, results: tuple[Written, ...]) -> tuple[str, ...]:
    """The audit row's entities: those given and a reference to each version written."""
    return commit.audit.entities + tuple(
        f"{write.type}/{write.id}/_history/{result.version}"
        for write, result in zip(commit.writes, results, strict=True)
        if result.version
    )


def _check_before(record: Record, commit: Commit, search: Search) -> None:
    generation = record.generations.get(commit.tenant, 0)
    if commit.generation not in (None, generation):
        raise GenerationMoved(generation)
    if commit.message is not None:
        record.messages.check(commit.tenant, commit.message)
    for index, condition in enumerate(commit.preconditions):
        if isinstance(condition, Matches):
            found = search(record, commit.tenant, condition.query)
            if frozenset(found) != condition.ids:
                raise PreconditionChanged(index, found[:2])
    seen = set()
    for index, write in enumerate(commit.writes):
        if (write.type, write.id) in seen:
            raise ValueError(f"writes[{index}] is the second of one resource")
        seen.add((write.type, write.id))
        row = record.rows.get((commit.tenant, write.type, write.id))
        current = 0 if row is None or row.stored.deleted else row.stored.version
        if write.expected not in (ANY_VERSION, current):
            raise VersionConflict(index, write.type, write.id, current)
        for sha256 in write.blobs:
            if (commit.tenant, sha256) not in record.blobs:
                raise BlobMissing(sha256)


def _check_after(record: Record, commit: Commit) -> None:
    for condition in commit.preconditions:
        if isinstance(condition, Exists):
            if not record.live(commit.tenant, condition.type, condition.id):
                raise TargetMissing(condition.type, condition.id, condition.location)
        elif isinstance(condition, Unreferenced):
            by = _referring(record, commit.tenant, condition)
            if by:
                raise StillReferenced(condition.type, condition.id, by[0], len(by))


def _referring(record: Record, tenant: int, condition: Unreferenced) -> list[str]:
    """Types of the other resources that refer to it, one for each."""
    target = (condition.type, condition.id)
    if (tenant, *target) not in record.rows:
        return []
    return [
        row.stored.type
        for row in record.current(tenant)
        if (row.stored.type, row.stored.id) != target
        and row.stored.type not in HOLDERS | WITNESSES
        and any(
            (reference.type, reference.id) == target and reference.key != COMPARTMENT_KEY
            for reference in row.rows.references
        )
    ]


def _put(record: Record, key: Key, write: Write, sequence: int, updated: int) -> Written:
    row = record.rows.get(key)
    absent = row is None or row.stored.deleted
    if write.method == "DELETE" and absent:
        return (
            Written(row.stored.version, row.stored.updated, False) if row else Written(0, 0, False)
        )
    version = row.stored.version + 1 if row else 1
    stored = Stored(write.type, write.id, version, updated, sequence, write.method, write.tail)
    if row is None:
        rid, record.next_rid = record.next_rid, record.next_rid + 1
    else:
        rid = row.rid
    record.rows[key] = Row(rid, stored, write.rows or NO_ROWS)
    record.versions.setdefault(key, []).append(stored)
    for sha256 in write.blobs:
        record.uses.setdefault((key[0], sha256), set()).add((key, version))
    return Written(version, updated, absent and write.method != "DELETE")


def _restore(record: Record, key: Key, row: Row | None) -> None:
    versions = record.versions.get(key, [])
    while versions and (row is None or versions[-1].version > row.stored.version):
        gone = versions.pop()
        for users in record.uses.values():
            users.discard((key, gone.version))
    if row is None:
        record.rows.pop(key, None)
        record.versions.pop(key, None)
    else:
        record.rows[key] = row


def note_audit(record: Record, tenant: int, block: bool, records: tuple[AuditRecord, ...]) -> int:
    """Add a row to the audit, with the newest sequence; gives its number."""
    rows = record.audit.setdefault(tenant, [])
    row = len(rows) + 1
    rows.append(AuditRow(row, record.updated, record.sequence, block, records))
    return row


def _note(record: Record, commit: Commit, committed: Committed) -> None:
    entities = entities_of(commit, committed.results)
    noted = structs.replace(commit.audit, entities=entities, time=record.updated)
    note_audit(record, commit.tenant, False, (noted,))
    for row in commit.outbox:
        sent = replace(row, sequence=record.sequence)
        record.outbox[record.next_outbox] = (commit.tenant, sent)
        record.next_outbox += 1
    if commit.message is not None:
        record.messages.settle(commit.tenant, commit.message)
    if commit.idempotency_key:
        record.results[commit.tenant, commit.idempotency_key] = (record.updated, committed)
