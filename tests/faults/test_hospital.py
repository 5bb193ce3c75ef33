"""kill -9 of a whole hub while a hospital sends: each message is stored once and answered.

2,000 messages over real connections, eight senders that send each message again until it is
answered, as HL7 v2.9 chapter 2 (2.9.3) has it. `HUB_TEST_MESSAGES` and `HUB_TEST_KILLS` change
how many.
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from hub.interactions.answer import resource_of
from hub.storage.message_log import MessageQuery
from hub.storage.sqlite.store import SqliteStore, open_store
from tests.rest.running import free_port, running

pytestmark = pytest.mark.fault

MESSAGES = int(os.environ.get("HUB_TEST_MESSAGES", "2000"))
KILLS = int(os.environ.get("HUB_TEST_KILLS", "6"))
SENDERS = 8
EVENTS = ("A04", "A01", "A08", "A08", "A03")
"""What is told of each patient, one message each; every one changes something."""

END = b"\x1c\r"


def message(sender: int, number: int) -> bytes:
    """A sender's message with this number."""
    patient, step = divmod(number, len(EVENTS))
    at = f"202603{1 + patient % 28:02d}08{step:02d}00"
    kind = "O" if step == 0 else "I"
    lines = (
        f"MSH|^~\\&|HIS|W{sender}|HUB|CENTRE|{at}||ADT^{EVENTS[step]}|{number}|P|2.5||||||UTF-8",
        f"EVN|{EVENTS[step]}|{at}",
        f"PID|1||{sender}-{patient}^^^HIS^MR||李^小明||19700301|M|||||1380000{step:04d}",
        f"PV1|1|{kind}|N{step}" + "|" * 16 + f"V{sender}-{patient}^^^HIS^VN",
    )
    return "\r".join(lines).replace("UTF-8", "UNICODE UTF-8").encode() + b"\r"


@dataclass
class Hospital:
    """Senders on their threads.

    Attributes:
        port: Of the hub.
        left: Messages of each sender.
        answered: The first answer to each message, by sender and number.
        sent: How often messages were sent.
        wrong: Answers that nobody should get.
    """

    port: int
    left: int
    answered: dict[tuple[int, int], bytes] = field(default_factory=dict)
    sent: int = 0
    wrong: list[bytes] = field(default_factory=list)

    def run(self, sender: int) -> None:
        """Send everything, each message until it is answered."""
        line: socket.socket | None = None
        for number in range(self.left):
            raw = message(sender, number)
            while (sender, number) not in self.answered:
                try:
                    if line is None:
                        line = socket.create_connection(("127.0.0.1", self.port), 5)
                        line.settimeout(20)
                    self._ask(line, sender, number, raw)
                except OSError:
                    if line is not None:
                        line.close()
                    line = None
                    time.sleep(0.05)
        if line is not None:
            line.close()

    def _ask(self, line: socket.socket, sender: int, number: int, raw: bytes) -> None:
        self.sent += 1
        line.sendall(b"\x0b" + raw + END)
        answer = b""
        while not answer.endswith(END):
            piece = line.recv(4096)
            if not piece:
                raise ConnectionResetError
            answer += piece
        if f"MSA|AA|{number}\r".encode() not in answer:
            self.wrong.append(answer)
        self.answered[sender, number] = answer


def test_each_message_is_stored_once_and_answered(tmp_path: Path) -> None:
    random = Random(7)
    hospital = Hospital(free_port(), MESSAGES // SENDERS)
    threads = [threading.Thread(target=hospital.run, args=(sender,)) for sender in range(SENDERS)]
    for thread in threads:
        thread.start()
    for life in range(KILLS + 1):
        with running(tmp_path, "--mllp", str(hospital.port)) as hub:
            goal = MESSAGES * (life + 1) // (KILLS + 1)
            while len(hospital.answered) < goal and any(one.is_alive() for one in threads):
                time.sleep(0.01)
            if life < KILLS:
                time.sleep(random.random() * 0.1)
                hub.process.kill()
                hub.process.wait()
                continue
            for thread in threads:
                thread.join(60)
            assert not hub.tracebacks()
    assert not hospital.wrong, hospital.wrong[0]
    assert len(hospital.answered) == MESSAGES
    asyncio.run(_assert_stored_once(tmp_path / "data", hospital))


async def _assert_stored_once(folder: Path, hospital: Hospital) -> None:
    store = open_store(folder)
    try:
        await _assert_log(store, hospital)
        await _assert_record(store)
        assert [finding async for finding in store.verify(1)] == []
    finally:
        await store.close()


async def _assert_log(store: SqliteStore, hospital: Hospital) -> None:
    """Every message is in the log once, stored, with the answer that its sender got."""
    rows = await store.messages.arrivals(1, MessageQuery(count=10 * MESSAGES))
    assert len(rows) == MESSAGES
    for row in rows:
        arrival = row.arrival
        sender, number = int(arrival.sender.removeprefix("HIS|W")), int(arrival.control_id)
        assert arrival.state == "stored"
        assert arrival.raw == message(sender, number)
        assert hospital.answered[sender, number] == b"\x0b" + arrival.answer + END
    counts = {one.state: one.messages for one in await store.messages.counts(1)}
    assert counts["stored"] == MESSAGES
    assert counts["received"] == MESSAGES + counts.get("repeat", 0) <= hospital.sent
    assert not counts.keys() - {"stored", "received", "repeat"}


async def _assert_record(store: SqliteStore) -> None:
    """One patient and visit each, as the last message left them, and a Provenance a message."""
    patients = MESSAGES // len(EVENTS)
    info = await store.info(1)
    found = {type: info.resources.get(type) for type in ("Patient", "Encounter", "Provenance")}
    assert found == {"Patient": patients, "Encounter": patients, "Provenance": MESSAGES}
    for type in ("Patient", "Encounter"):
        stored, _ = await store.scan(1, (type,), 0, MESSAGES)
        for one in stored:
            content = resource_of(one)
            if type == "Patient":
                assert content["telecom"][0]["value"] == f"1380000{len(EVENTS) - 1:04d}"
            else:
                assert content["status"] == "finished"
