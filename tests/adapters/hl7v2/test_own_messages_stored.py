"""The own messages and names of all GB18030 over a real socket into a real SQLite store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from adapters.hl7v2.mllp.client import connected
from adapters.hl7v2.service import receiving, sites_of
from hub.context import Context
from hub.listening import bound
from hub.settings import Settings
from hub.storage.sqlite.store import open_store
from tests.adapters.hl7v2 import own_messages
from tests.adapters.hl7v2.own_messages import CASES, case
from tests.adapters.hl7v2.telling import Desk
from tests.adapters.hl7v2.test_generated_names import admission, maker
from tests.interactions.conftest import door_over

HOST = "127.0.0.1"
THROUGH_THE_STORE = 100

LAB = "urn:id:HARBOR:HARBORLAB"
RECORD = "http://qinghe.example/id/record"


@dataclass
class Hub:
    """A hub that listens, and its record."""

    port: int
    desk: Desk

    async def send(self, *messages: bytes) -> list[bytes]:
        """MSA-1 of the first answer to each of the messages, over one connection."""
        async with connected(HOST, self.port) as client:
            answers = [await client.exchange(raw, 20) for raw in messages]
        return [answer.split(b"\rMSA", 1)[1][1:3] for answer in answers]

    async def states(self) -> dict[str, int]:
        """How many messages of all sites are in which state."""
        found: dict[str, int] = {}
        for one in await self.desk.door.store.messages.counts(1):
            found[one.state] = found.get(one.state, 0) + one.messages
        return {state: count for state, count in found.items() if count}

    async def codes(self, translated: str) -> set[str]:
        """All codes of results that have this one, the local ones too."""
        page = await self.desk.door.search(Context(), "Observation", [("code", translated)])
        found = [entry["resource"]["code"]["coding"] for entry in page.to_dict()["entry"]]
        return {coding["code"] for codings in found for coding in codings}

    async def settled(self) -> dict[str, int]:
        """The same when nothing is in work any more."""
        while "waiting" in (states := await self.states()):
            await asyncio.sleep(0.01)
        return states


@asynccontextmanager
async def hub(folder: Path, sites: Path) -> AsyncIterator[Hub]:
    settings = Settings(data=folder / "data", mllp=2575, sites=str(sites), shutdown_grace=5)
    store = open_store(folder / "store")
    door = door_over(store)
    try:
        with bound(HOST, 0) as listening:
            for concept_map in own_messages.concept_maps():
                await door.create(Context(), "ConceptMap", concept_map)
            async with receiving(door, settings, listening, sites_of(settings)):
                yield Hub(listening.getsockname()[1], Desk(door))
    finally:
        await store.close()


def by_code(results: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {one["code"]["coding"][0]["code"]: one for one in results}


async def test_own_messages_are_all_stored_and_answered(tmp_path: Path) -> None:
    # Answers to referrals that were never sent are for a person to look at.
    names = [name for name in own_messages.names() if not name.startswith("rri/")]
    names.sort(key=lambda name: str(case(name).expected["event"]))
    async with hub(tmp_path, CASES / "sites") as here:
        # Who asks for it in MSH-15 is told first that the message is safe.
        answers = {name: (await here.send(case(name).raw))[0] for name in names}
        assert {name: code for name, code in answers.items() if code not in (b"AA", b"CA")} == {}
        others = [name for name in own_messages.names() if name not in answers]
        assert [(await here.send(case(name).raw))[0] for name in others] == [b"AE"] * len(others)
        assert await here.settled() == {
            "received": len(names) + len(others),
            "stored": len(names),
            "quarantined": len(others),
        }

        assert await here.codes("14749-6") == {"14749-6", "GLU"}
        report = await here.desk.one("DiagnosticReport", LAB, "F-9001")
        assert report["status"] == "corrected"
        assert len(report["result"]) == 3
        numbers = [f"F-9001/{code}" for code in ("2345-7", "2951-2", "2823-3")]
        results = by_code([await here.desk.one("Observation", LAB, one) for one in numbers])
        assert results["2345-7"]["valueQuantity"]["value"] == 98
        assert {code: one["status"] for code, one in results.items()} == {
            "2345-7": "corrected",
            "2951-2": "final",
            "2823-3": "entered-in-error",
        }
        patient = await here.desk.one("Patient", RECORD, "00483920")
        assert patient["address"][0]["line"] == ["滨湖大道8号院2栋1单元901"]
        assert "maritalStatus" not in patient
        visit = await here.desk.one("Encounter", RECORD, "I2603020019")
        assert visit["status"] == "finished"
        appointment = await here.desk.one("Appointment", RECORD, "PB260310077")
        assert appointment["status"] == "cancelled"


@pytest.mark.parametrize(("codec", "declared"), [("gb18030", "GB 18030-2000"), ("gbk", "")])
async def test_names_are_in_the_store_as_they_were_sent(
    tmp_path: Path, codec: str, declared: str
) -> None:
    folder = tmp_path / "sites"
    folder.mkdir()
    (folder / "gen.toml").write_text(
        f'sender = ["GEN|LAB"]\ncharset = "{codec.upper()}"\n[systems]\nGEN = "urn:gen"\n'
    )
    text = maker(codec, 17)
    sent = {}
    async with hub(tmp_path, folder) as here:
        for number in range(THROUGH_THE_STORE):
            sent[f"G{number}"] = (text(), text(), text(), text())
        messages = [
            admission(number, declared, texts).encode(codec)
            for number, texts in enumerate(sent.values())
        ]
        assert await here.send(*messages) == [b"AA"] * THROUGH_THE_STORE
        for number, texts in sent.items():
            patient = await here.desk.one("Patient", "urn:gen", number)
            name, contact = patient["name"][0], patient["contact"][0]["name"]["family"]
            street = patient["address"][0]["line"][0]
            assert (name["family"], name["given"][0], street, contact) == texts
