"""The one port to storage: what every store promises.

Implemented by `hub.storage.memory` (the reference), `hub.storage.sqlite` and later
`hub.storage.mongo`; called by `hub.interactions` and `hub.operations`. A tenant's integer key
leads every key. One contract suite (tests/contract) runs on every store. The shapes lie in
`commits`, `audit_rows` and `refusals`; they are imported from here.

Promises:
    Order. Each commit takes a strictly increasing sequence (total in memory and SQLite;
        `Store.order` says `total` or `per-shard`). lastUpdated of a version is
        max(clock, last + 1 ms); history and export page by sequence.
    Atomicity. A commit's preconditions are checked inside its transaction; it is stored whole
        or not at all, with history, index rows, audit and outbox. In a group commit one
        request's failure touches no neighbour.
    Durability. When `commit` returns, a power cut does not undo it.
    Idempotency. A commit with an idempotency key that was applied answers the first result.
    History. Delete writes a tombstone version; versions count on after it. Only `expunge`
        removes physically.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from hub.search.query import Position, Query
from hub.search.values import IndexRows
from hub.storage.audit_rows import (
    AuditHead,
    AuditPage,
    AuditQuery,
    AuditRecord,
    AuditRow,
)
from hub.storage.commits import (
    ABSENT,
    ANY_VERSION,
    DAY,
    HOLDERS,
    HOUR,
    WITNESSES,
    Commit,
    Committed,
    Exists,
    Matches,
    Method,
    OutboxRow,
    Precondition,
    Stored,
    Unreferenced,
    Write,
    Written,
)
from hub.storage.ledger import Ledger
from hub.storage.message_log import AlreadySettled, MessageLog
from hub.storage.refusals import (
    BlobMissing,
    BodyDamaged,
    CommitRefused,
    DeadlineExceeded,
    GenerationMoved,
    PreconditionChanged,
    StillReferenced,
    StoreLocked,
    StoreNewer,
    StoreUnavailable,
    TargetMissing,
    Trouble,
    VersionConflict,
)

__all__ = [
    "ABSENT",
    "ANY_VERSION",
    "DAY",
    "HOLDERS",
    "HOUR",
    "WITNESSES",
    "AlreadySettled",
    "AuditHead",
    "AuditPage",
    "AuditQuery",
    "AuditRecord",
    "AuditRow",
    "Blob",
    "BlobMissing",
    "BlobWriter",
    "BodyDamaged",
    "Commit",
    "CommitRefused",
    "Committed",
    "DeadlineExceeded",
    "Exists",
    "Finding",
    "GenerationMoved",
    "HistoryPage",
    "HistoryQuery",
    "Matches",
    "Method",
    "OutboxRow",
    "Page",
    "Precondition",
    "PreconditionChanged",
    "Reindexed",
    "RuntimeParameter",
    "StillReferenced",
    "Store",
    "StoreInfo",
    "StoreLocked",
    "StoreNewer",
    "StoreUnavailable",
    "Stored",
    "TargetMissing",
    "Trouble",
    "Unreferenced",
    "VersionConflict",
    "Write",
    "Written",
]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of matches.

    Attributes:
        matches: At most `query.count` current resources in order; fewer, but one at least, when
            their bodies are over `query.room`.
        next: Where the next page starts, None at the end.
        total: Number of matches, None when not counted.
        estimated: True when total is an estimate.
        damaged: Type and id of matches that cannot be read, which are not among them.
    """

    matches: tuple[Stored, ...]
    next: Position | None = None
    total: int | None = None
    estimated: bool = False
    damaged: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """A history interaction, newest first.

    Attributes:
        type: Resource type, "" for the system.
        id: Logical id, "" for the type.
        since: Only versions with lastUpdated >= this (ms), None for all.
        at: Only versions that were current at some time in this [low, high) range (ms).
        count: Page size.
        before: Continue with sequences (and, within one, rows) before this; from `next`.
        room: As for `Query`.
        members: Only versions of these, None for all: by (type, id) the versions, none of them
            named for every one. What is not there, or not of `type` and `id`, has no effect.
    """

    type: str = ""
    id: str = ""
    since: int | None = None
    at: tuple[int, int] | None = None
    count: int = 20
    before: Position | None = None
    members: Mapping[tuple[str, str], frozenset[int]] | None = None
    room: int | None = None


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """A page of versions, tombstones included; total counts all that the query selects."""

    versions: tuple[Stored, ...]
    next: Position | None
    total: int


