"""MLLP server: listens, keeps the connections, and bounds all of them together.

What a message means is the receiver's business (`adapters.hl7v2.inbox`). Put together by
`adapters.hl7v2.service`.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from dataclasses import dataclass

from adapters.hl7v2.mllp.connection import Connection
from adapters.hl7v2.mllp.receiver import Receiver

_TICK = 1.0
_LEAST_AGE = 5.0
_BACKLOG = 256
_LAST_WORDS = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of what.

    Attributes:
        message: Bytes of one message.
        connections: Open at a time.
        pending: Messages of one connection that are not answered yet; more are not read.
        budget: Bytes of unfinished and unanswered messages of all connections.
        seconds: Time a message may take to come, and a client to take its answers, ...
        rate: ... plus the message's size divided by these bytes per second.
    """

    message: int = 32 * 1024 * 1024
    connections: int = 256
    pending: int = 32
    budget: int = 256 * 1024 * 1024
    seconds: float = 30.0
    rate: int = 16 * 1024


@dataclass(slots=True)
class Counts:
    """Numbers for metrics, of no message in particular."""

    connections: int = 0
    connected: int = 0
    refused: int = 0
    cut: int = 0
    frames: int = 0
    oversize: int = 0
    broken: int = 0


class Server:
    """Listens, and keeps the connections."""

    def __init__(self, receiver: Receiver, limits: Limits) -> None:
        """Nothing is opened yet.

        Args:
            receiver: Takes the messages.
            limits: Of connections and messages; they hold for those that are gone, too, and whose
                messages are still worked on.
        """
        self.receiver, self.limits, self.counts = receiver, limits, Counts()
        self.held = self.lingering = 0
        self._connections: set[Connection] = set()
        self._working: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None
        self._watch: asyncio.Task[None] | None = None
        self._stopping = False

    async def start(self, listening: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        """Take connections.

        Args:
            listening: Bound.
            tls: For TLS.
        """
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(
            lambda: Connection(self),
            sock=listening,
            ssl=tls,
            backlog=_BACKLOG,
            ssl_handshake_timeout=self.limits.seconds if tls else None,
        )
        self._watch = asyncio.create_task(self._look_after())

    async def stop(self, grace: float) -> None:
        """Take nothing new, answer what has come, and end.

        Args:
            grace: Seconds for the answers.
        """
        self._stopping = True
        if self._listener is not None:
            self._listener.close()
        if self._watch is not None:
            self._watch.cancel()
        for connection in list(self._connections):
            connection.finish()
        loop = asyncio.get_running_loop()
        end = loop.time() + grace
        while self._working and loop.time() < end:  # What is taken makes work of its own.
            await asyncio.wait(set(self._working), timeout=end - loop.time())
        for task in self._working:
            task.cancel()
        end = loop.time() + _LAST_WORDS
        while self._connections and loop.time() < end:  # Until the answers are really out.
            await asyncio.sleep(0.01)
        for connection in list(self._connections):
            connection.cut("")

    # --- for connections --------------------------------------------------------------------

    def opened(self, connection: Connection) -> bool:
        """Whether a new connection may stay."""
        if self._stopping or not self.receiver.admits(connection.address):
            return False
        if self.lingering >= self.limits.connections:
            return False
        if len(self._connections) >= self.limits.connections and not self._make_room():
            return False
        self._connections.add(connection)
        self.counts.connected += 1
        self.counts.connections = len(self._connections)
        return True

    def closed(self, connection: Connection) -> None:
        """A connection has ended."""
        self._connections.discard(connection)
        self.counts.connections = len(self._connections)

    def work(self, task: asyncio.Task[None]) -> None:
        """A connection's work, which `stop` waits for."""
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    def _make_room(self) -> bool:
        """Leave a client that has been here for a while and never sent a whole message."""
        now = asyncio.get_running_loop().time()
        idle = [
            one for one in self._connections if not one.frames and now - one.opened_at >= _LEAST_AGE
        ]
        if not idle:
            return False
        min(idle, key=lambda one: one.opened_at).cut("there are too many connections")
        return True

    def bound(self) -> None:
        """Leave whoever holds most of an unfinished message when all hold too much."""
        while self.held > self.limits.budget:
            largest = max(self._connections, key=lambda one: one.reader.held, default=None)
            if largest is None or not largest.reader.held:
                return
            largest.cut("all messages together are over the budget")

    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(min(_TICK, self.limits.seconds / 4))
            now = asyncio.get_running_loop().time()
            for connection in list(self._connections):
                connection.cut_if_late(now)
