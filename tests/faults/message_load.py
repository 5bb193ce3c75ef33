"""Messages under load, and what has to be true of them after a fault.

A sender sends each message until it has its answer, as HL7's senders do; a pipeline works on
what waits: every fifth message is quarantined, of the others each makes one Patient and counts
a shared Group up, in the commit that settles it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from hub.search.values import IndexRows
from hub.storage.message_log import (
    AlreadySettled,
    Arrival,
    Departure,
    Mark,
    MessageQuery,
    Receipt,
    Settled,
)
from hub.storage.port import Commit, OutboxRow, Store, StoreUnavailable, Write
from tests.faults.load import AUDIT, CLOCK, COUNTERS, TENANT

PAUSE = 0.002


def message(number: int) -> Arrival:
    """The message with this number."""
    raw = b"MSH|%d|" % number + b"x" * (number % 7 * 300)
    return Arrival("HIS|C", str(number), "ADT^A28", "central", raw, (str(number),), CLOCK)


def commit_of(number: int, settled: Settled) -> Commit:
    """What a message stores."""
    body = b'},"note":"%d"}' % number
    writes = (
        Write("POST", "Patient", f"n{number}", body, IndexRows(), 0),
        Write("PUT", "Group", str(number % COUNTERS), body, IndexRows()),
    )
    outbox = (OutboxRow("v2", str(number).encode()),)
    return Commit(TENANT, writes, AUDIT, CLOCK + number, outbox=outbox, message=settled)


def answer_of(number: int) -> bytes:
    """The acknowledgement of a message."""
    return b"MSA|%s|%d" % (b"AA" if number % 5 else b"AE", number)


@dataclass
class Hospital:
    """Sends messages and remembers what it was told.

    Attributes:
        kept: Rows by the number of the message, of those that the store said it has.
        settled: Numbers of which the store said that they are settled.
    """

    sent: int = 0
    kept: dict[int, int] = field(default_factory=dict)
    settled: set[int] = field(default_factory=set)
    stop: bool = False

    async def run(self, store: Store, messages: int, clients: int = 8) -> None:
        """Send so many messages, a few at a time; each until it is settled."""
        left = iter(range(messages))

        async def client() -> None:
            for number in left:
                if self.stop:
                    return
                self.sent = max(self.sent, number + 1)
                while not await self.send(store, number):
                    if self.stop:
                        return
                    await asyncio.sleep(PAUSE)

        await asyncio.gather(*(client() for _ in range(clients)))

    async def send(self, store: Store, number: int) -> bool:
        """Send a message and work on it; whether it is answered."""
        try:
            receipt = await store.messages.receive(TENANT, message(number))
            assert self.kept.setdefault(number, receipt.row) == receipt.row
            if receipt.state == "waiting":
                await work_on(store, number, receipt)
            self.settled.add(number)
        except StoreUnavailable:
            return False
        return True


async def work_on(store: Store, number: int, receipt: Receipt) -> None:
    """Settle a message that waits, unless it is settled by now."""
    answer, marks = answer_of(number), (Mark(f"Patient/n{number}", b"%d" % number),)
    try:
        if number % 5:
            end = Settled(receipt.row, "stored", answer, CLOCK + number, marks=marks)
            await store.commit(commit_of(number, end))
        else:
            end = Settled(receipt.row, "quarantined", answer, CLOCK + number, '["bad"]')
            await store.messages.settle(TENANT, end)
    except AlreadySettled:
        found = await store.messages.arrival(TENANT, receipt.row)
        assert found
        assert found.arrival.state != "waiting"


async def resume(store: Store) -> None:
    """Work on what waits, as at a start."""
    for found in await store.messages.waiting(TENANT, 0, 100_000):
        receipt = Receipt(found.row, False, "waiting", b"", False)
        await work_on(store, int(found.arrival.control_id), receipt)


async def send_out(store: Store, most: int = 30) -> None:
    """Make departures of some of what is in the outbox."""
    for row, out in await store.outbox(TENANT, 0, most):
        number = out.body.decode()
        made = Departure("clinic", number, "ADT^A28", b"MSH|" + out.body, CLOCK)
        await store.messages.depart(TENANT, [made], [row])


async def assert_nothing_lost(store: Store, hospital: Hospital) -> None:
    """Each message that was received is there; settled once or waiting, never half."""
    assert [finding async for finding in store.verify(TENANT)] == []
    for number, row in hospital.kept.items():
        found = await store.messages.arrival(TENANT, row)
        assert found, f"message {number} was received, yet it is not there"
        assert found.arrival.raw == message(number).raw
        if number in hospital.settled:
            assert found.arrival.answer == answer_of(number)
    await assert_settled_whole(store, range(hospital.sent))


async def assert_settled_whole(store: Store, numbers: Sequence[int]) -> None:
    """What is stored of each message is what its state says."""
    counted = [0] * COUNTERS
    states = await _states(store)
    for number in numbers:
        state = states.get(number, "")
        patient = await store.read(TENANT, "Patient", f"n{number}")
        mark = await store.messages.marks(TENANT, [f"Patient/n{number}"])
        assert (patient is not None) == (state == "stored") == bool(mark), number
        assert patient is None or patient.version == 1
        counted[number % COUNTERS] += state == "stored"
    for counter, count in enumerate(counted):
        group = await store.read(TENANT, "Group", str(counter))
        assert (group.version if group else 0) == count
    out = {row.body for _, row in await store.outbox(TENANT, 0, 100_000)}
    for number, state in states.items():
        sent = await store.messages.departure(TENANT, str(number))
        assert (str(number).encode() in out) + (sent is not None) == (state == "stored"), number


async def _states(store: Store) -> dict[int, str]:
    found = await store.messages.arrivals(TENANT, MessageQuery(count=100_000))
    states = {int(one.arrival.control_id): one.arrival.state for one in found}
    assert len(states) == len(found), "a message was kept twice"
    return states