class Reindexed(NamedTuple):
    """New index rows for a version; ignored when the version is no longer current."""

    type: str
    id: str
    version: int
    rows: IndexRows


@dataclass(frozen=True, slots=True)
class Finding:
    """Something `verify` found wrong: where, what; never patient data."""

    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Blob:
    """A stored blob: SHA-256 in hex, size in bytes."""

    sha256: str
    size: int


class BlobWriter(Protocol):
    """Receives a blob piece by piece; nothing is visible before `finish`."""

    async def write(self, piece: bytes) -> None:
        """Append a piece."""

    async def finish(self) -> Blob:
        """Make it durable and give its hash; equal contents are stored once."""

    async def abandon(self) -> None:
        """Throw away what was written."""


@dataclass(frozen=True, slots=True)
class RuntimeParameter:
    """A SearchParameter resource made at run time.

    Attributes:
        key: 10000 and up, assigned by the store, never reused.
        url: Canonical.
        resource_id: Logical id of the SearchParameter resource.
        status: `indexing` or `completed`.
        indexed: Resources indexed so far.
        counted: Resources to index.
        after: Scan position of the indexing job, to go on after a restart.
    """

    key: int
    url: str
    resource_id: str
    status: str = "indexing"
    indexed: int = 0
    counted: int = 0
    after: int = 0


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """Facts for health, metrics and the console.

    Attributes:
        backend: `memory`, `sqlite` ...
        resources: Current, undeleted resources by type, for the tenant; types with none left out.
        sequence: Sequence of the newest commit of the store.
        bytes: Size on disk, blobs left out.
        order: Whether the sequence orders all commits or those of a shard.
        versions: Versions of the tenant, tombstones included.
        queued: Commits waiting for the writer.
    """

    backend: str
    resources: dict[str, int] = field(default_factory=dict)
    sequence: int = 0
    bytes: int = 0
    order: Literal["total", "per-shard"] = "total"
    versions: int = 0
    queued: int = 0


