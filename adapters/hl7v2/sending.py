"""Sends the messages of one destination, in order, until each is taken or refused.

At least once: a message is `queued` until an answer to it is noted, so a crash at any point sends
it again under the same control id, by which the receiver knows it. No give-up: what cannot be
delivered waits with growing pauses, and with it what comes after it. Called by
`adapters.hl7v2.departing`.
"""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from adapters.hl7v2.answers import (
    STATES,
    Answer,
    note_answer,
    read_answer,
    reason_for,
    unreadable,
    verdict,
)
from adapters.hl7v2.destinations import Breaker, BreakerState, Destinations
from adapters.hl7v2.following import Follow
from adapters.hl7v2.mllp.client import Connection, ConnectionLost, connect
from adapters.hl7v2.reasons import Reason, read_reasons, write_reasons
from adapters.hl7v2.sites import Destination
from hub.context import Clock
from hub.storage.message_log import Departure, DepartureRow, DepartureState, MessageLog
from hub.storage.port import StoreUnavailable

Take = Callable[[bytes, str], Awaitable[object]]
"""Takes a message that came instead of an acknowledgement; with the address."""

Write = Callable[[Departure], Awaitable[tuple[bytes, str]]]
"""Gives the bytes of a message, or why there are none."""

_log = logging.getLogger(__name__)

