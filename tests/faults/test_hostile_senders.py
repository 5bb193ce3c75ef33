"""Senders that mean harm, against a real hub: it lives, answers others, and tells nobody anything.

While they send, a well-behaved sender has to get its answers. `TEST_HOSTILE_SCALE=1` does by hand
in full size what the suite does in a twentieth; `TEST_HOSTILE_MESSAGES` says how many are damaged.
"""

from __future__ import annotations

import json
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from random import Random

import httpx
import pytest

from tests.adapters.hl7v2.own_messages import case, names
from tests.faults.attacks import MESSAGES, SCALE, VALUE, damaged
from tests.faults.hospital_senders import END, HOST, Line, read_answer, story
from tests.faults.test_messages_killed import everything
from tests.faults.test_slow_readers import MIB, resident
from tests.rest.running import RunningHub, free_port, running

pytestmark = pytest.mark.fault

DAMAGED = int(os.environ.get("TEST_HOSTILE_MESSAGES", "600"))
PATIENCE = 60.0
MOST_MEMORY = (300 + 600 * SCALE) * MIB


@dataclass
class Attacked:
    """A hub under attack, and somebody who only wants to send messages.

    Attributes:
        slowest: Seconds of the longest wait of the well-behaved sender.
    """

    hub: RunningHub
    port: int
    slowest: float = 0.0
    answered: int = 0
    bad: list[bytes] = field(default_factory=list)

    def send_well(self, stop: threading.Event) -> None:
        """The well-behaved sender."""
        line, number = Line(self.port, PATIENCE), 50_000
        while not stop.is_set():
            number += 1
            for control_id, raw in story(number):
                began = time.monotonic()
                answer = line.exchange(raw)
                self.slowest = max(self.slowest, time.monotonic() - began)
                self.answered += 1
                if not answer or read_answer(answer) != ("AA", control_id):
                    self.bad.append(answer)
            time.sleep(0.05)
        line.close()

    @contextmanager
    def watched(self, wait: float = 2.0) -> Iterator[None]:
        """Somebody sends well meanwhile, and is answered."""
        stop, before = threading.Event(), self.answered
        thread = threading.Thread(target=self.send_well, args=(stop,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(PATIENCE)
        assert not self.bad
        assert self.answered > before
        slowest, self.slowest, memory = self.slowest, 0.0, resident(self.hub)
        print(f"slowest {slowest:.2f} s, {memory // MIB} MB")
        assert slowest < wait + 10 * SCALE
        assert memory < MOST_MEMORY

    def connect(self) -> socket.socket:
        """A connection of somebody else."""
        return socket.create_connection((HOST, self.port), PATIENCE)


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    """One hub for all attacks; in the end it has to be well, and to have kept silent."""
    folder, port = tmp_path_factory.mktemp("attacked"), free_port()
    with running(
        folder,
        "--mllp",
        str(port),
        mllp_timeout="2",
        mllp_connections="40",
        mllp_message_limit="16MB",
        body_budget="64MB",
    ) as hub:
        found = Attacked(hub, port)
        yield found
        assert_well(found)
        hub.stop()


def assert_well(attacked: Attacked) -> None:
    """No mistake of the hub's own, every message counted, nobody's data where it must not be."""
    hub = attacked.hub
    metrics = httpx.get(f"{hub.url}/metrics", headers=hub.headers, timeout=30).text
    assert re.search(r"^hub_hl7v2_failures_total\S* 0$", metrics, re.MULTILINE)
    assert hub.unexpected_errors() == 0
    counts: dict[str, int] = {}
    state = re.compile(r'^hub_hl7v2_messages\{direction="in",.*state="(\w+)"\} (\d+)', re.MULTILINE)
    for name, count in state.findall(metrics):
        counts[name] = counts.get(name, 0) + int(count)
    assert counts.pop("received") == sum(counts.values())
    assert not counts.get("waiting")
    log = hub.log.read_text()
    assert "traceback" not in log
    assert VALUE not in log
    assert VALUE not in metrics
    # Names of the corpus and of what it was damaged to stay inside too.
    assert not re.search("[\u4e00-\u9fff\ufffd]", log)
    for type in ("Patient", "Encounter"):
        assert "\ufffd" not in json.dumps(everything(hub, type), ensure_ascii=False)


@pytest.mark.parametrize("name", MESSAGES)
def test_a_hostile_message_is_answered_and_others_are_served(attacked: Attacked, name: str) -> None:
    raw = MESSAGES[name]()
    line = Line(attacked.port, PATIENCE)
    with attacked.watched():
        answer = line.exchange(raw)
        codec = "utf-16" if b"M\0S\0" in answer else "latin-1"
        text = answer.decode(codec)
        assert re.search(r"\rMSA.A[AER]", text), text
        # The connection lives, and its next message is a message.
        assert read_answer(line.exchange(story(49_999)[0][1]))[0] == "AA"
    line.close()
    assert VALUE not in text
    assert "\ufffd" not in text


def test_damaged_messages_in_pieces_over_many_connections(attacked: Attacked) -> None:
    """What is answered is answered in form; what is not is the framing's doing."""
    corpus = [case(name).raw for name in names()]

    def send(seed: int) -> None:
        chance = Random(seed)
        for _ in range(DAMAGED // 6 // 10):
            with attacked.connect() as connection, suppress(OSError):
                for _ in range(10):
                    data = b"\x0b" + damaged(chance, corpus) + END
                    if chance.random() < 0.1:
                        data = chance.randbytes(chance.randint(1, 3000))
                    size = chance.choice((1, 7, 100, 5000, 100_000))
                    size = max(size, len(data) // 200)
                    for start in range(0, len(data), size):
                        connection.sendall(data[start : start + size])
                connection.settimeout(0.5 if chance.random() < 0.5 else 0.01)
                while piece := connection.recv(65_536):
                    assert "\ufffd".encode() not in piece

    with attacked.watched():
        senders = [threading.Thread(target=send, args=(seed,)) for seed in range(6)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()


def test_a_byte_at_a_time_is_a_message(attacked: Attacked) -> None:
    with attacked.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"\x0b" + story(48_001)[0][1] + END:
            connection.sendall(bytes((byte,)))
        assert b"\rMSA|AA|S48001-0" in connection.recv(65_536)


def test_who_sends_too_slowly_is_cut_and_others_are_served(attacked: Attacked) -> None:
    connections = [attacked.connect() for _ in range(30)]
    cut = 0
    with attacked.watched():
        end = time.monotonic() + 8
        while connections and time.monotonic() < end:
            for connection in list(connections):
                try:
                    connection.sendall(b"\x0b")
                except OSError:
                    connection.close()
                    connections.remove(connection)
                    cut += 1
            time.sleep(0.1)
    assert cut == 30


def test_a_flood_of_connections_does_not_keep_others_out(attacked: Attacked) -> None:
    held: list[socket.socket] = []
    with attacked.watched():
        time.sleep(0.3)  # Who came before and has sent messages keeps its place.
        for _ in range(300):
            with suppress(OSError):
                held.append(attacked.connect())
        time.sleep(5.5)  # Those who never sent anything make room.
        line = Line(attacked.port, 10)
        assert any(line.exchange(story(48_002)[0][1]) for _ in range(3))
        line.close()
    for one in held:
        one.close()


def test_frames_without_end_and_nested_ones_fill_no_memory(attacked: Attacked) -> None:
    def flood(begin: bytes, piece: bytes) -> None:
        with attacked.connect() as connection, suppress(OSError):
            connection.sendall(begin)
            for _ in range(40):
                connection.sendall(piece * (MIB // len(piece)))

    with attacked.watched():
        pieces = (b"x", b"\x0b", b"\x1c", b"\x0bMSH|", b"\r", b"\x1c\x1c\x0b")
        floods = [threading.Thread(target=flood, args=(b"\x0bMSH|", piece)) for piece in pieces] + [
            threading.Thread(target=flood, args=(b"", b"\x0b\x1c\r" * 100))
        ]
        for one in floods:
            one.start()
        for one in floods:
            one.join()
