"""The port to the ledger: small records beside the FHIR record, kept with compare-and-set.

Accounts, clients, grants, authorization codes, refresh tokens, sessions, launch tokens, used
`jti`s, signing keys, failed logins: whatever `hub.auth` and `hub.access` must keep across a
restart and share between workers. Every store implements it (`Store.ledger`); one contract suite
runs on all. What a record means is its owner's business: here it is bytes.

Promises:
    Atomicity. `put` and `take` compare and change in one transaction of the writer: of two that
        expect the same revision exactly one succeeds, whichever worker it comes through.
    Durability. When `put` or `take` returns, a power cut does not undo it.
    Expiry. An expired record is as good as absent, at once; it is removed some time later.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

ANY = -1
"""Whatever revision there is, or none."""

ABSENT = 0
"""There must be no such record (or an expired one)."""


class Record(NamedTuple):
    """One record.

    Attributes:
        key: Its key, unique within its kind.
        value: Its content.
        revision: 1, 2, 3 ... goes up with each `put`.
        expires: When it ends, milliseconds since the epoch; 0: never.
    """

    key: str
    value: bytes
    revision: int
    expires: int = 0


class Ledger(Protocol):
    """Records by kind and key. Safe to call from one event loop concurrently."""

    async def get(self, tenant: int, kind: str, key: str, now: int) -> Record | None:
        """The record, None when absent or expired.

        Args:
            tenant: Tenant key.
            kind: `account`, `client`, `code` ...; a short ASCII name.
            key: Up to 512 characters.
            now: Milliseconds since the epoch.
        """

    async def put(
        self,
        tenant: int,
        kind: str,
        key: str,
        value: bytes,
        *,
        now: int,
        expected: int = ANY,
        expires: int = 0,
    ) -> Record | None:
        """Store a record; None when the revision is not the expected one (nothing is changed).

        Raises:
            StoreUnavailable: It could not be stored.
        """

    async def take(
        self, tenant: int, kind: str, key: str, *, now: int, expected: int = ANY
    ) -> Record | None:
        """Remove a record and give it; None when absent, expired or of another revision."""

    async def records(
        self, tenant: int, kind: str, now: int, after: str = "", count: int = 1000
    ) -> list[Record]:
        """Records of a kind in order of their keys, after a key; expired ones are left out."""

    async def remove_expired(self, tenant: int, now: int) -> int:
        """Remove what has expired; gives how many."""
