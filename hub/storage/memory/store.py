"""`MemoryStore`: the port over plain dictionaries, for tests, demos and as the reference.

Nothing survives the process. Called through `hub.storage.port.Store`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

from msgspec import structs

from hub.context import Clock, utc_now
from hub.search.query import Position, Query
from hub.search.values import IndexRows
from hub.storage.audit_keys import keys_of
from hub.storage.memory import record as records
from hub.storage.memory.ledger import MemoryLedger
from hub.storage.memory.message_log import MemoryMessageLog
from hub.storage.memory.record import Record, Row, note_audit
from hub.storage.memory.search import search as find
from hub.storage.port import (
    ANY_VERSION,
    DAY,
    HOUR,
    AuditHead,
    AuditPage,
    AuditQuery,
    AuditRecord,
    AuditRow,
    Blob,
    Commit,
    Committed,
    Finding,
    HistoryPage,
    HistoryQuery,
    OutboxRow,
    Page,
    Reindexed,
    RuntimeParameter,
    Stored,
    StoreInfo,
    StoreUnavailable,
    VersionConflict,
)

FIRST_PARAMETER = 10_000
PIECE = 1 << 20


class MemoryStore:
    """A FHIR record in memory; see `hub.storage.port.Store` for what each method promises."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self.record = Record()
        self.ledger = MemoryLedger()
        self.messages = MemoryMessageLog(self.record)
        self._clock = clock

    async def read(self, tenant: int, type: str, id: str) -> Stored | None:
        """Newest version, a tombstone if deleted."""
        row = self.record.rows.get((tenant, type, id))
        return row.stored if row else None

    async def read_many(
        self, tenant: int, targets: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], Stored]:
        """Current, undeleted versions."""
        return {
            (type, id): self.record.rows[tenant, type, id].stored
            for type, id in targets
            if self.record.live(tenant, type, id)
        }

    async def vread(self, tenant: int, type: str, id: str, version: int) -> Stored | None:
        """That version."""
        for stored in self.record.versions.get((tenant, type, id), ()):
            if stored.version == version:
                return stored
        return None

    async def commit(self, commit: Commit) -> Committed:
        """Apply a transaction."""
        return records.apply(self.record, commit, _ids)

    async def search(self, tenant: int, query: Query, deadline: float | None = None) -> Page:
        """A page of current resources; the deadline is not watched."""
        rows, position, total, estimated = find(self.record, tenant, query)
        return Page(tuple(row.stored for row in rows), position, total, estimated)

    async def explain(self, tenant: int, query: Query) -> tuple[str, ...]:
        """There is one plan."""
        return ("scan of all rows in memory",)

    async def history(self, tenant: int, query: HistoryQuery) -> HistoryPage:
        """A page of versions, newest first."""
        found = [
            (stored.sequence, self.record.rows[key].rid, stored)
            for key, versions in self.record.versions.items()
            if key[0] == tenant and query.type in ("", key[1]) and query.id in ("", key[2])
            for stored, until in zip(
                versions, [*(later.updated for later in versions[1:]), None], strict=True
            )
            if _is_member(query, stored) and _selected(query, stored.updated, until)
        ]
        found.sort(reverse=True, key=lambda entry: entry[:2])
        total = len(found)
        if query.before is not None:
            before = query.before.values
            found = [entry for entry in found if entry[:2] < before]
        page = found[: query.count]
        more = len(found) > len(page) and page
        return HistoryPage(
            tuple(entry[2] for entry in page), Position(page[-1][:2]) if more else None, total
        )

    async def scan(
        self, tenant: int, types: tuple[str, ...], after: int, count: int
    ) -> tuple[list[Stored], int]:
        """Current, undeleted resources in row order."""
        rows = sorted(
            (
                row
                for row in self.record.current(tenant)
                if row.rid > after and (not types or row.stored.type in types)
            ),
            key=lambda row: row.rid,
        )[:count]
        return [row.stored for row in rows], rows[-1].rid if rows else after

    async def reindex(self, tenant: int, rows: Sequence[Reindexed]) -> int:
        """Replace index rows of versions that are still current."""
        replaced = 0
        for entry in rows:
            key = (tenant, entry.type, entry.id)
            row = self.record.rows.get(key)
            if row and not row.stored.deleted and row.stored.version == entry.version:
                self.record.rows[key] = Row(row.rid, row.stored, entry.rows)
                replaced += 1
        return replaced

    async def expunge(
        self,
        tenant: int,
        type: str,
        id: str,
        audit: AuditRecord,
        clock: int,
        expected: int = ANY_VERSION,
    ) -> int:
        """Physically remove a resource."""
        key = (tenant, type, id)
        newest = len(self.record.versions.get(key, []))
        if expected not in (ANY_VERSION, newest):
            raise VersionConflict(0, type, id, newest)
        removed = self.record.versions.pop(key, [])
        self.record.rows.pop(key, None)
        self.record.messages.marks.pop((tenant, f"{type}/{id}"), None)
        for blob, users in list(self.record.uses.items()):
            freed = {user for user in users if user[0] == key}
            users -= freed
            if freed and not users:
                self.record.blobs.pop(blob, None)
                del self.record.uses[blob]
        audit = structs.replace(
            audit, interaction="expunge", entities=(*audit.entities, f"{type}/{id}")
        )
        await self.commit(Commit(tenant, (), audit, clock))
        return len(removed)

    async def parameters(self, tenant: int) -> tuple[RuntimeParameter, ...]:
        """SearchParameters made at run time."""
        return tuple(self.record.parameters.get(tenant, {}).values())

    async def put_parameter(
        self, tenant: int, parameter: RuntimeParameter | None, url: str
    ) -> RuntimeParameter | None:
        """Add, change or remove one."""
        known = self.record.parameters.setdefault(tenant, {})
        old = known.pop(url, None)
        if parameter is not None:
            key = parameter.key or (old.key if old else 0)
            if not key:
                key = self.record.next_parameter.get(tenant, FIRST_PARAMETER)
                self.record.next_parameter[tenant] = key + 1
            parameter = replace(parameter, key=key, url=url)
            known[url] = parameter
        if _definition(old) != _definition(parameter):
            self.record.generations[tenant] = self.record.generations.get(tenant, 0) + 1
        return parameter

    async def generation(self, tenant: int) -> int:
        """Counts changes of definitions."""
        return self.record.generations.get(tenant, 0)

    async def last_change(self, tenant: int, type: str) -> int:
        """When a resource of the type was written or deleted last."""
        return max(
            (
                versions[-1].updated
                for key, versions in self.record.versions.items()
                if key[:2] == (tenant, type) and versions
            ),
            default=0,
        )

    async def audit_records(
        self, tenant: int, after: int, count: int
    ) -> list[tuple[int, int, AuditRecord]]:
        """Audit rows after a row number, oldest first."""
        rows = self.record.audit.get(tenant, [])[after : after + count]
        return [(row.row, row.time, record) for row in rows for record in row.records]

    async def audit_rows(self, tenant: int, query: AuditQuery) -> AuditPage:
        """Rows of the audit, newest first."""
        rows = self.record.audit.get(tenant, [])
        if query.before is not None:
            rows = rows[: max(query.before - 1, 0)]
        found = [row for row in reversed(rows) if _is_asked(row, query)]
        page = tuple(found[: query.count])
        return AuditPage(page, page[-1].row if len(found) > len(page) else None)

    async def append_audit(self, tenant: int, records: Sequence[AuditRecord], clock: int) -> int:
        """Add one row that holds many events."""
        self.record.sequence += 1
        self.record.updated = max(clock, self.record.updated + 1)
        return note_audit(self.record, tenant, True, tuple(records))

    async def audit_head(self, tenant: int) -> AuditHead:
        """The newest row; there are no hashes."""
        return AuditHead(len(self.record.audit.get(tenant, ())), bytes(32))

    async def check_audit(self, tenant: int, expected: AuditHead | None = None) -> Finding | None:
        """Nobody else can change what this process holds."""
        return None

    async def outbox(self, tenant: int, after: int, count: int) -> list[tuple[int, OutboxRow]]:
        """What is not delivered yet."""
        waiting = [
            (number, row)
            for number, (owner, row) in self.record.outbox.items()
            if owner == tenant and number > after
        ]
        return waiting[:count]

    async def delivered(self, tenant: int, rows: Sequence[int]) -> None:
        """Take rows out of the outbox."""
        self.record.take_out(tenant, rows)

    async def sweep(self, clock: int, grace: int = HOUR) -> int:
        """Remove unused blobs, old idempotency keys and expired records of the ledger."""
        results = self.record.results
        for key in [key for key, (time, _) in results.items() if time < clock - DAY]:
            del results[key]
        self.ledger.sweep(clock)
        unused = [
            key
            for key, (made, _) in self.record.blobs.items()
            if made <= clock - grace and not self.record.uses.get(key)
        ]
        for key in unused:
            del self.record.blobs[key]
        return len(unused)

    async def new_blob(self, tenant: int) -> MemoryBlobWriter:
        """Start a blob."""
        return MemoryBlobWriter(self.record, tenant, int(self._clock().timestamp() * 1000))

    async def open_blob(
        self, tenant: int, sha256: str, start: int = 0, end: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Pieces of a blob."""
        return _pieces(self.record.blobs[tenant, sha256][1][start:end])

    async def blob_size(self, tenant: int, sha256: str) -> int | None:
        """Size in bytes."""
        found = self.record.blobs.get((tenant, sha256))
        return None if found is None else len(found[1])

    async def info(self, tenant: int) -> StoreInfo:
        """Facts."""
        return StoreInfo(
            "memory",
            dict(Counter(row.stored.type for row in self.record.current(tenant))),
            self.record.sequence,
            sum(
                len(stored.tail)
                for versions in self.record.versions.values()
                for stored in versions
            ),
            versions=sum(
                len(versions) for key, versions in self.record.versions.items() if key[0] == tenant
            ),
        )

    async def verify(self, tenant: int) -> AsyncIterator[Finding]:
        """Check that every history is complete and in order."""
        for key, versions in list(self.record.versions.items()):
            if key[0] == tenant:
                numbers = [stored.version for stored in versions]
                times = [stored.updated for stored in versions]
                if numbers != list(range(1, len(numbers) + 1)) or times != sorted(set(times)):
                    yield Finding(f"{key[1]}/{key[2]}", "history has a gap or is out of order")

    async def indexed_rows(self, tenant: int, type: str, id: str) -> IndexRows | None:
        """What the resource is found by, sorted, without repeats."""
        if not self.record.live(tenant, type, id):
            return None
        rows = self.record.rows[tenant, type, id].rows
        repeated = {
            name: tuple(sorted(set(value)))
            for name, value in structs.asdict(rows).items()
            if isinstance(value, tuple)
        }
        return structs.replace(rows, **repeated)

    async def backup(self, target: Path) -> None:
        """There is nothing to copy to.

        Raises:
            StoreUnavailable: Always.
        """
        raise StoreUnavailable("a memory store cannot be backed up")

    async def close(self) -> None:
        """Nothing to finish."""


class MemoryBlobWriter:
    """Collects the pieces of a blob."""

    def __init__(self, record: Record, tenant: int, clock: int) -> None:
        self._record, self._tenant, self._clock = record, tenant, clock
        self._pieces = bytearray()

    async def write(self, piece: bytes) -> None:
        """Append a piece."""
        self._pieces += piece

    async def finish(self) -> Blob:
        """Keep it."""
        content = bytes(self._pieces)
        sha256 = hashlib.sha256(content).hexdigest()
        self._record.blobs[self._tenant, sha256] = (self._clock, content)
        return Blob(sha256, len(content))

    async def abandon(self) -> None:
        """Throw it away."""
        self._pieces.clear()


async def _pieces(content: bytes) -> AsyncGenerator[bytes, None]:
    for start in range(0, len(content), PIECE):
        yield content[start : start + PIECE]


def _ids(record: Record, tenant: int, query: Query) -> tuple[str, ...]:
    return tuple(row.stored.id for row in find(record, tenant, query)[0])


def _is_member(query: HistoryQuery, stored: Stored) -> bool:
    """Whether the query is for this version among others, or for all."""
    if query.members is None:
        return True
    versions = query.members.get((stored.type, stored.id))
    return versions is not None and (not versions or stored.version in versions)


def _selected(query: HistoryQuery, updated: int, until: int | None) -> bool:
    """Whether a version that was current in [updated, until) is asked for."""
    if query.since is not None and updated < query.since:
        return False
    if query.at is None:
        return True
    low, high = query.at
    return updated < high and (until is None or until > low)


def _is_asked(row: AuditRow, query: AuditQuery) -> bool:
    """Whether a row may answer."""
    if query.low is not None and row.time < query.low:
        return False
    if query.high is not None and min(one.time for one in row.records) >= query.high:
        return False
    if not query.keys:
        return True
    keys = set[int]().union(*map(keys_of, row.records))
    return all(not keys.isdisjoint(group) for group in query.keys)


def _definition(parameter: RuntimeParameter | None) -> tuple[str, ...]:
    """What of a parameter makes other definitions when it changes."""
    return (parameter.url, parameter.resource_id, parameter.status) if parameter else ()
