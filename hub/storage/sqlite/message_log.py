"""The log of messages in SQLite: tables beside the record, changed by the one writer.

Reads of single rows, of what is to be done and of the counters run on the event loop, lists on
the pool. Used by `store`; its actions are in `message_writes`, its tables in `message_schema`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from itertools import takewhile
from typing import Any, Protocol

import msgspec

from hub.storage.message_log import (
    Arrival,
    ArrivalRow,
    Departure,
    DepartureRow,
    DepartureState,
    MessageQuery,
    Receipt,
    Settled,
    Tally,
    within_room,
)
from hub.storage.sqlite import message_rows
from hub.storage.sqlite.connect import FAULTS, unavailable
from hub.storage.sqlite.readers import Readers

FEW = 3
"""From so many on keys are looked up by one statement: each costs a change of locks."""

_encode = msgspec.json.Encoder().encode


class Writing(Protocol):
    """Where changes go; as in `store`."""

    def receive(self, tenant: int, arrival: Arrival) -> Awaitable[Receipt]:
        """Keep an arrival."""

    def settle(self, tenant: int, settled: Settled) -> Awaitable[None]:
        """End the work on an arrival."""

    def reopen(self, tenant: int, row: int, time: int) -> Awaitable[bool]:
        """Let an arrival wait again."""

    def depart(
        self, tenant: int, departures: Sequence[Departure], outbox: Sequence[int]
    ) -> Awaitable[list[int]]:
        """Queue messages."""

    def attempted(
        self, tenant: int, row: int, state: DepartureState, due: int, answer: bytes, reason: str
    ) -> Awaitable[bool]:
        """Note an attempt."""


class SqliteMessageLog:
    """See `hub.storage.message_log.MessageLog` for what each method promises."""

    def __init__(self, readers: Readers, writing: Writing) -> None:
        """Put the parts together.

        Args:
            readers: Reading connections.
            writing: Where changes go.
        """
        self._readers, self._writing = readers, writing
        self._execute = readers.inline.connection.execute

    async def receive(self, tenant: int, arrival: Arrival) -> Receipt:
        """Make an arrival durable."""
        return await self._writing.receive(tenant, arrival)

    async def settle(self, tenant: int, settled: Settled) -> None:
        """End the work on an arrival."""
        await self._writing.settle(tenant, settled)

    async def reopen(self, tenant: int, row: int, time: int) -> bool:
        """Let a quarantined arrival wait again."""
        return await self._writing.reopen(tenant, row, time)

    async def waiting(self, tenant: int, after: int, count: int) -> list[ArrivalRow]:
        """Arrivals in work, oldest first."""
        try:
            rows = self._execute(message_rows.ARRIVALS_WAITING, (tenant, after, count))
            return within_room(message_rows.arrivals(rows))
        except FAULTS as error:
            raise unavailable(error) from error

    async def arrival(self, tenant: int, row: int) -> ArrivalRow | None:
        """One arrival."""
        return next(message_rows.arrivals(self._all(message_rows.ARRIVAL, (tenant, row))), None)

    async def arrivals(self, tenant: int, query: MessageQuery) -> list[ArrivalRow]:
        """Arrivals, newest first."""
        return await self._readers.run(message_rows.find_arrivals, tenant, query)

    async def marks(self, tenant: int, keys: Sequence[str]) -> dict[str, bytes]:
        """Marks that there are."""
        if len(keys) < FEW or any("\0" in key for key in keys):  # JSON text ends at a NUL
            return dict(row for key in keys for row in self._all(message_rows.MARK, (tenant, key)))
        return dict(self._all(message_rows.MARKS, (tenant, _encode(keys).decode())))

    async def depart(
        self, tenant: int, departures: Sequence[Departure], outbox: Sequence[int]
    ) -> list[int]:
        """Queue messages."""
        return await self._writing.depart(tenant, departures, outbox)

    async def due(self, tenant: int, destination: str, now: int, count: int) -> list[DepartureRow]:
        """Queued messages of a destination, oldest first."""
        try:
            rows = self._execute(message_rows.DUE, (tenant, destination, count))
            found = message_rows.departures(rows)
            return within_room(takewhile(lambda one: one.due <= now, found))
        except FAULTS as error:
            raise unavailable(error) from error

    async def attempted(
        self,
        tenant: int,
        row: int,
        state: DepartureState,
        *,
        due: int = 0,
        answer: bytes = b"",
        reason: str = "",
    ) -> bool:
        """Note what came of an attempt."""
        return await self._writing.attempted(tenant, row, state, due, answer, reason)

    async def departure(self, tenant: int, name: str) -> DepartureRow | None:
        """The newest departure of that name."""
        row = self._all(message_rows.NEWEST_NAMED, (tenant, name))[0][0]
        if row is None:
            return None
        found = self._all(message_rows.DEPARTURE, (tenant, row))
        return next(message_rows.departures(found), None)

    async def departures(self, tenant: int, query: MessageQuery) -> list[DepartureRow]:
        """Departures, newest first."""
        return await self._readers.run(message_rows.find_departures, tenant, query)

    async def counts(self, tenant: int) -> list[Tally]:
        """How many messages there are."""
        return [Tally(*row) for row in self._all(message_rows.COUNTS, (tenant,))]

    def _all(self, sql: str, bindings: tuple[Any, ...]) -> list[Any]:
        try:
            return self._execute(sql, bindings).fetchall()
        except FAULTS as error:
            raise unavailable(error) from error
