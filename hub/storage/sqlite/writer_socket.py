"""Writes of other processes: a Unix socket to the process that owns the store.

A frame is a length (4 bytes, big-endian) and MessagePack `[number, operation, arguments]`; its
answer `[number, ok, result]`. Answers come in any order. The socket is 0600 and both ends
check that the peer is the same user or root. A lost connection is opened again and what was
not answered is sent again: answers to commits are remembered (table `answered`), so
that none is applied twice; the other operations may be repeated, except `expunge`, which then
fails as uncertain. Used by `store`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket as sockets
import struct
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from hub.storage.port import (
    ANY_VERSION,
    AuditRecord,
    Commit,
    Committed,
    Reindexed,
    RuntimeParameter,
    StoreUnavailable,
)
from hub.storage.sqlite import wire
from hub.storage.sqlite.commit import apply, checks_late
from hub.storage.sqlite.local_writer import LocalWriter
from hub.storage.sqlite.transaction import Transaction

SOCKET = "writer.sock"
LARGEST_FRAME = 1 << 29
SLOTS = 512
"""Commits a client may have under way, each with a slot where its answer is remembered."""

TIMEOUT = 30.0
"""Seconds a request may take, reconnecting included."""

FIRST_WAIT, LONGEST_WAIT = 0.02, 1.0
"""Seconds between attempts to connect."""

ANSWERED = "SELECT number, result FROM answered WHERE client = ? AND slot = ?"
ANSWER = "INSERT OR REPLACE INTO answered VALUES (?, ?, ?, ?, ?)"

log = logging.getLogger(__name__)

_encode = msgspec.msgpack.Encoder().encode
_decode_request = msgspec.msgpack.Decoder(tuple[int, str, bytes]).decode
_decode_answer = msgspec.msgpack.Decoder(tuple[int, bool, bytes]).decode
_length = struct.Struct(">I")


class WriterServer:
    """Listens for writes and hands them to the `LocalWriter`."""

    def __init__(self, writer: LocalWriter, path: Path) -> None:
        self._writer, self._path = writer, path
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

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
            with _Reachable(path) as address:
                listening.bind(address)
        finally:
            os.umask(before)
        server._server = await asyncio.start_unix_server(server._accept, sock=listening)
        return server

    async def close(self) -> None:
        """Stop listening and end the connections; what is queued is still written."""
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        requests: set[asyncio.Task[None]] = set()
        try:
            _check_peer(writer)
            while True:
                number, operation, arguments = _decode_request(await _receive(reader))
                answering = asyncio.create_task(self._answer(writer, number, operation, arguments))
                requests.add(answering)
                answering.add_done_callback(requests.discard)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except (PermissionError, msgspec.DecodeError, ValueError) as error:
            log.warning("a connection to the writer was refused: %s", type(error).__name__)
        except asyncio.CancelledError:
            await asyncio.gather(*requests, return_exceptions=True)
        finally:
            self._connections.discard(task)
            writer.close()

    async def _answer(
        self, writer: asyncio.StreamWriter, number: int, operation: str, arguments: bytes
    ) -> None:
        try:
            result, ok = await OPERATIONS[operation](self._writer, number, arguments), True
        except Exception as error:  # told to the client, by name only if it is none it knows
            if not wire.is_expected(error):
                log.exception("a request to the writer failed")
            result, ok = wire.encode_failure(error), False
        with suppress(ConnectionError):
            _send(writer, (number, ok, result))
            await writer.drain()


async def _commit(writer: LocalWriter, number: int, arguments: bytes) -> bytes:
    client, slot, data = msgspec.msgpack.decode(arguments, type=tuple[int, int, bytes])
    commit = wire.decode_commit(data)

    def once(work: Transaction) -> bytes:
        found: Any = work.connection.execute(ANSWERED, (client, slot)).get
        if found and found[0] == number:
            return bytes(found[1])
        result = wire.encode(apply(work, commit))
        work.connection.execute(ANSWER, (client, slot, number, commit.clock, result))
        return result

    return await writer.submit(once, len(commit.writes), checks_late(commit))


async def _reindex(writer: LocalWriter, number: int, arguments: bytes) -> bytes:
    tenant, data = msgspec.msgpack.decode(arguments, type=tuple[int, bytes])
    return wire.encode(await writer.reindex(tenant, wire.decode_reindexed(data)))


def _plainly(method: str) -> Callable[[LocalWriter, int, bytes], Coroutine[Any, Any, bytes]]:
    async def call(writer: LocalWriter, number: int, arguments: bytes) -> bytes:
        return wire.encode(await getattr(writer, method)(*wire.decode(arguments)))

    return call


OPERATIONS: dict[str, Callable[[LocalWriter, int, bytes], Coroutine[Any, Any, bytes]]] = {
    "commit": _commit,
    "reindex": _reindex,
    "expunge": _plainly("expunge"),
    "put_parameter": _plainly("put_parameter"),
    "delivered": _plainly("delivered"),
    "sweep": _plainly("sweep"),
    "register_blob": _plainly("register_blob"),
}


class RemoteWriter:
    """The port's writes, sent to the owner; for one event loop."""

    def __init__(self, path: Path, timeout: float = TIMEOUT) -> None:
        """Prepare; the connection is opened by the first request.

        Args:
            path: The owner's socket.
            timeout: Seconds a request may take.
        """
        self._path, self._timeout = path, timeout
        self._client = secrets.randbits(62)
        self._number = 0
        self._waiting: dict[int, asyncio.Future[tuple[bool, bytes] | None]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._connecting: asyncio.Lock | None = None
        self._receiving: asyncio.Task[None] | None = None
        self._commits = asyncio.Semaphore(SLOTS)
        self._free_slots = list(range(SLOTS))
        self._closed = False

    @property
    def queued(self) -> int:
        """Requests that wait for an answer."""
        return len(self._waiting)

    async def commit(self, commit: Commit) -> Committed:
        """Apply a transaction."""
        async with self._commits:
            slot = self._free_slots.pop()
            try:
                arguments = _encode((self._client, slot, wire.encode_commit(commit)))
                committed: Committed = await self._call("commit", arguments)
                return committed
            finally:
                self._free_slots.append(slot)

    async def reindex(self, tenant: int, rows: Sequence[Reindexed]) -> int:
        """Replace index rows."""
        replaced: int = await self._call("reindex", _encode((tenant, wire.encode_reindexed(rows))))
        return replaced

    async def expunge(
        self,
        tenant: int,
        type: str,
        id: str,
        audit: AuditRecord,
        clock: int,
        expected: int = ANY_VERSION,
    ) -> int:
        """Remove physically."""
        arguments = wire.encode((tenant, type, id, audit, clock, expected))
        removed: int = await self._call("expunge", arguments, again=False)
        return removed

    async def put_parameter(
        self, tenant: int, parameter: RuntimeParameter | None, url: str
    ) -> RuntimeParameter | None:
        """Add, change or remove a parameter."""
        put: RuntimeParameter | None = await self._call(
            "put_parameter", wire.encode((tenant, parameter, url))
        )
        return put

    async def delivered(self, tenant: int, rows: Sequence[int]) -> None:
        """Take rows out of the outbox."""
        await self._call("delivered", wire.encode((tenant, tuple(rows))))

    async def sweep(self, clock: int, grace: int) -> int:
        """Remove what nothing uses."""
        removed: int = await self._call("sweep", wire.encode((clock, grace)))
        return removed

    async def register_blob(self, tenant: int, name: str, sha256: str, size: int) -> None:
        """Keep an uploaded file."""
        await self._call("register_blob", wire.encode((tenant, name, sha256, size)))

    async def close(self) -> None:
        """Wait for answers (up to the time-out) and close."""
        self._closed = True
        if self._waiting:
            await asyncio.wait(list(self._waiting.values()), timeout=self._timeout)
        if self._writer is not None:
            self._writer.close()
        if self._receiving is not None:
            self._receiving.cancel()
            await asyncio.gather(self._receiving, return_exceptions=True)

    async def _call(self, operation: str, arguments: bytes, again: bool = True) -> Any:
        """Send a request until it is answered.

        Raises:
            CommitRefused, DeadlineExceeded: As the owner says.
            StoreUnavailable: No answer in time, or it may not be sent again.
        """
        if self._closed:
            raise StoreUnavailable("the store is closed")
        self._number += 1
        message = (self._number, operation, arguments)
        answer, sent = None, False
        try:
            async with asyncio.timeout(self._timeout):
                while answer is None:
                    writer = await self._connected()
                    if sent and not again:
                        raise StoreUnavailable("the writer is gone", uncertain=True)
                    sent = True
                    answer = await self._answer(writer, message)
        except TimeoutError as error:
            raise StoreUnavailable("the writer does not answer", uncertain=sent) from error
        ok, result = answer
        if not ok:
            raise wire.decode_failure(result)
        return wire.decode(result)

    async def _answer(
        self, writer: asyncio.StreamWriter, message: tuple[int, str, bytes]
    ) -> tuple[bool, bytes] | None:
        """Send a request; its answer, or None when the connection is lost before it comes."""
        answer = self._waiting[message[0]] = asyncio.get_running_loop().create_future()
        try:
            _send(writer, message)
            await writer.drain()
            found: tuple[bool, bytes] | None = await answer
            return found
        except ConnectionError:
            return None
        finally:
            del self._waiting[message[0]]

    async def _connected(self) -> asyncio.StreamWriter:
        if self._connecting is None:
            self._connecting = asyncio.Lock()
        async with self._connecting:
            wait = FIRST_WAIT
            while self._writer is None or self._writer.is_closing():
                try:
                    with _Reachable(self._path) as address:
                        reader, writer = await asyncio.open_unix_connection(address)
                    _check_peer(writer)
                except PermissionError as error:
                    raise StoreUnavailable("the writer's socket is another user's") from error
                except OSError:
                    await asyncio.sleep(wait)
                    wait = min(2 * wait, LONGEST_WAIT)
                    continue
                self._writer = writer
                self._receiving = asyncio.create_task(self._receive(reader, writer))
            return self._writer

    async def _receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                number, ok, result = _decode_answer(await _receive(reader))
                waiting = self._waiting.get(number)
                if waiting is not None and not waiting.done():
                    waiting.set_result((ok, result))
        except (asyncio.IncompleteReadError, ConnectionError, msgspec.DecodeError, ValueError):
            writer.close()
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_result(None)


class _Reachable:
    """A socket's address that is short enough: long paths go through an open folder."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder: int | None = None

    def __enter__(self) -> str:
        if len(os.fsencode(self._path)) < 100:
            return str(self._path)
        self._folder = os.open(self._path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        return f"/proc/self/fd/{self._folder}/{self._path.name}"

    def __exit__(self, *exception: object) -> None:
        if self._folder is not None:
            os.close(self._folder)


def _send(writer: asyncio.StreamWriter, message: tuple[Any, ...]) -> None:
    frame = _encode(message)
    if len(frame) > LARGEST_FRAME:
        raise StoreUnavailable("the request is too large to send to the writer")
    writer.write(_length.pack(len(frame)) + frame)


async def _receive(reader: asyncio.StreamReader) -> bytes:
    (length,) = _length.unpack(await reader.readexactly(_length.size))
    if length > LARGEST_FRAME:
        raise ValueError("frame too large")
    return await reader.readexactly(length)


def _check_peer(writer: asyncio.StreamWriter) -> None:
    """Refuse a peer that is neither this user nor root."""
    connection = writer.get_extra_info("socket")
    credentials = connection.getsockopt(
        sockets.SOL_SOCKET, sockets.SO_PEERCRED, struct.calcsize("3i")
    )
    _, user, _ = struct.unpack("3i", credentials)
    if user not in (os.getuid(), 0):
        raise PermissionError("the peer is another user")
