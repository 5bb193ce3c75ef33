"""The port to the ledger: small records beside the FHIR record, kept with compare-and-set.

Accounts, clients, grants, authorization codes, refresh tokens, sessions, launch tokens, used
`jti`s, signing keys, failed logins: whatever `hub.auth` and `hub.access` must keep across a
restart and share between workers. Every store implements it (`Store.ledger`); one contract suite
runs on all. What a record means is its owner's business: here it is bytes.

Promises:
    Atomicity. `put` and `take` compare and change in one transaction of the writer: of two that
        expect the same revision exactly one succeeds, whichever worker it comes through.
    Durability. When `put` or `take` returns, a power cut does not undo it.
    Revisions. A key never has the same revision twice, also when its record was taken or has
        expired in between: whoever holds a revision of the old one does not meet the new one.
    Expiry. An expired record is as good as absent, at once; it is removed some time later.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

ANY = -1
"""Whatever revision there is, or none."""

ABSENT = 0
"""There must be no such record (or an expired one)."""

LONGEST_KEY = 512


class Record(NamedTuple):
    """One record.

    Attributes:
        key: Its key, unique within its kind.
        value: Its content.
        revision: 1 or more; goes up with each `put`, by steps of any size.
        expires: When it ends, milliseconds since the epoch; 0: never.
    """

    key: str
    value: bytes
    revision: int
    expires: int = 0

    def alive(self, now: int) -> bool:
        """Whether it has not expired."""
        return not self.expires or self.expires > now


def check_names(kind: str, key: str) -> None:
    """Refuse what cannot name a record.

    Raises:
        ValueError: An empty or too long key, or characters that are no text.
    """
    if not (kind and kind.isascii() and key and len(key) <= LONGEST_KEY):
        raise ValueError("a record's kind is short ASCII, its key has 1 to 512 characters")
    key.encode()


class Ledger(Protocol):
    """Records by kind and key. Safe to call from one event loop concurrently."""

    async def get(self, tenant: int, kind: str, key: str, now: int) -> Record | None:
        """The record, None when absent or expired.

        Args:
            tenant: Tenant key.
            kind: `account`, `client`, `code` ...; a short ASCII name.
            key: 1 to 512 characters.
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
            ValueError: The key or kind cannot be one.
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
