"""Writes of other processes: the owner's end of the Unix socket.

All requests that have arrived are queued at once, so that they share a group commit, and the
answers to a group go back together, in any order. The socket is 0600 and both ends check that
the peer is the same user or root. A client that lost its connection sends again what was not
answered, marked as such: answers to commits are remembered (table `answered`), so that none
is applied twice. What an older connection of that client still holds unread is not taken any
more, or it could be applied after its repetition. Used by `store`; the other end is
`remote_writer`, the frames are in `frames`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket as sockets
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any, cast

import msgspec

from hub.storage.port import StoreUnavailable
from hub.storage.sqlite import frames, wire
from hub.storage.sqlite.commit import apply, checks_late
from hub.storage.sqlite.frames import ANSWER, GREETING, MAGIC, REQUEST, Body
from hub.storage.sqlite.local_writer import LocalWriter
from hub.storage.sqlite.transaction import Transaction

ANSWERED = "SELECT number, result FROM answered WHERE client = ? AND slot = ?"
REMEMBER = "INSERT OR REPLACE INTO answered VALUES (?, ?, ?, ?, ?)"

NOT_A_REQUEST = (msgspec.MsgspecError, LookupError, TypeError, ValueError)
"""What decoding raises on bytes that no client of ours sends."""

LAST_WORDS = 1.0
"""Seconds that the last answers may take to leave."""

log = logging.getLogger(__name__)


class WriterServer:
    """Listens for writes and hands them to the `LocalWriter`."""

    def __init__(self, writer: LocalWriter, path: Path) -> None:
        """Prepare; use `start`."""
        self._writer, self._path = writer, path
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()

    @classmethod
    async def start(cls, writer: LocalWriter, path: Path) -> WriterServer:
        """Listen.

        Args:
            writer: Where requests go.
            path: The socket; a file left there by a process that died is replaced.
        """
        server = cls(writer, path)
        path.unlink(missing_ok=True)
        listening = sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            with frames.Reachable(path) as address:
                listening.bind(address)
        finally:
            os.umask(before)
        server._server = await asyncio.get_running_loop().create_unix_server(
            lambda: _Connection(writer, server._connections), sock=listening
        )
        return server

    async def close(self) -> None:
        """Stop listening, answer what has arrived, and end the connections."""
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)
        ending = [connection.end() for connection in list(self._connections)]
        await asyncio.gather(*ending)


class _Connection(asyncio.Protocol):
    """One client's connection."""

    def __init__(self, writer: LocalWriter, connections: set[_Connection]) -> None:
        self._writer, self._connections = writer, connections
        self._greeting = b""
        self._client: int | None = None
        self._splitter = frames.Splitter(REQUEST)
        self._transport: asyncio.Transport | None = None
        self._answers: frames.Outgoing | None = None
        self._pending: set[asyncio.Future[bytes]] = set()
        self._lost = asyncio.get_running_loop().create_future()

    # --- the transport's calls ---------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._answers = frames.Outgoing(self._transport)
        self._connections.add(self)
        try:
            frames.check_peer(transport)
        except PermissionError as error:
            self._refuse(error)

    def data_received(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        try:
            if self._client is None:
                data = self._greeted(data)
            for (number, operation, again, slot), body in self._splitter.feed(data):
                self._take(number, operation, bool(again), slot, body)
        except ValueError as error:
            self._refuse(error)

    def connection_lost(self, error: Exception | None) -> None:
        self._connections.discard(self)
        self._transport = None
        if not self._lost.done():
            self._lost.set_result(None)

    def pause_writing(self) -> None:
        """A client that does not read its answers is not listened to either."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    # --- requests ----------------------------------------------------------------------------

    async def end(self) -> None:
        """Answer what has arrived and hang up."""
        self.pause_writing()
        if self._pending:
            await asyncio.wait(self._pending)
        if self._transport is not None and self._answers is not None:
            self._answers.flush()
            self._transport.close()
            await asyncio.wait([self._lost], timeout=LAST_WORDS)

    def _greeted(self, data: bytes) -> bytes:
        """Take the greeting; gives what came after it.

        Raises:
            ValueError: The client speaks something else.
        """
        self._greeting += data
        if not MAGIC.startswith(self._greeting[: len(MAGIC)]):
            raise ValueError("not a client of this release")
        if len(self._greeting) < GREETING.size:
            return b""
        _, self._client = GREETING.unpack_from(self._greeting)
        for other in list(self._connections):
            if other is not self and other._client == self._client:
                other._hang_up()
        data, self._greeting = self._greeting[GREETING.size :], b""
        return data

    def _take(self, number: int, operation: int, again: bool, slot: int, body: Body) -> None:
        try:
            if operation == frames.COMMIT:
                future = self._commit(number, again, slot, body)
            else:
                work = OPERATIONS[frames.OPERATIONS[operation]](self._writer, body)
                future = asyncio.ensure_future(work)
        except (*NOT_A_REQUEST, StoreUnavailable) as error:
            self._fail(number, error)
            return
        self._pending.add(future)
        future.add_done_callback(partial(self._answer, number))

    def _commit(self, number: int, again: bool, slot: int, body: Body) -> asyncio.Future[bytes]:
        client, commit = self._client, wire.decode_commit(body)

        def once(work: Transaction) -> bytes:
            if again:
                found: Any = work.connection.execute(ANSWERED, (client, slot)).get
                if found and found[0] == number:
                    return bytes(found[1])
            result = wire.encode_committed(apply(work, commit))
            work.connection.execute(REMEMBER, (client, slot, number, commit.clock, result))
            return result

        return self._writer.submit(once, len(commit.writes), checks_late(commit))

    def _answer(self, number: int, future: asyncio.Future[bytes]) -> None:
        self._pending.discard(future)
        if future.cancelled():
            return
        error = future.exception()
        if isinstance(error, Exception):
            self._fail(number, error)
        elif error is None:
            self._send(number, True, future.result())

    def _fail(self, number: int, error: Exception) -> None:
        """Tell the client, by the error's name only if it is none it knows."""
        if not wire.is_expected(error):
            log.error("a request to the writer failed", exc_info=error)
        self._send(number, False, wire.encode_failure(error))

    def _send(self, number: int, ok: bool, result: bytes) -> None:
        if self._answers is not None:
            self._answers.add(ANSWER.pack(len(result), number, ok) + result)

    def _refuse(self, error: Exception) -> None:
        log.warning("a connection to the writer was refused: %s", type(error).__name__)
        self._hang_up()

    def _hang_up(self) -> None:
        if self._transport is not None:
            self._transport.abort()


async def _reindex(writer: LocalWriter, body: Body) -> bytes:
    tenant, data = msgspec.msgpack.decode(body, type=tuple[int, bytes])
    return wire.encode(await writer.reindex(tenant, wire.decode_reindexed(data)))


Operation = Callable[[LocalWriter, Body], Coroutine[Any, Any, bytes]]


def _plainly(method: str) -> Operation:
    async def call(writer: LocalWriter, body: Body) -> bytes:
        return wire.encode(await getattr(writer, method)(*wire.decode(body)))

    return call


OPERATIONS: dict[str, Operation] = {
    name: _reindex if name == "reindex" else _plainly(name) for name in frames.OPERATIONS[1:]
}
