"""The inbox: a message's bytes are durable before anybody is answered.

What cannot be worked on is quarantined at once. A repeat (same MSH-3, MSH-4, MSH-10 and bytes)
gets the answer of the first without a second effect, or waits for it; the same control id with
other bytes is a new message, with a warning, since senders restart their counters. HL7 v2.9
chapter 2, section 2.9. Called by `adapters.hl7v2.mllp.connection` and, for what comes in place of
an acknowledgement, by `adapters.hl7v2.sending`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Generator, Set
from dataclasses import dataclass
from typing import Any

from adapters.hl7v2.ack import Header, acknowledge, lenient_header
from adapters.hl7v2.envelope import Envelope, open_beside
from adapters.hl7v2.mllp.receiver import Taken
from adapters.hl7v2.pipeline import Job, Pipeline
from adapters.hl7v2.reasons import write_reasons
from adapters.hl7v2.sites import Sites
from hub.context import Clock, utc_now
from hub.errors import fault
from hub.settings import is_loopback
from hub.storage.message_log import Arrival, MessageLog, Receipt
from hub.storage.port import StoreUnavailable

_log = logging.getLogger(__name__)

_GOOD = frozenset(("AA", "CA"))


class Inbox:
    """Takes messages from connections."""

    def __init__(
        self,
        log: MessageLog,
        tenant: int,
        sites: Sites,
        kinds: Set[str],
        pipeline: Pipeline,
        limit: int,
        clock: Clock = utc_now,
    ) -> None:
        """Empty.

        Args:
            log: Where messages are made durable.
            tenant: Whose.
            sites: Who may send.
            kinds: What can be worked on, `ADT^A01`.
            pipeline: Does the work.
            limit: Most bytes of a message, for the words to whom sends more.
            clock: For the time of arrival.
        """
        self._messages, self._tenant, self._sites, self._kinds = log, tenant, sites, kinds
        self._pipeline, self._limit, self._clock = pipeline, limit, clock

    def admits(self, address: str) -> bool:
        """Whether any site takes messages from an address; this machine sees that we are here."""
        return is_loopback(address) or self._sites.may_connect(address)

    def oversize(self, beginning: bytes, size: int) -> bytes:
        """The answer to a message that is too large; it is not kept."""
        header = lenient_header(beginning)
        issue = fault("too-long", "hl7v2-oversize", "", limit=self._limit)
        _log.warning("a message of more than %d bytes is refused", self._limit)
        return acknowledge(header, "CR" if header.enhanced else "AR", (issue,))

    async def take(self, raw: bytes, address: str) -> Taken:
        """Make a message durable and begin the work on it."""
        try:
            return await self._take(raw, address)
        except StoreUnavailable as error:
            _log.warning("a message could not be stored: %s", error.reason)
        # A mistake of ours must not end the connection; the sender keeps its message.
        except Exception:  # noqa: BLE001
            _log.exception("a message could not be taken")
        header = lenient_header(raw)
        issue = fault("transient", "hl7v2-not-stored")
        return Taken(acknowledge(header, "CE" if header.enhanced else "AE", (issue,)))

    async def _take(self, raw: bytes, address: str) -> Taken:
        envelope = await open_beside(raw, self._sites, self._kinds)
        header = envelope.header
        if not envelope.site.admits(address):
            _log.warning("a message from an address that its site does not know is refused")
            issue = fault("security", "hl7v2-address", "MSH-3")
            return Taken(acknowledge(header, "CR" if header.enhanced else "AR", (issue,)))
        await self._pipeline.room()
        now = int(self._clock().timestamp() * 1000)
        arrival = _arrival(raw, address, envelope, now)
        receipt = await self._messages.receive(self._tenant, arrival)
        outcomes = self._pipeline.outcomes
        if receipt.repeat:
            outcomes.repeated += 1
            return await self._repeat(header, receipt, envelope.site.zone)
        if receipt.reused:
            outcomes.reused += 1
            _log.warning("message %d has the control id of one before it", receipt.row)
        if envelope.message is None or envelope.issue is not None:
            outcomes.quarantined += 1
            reason = envelope.issue.message if envelope.issue is not None else ""
            _log.warning("message %d is quarantined: %s", receipt.row, reason)
            return Taken(arrival.answer if _due_now(header) else b"")
        job = Job(
            receipt.row,
            envelope.site,
            header,
            envelope.message,
            envelope.keys,
            now,
            address,
            receipt.reused,
            len(raw),
        )
        return self._promise(header, self._pipeline.submit(job), envelope.site.zone)

    async def _repeat(self, header: Header, receipt: Receipt, zone: str) -> Taken:
        """The answer to a message that was here before."""
        answer = receipt.answer
        if receipt.state == "waiting":
            working = self._pipeline.answer_of(receipt.row)
            if working is not None:
                return self._promise(header, working, zone)
            # It was settled a moment ago, or waits to be taken up again.
            row = await self._messages.arrival(self._tenant, receipt.row)
            answer = b"" if row is None else row.arrival.answer
        code = _code_of(answer, header)
        if code[:1] == "C":
            return Taken(answer if header.wants_accept(code in _GOOD) else b"")
        if not header.enhanced:
            return Taken(answer)
        ready: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        ready.set_result(answer)
        return self._promise(header, ready, zone)

    def _promise(self, header: Header, work: asyncio.Future[bytes], zone: str) -> Taken:
        """Answers to a message that is safe: at once, after the work, or both, as it asks."""
        now = acknowledge(header, "CA", zone=zone) if header.wants_accept(True) else b""
        if header.enhanced and header.work in ("", "NE"):
            return Taken(now)
        return Taken(now, _Later(header, work))


@dataclass(frozen=True, slots=True)
class _Later:
    """The answer after the work, where the sender wants it; work goes on when nobody waits.

    Not a coroutine: nobody has to wait for it.
    """

    header: Header
    work: asyncio.Future[bytes]

    def __await__(self) -> Generator[Any, None, bytes]:
        return self._answer().__await__()

    async def _answer(self) -> bytes:
        answer = await asyncio.shield(self.work)
        good = _code_of(answer, self.header) in _GOOD
        return answer if answer and self.header.wants_work(good) else b""


def _due_now(header: Header) -> bool:
    return not header.enhanced or header.wants_accept(False)


def _arrival(raw: bytes, address: str, envelope: Envelope, now: int) -> Arrival:
    header = envelope.header
    taken = envelope.issue is None
    return Arrival(
        header.sender,
        envelope.control_id,
        header.kind,
        envelope.site.name,
        raw,
        envelope.keys,
        now,
        "waiting" if taken else "quarantined",
        b"" if taken else envelope.refusal(),
        "" if envelope.issue is None else write_reasons((envelope.issue,)),
        address,
    )


def _code_of(answer: bytes, header: Header) -> str:
    """MSA-1 of an answer of ours, "" for none."""
    try:
        text = answer.decode(header.codec)
    except UnicodeDecodeError:
        return ""
    start = text.find("\rMSA" + header.delimiters.field)
    return text[start + 5 : start + 7] if start >= 0 else ""
