"""python-hl7's MLLP server as it is, in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from hl7.mllp import HL7StreamReader, HL7StreamWriter, start_hl7_server


@dataclass
class Came:
    """What came.

    Attributes:
        port: Where it listens.
        messages: Control id, PID-3.1 and text of each, in the order of arrival.
    """

    port: int = 0
    messages: list[tuple[str, str, str]] = field(default_factory=list)


@contextmanager
def serving(pause: float = 0.0) -> Iterator[Came]:
    """The server until the block ends; it answers AA.

    Args:
        pause: Seconds before each answer.
    """
    came, ready, over = Came(), threading.Event(), threading.Event()

    async def talk(reader: HL7StreamReader, writer: HL7StreamWriter) -> None:
        try:
            while True:
                message = await reader.readmessage()
                ack = message.create_ack("AA")
                came.messages.append(
                    (str(message["MSH.10"]), str(message["PID.3.1.1"]), str(message))
                )
                await asyncio.sleep(pause)
                writer.writemessage(ack)
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()

    async def serve() -> None:
        async with await start_hl7_server(
            talk, host="127.0.0.1", port=0, encoding="utf-8"
        ) as server:
            came.port = server.sockets[0].getsockname()[1]
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(10)
        yield came
    finally:
        over.set()
        thread.join(10)