class Store(Protocol):
    """A FHIR record. All methods are safe to call from one event loop concurrently."""

    @property
    def ledger(self) -> Ledger:
        """Small records beside it: accounts, grants, keys."""

    @property
    def messages(self) -> MessageLog:
        """What other systems sent, and what is sent to them."""

    async def read(self, tenant: int, type: str, id: str) -> Stored | None:
        """Newest version, a tombstone if deleted, None if never there."""

    async def read_many(
        self, tenant: int, targets: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], Stored]:
        """Current, undeleted versions of those (type, id) that exist."""

    async def vread(self, tenant: int, type: str, id: str, version: int) -> Stored | None:
        """That version, a tombstone included, or None."""

    async def commit(self, commit: Commit) -> Committed:
        """Apply a transaction.

        Raises:
            CommitRefused: A precondition does not hold, or its message does not wait
                (`AlreadySettled`); nothing was stored.
            StoreUnavailable: I/O failed.
        """

    async def search(self, tenant: int, query: Query, deadline: float | None = None) -> Page:
        """A page of current resources.

        Args:
            tenant: Tenant key.
            query: What is asked.
            deadline: Seconds it may take; the store's setting when None.

        Raises:
            DeadlineExceeded: It would take longer.
        """

    async def explain(self, tenant: int, query: Query) -> tuple[str, ...]:
        """The plan the store would use, line by line, for people."""

    async def history(self, tenant: int, query: HistoryQuery) -> HistoryPage:
        """A page of versions, newest first."""

    async def scan(
        self, tenant: int, types: tuple[str, ...], after: int, count: int
    ) -> tuple[list[Stored], int]:
        """Current, undeleted resources in row order after a position, and the next position.

        For export, reindexing and checks: cheap, and stable while data changes. An empty list
        means the end.

        Raises:
            BodyDamaged: The first resource after the position cannot be read.
        """

    async def reindex(self, tenant: int, rows: Sequence[Reindexed]) -> int:
        """Replace index rows of versions that are still current; gives how many were."""

    async def expunge(
        self,
        tenant: int,
        type: str,
        id: str,
        audit: AuditRecord,
        clock: int,
        expected: int = ANY_VERSION,
    ) -> int:
        """Physically remove a resource with all versions and blobs; gives versions removed.

        Its audit row's interaction is `expunge`, whatever `audit` says, and names type/id.

        Raises:
            VersionConflict: The newest version, tombstone or not, is not the expected one.
        """

    async def parameters(self, tenant: int) -> tuple[RuntimeParameter, ...]:
        """SearchParameters made at run time."""

    async def put_parameter(
        self, tenant: int, parameter: RuntimeParameter | None, url: str
    ) -> RuntimeParameter | None:
        """Add (key 0: the store assigns one), change or (None) remove one.

        Moves the generation, unless only the progress (indexed, counted, after) changed.
        """

    async def generation(self, tenant: int) -> int:
        """Counts changes of definitions (search parameters, profiles); workers compare it."""

    async def last_change(self, tenant: int, type: str) -> int:
        """When a resource of the type was written or deleted last (ms), 0 if never; a point read.

        It differs after every commit with one of the type, so that whoever keeps what it made of
        them knows when to make it anew.
        """

    async def audit_records(
        self, tenant: int, after: int, count: int
    ) -> list[tuple[int, int, AuditRecord]]:
        """(row number, time in ms, record) after a row number, oldest first."""

    async def audit_rows(self, tenant: int, query: AuditQuery) -> AuditPage:
        """Rows of the audit chain, newest first."""

    async def append_audit(self, tenant: int, records: Sequence[AuditRecord], clock: int) -> int:
        """Add one row that holds many events; gives its number.

        Args:
            tenant: Tenant key.
            records: Oldest first, at least one; each with its `time`.
            clock: Now, milliseconds since the epoch.

        Raises:
            StoreUnavailable: I/O failed; when it is not `uncertain`, nothing was stored.
        """

    async def audit_head(self, tenant: int) -> AuditHead:
        """The newest row of the audit chain, row 0 when there is none."""

    async def check_audit(self, tenant: int, expected: AuditHead | None = None) -> Finding | None:
        """The first place at which the audit chain does not hold, None when it does.

        Args:
            tenant: Tenant key.
            expected: A head that was noted earlier, elsewhere: the chain must still go through
                it. Without one, nobody can tell a chain whose end was cut off, or that was
                written anew as a whole, from a true one.
        """

    async def outbox(self, tenant: int, after: int, count: int) -> list[tuple[int, OutboxRow]]:
        """(row number, row) of what is not delivered yet, after a row number, oldest first."""

    async def delivered(self, tenant: int, rows: Sequence[int]) -> None:
        """Take rows out of the outbox."""

    async def sweep(self, clock: int, grace: int = HOUR) -> int:
        """Remove blobs no version refers to and idempotency keys a day old; gives blobs removed.

        What has expired in the ledger goes as well.

        Args:
            clock: Now, milliseconds since the epoch.
            grace: A blob younger than this may still wait for its commit; milliseconds.
        """

    async def new_blob(self, tenant: int) -> BlobWriter:
        """Start a blob."""

    async def open_blob(
        self, tenant: int, sha256: str, start: int = 0, end: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Pieces of a blob, or of a byte range of it.

        Raises:
            KeyError: No such blob.
        """

    async def blob_size(self, tenant: int, sha256: str) -> int | None:
        """Size in bytes, None if there is no such blob."""

    async def info(self, tenant: int) -> StoreInfo:
        """Facts; counts may be estimates of the newest state."""

    def verify(self, tenant: int) -> AsyncIterator[Finding]:
        """Check histories, sequence, audit chain, blobs and structure.

        Index rows are compared by the `check` command through `scan` and `indexed_rows`.
        """

    async def indexed_rows(self, tenant: int, type: str, id: str) -> IndexRows | None:
        """What the index holds of a resource, in the shape that extraction makes, sorted."""

    async def backup(self, target: Path) -> None:
        """Copy the store, consistent and verified, while it runs; target must not exist."""

    async def close(self) -> None:
        """Finish queued commits and close."""
