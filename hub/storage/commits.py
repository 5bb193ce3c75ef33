"""What a store is asked to do and what it did: versions, writes, preconditions, commits.

Shapes of the port (`hub.storage.port`), whence everybody imports them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import msgspec

from hub.search.query import Query
from hub.search.values import IndexRows
from hub.storage.audit_rows import AuditRecord
from hub.storage.message_log import Settled

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

    Holds for what was never there, whatever refers to it. Those of HOLDERS refer to nothing, and
    those of WITNESSES stand against nothing.
    """

    type: str
    id: str


HOLDERS = frozenset(("Bundle",))
"""Types whose reference rows tell what they hold copies of, as a document its Composition."""

WITNESSES = frozenset(("Provenance",))
"""Types that tell of versions, which stay in the history of what is deleted."""

Precondition = Matches | Exists | Unreferenced


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """Something to deliver because of this commit (subscription, message, job).

    Attributes:
        topic: Whose business it is.
        body: What only that knows to read.
        sequence: Of its commit, filled in by the store: tells the versions it is about.
    """

    topic: str
    body: bytes
    sequence: int = field(default=0, compare=False)


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
        message: The end of the work on a message, which this commit is; `AlreadySettled` refuses
            the commit.
    """

    tenant: int
    writes: tuple[Write, ...]
    audit: AuditRecord
    clock: int
    preconditions: tuple[Precondition, ...] = ()
    outbox: tuple[OutboxRow, ...] = ()
    idempotency_key: str = ""
    generation: int | None = None
    message: Settled | None = None


class Written(NamedTuple):
    """Result of one write; `created` when there was no current version before."""

    version: int
    updated: int
    created: bool


class Committed(NamedTuple):
    """Result of a commit, one `Written` per write in order."""

    sequence: int
    results: tuple[Written, ...]
