"""Commits under load, and what has to be true of them after a fault.

Each `Bundle` stores three new resources and counts a shared one up; it is told from any other
by its number.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from random import Random

from hub.search.values import LINK_KEY, IndexRows, ReferenceRow, StringRow, TokenRow
from hub.storage.port import AuditRecord, Commit, Store, StoreUnavailable, Write

TENANT = 1
CLOCK = 1_700_000_000_000
AUDIT = AuditRecord("E", "transaction", "local", "request")
TYPES = ("Patient", "Observation", "Encounter")
COUNTERS = 5


def bundle(number: int, random: Random) -> Commit:
    """The commit with this number."""
    filler = "x" * random.choice([10, 200, 5_000])
    rows = IndexRows(
        strings=(StringRow(1, f"name{number % 50}", f"Name{number % 50}"),),
        tokens=(TokenRow(2, "urn:number", str(number)),),
        references=(ReferenceRow(LINK_KEY, "Group", str(number % COUNTERS)),),
        date=CLOCK * 1000 + number,
    )
    body = b'},"note":"%d %s"}' % (number, filler.encode())
    writes = [Write("POST", type, f"n{number}", body, rows) for type in TYPES]
    writes.append(Write("PUT", "Group", str(number % COUNTERS), body, rows))
    return Commit(TENANT, tuple(writes), AUDIT, CLOCK + number)


@dataclass
class Load:
    """Sends bundles and remembers how they ended.

    Attributes:
        sent: Numbers sent.
        stored: Numbers acknowledged.
        refused: Numbers of which the store said that nothing was stored.
    """

    random: Random
    sent: list[int] = field(default_factory=list)
    stored: set[int] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)
    stop: bool = False

    async def send(self, store: Store) -> None:
        """Send the next bundle."""
        number = len(self.sent)
        self.sent.append(number)
        try:
            await store.commit(bundle(number, self.random))
        except StoreUnavailable as error:
            if not error.uncertain:
                self.refused.add(number)
        else:
            self.stored.add(number)

    async def run(self, store: Store, bundles: int, clients: int = 8) -> None:
        """Send so many bundles, a few at a time."""
        left = iter(range(bundles))

        async def client() -> None:
            for _ in left:
                if self.stop:
                    return
                await self.send(store)
                await asyncio.sleep(0)

        await asyncio.gather(*(client() for _ in range(clients)))


async def assert_whole(store: Store, sent: int, stored: set[int], refused: set[int]) -> None:
    """The store is clean, all that was acknowledged is there, nothing is torn or refused."""
    assert [finding async for finding in store.verify(TENANT)] == []
    counted = [0] * COUNTERS
    for number in range(sent):
        found = [await store.read(TENANT, type, f"n{number}") for type in TYPES]
        there = {resource is not None for resource in found}
        assert len(there) == 1, f"bundle {number} is torn"
        if there == {True}:
            assert number not in refused, f"bundle {number} was refused, yet it is there"
            assert {resource.version for resource in found if resource} == {1}
            assert all(b'"%d ' % number in resource.tail for resource in found if resource)
            counted[number % COUNTERS] += 1
        else:
            assert number not in stored, f"bundle {number} was acknowledged, yet it is not there"
    for counter, count in enumerate(counted):
        resource = await store.read(TENANT, "Group", str(counter))
        assert (resource.version if resource else 0) == count
