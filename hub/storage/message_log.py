"""The port to the log of messages: what other systems sent, and what is sent to them.

Every store implements it (`Store.messages`); one contract suite runs on all. What the bytes mean
is the adapter's business. Used by `adapters.hl7v2`.

Promises:
    Durability. When a method that changes something returns, a power cut does not undo it; raw
        bytes are kept before anybody is answered.
    Once. A message that arrived is settled once: by `settle`, or by the commit that carries the
        `Settled` (`Commit.message`), in that commit's transaction. A second settling is refused
        (`AlreadySettled`) and nothing of its commit is stored.
    Order. Rows count up in the order of arrival; what waits for a destination is given in it.
    Counts. For each direction: what came in is the sum of all states and of the repeats.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, TypeVar

import msgspec

from hub.storage.refusals import CommitRefused

LONGEST_MARK = 512
ROOM = 32 * 1024 * 1024
"""Bytes of messages after which a list of what is to be done ends."""

ArrivalState = Literal["waiting", "stored", "quarantined"]
DepartureState = Literal["queued", "accepted", "done", "refused"]
"""`queued`: to be sent (again); `accepted`: the other side has it and will answer; `done`;
`refused`: it said no (AR, CR, AE by rule), a person decides."""


class Arrival(msgspec.Struct, frozen=True):
    """A message that came in, as it is made durable.

    Attributes:
        sender: MSH-3 and MSH-4, `HIS|HOSPITAL`.
        control_id: MSH-10, "" when it cannot be read.
        kind: `ADT^A01`, "" when it cannot be read.
        site: Name of the site whose rules hold.
        raw: The bytes as they came, without framing.
        keys: What it must keep its order with, `HIS|HOSPITAL|PID-3 of the patient`; several for
            a merge; none: with nothing.
        time: When it arrived, milliseconds since the epoch.
        state: `waiting`, or `quarantined` at once when it cannot be worked on.
        answer: The acknowledgement when it is known already.
        reason: Stable message id and arguments of why it is quarantined (JSON), "" otherwise.
        address: Where it came from.
    """

    sender: str
    control_id: str
    kind: str
    site: str
    raw: bytes
    keys: tuple[str, ...]
    time: int
    state: ArrivalState = "waiting"
    answer: bytes = b""
    reason: str = ""
    address: str = ""


class Receipt(NamedTuple):
    """What became of an arrival.

    Attributes:
        row: Its row; of a repeat that of the first.
        repeat: Same sender, control id and bytes were here before; nothing was added.
        state: Of the row.
        answer: Of the row; b"" while it is in work.
        reused: The control id of the sender was here before with other bytes.
    """

    row: int
    repeat: bool
    state: ArrivalState
    answer: bytes
    reused: bool


class Mark(NamedTuple):
    """What is remembered beside the record of a resource that messages tell of.

    Attributes:
        key: `Patient/ID` or another name, 1 to 512 characters. A mark that is named as a
            resource is removed with it by an expunge.
        value: The adapter's: which element is as old as which event.
        before: What must be remembered under the key until now, b"" for nothing; when it is
            something else the commit is refused (`PreconditionChanged`). None: no matter what.
    """

    key: str
    value: bytes
    before: bytes | None = None


class Settled(msgspec.Struct, frozen=True):
    """The end of the work on an arrival.

    Attributes:
        row: Which.
        state: `stored` or `quarantined`.
        answer: The acknowledgement, as it is or was to be sent.
        time: When, milliseconds since the epoch.
        reason: As `Arrival.reason`; also remarks on a message that was stored (JSON).
        marks: Replaced together with it.
    """

    row: int
    state: ArrivalState
    answer: bytes
    time: int
    reason: str = ""
    marks: tuple[Mark, ...] = ()


def check_settled(settled: Settled) -> None:
    """Refuse an end that is none.

    Raises:
        ValueError: It leaves the arrival waiting, or a mark cannot be one.
    """
    if settled.state == "waiting":
        raise ValueError("a settled arrival does not wait")
    for mark in settled.marks:
        if not mark.key or len(mark.key) > LONGEST_MARK:
            raise ValueError(f"the key of a mark has 1 to {LONGEST_MARK} characters")


class AlreadySettled(CommitRefused):
    """The arrival was settled before, or there is none; nothing was changed."""


class ArrivalRow(NamedTuple):
    """An arrival as it is now.

    Attributes:
        row: Rows count up in the order of arrival.
        arrival: The message; its state, answer and reason are those of now.
        repeats: How often it was sent again.
        settled: When it was settled or opened again; 0 before. Milliseconds since the epoch.
        size: Number of its bytes.
    """

    row: int
    arrival: Arrival
    repeats: int
    settled: int
    size: int = 0


class Departure(msgspec.Struct, frozen=True):
    """A message to send.

    Attributes:
        destination: Name of the site it goes to.
        control_id: MSH-10, unique.
        kind: `REF^I12`.
        raw: As it will be sent, without framing.
        time: When it was made, milliseconds since the epoch.
        focus: `Task/ID`: what it tells of.
        names: Other names an answer may match it by (a referral's identifier).
    """

    destination: str
    control_id: str
    kind: str
    raw: bytes
    time: int
    focus: str = ""
    names: tuple[str, ...] = ()


class DepartureRow(NamedTuple):
    """A departure as it is now.

    Attributes:
        row: Rows count up in the order of making.
        departure: The message.
        state: Where it stands.
        attempts: How often it was sent.
        due: Not before, milliseconds since the epoch.
        answer: The last acknowledgement or answer.
        reason: Why the last attempt failed (JSON as `Arrival.reason`).
        size: Number of its bytes.
    """

    row: int
    departure: Departure
    state: DepartureState
    attempts: int = 0
    due: int = 0
    answer: bytes = b""
    reason: str = ""
    size: int = 0


Row = TypeVar("Row", ArrivalRow, DepartureRow)


def within_room(rows: Iterable[Row]) -> list[Row]:
    """The first rows until there are `ROOM` bytes of them; the others are not asked for."""
    found: list[Row] = []
    size = 0
    for row in rows:
        found.append(row)
        size += row.size
        if size >= ROOM:
            break
    return found


@dataclass(frozen=True, slots=True)
class MessageQuery:
    """Rows of a direction, newest first. Empty attributes do not matter.

    Attributes:
        before: Only rows with lower numbers; None: from the newest on.
        count: Most rows.
        state: In this state.
        peer: Site of an arrival, destination of a departure.
        kind: `ADT^A01`, or `ADT` for all of them.
        control_id: MSH-10.
        whole: With their bytes, which may be many; otherwise `raw` is empty.
    """

    before: int | None = None
    count: int = 50
    state: str = ""
    peer: str = ""
    kind: str = ""
    control_id: str = ""
    whole: bool = True


class Tally(NamedTuple):
    """A number of messages: `in` or `out`, site or destination, state, how many."""

    direction: Literal["in", "out"]
    peer: str
    state: str
    messages: int


class MessageLog(Protocol):
    """Messages in and out. Safe to call from one event loop concurrently."""

    async def receive(self, tenant: int, arrival: Arrival) -> Receipt:
        """Make an arrival durable, or find that it is a repeat (which is counted).

        Raises:
            StoreUnavailable: It could not be stored.
        """

    async def settle(self, tenant: int, settled: Settled) -> None:
        """End the work on an arrival that writes nothing to the record.

        Raises:
            AlreadySettled: It does not wait.
            PreconditionChanged: A mark has changed (`Mark.before`).
            StoreUnavailable: It could not be stored.
        """

    async def reopen(self, tenant: int, row: int, time: int) -> bool:
        """Let an arrival that is quarantined wait again (replay); False when it is not.

        Until it is settled it has no answer.
        """

    async def waiting(self, tenant: int, after: int, count: int) -> list[ArrivalRow]:
        """Arrivals in work, oldest first, after a row.

        Fewer than `count`, but one at least, when they have more than `ROOM` bytes.
        """

    async def arrival(self, tenant: int, row: int) -> ArrivalRow | None:
        """One arrival."""

    async def arrivals(self, tenant: int, query: MessageQuery) -> list[ArrivalRow]:
        """Arrivals, newest first."""

    async def marks(self, tenant: int, keys: Sequence[str]) -> dict[str, bytes]:
        """What is remembered under those of the keys that there are."""

    async def depart(
        self, tenant: int, departures: Sequence[Departure], outbox: Sequence[int]
    ) -> list[int]:
        """Queue messages and take the rows they were made from out of the outbox, together.

        A control id that is there already is not queued again; its row is given as it is.
        """

    async def due(self, tenant: int, destination: str, now: int, count: int) -> list[DepartureRow]:
        """Queued messages of a destination, oldest first, up to the first that is not due.

        As for `waiting` they may be fewer.
        """

    async def attempted(
        self,
        tenant: int,
        row: int,
        state: DepartureState,
        *,
        due: int = 0,
        answer: bytes = b"",
        reason: str = "",
    ) -> bool:
        """Note what came of an attempt or an answer; False when there is no such row.

        It counts as an attempt when the message was queued. An empty answer keeps the last one.
        """

    async def departure(self, tenant: int, name: str) -> DepartureRow | None:
        """The departure with this control id or other name, the newest of several."""

    async def departures(self, tenant: int, query: MessageQuery) -> list[DepartureRow]:
        """Departures, newest first."""

    async def counts(self, tenant: int) -> list[Tally]:
        """How many messages there are, by direction, peer and state.

        Of each site also `received` and `repeat`, counted on their own as messages come in:
        received = stored + repeat + quarantined + waiting tells that none was lost.
        """