_BATCH = 5
_OPEN_FROM = 3
"""Failures in a row after which the breaker is open."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast; seconds.

    Attributes:
        first: Pause after the first failure; it doubles with each.
        most: Longest pause.
        poll: How often what is queued is looked for, and whether it is paused.
        connect: To open a connection.
        idle: After which a connection that nothing goes over is closed.
    """

    first: float = 1.0
    most: float = 300.0
    poll: float = 0.25
    connect: float = 10.0
    idle: float = 30.0

    def pause(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row, with jitter."""
        longest = min(self.most, self.first * 2.0 ** min(failures - 1, 30))
        return longest * (0.5 + random.random() / 2)


class Sender:
    """The worker of one destination."""

    def __init__(
        self,
        messages: MessageLog,
        states: Destinations,
        tenant: int,
        name: str,
        destination: Destination,
        *,
        clock: Clock,
        pace: Pace,
        follow: Follow,
        write: Write,
        tls: ssl.SSLContext | None = None,
        take: Take | None = None,
    ) -> None:
        """Nothing is sent before `run`.

        Args:
            messages: The log.
            states: Where pauses and the breaker are kept.
            tenant: Tenant key.
            name: Of the destination.
            destination: Where it is.
            clock: The time.
            pace: How fast.
            follow: Told of each message before its state is noted.
            write: Writes what could not be written when it was queued.
            tls: For TLS.
            take: Gets what comes instead of an acknowledgement.
        """
        self._messages, self._states, self._tenant = messages, states, tenant
        self._name, self._destination, self._clock = name, destination, clock
        self._tls, self._pace, self._take = tls, pace, take
        self._follow, self._write = follow, write
        self._connection: Connection | None = None
        self._state = BreakerState()
        self._heard = 0
        self._used = 0.0
        self._open_answers, self._waits = 0, True
        self.wake = asyncio.Event()

    def _now(self) -> int:
        return int(self._clock().timestamp() * 1000)

    async def run(self) -> None:
        """Send until it is cancelled."""
        try:
            self._state = await self._states.state(self._name, self._now())
            while True:
                try:
                    busy = await self._turn()
                except StoreUnavailable:
                    busy = False  # What came of it could not be noted: it goes again.
                    await self._hang_up()
                # A mistake of ours must not end the sender for good.
                except Exception:  # noqa: BLE001
                    _log.exception("a message could not be sent")
                    busy = False
                    await self._hang_up()
                    await asyncio.sleep(self._pace.pause(_OPEN_FROM))
                if not busy:
                    await self._rest()
        finally:
            await self._hang_up()

    async def _rest(self) -> None:
        """Until there may be something to do; answers that come meanwhile are noted."""
        self.wake.clear()
        if self._connection is not None and self._idle() > self._pace.idle:
            await self._hang_up()
        if self._connection is not None and self._open_answers:
            await self._listen(self._pace.poll)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(self._pace.poll):
                await self.wake.wait()

    def _idle(self) -> float:
        return _monotonic() - self._used

    async def _turn(self) -> bool:
        """Send what is due, up to a batch; False when there is nothing to do now."""
        if not await self._may_send():
            return False
        rows = await self._messages.due(self._tenant, self._name, self._now(), _BATCH)
        for row in rows:
            if not await self._may_send():
                return False
            if not await self._attempt(row):
                return False
        return bool(rows)

    async def _may_send(self) -> bool:
        """Whether nobody has paused it; somebody who resumed it has the breaker forgotten."""
        word = await self._states.last_word(self._name, self._now())
        if word is not None and word.paused:
            await self._hang_up()
            return False
        if word is not None and word.time > self._heard:
            self._heard = word.time
            if self._state.failures and word.time > self._state.since:
                await self._is(BreakerState(since=self._now()))
        return self._state.next <= self._now()

    async def _attempt(self, row: DepartureRow) -> bool:
        """Send one message and note what came of it; False when it must be sent again."""
        raw = row.departure.raw
        if not raw:
            raw, why = await self._write(row.departure)
            if not raw:
                await self._note(row, "refused", reason=why)
                return True
        if self._state.breaker == "open":
            await self._is(BreakerState("half-open", self._state.failures, self._state.since))
        try:
            answer, raw = await self._exchange(row, raw)
        except ConnectionLost as error:
            await self._hang_up()
            # The words are the system's, of a closed set: none of them are the other side's.
            lost = Reason("hl7v2-out-unreachable", "", {"why": str(error)})
            await self._again(row, write_reasons([lost]), b"")
            return False
        if answer is None:
            await self._hang_up()
            await self._again(row, unreadable(), raw)
            return False
        times = _times(row)
        meaning = verdict(answer, row.departure.kind, times, self._destination.error_attempts)
        if meaning == "again":
            await self._again(row, reason_for(answer, times + 1), raw)
            return False
        reason = reason_for(answer, times + 1) if meaning == "refused" else ""
        await self._note(row, STATES[meaning], answer=raw, reason=reason)
        if self._state.failures:
            await self._is(BreakerState(since=self._now()))
        if answer.code == "CA" and self._destination.ack == "enhanced":
            await self._application_answer(row)
        elif answer.kind.startswith("RRI"):
            await self._hand_on(raw)
        return True

    async def _exchange(self, row: DepartureRow, raw: bytes) -> tuple[Answer | None, bytes]:
        """Send a message and wait for its acknowledgement.

        A connection that was kept from before may have ended unnoticed: then once more on a new
        one.

        Raises:
            ConnectionLost: It could not be sent, or nothing came back.
        """
        reused = self._connection is not None and not self._connection.ended
        try:
            return await self._over(await self._connected(), row, raw)
        except ConnectionLost:
            if not reused:
                raise
        await self._hang_up()
        return await self._over(await self._connected(), row, raw)

    async def _over(
        self, connection: Connection, row: DepartureRow, message: bytes
    ) -> tuple[Answer | None, bytes]:
        patience = self._destination.answer_seconds
        await connection.send(message, patience)
        end = _monotonic() + patience
        while True:
            raw = await connection.receive(max(0.001, end - _monotonic()))
            self._used = _monotonic()
            answer = read_answer(raw)
            if answer is None or answer.control_id == row.departure.control_id:
                return answer, raw
            await self._noted(answer, raw)

    async def _application_answer(self, row: DepartureRow) -> None:
        """After CA: the application's answer, if it comes on this connection and in time.

        Who has not sent one in time is not waited for again, until one comes after all. One that
        comes later is noted then: on this connection, or by the inbox.
        """
        self._open_answers += 1
        if not self._waits:
            return
        end = _monotonic() + self._destination.answer_seconds
        while (left := end - _monotonic()) > 0 and self._connection is not None:
            if await self._listen(left) == row.departure.control_id:
                return
        self._waits = False

    async def _listen(self, timeout: float) -> str:
        """Note the next answer that comes; gives the control id that it names, "" for none."""
        connection = self._connection
        assert connection is not None
        try:
            raw = await connection.receive(timeout)
        except ConnectionLost:
            if connection.ended:
                await self._hang_up()
            return ""
        self._used = _monotonic()
        answer = read_answer(raw)
        if answer is None:
            return ""
        await self._noted(answer, raw)
        return answer.control_id

    async def _noted(self, answer: Answer, raw: bytes) -> None:
        """An answer to a message that was sent before."""
        found = await note_answer(self._messages, self._tenant, answer, raw, self._follow)
        if found is not None and answer.code[0] == "A":
            self._open_answers = max(0, self._open_answers - 1)
            self._waits = True
        if answer.kind.startswith("RRI"):
            await self._hand_on(raw)

    async def _hand_on(self, raw: bytes) -> None:
        if self._take is not None:
            await self._take(raw, "")

    async def _again(self, row: DepartureRow, reason: str, answer: bytes) -> None:
        """Wait, longer each time; nothing overtakes the message."""
        before, now = self._state, self._now()
        failures = before.failures + 1
        next = now + int(self._pace.pause(failures) * 1000)
        await self._note(row, "queued", answer=answer, reason=reason)
        breaker: Breaker = "open" if failures >= _OPEN_FROM else "closed"
        since = before.since if before.failures else now
        await self._is(BreakerState(breaker, failures, since, next, reason))

    async def _note(
        self, row: DepartureRow, state: DepartureState, *, answer: bytes = b"", reason: str = ""
    ) -> None:
        if state == "accepted":
            # The real answer, on a connection of its own, may have been quicker.
            control_id = row.departure.control_id
            now = await self._messages.departure(self._tenant, control_id)
            if now is not None and now.row == row.row and now.state == "done":
                return
        if state != "queued":
            await self._follow(row, state, reason)
        await self._messages.attempted(self._tenant, row.row, state, answer=answer, reason=reason)

    async def _is(self, state: BreakerState) -> None:
        self._state = state
        await self._states.note(self._name, state, self._now())

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.ended:
            await self._hang_up()
            destination = self._destination
            self._connection = await connect(
                destination.host,
                destination.port,
                tls=self._tls if destination.tls else None,
                timeout=self._pace.connect,
            )
        return self._connection

    async def _hang_up(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            self._open_answers = 0
            await connection.close()


def _monotonic() -> float:
    return asyncio.get_running_loop().time()


def _times(row: DepartureRow) -> int:
    """How often the message was answered with an error before, in a row."""
    return max((one.times for one in read_reasons(row.reason)), default=0)
