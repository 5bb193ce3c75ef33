"""The one port to storage: what every store promises.

Implemented by `hub.storage.memory` (the reference), `hub.storage.sqlite` and later
`hub.storage.mongo`; called by `hub.interactions` and `hub.operations`. A tenant's integer key
leads every key. One contract suite (tests/contract) runs on every store.

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

import msgspec

from hub.search.query import Position, Query
from hub.search.values import IndexRows
from hub.storage.ledger import Ledger

Method = Literal["POST", "PUT", "PATCH", "DELETE"]


class Stored(NamedTuple):
    """One version of a resource.

    Attributes:
        type: Resource type.
        id: Logical id.
        version: 1, 2, 3 ...
        updated: lastUpdated, milliseconds since the epoch, UTC.
        sequence: Sequence of its commit.
        method: What made it; DELETE for a tombstone.
        tail: UTF-8 JSON after `"lastUpdated":"..."` in the body: starts with `,` when
            meta holds more, else with `}`; ends with the resource's closing brace. Empty for a
            tombstone. `hub.model.body` joins and splits.
    """

    type: str
    id: str
    version: int
    updated: int
    sequence: int
    method: Method
    tail: bytes

    @property
    def deleted(self) -> bool:
        """True for a tombstone."""
        return self.method == "DELETE"


# --- commit ---------------------------------------------------------------------------------

HOUR = 3_600_000
DAY = 24 * HOUR
ANY_VERSION = -1
ABSENT = 0


class Write(msgspec.Struct, frozen=True):
    """One change.

    Attributes:
        method: POST, PUT and PATCH store `tail`; DELETE stores a tombstone.
        type: Resource type.
        id: Logical id, always chosen above the store.
        tail: See `Stored.tail`; b"" for DELETE.
        rows: Index rows; None for DELETE.
        expected: Version that must be current: a number, `ABSENT` (never existed or deleted),
            or `ANY_VERSION`. A tombstone is no current version: no number matches it. A DELETE
            of what is absent or deleted changes nothing (version 0 or the tombstone's in the
            result).
        blobs: Hashes of blobs the body points to; they live as long as a version does.
    """

    method: Method
    type: str
    id: str
    tail: bytes = b""
    rows: IndexRows | None = None
    expected: int = ANY_VERSION
    blobs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Matches:
    """The query finds exactly these logical ids of its one type (none: If-None-Exist)."""

    query: Query
    ids: frozenset[str] = frozenset()


class Exists(msgspec.Struct, frozen=True):
    """type/id exists, undeleted, before or because of this commit (referential integrity)."""

    type: str
    id: str
    location: str = ""


@dataclass(frozen=True, slots=True)
class Unreferenced:
    """After this commit no other current resource refers to type/id (delete under integrity).

    Holds for what was never there, whatever refers to it. Those of HOLDERS refer to nothing.
    """

    type: str
    id: str


HOLDERS = frozenset(("Bundle",))
"""Types whose reference rows tell what they hold copies of, as a document its Composition."""

Precondition = Matches | Exists | Unreferenced


class AuditRecord(msgspec.Struct, frozen=True, array_like=True):
    """One event of the audit chain, rendered as AuditEvent when it is read.

    Attributes:
        action: AuditEvent.action: C R U D E.
        interaction: restful-interaction code (`create`, `search-type` ...), operation name or
            event of the front door (`login` ...); `hub.audit.kinds` has them.
        principal: Who: account name, or id of a client that acts for itself.
        request_id: Correlation id.
        outcome: AuditEvent.outcome: 0 4 8 12.
        entities: `Type/id` or `Type/id/_history/version`; versions are filled in by the store
            for this commit's writes, whose entities need not be given.
        client: OAuth client id, "" without.
        agent: Who it is in the record, `Practitioner/42`; "" for systems.
        address: Network address of the client.
        query: What was searched for, as in the URL.
        patients: Logical ids of the patients whose data it touched.
        detail: Words for AuditEvent.outcomeDesc, a stable message id or a reason code.
        time: When, milliseconds since the epoch; 0: when its row was written.
    """

    action: str
    interaction: str
    principal: str
    request_id: str
    outcome: str = "0"
    entities: tuple[str, ...] = ()
    client: str = ""
    agent: str = ""
    address: str = ""
    query: str = ""
    patients: tuple[str, ...] = ()
    detail: str = ""
    time: int = 0


class AuditRow(NamedTuple):
    """A row of a tenant's audit chain.

    Attributes:
        row: 1, 2, 3 ...
        time: When it was written, milliseconds since the epoch; strictly rising.
        sequence: Sequence of its commit.
        block: It holds events beside writes (`append_audit`), not a commit.
        records: One for a commit; any number, oldest first, for a block. Every `time` is set.
    """

    row: int
    time: int
    sequence: int
    block: bool
    records: tuple[AuditRecord, ...]


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Rows of the audit chain, newest first.

    Attributes:
        before: Only rows with lower numbers; None: from the newest on.
        low: Only rows with an event at or after this time (ms), None for all.
        high: Only rows with an event before this time (ms), None for all.
        keys: A row has one key of each group (`hub.storage.audit_keys`). Keys are hashes: a row
            may be given that has none of them.
        count: Most rows.
    """

    before: int | None = None
    low: int | None = None
    high: int | None = None
    keys: tuple[tuple[int, ...], ...] = ()
    count: int = 100


