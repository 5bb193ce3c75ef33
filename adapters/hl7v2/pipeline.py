"""The work on messages that are safe: in order where they belong together, else side by side.

Messages that share a key wait for each other in the order of their rows; what waits in the log
when the hub starts, or is opened again by a person, is taken up by the same way. Work that the
store cannot take now is tried again until it can; a mistake of ours quarantines the message.
Called by the inbox and `adapters.hl7v2.service`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from adapters.hl7v2.ack import Header, acknowledge
from adapters.hl7v2.envelope import Envelope
from adapters.hl7v2.message import Message
from adapters.hl7v2.reasons import write_reasons
from adapters.hl7v2.sites import Site
from hub.context import Clock, utc_now
from hub.errors import HubError, Issue, fault
from hub.storage.message_log import AlreadySettled, ArrivalRow, MessageLog, Settled
from hub.storage.port import StoreUnavailable

_log = logging.getLogger(__name__)

SIDE_BY_SIDE = 32
MOST_JOBS = 1000
MOST_BYTES = 64 * 1024 * 1024
_PAGE = 100
_WAITING = ("in", "waiting")
_LOOK_EVERY = 2.0
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 15.0


@dataclass(frozen=True, slots=True)
class Job:
    """A message to work on.

    Attributes:
        row: In the log.
        site: Whose rules hold.
        header: For the answer.
        message: Its text.
        keys: What it keeps its order with.
        received: When it came, milliseconds since the epoch.
        address: Where from.
        reused: Its control id was here before with other bytes.
        size: Bytes of it.
    """

    row: int
    site: Site
    header: Header
    message: Message
    keys: tuple[str, ...]
    received: int
    address: str = ""
    reused: bool = False
    size: int = 0


class Work(Protocol):
    """What is done with a message."""

    async def __call__(self, job: Job) -> Settled:
        """Work on a message and settle it in the log.

        Returns:
            How it was settled.

        Raises:
            AlreadySettled: Somebody else has.
            StoreUnavailable, HubError: Not now; it is tried again.
        """


@dataclass(slots=True)
class Outcomes:
    """Numbers for metrics."""

    in_work: int = 0
    stored: int = 0
    quarantined: int = 0
    repeated: int = 0
    reused: int = 0
    retries: int = 0
    failures: int = 0


class Pipeline:
    """Messages in work."""

    def __init__(
        self,
        log: MessageLog,
        tenant: int,
        work: Work,
        reopen: Callable[[bytes], Awaitable[Envelope]],
        clock: Clock = utc_now,
        *,
        lines: bool = False,
    ) -> None:
        """Nothing is in work yet.

        Args:
            log: Where messages are.
            tenant: Whose.
            work: What is done with each.
            reopen: Reads a message from its bytes again.
            clock: For the time of settling.
            lines: Write a line to the log for each message.
        """
        self._messages, self._tenant, self._work = log, tenant, work
        self._reopen, self._clock, self._lines = reopen, clock, lines
        self.outcomes = Outcomes()
        self._jobs: dict[int, asyncio.Task[bytes]] = {}
        self._bytes = 0
        self._last: dict[str, asyncio.Task[bytes]] = {}
        self._slots = asyncio.Semaphore(SIDE_BY_SIDE)
        self._room = asyncio.Event()
        self._room.set()
        self._stopping = asyncio.Event()

    async def room(self) -> None:
        """Wait until there is room for one more."""
        await self._room.wait()

    def submit(self, job: Job) -> asyncio.Future[bytes]:
        """Begin the work on a message; jobs must come in the order of their rows.

        Returns:
            Gives the answer; b"" when the hub stops before the work is done.
        """
        known = self._jobs.get(job.row)
        if known is not None:
            return known
        before = {one for key in job.keys if (one := self._last.get(key)) is not None}
        task = asyncio.create_task(self._run(job, before))
        self._jobs[job.row] = task
        self._bytes += job.size
        self.outcomes.in_work = len(self._jobs)
        for key in job.keys:
            self._last[key] = task
        task.add_done_callback(lambda done: self._done(job, done))
        self._mind_room()
        return task

    def answer_of(self, row: int) -> asyncio.Future[bytes] | None:
        """The answer to come of a message in work; None when it is not."""
        return self._jobs.get(row)

    def _done(self, job: Job, task: asyncio.Task[bytes]) -> None:
        del self._jobs[job.row]
        self._bytes -= job.size
        self.outcomes.in_work = len(self._jobs)
        for key in job.keys:
            if self._last.get(key) is task:
                del self._last[key]
        self._mind_room()

    def _mind_room(self) -> None:
        if len(self._jobs) < MOST_JOBS and self._bytes < MOST_BYTES:
            self._room.set()
        else:
            self._room.clear()

    async def _run(self, job: Job, before: set[asyncio.Task[bytes]]) -> bytes:
        if before:
            await asyncio.wait(before)
        pause = _FIRST_PAUSE
        while True:
            try:
                async with self._slots:
                    settled = await self._work(job)
                self._count(settled)
                self._tell(job, settled)
                return settled.answer
            except AlreadySettled:
                return await self._settled_answer(job)
            except (StoreUnavailable, HubError) as error:
                self.outcomes.retries += 1
                _log.warning("message %d waits: %s", job.row, error)
            # A mistake of ours: the message is kept and shown, and its sender is told.
            except Exception:  # noqa: BLE001
                self.outcomes.failures += 1
                _log.exception("message %d cannot be worked on", job.row)
                aside = await self._set_aside(job)
                if aside is not None:
                    return aside
            if await _happens(self._stopping, pause):
                return b""
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _set_aside(self, job: Job) -> bytes | None:
        """Quarantine a message for a mistake of ours; None when that cannot be stored now."""
        issue = fault("exception", "hl7v2-unexpected")
        answer = acknowledge(job.header, "AE", (issue,), zone=job.site.zone)
        try:
            await self._quarantine(job.row, answer, (issue,))
        except AlreadySettled:  # The mistake came after the work.
            return await self._settled_answer(job)
        except StoreUnavailable:
            return None
        return answer

    async def _settled_answer(self, job: Job) -> bytes:
        """The answer in the log; b"" when it cannot be read now: whoever waits will ask again."""
        try:
            row = await self._messages.arrival(self._tenant, job.row)
        except StoreUnavailable:
            return b""
        return b"" if row is None else row.arrival.answer

    async def _quarantine(self, row: int, answer: bytes, issues: tuple[Issue, ...]) -> None:
        """Quarantine a message.

        Raises:
            AlreadySettled: It does not wait.
            StoreUnavailable: Not now.
        """
        now = int(self._clock().timestamp() * 1000)
        reason = write_reasons(issues)
        settled = Settled(row, "quarantined", answer, now, reason)
        await self._messages.settle(self._tenant, settled)
        self._count(settled)

    def _tell(self, job: Job, settled: Settled) -> None:
        """A line of the log: its kind is one of ours, its site is the administrator's word."""
        if self._lines:
            took = int(self._clock().timestamp() * 1000) - job.received
            kind, site = job.header.kind, job.site.name
            _log.info("message %d %s of %s: %s in %d ms", job.row, kind, site, settled.state, took)

    def _count(self, settled: Settled) -> None:
        if settled.state == "stored":
            self.outcomes.stored += 1
        else:
            self.outcomes.quarantined += 1

    # --- work that waits in the log ---------------------------------------------------------

    async def resume(self) -> int:
        """Take up what waits in the log and is not in work; gives how many messages."""
        after = count = 0
        while rows := await self._messages.waiting(self._tenant, after, _PAGE):
            for row in rows:
                if row.row not in self._jobs:
                    await self.room()
                    await self._take_up(row)
                    count += 1
            after = rows[-1].row
        return count

    async def _take_up(self, row: ArrivalRow) -> None:
        arrival = row.arrival
        envelope = await self._reopen(arrival.raw)
        if envelope.issue is not None or envelope.message is None:
            issues = () if envelope.issue is None else (envelope.issue,)
            with suppress(AlreadySettled):
                await self._quarantine(row.row, envelope.refusal(), issues)
            return
        self.submit(
            Job(
                row.row,
                envelope.site,
                envelope.header,
                envelope.message,
                envelope.keys,
                arrival.time,
                arrival.address,
                size=len(arrival.raw),
            )
        )

    async def look_after(self) -> None:
        """Take up what people open again, until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            try:
                if await self._waiting() > len(self._jobs):
                    await self.resume()
            except StoreUnavailable as error:
                _log.warning("waiting messages are not looked for: %s", error.reason)

    async def _waiting(self) -> int:
        """How many messages wait in the log, those in work among them."""
        counts = await self._messages.counts(self._tenant)
        return sum(one.messages for one in counts if (one.direction, one.state) == _WAITING)

    def wind_down(self) -> None:
        """Try nothing again; it stays in the log and waits for the next start."""
        self._stopping.set()

    async def stop(self, grace: float) -> None:
        """Finish what is in work; what is not done by then stays in the log and waits.

        Args:
            grace: Seconds for it.
        """
        self.wind_down()
        if self._jobs:
            await asyncio.wait(set(self._jobs.values()), timeout=grace)
        for task in list(self._jobs.values()):
            task.cancel()
        if self._jobs:
            await asyncio.wait(set(self._jobs.values()), timeout=1.0)


async def _happens(event: asyncio.Event, seconds: float) -> bool:
    """Whether an event happens within a time."""
    try:
        # Not wait_for: before Python 3.12 it may swallow a cancellation.
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
