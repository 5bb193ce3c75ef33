"""One MLLP connection: frames, answers in their order, and its limits.

A frame that came whole is always handed over, also when its connection is gone. Answers that a
sender waits for go out in the order of its messages; later answers of enhanced mode whenever they
are there. Made by `adapters.hl7v2.mllp.server`.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import deque
from collections.abc import Awaitable
from typing import TYPE_CHECKING, cast

from adapters.hl7v2.mllp.framing import Frame, FrameReader, framed

if TYPE_CHECKING:
    from adapters.hl7v2.mllp.server import Server

_log = logging.getLogger(__name__)

_MOST_OVER = 8
"""A frame without end is cut at so many times the limit."""


def _keep_alive(raw: socket.socket) -> None:
    """End connections whose other side is gone without a word: after three minutes."""
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 30)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4)


class Connection(asyncio.Protocol):
    """One connection: reads frames, hands them over one after the other, writes answers."""

    def __init__(self, server: Server) -> None:
        """Not connected yet.

        Args:
            server: It belongs to.
        """
        self._server = server
        self._limits = server.limits
        self.reader = FrameReader(server.limits.message)
        self.address = ""
        self.frames = 0
        self.opened_at = 0.0
        self._began = 0.0
        self._blocked_at = 0.0
        self._writable = asyncio.Event()
        self._writable.set()
        self._transport: asyncio.Transport | None = None
        self._frames: deque[Frame] = deque()
        self._answers: deque[tuple[Awaitable[bytes] | bytes, int]] = deque()
        self._unanswered = 0
        self._reading = True
        self._ended = self._warned = self._lingers = False
        self._taking: asyncio.Task[None] | None = None
        self._answering: asyncio.Task[None] | None = None
        self._late: set[asyncio.Task[None]] = set()

    # --- asyncio.Protocol -------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody has connected."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's only look like it.
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]) if peer else ""
        self.opened_at = asyncio.get_running_loop().time()
        raw = transport.get_extra_info("socket")
        if raw is not None:
            _keep_alive(raw)
        if not self._server.opened(self):
            self._server.counts.refused += 1
            _log.warning("a connection is refused: address or number of connections")
            transport, self._transport = self._transport, None
            transport.abort()

    def data_received(self, data: bytes) -> None:
        """Some bytes have come."""
        if self._transport is not None:
            self._read(data)

    def _read(self, data: bytes = b"") -> None:
        """Frames of some bytes, no more than may be unanswered; the rest waits as bytes."""
        reader, server = self.reader, self._server
        was_inside, before, broken = reader.inside, reader.held, reader.broken
        stray = reader.stray
        frames = reader.feed(data, max(0, self._limits.pending - self._unanswered))
        if reader.stray != stray and not self._warned and b"MSH" in data and not frames:
            self._warned = True
            _log.warning("a sender does not frame its messages: MLLP is 0B message 1C 0D")
        server.counts.broken += reader.broken - broken
        server.held += reader.held - before
        if reader.inside and (frames or not was_inside):
            self._began = asyncio.get_running_loop().time()
        for frame in frames:
            self._accept(frame)
        if reader.received > _MOST_OVER * self._limits.message:
            self._give_up()
        elif server.held > self._limits.budget:
            server.bound()

    def eof_received(self) -> bool:
        """The other side will send no more; without TLS it may still wait for answers."""
        self._server.counts.broken += self.reader.inside
        self._ended = True
        self._close_if_done()
        transport = self._transport
        return transport is not None and transport.get_extra_info("sslcontext") is None

    def connection_lost(self, error: Exception | None) -> None:
        """It is over; what came whole is worked on all the same, within the budget."""
        if self._transport is None:
            return
        self._transport = None
        self._writable.set()
        server = self._server
        if not self.reader.more or server.held > self._limits.budget:
            self._drop()
        if self._unanswered:
            self._lingers = True
            server.lingering += 1
        server.closed(self)

    def _drop(self) -> None:
        """Forget what has come and was not handed over."""
        self._server.held -= self.reader.held
        self.reader = FrameReader(0)

    def pause_writing(self) -> None:
        """The other side does not take its answers."""
        self._blocked_at = asyncio.get_running_loop().time()
        self._writable.clear()
        self._choose_reading()

    def resume_writing(self) -> None:
        """It takes them again."""
        self._blocked_at = 0.0
        self._writable.set()
        self._choose_reading()

    # --- messages ---------------------------------------------------------------------------

    def _accept(self, frame: Frame) -> None:
        self.frames += 1
        self._server.counts.frames += 1
        self._server.counts.oversize += frame.oversize
        self._server.held += len(frame.content)
        self._unanswered += 1
        self._frames.append(frame)
        if self._taking is None:
            self._taking = asyncio.create_task(self._take())
            self._server.work(self._taking)
        self._choose_reading()

    async def _take(self) -> None:
        """Hand frames over in their order."""
        receiver = self._server.receiver
        while self._frames:
            await self._writable.wait()
            frame = self._frames.popleft()
            if frame.oversize:
                answer = receiver.oversize(frame.content, frame.size)
                self._answer(answer, len(frame.content))
                continue
            taken = await receiver.take(frame.content, self.address)
            if taken.later is None:
                self._answer(taken.now, len(frame.content))
            elif taken.now:
                self._answer(taken.now, 0)
                self._unanswered += 1
                task = asyncio.create_task(self._answer_later(taken.later, len(frame.content)))
                self._late.add(task)
                self._server.work(task)
                task.add_done_callback(self._late.discard)
            else:
                self._answer(taken.later, len(frame.content))
        self._taking = None

    def _answer(self, answer: Awaitable[bytes] | bytes, size: int) -> None:
        """Queue an answer, now or to come, behind those before it."""
        if isinstance(answer, bytes) and not self._answers and self._answering is None:
            self._write(answer, size)
            return
        self._answers.append((answer, size))
        if self._answering is None:
            self._answering = asyncio.create_task(self._answer_in_order())
            self._server.work(self._answering)

    async def _answer_in_order(self) -> None:
        while self._answers:
            answer, size = self._answers.popleft()
            self._write(answer if isinstance(answer, bytes) else await answer, size)
        self._answering = None
        self._close_if_done()

    async def _answer_later(self, answer: Awaitable[bytes], size: int) -> None:
        self._write(await answer, size)

    def _write(self, answer: bytes, size: int) -> None:
        self._unanswered -= 1
        self._server.held -= size
        if answer and self._transport is not None:
            self._transport.write(framed(answer))
        if self.reader.more:
            self._read()
        if self._transport is None and self.reader.inside:
            self._drop()
        if self._lingers and not self._unanswered:
            self._lingers = False
            self._server.lingering -= 1
        self._choose_reading()
        self._close_if_done()

    # --- limits -----------------------------------------------------------------------------

    def _choose_reading(self) -> None:
        """Read on, or let the sender wait: for answers to be taken, for work to be done."""
        if self._transport is None or self._transport.is_closing():
            return
        server = self._server
        wanted = (
            not self._ended
            and not self._blocked_at
            and not self.reader.more
            and self._unanswered < self._limits.pending
            and (not self._unanswered or server.held < self._limits.budget)
        )
        if wanted != self._reading:
            self._reading = wanted
            if wanted:
                self._began = asyncio.get_running_loop().time()
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    def cut_if_late(self, now: float) -> None:
        """End the connection when a message, or the taking of answers, takes too long."""
        allowed = self._limits.seconds
        if self._blocked_at and now - self._blocked_at > allowed:
            self.cut("answers are not taken")
        elif self._reading and self.reader.inside:
            allowed += self.reader.received / self._limits.rate
            if now - self._began > allowed:
                self.cut("a message takes too long")

    def _give_up(self) -> None:
        """A frame that does not end, far over the limit."""
        if self._transport is not None:
            answer = self._server.receiver.oversize(self.reader.beginning(), self.reader.received)
            self._server.counts.oversize += 1
            self._transport.write(framed(answer))
            self._ended = True
            self._server.counts.cut += 1
            self._transport.close()

    def cut(self, reason: str) -> None:
        """End the connection now.

        Args:
            reason: For the log; "" when it is nobody's fault.
        """
        if self._transport is None:
            return
        if reason:
            self._server.counts.cut += 1
            _log.warning("a connection is cut: %s", reason)
        self._transport.abort()
        self._drop()
        self.connection_lost(None)

    def finish(self) -> None:
        """Read no more, and close once everything is answered."""
        self._ended = True
        self._choose_reading()
        self._close_if_done()

    def _close_if_done(self) -> None:
        if self._ended and not self._unanswered and self._transport is not None:
            self._transport.close()
