"""Hospital systems that send over sockets to a hub that may die at any moment.

A sender waits for the answer of each message, and sends the same bytes again when none came, as
HL7's senders do (v2.9 chapter 2, section 2.9.2); so a patient's messages stay in their order. It
remembers every answer. Called by `test_messages_killed` and `test_full_disk_messages`.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

HOST = "127.0.0.1"
END = b"\x1c\r"
EACH = 5
"""Messages about one patient."""
_ANSWER = re.compile(rb"\rMSA\|(..)\|([^|\r]*)")
_PAUSE = 0.05


def story(number: int, mode: str = "|") -> list[tuple[str, bytes]]:
    """A patient's stay, a message after the other, with their control ids.

    Admitted, moved, two results, moved again, discharged: five messages that make one Patient
    and Encounter, one DiagnosticReport and two Observations.

    Args:
        number: Tells the patient from others.
        mode: MSH-15 and MSH-16.
    """
    told = [
        ("ADT^A01", _visit("甲路1号", "")),
        ("ADT^A08", _visit("乙路2号", "")),
        ("ORU^R01", _results(number)),
        ("ADT^A08", _visit("丙路3号", "")),
        ("ADT^A03", _visit("丙路3号", "20260305100000")),
    ]
    return [
        (f"S{number}-{turn}", _message(number, turn, kind, rest, mode))
        for turn, (kind, rest) in enumerate(told)
    ]


def _message(number: int, turn: int, kind: str, rest: str, mode: str) -> bytes:
    at = f"2026030{turn + 1}080000"
    return (
        (
            f"MSH|^~\\&|HIS|CENTRAL|HUB|CLINIC|{at}||{kind}|S{number}-{turn}|P|2.5|||{mode}|CHN"
            f"|GB 18030-2000\rEVN||{at}\rPID|1||K{number}^^^HIS^MR||赵^{number}||19900307|F"
            f"|||{rest}"
        )
        .encode("gb18030")
        .replace(b"NUMBER", b"%d" % number)
    )


def _visit(street: str, discharged: str) -> str:
    return (
        f"{street}\rPV1|1|I|A^1^2||||||||||||||||VNUMBER^^^HIS^VN{'|' * 25}20260301070000"
        f"|{discharged}\r"
    )


def _results(number: int) -> str:
    results = "".join(f"OBX|{n}|NM|C{n}^检查{n}^99LIS||{n}.5|mmol/L|3-5|N|||F\r" for n in (1, 2))
    return (
        f"\rOBR|1|P{number}^HIS|F{number}^LIS|X^血^99LIS|||20260302070000{'|' * 17}LAB|F\r{results}"
    )


@dataclass
class Sender:
    """One system with patients of its own.

    Attributes:
        answers: Every answer by control id.
        sent: How often each message was sent.
        stop: Set to give up.
    """

    port: int
    patients: Sequence[int]
    mode: str = "|"
    answers: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    sent: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Send everything, each message until it is answered; patients' messages interleave."""
        stories = [story(number, self.mode) for number in self.patients]
        line = Line(self.port)
        for turn in range(EACH):
            for one in stories:
                control_id, raw = one[turn]
                while not self.stop.is_set():
                    self.sent[control_id] += 1
                    if self._answered(line, control_id, raw):
                        break
                    time.sleep(_PAUSE)
        line.close()

    def _answered(self, line: Line, control_id: str, raw: bytes) -> bool:
        answer = line.exchange(raw)
        if not answer:
            return False
        code, about = read_answer(answer)
        self.answers[about].append(answer)
        return about == control_id and code in ("AA", "CA")


class Line:
    """A connection that is opened again whenever it breaks."""

    def __init__(self, port: int, timeout: float = 30.0) -> None:
        """Not connected yet.

        Args:
            port: Where the hub listens.
            timeout: Seconds to wait for an answer.
        """
        self._port, self._timeout = port, timeout
        self._socket: socket.socket | None = None
        self._rest = b""

    def exchange(self, raw: bytes) -> bytes:
        """The answer to a message, b"" when the connection broke."""
        try:
            if self._socket is None:
                self._socket = socket.create_connection((HOST, self._port), self._timeout)
                self._rest = b""
            self._socket.sendall(b"\x0b" + raw + END)
            while END not in self._rest:
                piece = self._socket.recv(65_536)
                if not piece:
                    raise ConnectionError
                self._rest += piece
        except OSError:
            self.close()
            return b""
        answer, _, self._rest = self._rest.partition(END)
        return answer.lstrip(b"\x0b")

    def close(self) -> None:
        """End it."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.close()
        self._socket = None


def read_answer(answer: bytes) -> tuple[str, str]:
    """MSA-1 and MSA-2."""
    found = _ANSWER.search(answer)
    assert found, answer
    return found[1].decode(), found[2].decode()


@dataclass
class Hospital:
    """Several systems that send at the same time."""

    senders: list[Sender]
    threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Begin."""
        self.threads = [threading.Thread(target=one.run, daemon=True) for one in self.senders]
        for thread in self.threads:
            thread.start()

    @property
    def done(self) -> bool:
        """Whether everything is answered."""
        return not any(thread.is_alive() for thread in self.threads)

    def answered(self) -> int:
        """How many messages have an answer."""
        return sum(len(one.answers) for one in self.senders)

    def stop(self) -> None:
        """Let all end."""
        for one in self.senders:
            one.stop.set()
        for thread in self.threads:
            thread.join(60)

    def every_answer(self) -> Iterator[tuple[str, list[bytes]]]:
        """Control ids with all their answers."""
        for one in self.senders:
            yield from one.answers.items()

    def sent_again(self) -> int:
        """How often something was sent again."""
        return sum(count - 1 for one in self.senders for count in one.sent.values())
