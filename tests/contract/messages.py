"""Short ways to make messages for the contract suite."""

from __future__ import annotations

from typing import Any

from hub.storage.message_log import Arrival, Departure, Settled, Tally
from hub.storage.port import Store
from tests.contract.commits import CLOCK as NOW
from tests.contract.commits import TENANT


def arrival(control_id: str = "1", raw: bytes = b"MSH|", **fields: Any) -> Arrival:
    """An ADT^A01 of HIS|CENTRAL."""
    return Arrival(
        **{
            "sender": "HIS|CENTRAL",
            "control_id": control_id,
            "kind": "ADT^A01",
            "site": "central",
            "raw": raw,
            "keys": ("HIS|CENTRAL|42",),
            "time": NOW,
            **fields,
        }
    )


async def receive(store: Store, control_id: str = "1", raw: bytes = b"MSH|", **fields: Any) -> int:
    """Receive a message and give its row."""
    receipt = await store.messages.receive(TENANT, arrival(control_id, raw, **fields))
    return receipt.row


def settled(row: int, **fields: Any) -> Settled:
    """An arrival that was stored."""
    return Settled(**{"row": row, "state": "stored", "answer": b"AA", "time": NOW + 5, **fields})


def departure(control_id: str = "o1", **fields: Any) -> Departure:
    """A REF^I12 to clinic."""
    return Departure(
        **{
            "destination": "clinic",
            "control_id": control_id,
            "kind": "REF^I12",
            "raw": b"MSH|out " + control_id.encode(),
            "time": NOW,
            **fields,
        }
    )


async def counts(store: Store, direction: str = "in", tenant: int = TENANT) -> dict[str, int]:
    """How many messages there are by `peer state`."""
    tallies: list[Tally] = await store.messages.counts(tenant)
    return {
        f"{one.peer} {one.state}": one.messages for one in tallies if one.direction == direction
    }
