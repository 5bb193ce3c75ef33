"""Destinations as people see and steer them: paused or not, and whether they can be reached.

Both stand in the ledger, so that commands and the console work beside the process that sends.
Called by `adapters.hl7v2.sending`, `fhir-hub v2` and the console.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from hub.access.records import Records
from hub.storage.ledger import Ledger

PAUSES = "v2-destination"
STATES = "v2-breaker"

Breaker = Literal["closed", "open", "half-open"]
"""`closed`: messages go out; `open`: it could not be reached or says that it cannot work, and is
left alone for a while; `half-open`: one message tries."""


class Pause(msgspec.Struct, frozen=True):
    """Who paused a destination and when (milliseconds since the epoch)."""

    paused: bool
    by: str
    time: int


class BreakerState(msgspec.Struct, frozen=True):
    """How it goes with a destination.

    Attributes:
        breaker: Where the circuit breaker stands.
        failures: In a row.
        since: Since when, milliseconds since the epoch.
        next: When it is tried again, milliseconds since the epoch; 0: at once.
        reason: Why the last attempt failed, as `DepartureRow.reason`.
    """

    breaker: Breaker = "closed"
    failures: int = 0
    since: int = 0
    next: int = 0
    reason: str = ""


class Destinations:
    """The state of the destinations of a tenant."""

    def __init__(self, ledger: Ledger, tenant: int) -> None:
        """Nothing is read yet.

        Args:
            ledger: Where it is kept.
            tenant: Tenant key.
        """
        self._pauses = Records(ledger, tenant, PAUSES, Pause)
        self._states = Records(ledger, tenant, STATES, BreakerState)

    async def pause(self, name: str, by: str, now: int) -> None:
        """Send nothing more; what is on its way is finished.

        Args:
            name: Destination.
            by: Who says so.
            now: Milliseconds since the epoch.
        """
        await self._pauses.put(name, Pause(True, by, now), now)

    async def resume(self, name: str, by: str, now: int) -> None:
        """Send again, at once, whatever the breaker says."""
        await self._pauses.put(name, Pause(False, by, now), now)

    async def last_word(self, name: str, now: int) -> Pause | None:
        """What somebody said last, None when nobody ever did."""
        found = await self._pauses.get(name, now)
        return None if found is None else found.value

    async def note(self, name: str, state: BreakerState, now: int) -> None:
        """Keep how it goes with a destination."""
        await self._states.put(name, state, now)

    async def state(self, name: str, now: int) -> BreakerState:
        """How it goes with a destination."""
        found = await self._states.get(name, now)
        return BreakerState() if found is None else found.value
