"""MLLP client: one connection that messages are sent over and answers come back on.

Called by `adapters.hl7v2.sending` and `fhir-hub v2 send`.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from adapters.hl7v2.mllp.framing import Frame, FrameReader, framed

_PIECE = 65_536


class ConnectionLost(Exception):
    """The connection could not be made, ended, or nothing came within the time."""


class Connection:
    """An open connection to a server."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: int
    ) -> None:
        """Take over a stream.

        Args:
            reader: Its bytes.
            writer: Where to write.
            limit: Most bytes of an answer.
        """
        self._reader, self._writer = reader, writer
        self._frames = FrameReader(limit)
        self._waiting: deque[Frame] = deque()

    async def send(self, message: bytes, timeout: float) -> None:
        """Send a message.

        Args:
            message: Without framing.
            timeout: Seconds until the other side must have taken it from us.

        Raises:
            ConnectionLost: It was not sent, or perhaps in part.
        """
        try:
            self._writer.write(framed(message))
            async with asyncio.timeout(timeout):
                await self._writer.drain()
        except (OSError, TimeoutError) as error:
            raise ConnectionLost(_words(error)) from error

    async def receive(self, timeout: float) -> bytes:
        """The next message from the other side.

        Args:
            timeout: Seconds to wait for it.

        Raises:
            ConnectionLost: None came, or one over the limit.
        """
        try:
            async with asyncio.timeout(timeout):
                while not self._waiting:
                    data = await self._reader.read(_PIECE)
                    if not data:
                        raise ConnectionLost("the other side has closed the connection")
                    self._waiting.extend(self._frames.feed(data))
        except (OSError, TimeoutError) as error:
            raise ConnectionLost(_words(error)) from error
        frame = self._waiting.popleft()
        if frame.oversize:
            raise ConnectionLost("the answer is too large")
        return frame.content

    async def exchange(self, message: bytes, timeout: float) -> bytes:
        """Send a message and wait for what comes back next."""
        await self.send(message, timeout)
        return await self.receive(timeout)

    @property
    def ended(self) -> bool:
        """Whether the other side has closed."""
        return self._reader.at_eof() or self._writer.is_closing()

    async def close(self) -> None:
        """End it."""
        self._writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(1.0):
                await self._writer.wait_closed()


async def connect(
    host: str,
    port: int,
    *,
    tls: ssl.SSLContext | None = None,
    timeout: float = 10.0,
    limit: int = 16 * 1024 * 1024,
) -> Connection:
    """Open a connection.

    Args:
        host: Address or name.
        port: TCP port.
        tls: For TLS; the certificate must be that of `host`.
        timeout: Seconds until it must be open.
        limit: Most bytes of an answer.

    Raises:
        ConnectionLost: It could not be opened.
    """
    try:
        # Not wait_for: before Python 3.12 it may swallow a cancellation.
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_connection(host, port, ssl=tls)
    except (OSError, TimeoutError) as error:
        raise ConnectionLost(_words(error)) from error
    return Connection(reader, writer, limit)


@asynccontextmanager
async def connected(
    host: str, port: int, *, tls: ssl.SSLContext | None = None, timeout: float = 10.0
) -> AsyncIterator[Connection]:
    """A connection for the time of a block; see `connect`."""
    connection = await connect(host, port, tls=tls, timeout=timeout)
    try:
        yield connection
    finally:
        await connection.close()


def _words(error: OSError | TimeoutError) -> str:
    if isinstance(error, TimeoutError) and not error.strerror:
        return "nothing happened within the time"
    # asyncio's own words name the address, and not what was wrong with it.
    return os.strerror(error.errno) if error.errno else error.strerror or type(error).__name__
