"""The audit chain as a store keeps and gives it: records, rows, queries, heads.

Shapes of the port (`hub.storage.port`), whence everybody imports them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import msgspec


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
