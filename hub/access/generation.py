"""A counter that moves with every revocation, so that no process trusts what it remembers.

Grant revoked, account disabled, password changed, client removed: each moves it. A process
looks at it at most once a second; in the process that moved it, it is seen at once. Shared by
`accounts`, `clients` and `grants`, which move it, and `tokens`, which follows it.
"""

from __future__ import annotations

import msgspec

from hub.access.records import Records
from hub.storage.ledger import Ledger

LOOK_EVERY = 1000
"""Milliseconds."""

_KEY = "tokens"


class _Count(msgspec.Struct, frozen=True):
    number: int


class Generation:
    """The counter, as this process last saw it.

    Attributes:
        seen: Its value; -1 before it was looked at.
        due: When to look again, milliseconds since the epoch.
    """

    def __init__(self, ledger: Ledger, tenant: int) -> None:
        """Nothing has been looked at yet.

        Args:
            ledger: Where it is kept.
            tenant: Tenant key.
        """
        self.seen, self.due = -1, 0
        self._records = Records(ledger, tenant, "generation", _Count)

    async def current(self, now: int) -> int:
        """Its value, at most a second old.

        A clock that was set back is noticed too: `due` is never far ahead.
        """
        if not self.due - LOOK_EVERY <= now < self.due:
            found = await self._records.get(_KEY, now)
            self.seen, self.due = found.value.number if found else 0, now + LOOK_EVERY
        return self.seen

    async def move(self, now: int) -> None:
        """Something that was granted is not any more."""
        while True:
            found = await self._records.get(_KEY, now)
            number = found.value.number + 1 if found else 1
            if await self._records.put(_KEY, _Count(number), now, found.revision if found else 0):
                self.seen = max(self.seen, number)
                return
