"""There and back: a referral goes out, and its answer comes in on a connection of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from adapters.hl7v2.announcing import SiteAnnouncer
from adapters.hl7v2.message import Message
from adapters.hl7v2.mllp.client import connected
from adapters.hl7v2.mllp.receiver import Taken
from adapters.hl7v2.service import receiving, sending
from adapters.hl7v2.sites import DEFAULT, Destination, Site, Sites
from hub.context import Context
from hub.interactions.answer import resource_of
from hub.listening import bound
from hub.operations import OPERATIONS
from hub.settings import Settings
from hub.storage.memory.store import MemoryStore
from tests.adapters.hl7v2.out.conftest import PATIENT, Hub
from tests.adapters.hl7v2.out.receiver import Receiver, ack, listening
from tests.adapters.hl7v2.out.test_referring import REQUEST, call
from tests.interactions.conftest import door_over


@dataclass
class Round:
    """A hub with a hospital that it sends to and that sends to it."""

    hub: Hub
    hospital: Receiver
    port: int

    async def send(self, text: str) -> bytes:
        """The hospital sends a message on a connection of its own."""
        async with connected("127.0.0.1", self.port) as connection:
            return await connection.exchange(text.encode(), 30)

    async def task(self, id: str) -> dict[str, Any]:
        """A Task as it is now."""
        return resource_of(await self.hub.door.read(self.hub.ctx, "Task", id))


@pytest.fixture
async def round_(tmp_path: Path) -> AsyncIterator[Round]:
    """It runs."""
    hospital = Receiver(lambda message, _: ack(message, "CA"))
    settings = Settings(data=tmp_path, mllp=2575, shutdown_grace=5)
    async with listening(hospital) as there:
        destination = Destination("127.0.0.1", there, ack="enhanced", answer_seconds=0.2)
        his = Site("his", ("HIS|H",), destination=destination)
        other = Site("other", ("OTHER|H",))
        named = {DEFAULT: Site(), "his": his, "other": other}
        sites = Sites(MappingProxyType(named))
        door = replace(
            door_over(MemoryStore()), announce=SiteAnnouncer(sites), operations=OPERATIONS
        )
        with bound("127.0.0.1", 0) as here:
            port = here.getsockname()[1]
            async with (
                receiving(door, settings, here, sites) as running,
                sending(door, settings, sites, running.inbox),
            ):
                hub = Hub(door, Context(), sites)
                await hub.put(PATIENT)
                await hub.put(REQUEST)
                yield Round(hub, hospital, port)


def rri(reference: str, status: str = "A", number: str = "R-2026-1", sender: str = "HIS") -> str:
    """An answer to a referral."""
    return (
        f"MSH|^~\\&|{sender}|H|FHIRHUB||20261122120000+0800||RRI^I12^RRI_I12|{reference}{status}"
        f"|P|2.5.1\rMSA|AA|{reference}\rRF1|{status}|||||{number}|||||H-77\r"
        "PRD|RT|李^医生\rPID|1||P1^^^HIS||张^小明\r"
    )


async def test_an_answer_to_a_referral_changes_its_task(round_: Round) -> None:
    task = await call(round_.hub, "refer", "ServiceRequest/referral")
    (row,) = await round_.hub.until(lambda rows: [one.state for one in rows] == ["accepted"])
    assert (await round_.task(task["id"]))["status"] == "received"
    answer = await round_.send(rri(row.departure.control_id))
    assert b"\rMSA|AA|" in answer, answer
    assert (await round_.task(task["id"]))["status"] == "accepted"
    assert [one.state for one in await round_.hub.log()] == ["done"]


async def test_an_answer_that_is_quicker_than_the_acknowledgement_counts(round_: Round) -> None:
    def reply(message: Message, _: int) -> Taken:
        async def later() -> bytes:
            assert b"\rMSA|AA|" in await round_.send(rri(message.control_id))
            return ack(message, "CA")

        return Taken(later=later())

    round_.hospital.reply = reply
    task = await call(round_.hub, "refer", "ServiceRequest/referral")
    await round_.hub.until(lambda rows: [one.state for one in rows] == ["done"])
    await asyncio.sleep(0.3)  # The acknowledgement is noted meanwhile, and changes nothing.
    assert [one.state for one in await round_.hub.log()] == ["done"]
    assert (await round_.task(task["id"]))["status"] == "accepted"


async def test_an_answer_may_name_the_referral_only(round_: Round) -> None:
    task = await call(round_.hub, "refer", "ServiceRequest/referral")
    await round_.hub.until(lambda rows: [one.state for one in rows] == ["accepted"])
    answer = await round_.send(rri("UNKNOWN", "R"))
    assert b"\rMSA|AA|" in answer, answer
    assert (await round_.task(task["id"]))["status"] == "rejected"


async def test_an_answer_to_nothing_is_quarantined(round_: Round) -> None:
    await call(round_.hub, "refer", "ServiceRequest/referral")
    (row,) = await round_.hub.until(lambda rows: [one.state for one in rows] == ["accepted"])
    assert b"\rMSA|AE|" in await round_.send(rri("UNKNOWN", number="R-1"))
    assert b"\rMSA|AE|" in await round_.send(rri(row.departure.control_id, sender="OTHER"))
    counts = await round_.hub.door.store.messages.counts(1)
    states = {(one.peer, one.state): one.messages for one in counts if one.direction == "in"}
    assert (states["his", "quarantined"], states["other", "quarantined"]) == (1, 1)


@pytest.mark.parametrize(("code", "state"), [("AA", "done"), ("AE", "refused")])
async def test_an_application_may_answer_on_a_connection_of_its_own(
    round_: Round, code: str, state: str
) -> None:
    document = {
        "resourceType": "DocumentReference",
        "id": "minutes",
        "status": "current",
        "subject": {"reference": "Patient/zhang"},
        "content": [{"attachment": {"contentType": "text/plain", "data": "YQ=="}}],
    }
    await round_.hub.put(document)
    task = await call(round_.hub, "send-document", "DocumentReference/minutes")
    (row,) = await round_.hub.until(lambda rows: [one.state for one in rows] == ["accepted"])
    ours = row.departure.control_id
    header = "MSH|^~\\&|HIS|H|FHIRHUB||20261122120000+0800||ACK^T02^ACK|K1|P|2.5.1"
    answer = await round_.send(f"{header}\rMSA|{code}|{ours}\r")
    assert b"\rMSA|AA|K1" in answer, answer
    assert [one.state for one in await round_.hub.log()] == [state]
    status = "completed" if state == "done" else "failed"
    assert (await round_.task(task["id"]))["status"] == status
    stranger = await round_.send(f"{header.replace('K1', 'K2')}\rMSA|{code}|NOBODYS\r")
    assert b"\rMSA|AE|K2" in stranger
