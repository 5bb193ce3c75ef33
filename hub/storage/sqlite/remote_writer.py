"""The port's writes in a process that does not own the store: sent to the one that does.

Many requests are under way at once on one connection; those of one round of the event loop
are sent together. A lost connection is opened again and what was not answered is sent again,
marked as such; the owner applies no commit twice. The other operations may be repeated, except
`expunge`, which then fails as uncertain. Used by `store`; the other end is `writer_socket`.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from hub.storage.ledger import Record
from hub.storage.message_log import Arrival, Departure, DepartureState, Receipt, Settled
from hub.storage.port import (
    ANY_VERSION,
    AuditRecord,
    Commit,
    Committed,
    Reindexed,
    RuntimeParameter,
    StoreUnavailable,
)
from hub.storage.sqlite import frames, wire
from hub.storage.sqlite.frames import ANSWER, COMMIT, GREETING, LARGEST_FRAME, MAGIC, REQUEST, Body
from hub.storage.sqlite.ledger import Change

SLOTS = 512
"""Commits a client may have under way, each with a slot where its answer is remembered."""

TIMEOUT = 30.0
"""Seconds a request may take, reconnecting included."""

FIRST_WAIT, LONGEST_WAIT = 0.02, 0.25
"""Seconds between attempts to connect."""

_NUMBERS = {name: number for number, name in enumerate(frames.OPERATIONS)}


@dataclass(slots=True, eq=False)
class _Request:
    """A request that waits for its answer.

    `again`: it may be sent again; `sent`: some of it may have left.
    """

    number: int
    operation: int
    slot: int
    body: bytes
    again: bool
    deadline: float
    answer: asyncio.Future[tuple[int, Body]]
    sent: bool = False

    def frame(self) -> bytes:
        """As it is sent now."""
        header = REQUEST.pack(len(self.body), self.number, self.operation, self.sent, self.slot)
        self.sent = True
        return header + self.body

    def fail(self, reason: str) -> None:
        """End it without an answer."""
        if not self.answer.done():
            self.answer.set_exception(StoreUnavailable(reason, uncertain=self.sent))


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
        self._waiting: dict[int, _Request] = {}
        self._line: _Line | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._alarm: asyncio.TimerHandle | None = None
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
                body = await self._call(COMMIT, wire.encode_commit(commit), slot)
                return wire.decode_committed(body)
            finally:
                self._free_slots.append(slot)

    async def reindex(self, tenant: int, rows: Sequence[Reindexed]) -> int:
        """Replace index rows."""
        replaced: int = await self._ask("reindex", tenant, wire.encode_reindexed(rows))
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
        removed: int = await self._ask("expunge", tenant, type, id, audit, clock, expected)
        return removed

    async def append_audit(self, tenant: int, packed: bytes, clock: int) -> int:
        """Add a block to the audit chain, once."""
        row: int = await self._ask_once("append_audit", tenant, packed, clock)
        return row

    async def put_parameter(
        self, tenant: int, parameter: RuntimeParameter | None, url: str
    ) -> RuntimeParameter | None:
        """Add, change or remove a parameter."""
        put: RuntimeParameter | None = await self._ask("put_parameter", tenant, parameter, url)
        return put

    async def delivered(self, tenant: int, rows: Sequence[int]) -> None:
        """Take rows out of the outbox."""
        await self._ask("delivered", tenant, tuple(rows))

    async def sweep(self, clock: int, grace: int) -> int:
        """Remove what nothing uses."""
        removed: int = await self._ask("sweep", clock, grace)
        return removed

    async def register_blob(self, tenant: int, name: str, sha256: str, size: int) -> None:
        """Keep an uploaded file."""
        await self._ask("register_blob", tenant, name, sha256, size)

    async def change_ledger(self, change: Change) -> Record | None:
        """Change a record of the ledger, once."""
        change = change._replace(once=secrets.token_hex(16))
        made: Record | None = await self._ask("change_ledger", change)
        return made

    async def expire_ledger(self, tenant: int, now: int) -> int:
        """Remove what has expired."""
        removed: int = await self._ask("expire_ledger", tenant, now)
        return removed

    async def receive(self, tenant: int, arrival: Arrival) -> Receipt:
        """Keep an arrival, once."""
        receipt: Receipt = await self._ask_once("receive", tenant, arrival)
        return receipt

    async def settle(self, tenant: int, settled: Settled) -> None:
        """End the work on an arrival, once."""
        await self._ask_once("settle", tenant, settled)

    async def reopen(self, tenant: int, row: int, time: int) -> bool:
        """Let an arrival wait again, once."""
        opened: bool = await self._ask_once("reopen", tenant, row, time)
        return opened

    async def depart(
        self, tenant: int, departures: Sequence[Departure], outbox: Sequence[int]
    ) -> list[int]:
        """Queue messages, once."""
        rows = await self._ask_once("depart", tenant, tuple(departures), tuple(outbox))
        return list(rows)

    async def attempted(
        self, tenant: int, row: int, state: DepartureState, due: int, answer: bytes, reason: str
    ) -> bool:
        """Note an attempt, once."""
        known: bool = await self._ask_once("attempted", tenant, row, state, due, answer, reason)
        return known

    async def close(self) -> None:
        """Wait for answers (up to the time-out) and close."""
        self._closed = True
        if self._waiting:
            answers = [request.answer for request in self._waiting.values()]
            await asyncio.wait(answers, timeout=self._timeout)
        if self._alarm is not None:
            self._alarm.cancel()
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        if self._line is not None:
            self._line.close()

    # --- requests ----------------------------------------------------------------------------

    async def _ask(self, operation: str, *arguments: object) -> Any:
        body = wire.encode(arguments)
        again = operation != "expunge"
        return wire.decode(await self._call(_NUMBERS[operation], body, 0, again))

    async def _ask_once(self, operation: str, *arguments: object) -> Any:
        """Ask with a key, so that what is sent again is not done twice."""
        return await self._ask(operation, *arguments, secrets.token_hex(16))

    async def _call(self, operation: int, body: bytes, slot: int, again: bool = True) -> Body:
        """Send a request until it is answered.

        Raises:
            CommitRefused, DeadlineExceeded: As the owner says.
            StoreUnavailable: No answer in time, or it may not be sent again.
        """
        if self._closed:
            raise StoreUnavailable("the store is closed")
        if len(body) > LARGEST_FRAME:
            raise StoreUnavailable("the request is too large to send to the writer")
        loop = asyncio.get_running_loop()
        self._number = number = self._number + 1
        request = _Request(
            number, operation, slot, body, again, loop.time() + self._timeout, loop.create_future()
        )
        self._waiting[number] = request
        try:
            if self._alarm is None:
                self._alarm = loop.call_at(request.deadline, self._expire)
            if self._line is not None:
                self._line.send(request)
            else:
                self._connect()
            ok, result = await request.answer
        finally:
            self._waiting.pop(number, None)
        if not ok:
            raise wire.decode_failure(result)
        return result

    def _expire(self) -> None:
        """End what is overdue; the oldest requests come first, so one timer does for all."""
        self._alarm = None
        loop = asyncio.get_running_loop()
        now = loop.time()
        for request in list(self._waiting.values()):
            if request.deadline > now:
                self._alarm = loop.call_at(request.deadline, self._expire)
                return
            request.fail("the writer does not answer")
            del self._waiting[request.number]

    # --- the connection ----------------------------------------------------------------------

    def _connect(self) -> None:
        if self._connecting is None:
            self._connecting = asyncio.create_task(self._keep_connecting())

    async def _keep_connecting(self) -> None:
        """Connect, for as long as somebody waits."""
        wait = FIRST_WAIT
        try:
            while self._waiting:
                try:
                    await self._open()
                    return
                except PermissionError:
                    for request in self._waiting.values():
                        request.fail("the writer's socket is another user's")
                    return
                except OSError:
                    await asyncio.sleep(wait)
                    wait = min(2 * wait, LONGEST_WAIT)
        finally:
            self._connecting = None

    async def _open(self) -> None:
        with frames.Reachable(self._path) as address:
            _, line = await asyncio.get_running_loop().create_unix_connection(
                lambda: _Line(self), address
            )
        line.greet(self._client)
        self._line = line
        for request in self._waiting.values():
            if not request.answer.done():
                line.send(request)

    def answered(self, number: int, ok: int, body: Body) -> None:
        """An answer has come."""
        request = self._waiting.get(number)
        if request is not None and not request.answer.done():
            request.answer.set_result((ok, body))

    def lost(self, line: _Line) -> None:
        """The connection is gone: go on with a new one."""
        if line is not self._line:
            return
        self._line = None
        for request in self._waiting.values():
            if request.sent and not request.again:
                request.fail("the writer is gone")
        if self._waiting:
            self._connect()


class _Line(asyncio.Protocol):
    """The connection to the owner."""

    def __init__(self, writer: RemoteWriter) -> None:
        self._writer = writer
        self._splitter = frames.Splitter(ANSWER)
        self._transport: asyncio.Transport | None = None
        self._requests: frames.Outgoing | None = None

    def greet(self, client: int) -> None:
        """Begin.

        Raises:
            PermissionError: The owner is another user.
            ConnectionError: It has hung up already.
        """
        if self._transport is None or self._requests is None:
            raise ConnectionResetError
        try:
            frames.check_peer(self._transport)
        except PermissionError:
            self._transport.abort()
            raise
        self._requests.add(GREETING.pack(MAGIC, client))

    def send(self, request: _Request) -> None:
        """Send a request with the others of this round."""
        assert self._requests is not None
        self._requests.add(request.frame())

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    # --- the transport's calls ---------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._requests = frames.Outgoing(self._transport)

    def data_received(self, data: bytes) -> None:
        try:
            for (number, ok), body in self._splitter.feed(data):
                self._writer.answered(number, ok, body)
        except ValueError:
            if self._transport is not None:
                self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._writer.lost(self)
