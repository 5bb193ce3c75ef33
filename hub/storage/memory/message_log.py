"""The log of messages over plain dictionaries: the reference. Used by `hub.storage.memory`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec.structs import replace

from hub.storage.message_log import (
    AlreadySettled,
    Arrival,
    ArrivalRow,
    Departure,
    DepartureRow,
    DepartureState,
    MessageQuery,
    Receipt,
    Row,
    Settled,
    Tally,
    check_settled,
    within_room,
)
from hub.storage.refusals import PreconditionChanged

if TYPE_CHECKING:
    from hub.storage.memory.record import Record


@dataclass(slots=True)
class Messages:
    """The messages of all tenants: what a memory store's record holds of them.

    Attributes:
        arrivals: By tenant and row, oldest first.
        named: Rows of arrivals by tenant, sender and control id.
        departures: By tenant and row, oldest first.
        marks: By tenant and key.
        taken: What came in by tenant, site and `received` or `repeat`.
    """

    arrivals: dict[tuple[int, int], ArrivalRow] = field(default_factory=dict)
    named: dict[tuple[int, str, str], list[int]] = field(default_factory=dict)
    departures: dict[tuple[int, int], DepartureRow] = field(default_factory=dict)
    marks: dict[tuple[int, str], bytes] = field(default_factory=dict)
    taken: Counter[tuple[int, str, str]] = field(default_factory=Counter)

    def check(self, tenant: int, settled: Settled) -> None:
        """Whether an arrival can be settled so.

        Raises:
            AlreadySettled: It does not wait.
            PreconditionChanged: A mark has changed.
            ValueError: See `check_settled`.
        """
        check_settled(settled)
        found = self.arrivals.get((tenant, settled.row))
        if found is None or found.arrival.state != "waiting":
            raise AlreadySettled
        for mark in settled.marks:
            if mark.before not in (None, self.marks.get((tenant, mark.key), b"")):
                raise PreconditionChanged(-1, ())

    def settle(self, tenant: int, settled: Settled) -> None:
        """End the work on an arrival, once checked."""
        found = self.arrivals[tenant, settled.row]
        arrival = replace(
            found.arrival, state=settled.state, answer=settled.answer, reason=settled.reason
        )
        self.arrivals[tenant, settled.row] = found._replace(arrival=arrival, settled=settled.time)
        self.marks.update(((tenant, mark.key), mark.value) for mark in settled.marks)


class MemoryMessageLog:
    """See `hub.storage.message_log.MessageLog` for what each method promises."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._messages = record.messages

    async def receive(self, tenant: int, arrival: Arrival) -> Receipt:
        """Keep an arrival, or find that it is a repeat."""
        log = self._messages
        log.taken[tenant, arrival.site, "received"] += 1
        alike = log.named.setdefault((tenant, arrival.sender, arrival.control_id), [])
        for row in alike:
            found = log.arrivals[tenant, row]
            if found.arrival.raw == arrival.raw:
                log.taken[tenant, arrival.site, "repeat"] += 1
                log.arrivals[tenant, row] = found._replace(repeats=found.repeats + 1)
                return Receipt(row, True, found.arrival.state, found.arrival.answer, False)
        row = len(log.arrivals) + 1
        settled = 0 if arrival.state == "waiting" else arrival.time
        log.arrivals[tenant, row] = ArrivalRow(row, arrival, 0, settled, len(arrival.raw))
        reused = bool(alike and arrival.control_id)
        alike.append(row)
        return Receipt(row, False, arrival.state, arrival.answer, reused)

    async def settle(self, tenant: int, settled: Settled) -> None:
        """End the work on an arrival."""
        self._messages.check(tenant, settled)
        self._messages.settle(tenant, settled)

    async def reopen(self, tenant: int, row: int, time: int) -> bool:
        """Let a quarantined arrival wait again."""
        found = self._messages.arrivals.get((tenant, row))
        if found is None or found.arrival.state != "quarantined":
            return False
        arrival = replace(found.arrival, state="waiting", answer=b"", reason="")
        self._messages.arrivals[tenant, row] = found._replace(arrival=arrival, settled=time)
        return True

    async def waiting(self, tenant: int, after: int, count: int) -> list[ArrivalRow]:
        """Arrivals in work, oldest first."""
        found = _rows(self._messages.arrivals, tenant)
        waiting = [one for one in found if one.row > after and one.arrival.state == "waiting"]
        return within_room(waiting[:count])

    async def arrival(self, tenant: int, row: int) -> ArrivalRow | None:
        """One arrival."""
        return self._messages.arrivals.get((tenant, row))

    async def arrivals(self, tenant: int, query: MessageQuery) -> list[ArrivalRow]:
        """Arrivals, newest first."""
        found = [
            found
            for found in reversed(_rows(self._messages.arrivals, tenant))
            if _is_asked(query, found.row, found.arrival, found.arrival.site, found.arrival.state)
        ][: query.count]
        if query.whole:
            return found
        return [one._replace(arrival=replace(one.arrival, raw=b"")) for one in found]

    async def marks(self, tenant: int, keys: Sequence[str]) -> dict[str, bytes]:
        """Marks that there are."""
        kept = self._messages.marks
        return {key: kept[tenant, key] for key in keys if (tenant, key) in kept}

    async def depart(
        self, tenant: int, departures: Sequence[Departure], outbox: Sequence[int]
    ) -> list[int]:
        """Queue messages."""
        rows = []
        queue = self._messages.departures
        for departure in departures:
            known = [
                one.row
                for one in _rows(queue, tenant)
                if one.departure.control_id == departure.control_id
            ]
            row = known[0] if known else len(queue) + 1
            if not known:
                queue[tenant, row] = DepartureRow(row, departure, "queued", size=len(departure.raw))
            rows.append(row)
        self._record.take_out(tenant, outbox)
        return rows

    async def due(self, tenant: int, destination: str, now: int, count: int) -> list[DepartureRow]:
        """Queued messages of a destination, oldest first."""
        found: list[DepartureRow] = []
        for one in _rows(self._messages.departures, tenant):
            if one.departure.destination == destination and one.state == "queued":
                if one.due > now or len(found) == count:
                    break
                found.append(one)
        return within_room(found)

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
        found = self._messages.departures.get((tenant, row))
        if found is None:
            return False
        attempts = found.attempts + (found.state == "queued")
        self._messages.departures[tenant, row] = found._replace(
            state=state, attempts=attempts, due=due, answer=answer or found.answer, reason=reason
        )
        return True

    async def departure(self, tenant: int, name: str) -> DepartureRow | None:
        """The newest departure of that name."""
        for one in reversed(_rows(self._messages.departures, tenant)):
            if name == one.departure.control_id or name in one.departure.names:
                return one
        return None

    async def departures(self, tenant: int, query: MessageQuery) -> list[DepartureRow]:
        """Departures, newest first."""
        found = [
            found
            for found in reversed(_rows(self._messages.departures, tenant))
            if _is_asked(
                query, found.row, found.departure, found.departure.destination, found.state
            )
        ][: query.count]
        if query.whole:
            return found
        return [one._replace(departure=replace(one.departure, raw=b"")) for one in found]

    async def counts(self, tenant: int) -> list[Tally]:
        """How many messages there are, in order."""
        log = self._messages
        states = Counter[tuple[str, str, str]]()
        for arrived in _rows(log.arrivals, tenant):
            states["in", arrived.arrival.site, arrived.arrival.state] += 1
        for departed in _rows(log.departures, tenant):
            states["out", departed.departure.destination, departed.state] += 1
        for (owner, site, what), number in log.taken.items():
            if owner == tenant:
                states["in", site, what] += number
        return [
            Tally("in" if direction == "in" else "out", peer, state, number)
            for (direction, peer, state), number in sorted(states.items())
        ]


def _rows(kept: dict[tuple[int, int], Row], tenant: int) -> list[Row]:
    """Those of a tenant, oldest first."""
    return [row for (owner, _), row in kept.items() if owner == tenant]


def _is_asked(
    query: MessageQuery, row: int, message: Arrival | Departure, peer: str, state: str
) -> bool:
    """Whether a query is for a row."""
    return (
        (query.before is None or row < query.before)
        and query.state in ("", state)
        and query.peer in ("", peer)
        and _is_of(query.kind, message.kind)
        and query.control_id in ("", message.control_id)
    )


def _is_of(wanted: str, kind: str) -> bool:
    """Whether a kind is the one that is wanted, or one of them."""
    return wanted in ("", kind) or kind.startswith(wanted + "^")
