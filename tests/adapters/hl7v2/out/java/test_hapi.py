"""HAPI HL7v2 as it is: its parser reads what the hub writes, its server takes it, its client
sends to the hub."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from queue import Queue

import pytest

from adapters.hl7v2.service import receiving, sites_of
from hub.listening import bound
from hub.settings import Settings
from hub.storage.memory.store import MemoryStore
from tests.adapters.hl7v2.from_fhir.samples import samples, written
from tests.adapters.hl7v2.out.conftest import PATIENT, MakeHub, his
from tests.adapters.hl7v2.out.java.hapi import Hapi
from tests.adapters.hl7v2.out.test_referring import DOCUMENT, PDF, REQUEST, call
from tests.interactions.conftest import door_over

pytestmark = pytest.mark.system("javac")


def test_hapis_strict_parser_reads_every_message(hapi: Hapi, tmp_path: Path) -> None:
    for sample in samples():
        (tmp_path / sample.name).write_bytes(written(sample))
    lines = {name: rest for name, *rest in hapi.run("parse", str(tmp_path))}
    wrong = {name: rest for name, rest in lines.items() if rest[0] == "wrong"}
    assert not wrong
    for sample in samples():
        assert lines[sample.name][0] == sample.structure
        # What it writes again is what it read; line breaks it escapes in another way.
        if b".br" not in written(sample):
            assert lines[sample.name][1] == "true"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as place:
        return int(place.getsockname()[1])


async def _lines(came: Queue[list[str]], count: int) -> list[list[str]]:
    return [await asyncio.to_thread(came.get, True, 30) for _ in range(count)]


@pytest.mark.parametrize("charset", ["UNICODE UTF-8", "GB 18030-2000"])
async def test_hapis_server_takes_what_the_hub_sends(
    hapi: Hapi, make_hub: MakeHub, charset: str
) -> None:
    port = _free_port()
    hub = make_hub(his=his(port, version="2.5", charset=charset))
    with hapi.serving(port) as came:
        async with hub.sending():
            for one in (PATIENT, REQUEST, PDF, DOCUMENT):
                await hub.put(one)
            await call(hub, "refer", "ServiceRequest/referral")
            await call(hub, "send-document", "DocumentReference/minutes")
            await hub.until(lambda rows: len(rows) == 3)
            await hub.put({**PATIENT, "name": [{"family": "欧阳", "given": ["娜娜"]}]})
            rows = await hub.until(
                lambda rows: [row.state for row in rows] == ["done", "accepted", "done", "done"]
            )
        lines = await _lines(came, 4)
    assert [line[:3] for line in lines] == [
        [structure, trigger, row.departure.control_id]
        for structure, trigger, row in zip(
            ("ADT_A05", "REF_I12", "MDM_T02", "ADT_A05"), ("A28", "I12", "T02", "A31"), rows,
            strict=True,
        )
    ]  # fmt: skip
    assert [line[3:] for line in lines] == [["张", "小明"]] * 3 + [["欧阳", "娜娜"]]


async def test_hapis_client_sends_to_the_hub(hapi: Hapi, tmp_path: Path) -> None:
    folder = tmp_path / "messages"
    folder.mkdir()
    files = []
    for number in range(20):
        charset = ("UNICODE UTF-8", "GB 18030-2000")[number % 2]
        text = (
            f"MSH|^~\\&|HIS|CENTRAL|HUB|CLINIC|20260301080000||ADT^A04^ADT_A01|{number}|P|2.5||||"
            f"||{charset}\rEVN|A04|20260301080000\r"
            f"PID|1||P{number}^^^HIS^PI||张^小{number}||19900307|F\rPV1|1|O\r"
        )
        files.append(folder / f"{number:02}.hl7")
        files[-1].write_text(text, "utf-8", newline="")
    store = MemoryStore()
    settings = Settings(data=tmp_path / "data", mllp=2575, shutdown_grace=5)
    with bound("127.0.0.1", 0) as listening:
        door = door_over(store)
        async with receiving(door, settings, listening, sites_of(settings)):
            port = listening.getsockname()[1]
            answers = await asyncio.to_thread(hapi.send, port, files)
    assert answers == [["AA", str(number)] for number in range(20)]
    info = await store.info(1)
    assert info.resources["Patient"] == 20
