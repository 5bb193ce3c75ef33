"""So many of something in so long, per network address: registrations.

A fixed window in the ledger, so that all workers count together. Called by `hub.auth.register`.
"""

from __future__ import annotations

import hashlib

import msgspec
from msgspec.structs import replace

from hub.access.records import Records
from hub.storage.ledger import Ledger


class Count(msgspec.Struct, frozen=True):
    """How many so far."""

    number: int


class Rate:
    """Counts what is done."""

    def __init__(self, ledger: Ledger, tenant: int, name: str, most: int, window: int) -> None:
        """Prepare.

        Args:
            ledger: Where it is kept.
            tenant: Tenant key.
            name: What is counted.
            most: How many.
            window: In how long, milliseconds.
        """
        self._records = Records(ledger, tenant, "rate", Count)
        self._name, self._most, self._window = name, most, window

    async def allows(self, who: str, now: int) -> bool:
        """Count one; False when there were enough."""
        key = f"{self._name} {hashlib.sha256(who.encode()).hexdigest()} {now // self._window}"
        while True:
            if await self._records.add(key, Count(1), now, now + self._window):
                return True
            found = await self._records.get(key, now)
            if found is None:
                continue
            if found.value.number >= self._most:
                return False
            more = replace(found.value, number=found.value.number + 1)
            if await self._records.put(key, more, now, found.revision, found.expires):
                return True