class AuditPage(NamedTuple):
    """Rows that may answer an `AuditQuery`; `next` is its `before` to go on with, None at the end.

    A page may be empty before the end: the store looks through so many rows at a time.
    """

    rows: tuple[AuditRow, ...]
    next: int | None


class AuditHead(NamedTuple):
    """A place in a tenant's audit chain: a row's number and hash."""

    row: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """Something to deliver because of this commit (subscription, message, job)."""

    topic: str
    body: bytes


class Commit(msgspec.Struct, frozen=True):
    """A transaction: applied whole or refused whole.

    Attributes:
        tenant: Tenant key.
        writes: Changes; one per resource.
        audit: Row of the audit chain.
        preconditions: Checked inside the transaction, before the writes (Exists and
            Unreferenced: against the state after them).
        outbox: Rows for delivery.
        clock: Now, milliseconds since the epoch, UTC.
        idempotency_key: "" or a key under which a repeat is answered with the first result.
        generation: Definitions generation the index rows were made with, None when it does not
            matter. The store refuses an older one, so that no resource misses the rows of a
            search parameter that another worker has just registered.
    """

    tenant: int
    writes: tuple[Write, ...]
    audit: AuditRecord
    clock: int
    preconditions: tuple[Precondition, ...] = ()
    outbox: tuple[OutboxRow, ...] = ()
    idempotency_key: str = ""
    generation: int | None = None


class Written(NamedTuple):
    """Result of one write; `created` when there was no current version before."""

    version: int
    updated: int
    created: bool


class Committed(NamedTuple):
    """Result of a commit, one `Written` per write in order."""

    sequence: int
    results: tuple[Written, ...]


class CommitRefused(Exception):
    """A precondition does not hold; nothing was stored."""


class VersionConflict(CommitRefused):
    """The current version is not the expected one."""

    def __init__(self, index: int, type: str, id: str, current: int) -> None:
        """Name the write and the version that is current (0: none)."""
        super().__init__(f"writes[{index}] {type}: current version {current}")
        self.index, self.type, self.id, self.current = index, type, id, current


class PreconditionChanged(CommitRefused):
    """A `Matches` no longer holds; search again and retry."""

    def __init__(self, index: int, ids: tuple[str, ...]) -> None:
        """Name the precondition and what it matches now (at most two ids)."""
        super().__init__(f"preconditions[{index}]")
        self.index, self.ids = index, ids


class TargetMissing(CommitRefused):
    """An `Exists` does not hold."""

    def __init__(self, type: str, id: str, location: str = "") -> None:
        """Name the missing target."""
        super().__init__(f"{type} at {location}")
        self.type, self.id, self.location = type, id, location


class StillReferenced(CommitRefused):
    """An `Unreferenced` does not hold; `by` names one type that refers to it."""

    def __init__(self, type: str, id: str, by: str, count: int) -> None:
        """Name the resource, one referring type and how many refer to it (up to a limit)."""
        super().__init__(f"{type} referenced by {by}")
        self.type, self.id, self.by, self.count = type, id, by, count


class GenerationMoved(CommitRefused):
    """The definitions changed since the index rows were made; extract again and retry."""

    def __init__(self, current: int) -> None:
        """Give the generation that is current."""
        super().__init__(f"definitions are at generation {current}")
        self.current = current


class BlobMissing(CommitRefused):
    """A write names a blob that the tenant does not have."""

    def __init__(self, sha256: str) -> None:
        """Name the blob."""
        super().__init__(f"no blob {sha256}")
        self.sha256 = sha256


Trouble = Literal["transient", "full", "damaged"]
"""May be over soon; somebody must make room; what is stored cannot be read."""


class StoreUnavailable(Exception):
    """Disk full, I/O error, damage, or the writer is gone.

    Nothing was stored, unless `uncertain`: then whether it was stored is not known.
    """

    def __init__(
        self, reason: str, uncertain: bool = False, trouble: Trouble = "transient"
    ) -> None:
        """Say why, without patient data."""
        super().__init__(reason)
        self.reason, self.uncertain, self.trouble = reason, uncertain, trouble


class StoreLocked(StoreUnavailable):
    """Another process owns the write connection; `owner` is its process id, 0 if unknown."""

    def __init__(self, owner: int) -> None:
        """Name the process that owns it."""
        super().__init__(f"the store is in use by process {owner}" if owner else "store in use")
        self.owner = owner


class StoreNewer(StoreUnavailable):
    """The store was written by a newer release: its schema version is not known here."""

    def __init__(self, found: int, known: int) -> None:
        """Name both schema versions."""
        super().__init__(f"schema version {found}; this release knows up to {known}")
        self.found, self.known = found, known


class BodyDamaged(StoreUnavailable):
    """A stored body cannot be read; a scan goes on `after` it."""

    def __init__(self, type: str, id: str, version: int, after: int = 0) -> None:
        """Name the version and, for a scan, its position."""
        super().__init__(
            f"the stored body of {type}/{id} is damaged; `check` tells more", trouble="damaged"
        )
        self.type, self.id, self.version, self.after = type, id, version, after


class DeadlineExceeded(Exception):
    """The search would take longer than its deadline; it was stopped."""


# --- reading --------------------------------------------------------------------------------


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
            CommitRefused: A precondition does not hold; nothing was stored.
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
