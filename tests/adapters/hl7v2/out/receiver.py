"""A receiving system: the project's own MLLP server, which answers as it is told to."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from adapters.hl7v2.message import Message, parse
from adapters.hl7v2.mllp.receiver import Taken
from adapters.hl7v2.mllp.server import Limits, Server

Reply = Callable[[Message, int], "Taken | bytes"]
"""From a message, and how often its control id has come, to the answer."""


def ack(message: Message, code: str, errors: str = "", kind: str = "ACK") -> bytes:
    """An acknowledgement with a code, and an error code of table 0357."""
    lines = [
        f"MSH|^~\\&|HIS|H|FHIRHUB||20261122||{kind}|A{message.control_id}|P|2.5.1",
        f"MSA|{code}|{message.control_id}",
    ]
    if errors:
        lines.append(f"ERR|||{errors}|E")
    return "".join(f"{line}\r" for line in lines).encode()


def accept(message: Message, _: int) -> bytes:
    """AA to everything."""
    return ack(message, "AA")


@dataclass
class Receiver:
    """What came, in its order.

    Attributes:
        reply: How it answers.
        charset: Python's name of the charset that it reads.
        got: Messages.
        raw: Their bytes.
        came: Set with each message.
    """

    reply: Reply = accept
    charset: str = "utf-8"
    got: list[Message] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    def admits(self, address: str) -> bool:
        """Everybody."""
        return True

    async def take(self, raw: bytes, address: str) -> Taken:
        """Keep a message and answer it."""
        message = parse(raw.decode(self.charset))
        times = sum(one.control_id == message.control_id for one in self.got)
        self.got.append(message)
        self.raw.append(raw)
        self.came.set()
        answer = self.reply(message, times)
        return answer if isinstance(answer, Taken) else Taken(answer)

    def oversize(self, beginning: bytes, size: int) -> bytes:
        """Never."""
        raise AssertionError

    @property
    def ids(self) -> list[str]:
        """Control ids in the order of arrival."""
        return [one.control_id for one in self.got]


@asynccontextmanager
async def listening(
    receiver: Receiver, port: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """The receiver on a port, which is given; 0 takes a free one."""
    place = socket.create_server(("127.0.0.1", port))
    server = Server(receiver, Limits())
    await server.start(place, tls)
    try:
        yield int(place.getsockname()[1])
    finally:
        await server.stop(0.2)
