"""Messages over a real socket into the record, sent by python-hl7 as it is."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hl7.client import MLLPClient

from adapters.hl7v2.mllp.client import ConnectionLost, connected
from adapters.hl7v2.mllp.tls import client_context
from adapters.hl7v2.service import Receiving, receiving, sites_of
from hub.interactions import Interactions
from hub.listening import bound
from hub.settings import Settings, SettingsError
from hub.storage.port import Store
from tests.adapters.hl7v2.mllp.talking import certificate
from tests.interactions.conftest import door_over

HOST = "127.0.0.1"


@dataclass
class Place:
    """Where messages go, and the record they go into."""

    port: int
    door: Interactions
    running: Receiving


@asynccontextmanager
async def place(store: Store, settings: Settings) -> AsyncIterator[Place]:
    door = door_over(store)
    sites = sites_of(settings)
    with bound(HOST, 0) as listening:
        async with receiving(door, settings, listening, sites) as running:
            yield Place(listening.getsockname()[1], door, running)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", mllp=2575, shutdown_grace=5)


def adt(control_id: str, patient: str = "P1", name: str = "张^三", more: str = "") -> str:
    return (
        f"MSH|^~\\&|HIS|CENTRAL|HUB|CLINIC|20260301080000||ADT^A04^ADT_A01|{control_id}|P|2.5|||||"
        f"CHN|{more}\rEVN|A04|20260301080000\r"
        f"PID|1||{patient}^^^HIS^PI||{name}||19900307|F\rPV1|1|O|OPD||||||||||||||||V{patient}^^^HIS\r"
    )


async def stored(store: Store) -> dict[str, int]:
    counts = await store.messages.counts(1)
    return {one.state: one.messages for one in counts if one.messages}


async def test_python_hl7_sends_a_patient_in_chinese(store: Store, settings: Settings) -> None:
    async with place(store, settings) as here:

        def send() -> list[bytes]:
            with MLLPClient(HOST, here.port) as client:
                return [
                    client.send_message(adt("1", "P1", "张^三").encode("gb18030")),
                    client.send_message(adt("2", "P2", "李^四", "UNICODE UTF-8").encode()),
                ]

        answers = await asyncio.to_thread(send)
    assert [b"\rMSA|AA|" in one for one in answers] == [True, True]
    names = set()
    for row in range(1, 3):
        arrival = await store.messages.arrival(1, row)
        assert arrival is not None
        names.add(arrival.arrival.site)
    assert names == {"default"}
    info = await store.info(1)
    assert info.resources["Patient"] == 2
    assert info.resources["Encounter"] == 2


async def test_mllp_send_of_python_hl7_works_unmodified(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "messages.hl7"
    file.write_text("".join(adt(str(number), f"P{number}") for number in range(3)), newline="")
    async with place(store, settings) as here:
        code = "import sys; from hl7.client import mllp_send; sys.exit(mllp_send())"
        sender = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", code, "--loose", "--port", str(here.port)),
            *("--file", str(file), HOST),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(sender.communicate(), 30)
    assert sender.returncode == 0, err
    assert out.count(b"MSA|AA|") == 3, out
    assert await stored(store) == {"received": 3, "stored": 3}


async def test_many_senders_at_once_are_all_answered(store: Store, settings: Settings) -> None:
    async with place(store, settings) as here:

        async def sender(number: int) -> int:
            async with connected(HOST, here.port) as client:
                good = 0
                for turn in range(10):
                    raw = adt(f"{number}-{turn}", f"P{number}", more="UNICODE UTF-8").encode()
                    good += b"MSA|AA|" in await client.exchange(raw, 20)
                return good

        assert sum(await asyncio.gather(*(sender(number) for number in range(10)))) == 100
    assert await stored(store) == {"received": 100, "stored": 100}
    assert (await store.info(1)).resources["Patient"] == 10


async def test_a_message_that_lacks_what_is_needed_is_answered_with_the_place(
    store: Store, settings: Settings
) -> None:
    raw = adt("1", "").replace("PID|1||^^^HIS^PI", "PID|1||").encode()
    async with place(store, settings) as here, connected(HOST, here.port) as client:
        answer = (await client.exchange(raw, 5)).decode()
    assert "\rMSA|AE|1\r" in answer
    assert "\rERR||PID^1^" in answer
    assert await stored(store) == {"received": 1, "quarantined": 1}
    assert not (await store.info(1)).resources


async def test_a_bad_site_file_or_certificate_stops_the_start(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "sites"
    folder.mkdir()
    (folder / "north.toml").write_text('sender = ["A|B"]\n[segments.ZPD.Patient]\ngendre = "ZPD-1"')
    with pytest.raises(SettingsError, match=r"north\.toml.*gendre"):
        sites_of(replace(settings, sites=str(folder)))
    for wrong, words in (
        ({"mllp_certificate": str(tmp_path / "none.pem")}, "none.pem"),
        ({"mllp_client_ca": "ca.pem"}, "HUB_MLLP_CERTIFICATE is missing"),
    ):
        with pytest.raises(SettingsError, match=words):
            async with place(store, replace(settings, **wrong)):
                pass


async def test_tls_is_on_when_there_is_a_certificate(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    authority = certificate(tmp_path, "ca")
    server, client = certificate(tmp_path, "server", "ca"), certificate(tmp_path, "client", "ca")
    own = replace(settings, mllp_certificate=str(server), mllp_client_ca=str(authority))
    context = client_context(client, None, authority)
    raw = adt("1", more="UNICODE UTF-8").encode()
    async with place(store, own) as here:
        async with connected(HOST, here.port, tls=context) as sender:
            assert b"\rMSA|AA|1\r" in await sender.exchange(raw, 5)
        async with connected(HOST, here.port) as plain:
            with pytest.raises(ConnectionLost):
                await plain.exchange(raw, 5)
    assert await stored(store) == {"received": 1, "stored": 1}


async def test_numbers_tell_what_happens(store: Store, settings: Settings) -> None:
    async with place(store, settings) as here, connected(HOST, here.port) as client:
        await client.exchange(adt("1", more="UNICODE UTF-8").encode(), 5)
        await client.exchange(b"nonsense", 5)
        numbers = here.running.numbers()
    assert numbers["mllp_connections"] == 1
    assert numbers["mllp_frames_total"] == 2
    assert numbers["hl7v2_stored_total"] == 1
    assert numbers["hl7v2_quarantined_total"] == 1
    assert numbers["hl7v2_in_work"] == 0
