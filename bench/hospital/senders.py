"""Senders of HL7 v2 messages by MLLP: each sends one, waits for its answer, sends the next.

They decode nothing but MSA-1, so that on two cores the hub and not the senders is measured.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

START, END = b"\x0b", b"\x1c\r"
_MSA = b"\rMSA|"


@dataclass(slots=True)
class Sent:
    """What was sent: latencies in seconds, in the order of the answers."""

    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Messages per second."""
        return len(self.latencies) / self.seconds

    def percentile(self, part: float) -> float:
        """A latency in milliseconds below which this part of them is."""
        ordered = sorted(self.latencies)
        return ordered[min(int(len(ordered) * part), len(ordered) - 1)] * 1000


async def _sender(
    port: int, messages: Iterator[bytes], until: Callable[[], bool], pause: float, sent: Sent
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
    try:
        while not until():
            raw = next(messages)
            started = time.perf_counter()
            writer.write(START + raw + END)
            answer = await reader.readuntil(END)
            sent.latencies.append(time.perf_counter() - started)
            place = answer.find(_MSA)
            if answer[place + 5 : place + 7] != b"AA":
                raise RuntimeError(f"{answer!r} for {raw!r}")
            if pause:
                await asyncio.sleep(pause)
    finally:
        writer.close()


def send(
    port: int,
    senders: list[Iterator[bytes]],
    *,
    seconds: float = 0.0,
    count: int = 0,
    pause: float = 0.0,
) -> Sent:
    """Send messages for a time or a number.

    Args:
        port: The hub's MLLP port.
        senders: The messages of each sender; each has a connection of its own.
        seconds: How long; 0 to go by number.
        count: How many in all; 0 to go by time.
        pause: Seconds between an answer and the next message of a sender.

    Raises:
        RuntimeError: A message was not accepted.
    """
    sent, begun = Sent(), 0
    deadline = time.perf_counter() + seconds

    def until() -> bool:
        nonlocal begun
        begun += 1
        return begun > count if count else time.perf_counter() >= deadline

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            for messages in senders:
                group.create_task(_sender(port, messages, until, pause, sent))

    started = time.perf_counter()
    asyncio.run(main())
    sent.seconds = time.perf_counter() - started
    return sent
