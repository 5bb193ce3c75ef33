"""A record in memory whose changes are announced, and what sends them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from adapters.hl7v2.announcing import SiteAnnouncer
from adapters.hl7v2.departing import departing
from adapters.hl7v2.destinations import Destinations
from adapters.hl7v2.outbox import Outbox
from adapters.hl7v2.sending import Pace
from adapters.hl7v2.sites import DEFAULT, Destination, Site, Sites
from hub.context import Context
from hub.interactions import Interactions, RegistryHolder
from hub.operations import OPERATIONS
from hub.settings import Settings
from hub.storage.memory.store import MemoryStore
from hub.storage.message_log import DepartureRow, MessageQuery
from hub.validation.validator import Validator

Resource = dict[str, Any]

FAST = Pace(first=0.02, most=0.05, poll=0.01, connect=1.0)
PATIENT: Resource = {
    "resourceType": "Patient",
    "id": "zhang",
    "identifier": [{"system": "urn:oid:1.2.3", "value": "P1"}],
    "name": [{"use": "official", "family": "张", "given": ["小明"]}],
    "gender": "male",
    "birthDate": "1980-02-29",
}


def sites(**destinations: Destination) -> Sites:
    """Sites with destinations."""
    named = {
        name: Site(name, destination=destination, systems={"HIS": "urn:oid:1.2.3"})
        for name, destination in destinations.items()
    }
    return Sites(MappingProxyType({DEFAULT: Site(), **named}))


def his(port: int = 1, **more: Any) -> Destination:
    """A destination on this machine that gets everything."""
    return Destination("127.0.0.1", port, **{"events": ("ADT", "ORU"), **more})


@dataclass(frozen=True)
class Hub:
    """A record with what sends from it."""

    door: Interactions
    ctx: Context
    sites: Sites

    async def put(self, resource: Resource, ctx: Context | None = None) -> None:
        """Store a resource under its id."""
        type, id = resource["resourceType"], resource["id"]
        await self.door.update(ctx or self.ctx, type, id, {**resource})

    async def made(self) -> list[DepartureRow]:
        """Turn the outbox into messages; gives all, oldest first."""
        outbox = Outbox(self.door, self.ctx, self.sites)
        while await outbox.turn():
            pass
        return await self.log()

    async def log(self) -> list[DepartureRow]:
        """All messages out, oldest first."""
        query = MessageQuery(count=10_000)
        return (await self.door.store.messages.departures(self.ctx.tenant.key, query))[::-1]

    @property
    def states(self) -> Destinations:
        """Pauses and breakers."""
        return Destinations(self.door.store.ledger, self.ctx.tenant.key)

    @asynccontextmanager
    async def sending(self, pace: Pace = FAST, **more: Any) -> AsyncIterator[None]:
        """The outbox and senders at work."""
        async with departing(self.door, self.ctx, self.sites, pace=pace, **more):
            yield

    async def until(self, fulfilled: Callable[[list[DepartureRow]], bool]) -> list[DepartureRow]:
        """Wait until the log is as it should be."""
        async with asyncio.timeout(20):
            while not fulfilled(rows := await self.log()):
                await asyncio.sleep(0.01)
        return rows


MakeHub = Callable[..., Hub]


@pytest.fixture
def make_hub(tmp_path: Path) -> MakeHub:
    """Makes a hub with destinations."""

    def make(**destinations: Destination) -> Hub:
        store = MemoryStore()
        door = Interactions(
            store,
            Validator(),
            RegistryHolder(store),
            Settings(data=tmp_path),
            operations=OPERATIONS,
        )
        known = sites(**destinations)
        return Hub(replace(door, announce=SiteAnnouncer(known)), Context(), known)

    return make
