"""What the writer has in hand while it applies a group of requests.

Made by `writer`, used by the actions it runs (`commit`, `expunge`, `upkeep`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

from hub.storage.port import AuditHead
from hub.storage.sqlite import audit, audit_search
from hub.storage.sqlite.codec import Codec
from hub.storage.sqlite.interner import Interner
from hub.storage.sqlite.schema import TypeNames
from hub.storage.sqlite.search import Searcher

READ_STATE = "SELECT sequence, updated, fence FROM state"
WRITE_STATE = "UPDATE state SET sequence = ?, updated = ?, fence = ?"
LIVE = "SELECT 1 FROM resource WHERE tenant = ? AND type = ? AND id = ? AND deleted = 0"
MOST_LIVE = 50_000
"""Resources that are remembered to be there; some ten megabytes."""

Place = tuple[int, int, str]
MessageCount = tuple[int, str, str, str]
"""tenant, direction, site or destination, and state, `received` or `repeat`."""

COUNT = (
    "INSERT INTO statistics VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE"
    " SET live = live + ?3, versions = versions + ?4"
)
COUNT_MESSAGES = (
    "INSERT INTO message_count VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE"
    " SET messages = messages + ?5"
)


@dataclass(slots=True)
class Transaction:
    """The open transaction and what it counts.

    Attributes:
        connection: The writing connection.
        types: Numbers of the resource types.
        searcher: Searches in this transaction.
        interner: Gives row ids and numbers of index terms; kept in step with savepoints.
        codec: The writer thread's codec.
        folder: The data directory.
        sequence: The newest number given out: of a commit, or a revision in the ledger.
        updated: Its lastUpdated in milliseconds.
        fence: Number of the group under way, or of the last one.
        heads: Ends of the audit chains by tenant.
        counts: Changes of (live, versions) by tenant and type, not yet written.
        messages: Changes of the numbers of messages by tenant, direction, peer and state, not yet
            written.
        live: Some resources that are there: tenant, number of the type and id. Only this thread
            writes, so that what was found stays true until it is deleted here.
    """

    connection: apsw.Connection
    types: TypeNames
    interner: Interner
    searcher: Searcher
    codec: Codec
    folder: Path
    sequence: int = 0
    updated: int = 0
    fence: int = 0
    heads: dict[int, AuditHead] = field(default_factory=dict)
    counts: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    messages: dict[MessageCount, int] = field(default_factory=dict)
    live: set[Place] = field(default_factory=set)

    def load(self) -> None:
        """Forget what an abandoned transaction counted and read what is stored."""
        state: Any = self.connection.execute(READ_STATE).get
        self.sequence, self.updated, self.fence = state
        self.heads.clear()
        self.counts.clear()
        self.messages.clear()
        self.live.clear()
        self.interner.reset()
        self.searcher.forget()

    def next_commit(self, clock: int) -> tuple[int, int]:
        """Take the next sequence and lastUpdated."""
        self.sequence += 1
        self.updated = max(clock, self.updated + 1)
        return self.sequence, self.updated

    def take_number(self, above: int) -> int:
        """Take the next sequence for something that is no commit.

        Args:
            above: It is greater than this.
        """
        self.sequence = max(self.sequence, above) + 1
        return self.sequence

    def count(self, tenant: int, type: int, live: int, versions: int) -> None:
        """Note that a type has so many more live resources and versions."""
        before = self.counts.get((tenant, type), (0, 0))
        self.counts[tenant, type] = (before[0] + live, before[1] + versions)

    def count_messages(self, tenant: int, direction: str, peer: str, state: str, more: int) -> None:
        """Note that there are so many more messages in a state (or `received`, `repeat`)."""
        place = (tenant, direction, peer, state)
        self.messages[place] = self.messages.get(place, 0) + more

    def append_audit(self, tenant: int, record: bytes) -> int:
        """Add the newest commit's audit row; gives its number."""
        last = self.heads.get(tenant) or audit.head(self.connection, tenant)
        head = audit.append(self.connection, tenant, last, self.sequence, self.updated, record)
        self.heads[tenant] = head
        if audit_search.is_last(head.row):
            audit_search.seal(self.connection, self.types, tenant, head.row)
        return head.row

    def mark(self) -> Mark:
        """What to go back to when a request is undone."""
        return Mark(
            self.sequence,
            self.updated,
            self.heads.copy(),
            self.counts.copy(),
            self.messages.copy(),
        )

    def back_to(self, mark: Mark) -> None:
        """Forget what has been counted since the mark."""
        self.sequence, self.updated = mark.sequence, mark.updated
        self.heads, self.counts, self.messages = mark.heads, mark.counts, mark.messages
        self.live.clear()
        self.interner.forget()
        self.searcher.forget()

    def is_live(self, tenant: int, type: int, id: str) -> bool:
        """Whether a resource is there, undeleted; remembered, for most are referred to often."""
        place = (tenant, type, id)
        if place in self.live:
            return True
        if self.connection.execute(LIVE, place).get is None:
            return False
        if len(self.live) >= MOST_LIVE:
            self.live.clear()
        self.live.add(place)
        return True

    def flush(self) -> None:
        """Write the counters, once per group."""
        for key, change in self.counts.items():
            self.connection.execute(COUNT, (*key, *change))
        self.counts.clear()
        for place, more in self.messages.items():
            self.connection.execute(COUNT_MESSAGES, (*place, more))
        self.messages.clear()
        self.fence += 1
        self.connection.execute(WRITE_STATE, (self.sequence, self.updated, self.fence))


@dataclass(frozen=True, slots=True)
class Mark:
    """A transaction's counters at one moment."""

    sequence: int
    updated: int
    heads: dict[int, AuditHead]
    counts: dict[tuple[int, int], tuple[int, int]]
    messages: dict[MessageCount, int]
