"""Inbox and pipeline over each store: durable first, order per patient, repeats, crashes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

import pytest

from adapters.hl7v2 import pipeline as pipelines
from adapters.hl7v2.ack import acknowledge
from adapters.hl7v2.envelope import open_beside
from adapters.hl7v2.inbox import Inbox
from adapters.hl7v2.mllp.receiver import Taken
from adapters.hl7v2.pipeline import Job, Pipeline
from adapters.hl7v2.reasons import read_reasons
from adapters.hl7v2.sites import DEFAULT, Site, Sites
from hub.storage.message_log import Arrival, MessageLog, MessageQuery, Settled
from hub.storage.port import Store, StoreUnavailable
from tests.adapters.hl7v2.mllp.talking import until

TENANT = 1
KINDS = frozenset(("ADT^A01",))


def adt(control_id: str, patient: str = "P1", mode: str = "", extra: str = "") -> bytes:
    return (
        f"MSH|^~\\&|HIS|A|HUB|C|20260301||ADT^A01|{control_id}|P|2.5|||{mode}\r"
        f"PID|1||{patient}^^^HIS||{extra}\r"
    ).encode()


@dataclass
class Desk:
    """An inbox with a pipeline whose work only settles.

    Attributes:
        log: The log of messages.
        before: Done before a message is settled.
        done: Control ids, as they were settled.
    """

    log: MessageLog
    before: Callable[[Job], Awaitable[None]] | None = None
    sites: Sites = field(default_factory=lambda: Sites({DEFAULT: Site()}))
    kinds: frozenset[str] = KINDS
    done: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        reopen = partial(open_beside, sites=self.sites, kinds=self.kinds)
        self.pipeline = Pipeline(self.log, TENANT, self.work, reopen)
        self.inbox = Inbox(self.log, TENANT, self.sites, self.kinds, self.pipeline, 1000)

    async def work(self, job: Job) -> Settled:
        if self.before is not None:
            await self.before(job)
        settled = Settled(job.row, "stored", acknowledge(job.header, "AA"), 1)
        await self.log.settle(TENANT, settled)
        self.done.append(job.message.control_id)
        return settled

    async def send(self, raw: bytes) -> tuple[str, str]:
        """Codes of the answer at once and of that after the work."""
        taken = await self.inbox.take(raw, "127.0.0.1")
        later = b"" if taken.later is None else await taken.later
        return code(taken.now), code(later)

    async def counts(self) -> dict[str, int]:
        return {one.state: one.messages for one in await self.log.counts(TENANT) if one.messages}


@dataclass
class Gated:
    """Work that waits before it settles some messages.

    Attributes:
        begun: Control ids, as the work on them began.
        gates: By control id what is waited for.
    """

    begun: list[str]
    gates: dict[str, asyncio.Event]

    def __init__(self, *names: str) -> None:
        self.begun, self.gates = [], {name: asyncio.Event() for name in names}

    async def __call__(self, job: Job) -> None:
        self.begun.append(job.message.control_id)
        if job.message.control_id in self.gates:
            await self.gates[job.message.control_id].wait()


def code(answer: bytes) -> str:
    return answer.partition(b"MSA|")[2][:2].decode()


@pytest.fixture
def log(store: Store) -> MessageLog:
    return store.messages


async def test_a_message_is_answered_after_the_work(log: MessageLog) -> None:
    desk = Desk(log)
    assert await desk.send(adt("1")) == ("", "AA")
    assert await desk.counts() == {"received": 1, "stored": 1}


@pytest.mark.parametrize(
    ("mode", "codes"),
    [
        ("AL|AL", ("CA", "AA")),
        ("AL|NE", ("CA", "")),
        ("NE|AL", ("", "AA")),
        ("ER|ER", ("", "")),
        ("SU|SU", ("CA", "AA")),
        ("AL", ("CA", "")),
    ],
)
async def test_in_enhanced_mode_what_is_asked_for_is_answered(
    log: MessageLog, mode: str, codes: tuple[str, str]
) -> None:
    desk = Desk(log)
    assert await desk.send(adt("1", mode=mode)) == codes
    await desk.pipeline.stop(1)
    assert desk.done == ["1"]
    assert await desk.send(adt("1", mode=mode)) == codes


async def test_the_bytes_are_safe_before_the_answer_at_once(log: MessageLog) -> None:
    gate = asyncio.Event()
    desk = Desk(log, lambda job: asyncio.wait_for(gate.wait(), 5))  # type: ignore[arg-type]
    taken = await desk.inbox.take(adt("1", mode="AL|AL"), "127.0.0.1")
    assert code(taken.now) == "CA"
    (waiting,) = await log.waiting(TENANT, 0, 10)
    assert waiting.arrival.raw == adt("1", mode="AL|AL")
    assert waiting.arrival.keys == ("HIS|P1",)
    gate.set()
    assert taken.later is not None
    assert code(await taken.later) == "AA"


async def test_a_repeat_gets_the_first_answer_and_no_second_effect(log: MessageLog) -> None:
    desk = Desk(log)
    first = await desk.inbox.take(adt("1"), "127.0.0.1")
    assert first.later is not None
    answer = await first.later
    second = await desk.inbox.take(adt("1"), "127.0.0.1")
    assert second.now == answer
    assert desk.done == ["1"]
    assert await desk.counts() == {"received": 2, "stored": 1, "repeat": 1}


async def test_a_repeat_of_a_message_in_work_waits_for_it(log: MessageLog) -> None:
    gate = asyncio.Event()
    desk = Desk(log, lambda job: asyncio.wait_for(gate.wait(), 5))  # type: ignore[arg-type]
    first, second = [await desk.inbox.take(adt("1"), "127.0.0.1") for _ in range(2)]
    gate.set()
    assert first.later is not None
    assert second.later is not None
    assert await first.later == await second.later != b""
    assert desk.done == ["1"]


async def test_a_repeat_is_answered_in_the_zone_of_its_site(log: MessageLog) -> None:
    gate = asyncio.Event()
    desk = Desk(
        log,
        lambda job: asyncio.wait_for(gate.wait(), 5),  # type: ignore[arg-type]
        Sites({DEFAULT: Site(zone="Asia/Kathmandu")}),
    )
    taken = [await desk.inbox.take(adt("1", mode="AL|NE"), "127.0.0.1") for _ in range(2)]
    gate.set()
    await desk.pipeline.stop(5)
    taken.append(await desk.inbox.take(adt("1", mode="AL|NE"), "127.0.0.1"))
    assert [one.now.split(b"|")[6][-5:] for one in taken] == [b"+0545"] * 3


async def test_the_same_control_id_with_other_bytes_is_a_new_message(log: MessageLog) -> None:
    desk = Desk(log)
    assert await desk.send(adt("1", extra="A")) == ("", "AA")
    assert await desk.send(adt("1", extra="B")) == ("", "AA")
    assert desk.done == ["1", "1"]
    assert desk.pipeline.outcomes.reused == 1


async def test_messages_of_a_patient_keep_their_order_and_others_do_not_wait(
    log: MessageLog,
) -> None:
    work = Gated("1")
    desk = Desk(log, work)
    for name, patient in (("1", "P1"), ("2", "P1"), ("3", "P2"), ("4", "P1")):
        await desk.inbox.take(adt(name, patient), "127.0.0.1")
    await until(lambda: desk.done == ["3"])
    assert sorted(work.begun) == ["1", "3"]
    work.gates["1"].set()
    await until(lambda: len(desk.done) == 4)
    assert desk.done == ["3", "1", "2", "4"]


async def test_a_message_about_two_patients_waits_for_both(log: MessageLog) -> None:
    work = Gated("1", "2")
    desk = Desk(log, work)
    merge = adt("3", "P1") + b"MRG|P2^^^HIS\r"
    for raw in (adt("1", "P1"), adt("2", "P2"), merge, adt("4", "P2"), adt("5", "P3")):
        await desk.inbox.take(raw, "127.0.0.1")
    await until(lambda: desk.done == ["5"])
    work.gates["1"].set()
    await until(lambda: desk.done == ["5", "1"])
    await asyncio.sleep(0.01)
    assert sorted(work.begun) == ["1", "2", "5"]
    work.gates["2"].set()
    await until(lambda: len(desk.done) == 5)
    assert desk.done == ["5", "1", "2", "3", "4"]


async def test_what_cannot_be_worked_on_is_quarantined_with_the_reason(log: MessageLog) -> None:
    desk = Desk(log)
    unknown = adt("1").replace(b"ADT^A01", b"ADT^A99")
    assert await desk.send(unknown) == ("AR", "")
    assert await desk.send(b"nonsense") == ("AE", "")
    assert await desk.send(unknown) == ("AR", "")
    rows = await log.arrivals(TENANT, MessageQuery(state="quarantined"))
    assert [read_reasons(one.arrival.reason)[0].id for one in rows] == [
        "hl7v2-no-msh",
        "hl7v2-event-unknown",
    ]
    assert await desk.counts() == {"received": 3, "quarantined": 2, "repeat": 1}


async def test_what_waits_in_the_log_is_taken_up_in_its_order(log: MessageLog) -> None:
    for number in range(250):
        raw = adt(str(number), f"P{number % 3}")
        arrival = Arrival("HIS|A", str(number), "ADT^A01", DEFAULT, raw, (), number)
        await log.receive(TENANT, arrival)
    desk = Desk(log)
    assert await desk.pipeline.resume() == 250
    assert await desk.pipeline.resume() == 0
    await desk.pipeline.stop(5)
    assert len(desk.done) == 250
    for patient in range(3):
        own = [int(one) for one in desk.done if int(one) % 3 == patient]
        assert own == sorted(own)
    assert await desk.counts() == {"received": 250, "stored": 250}


async def test_what_a_person_opens_again_is_taken_up(
    log: MessageLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipelines, "_LOOK_EVERY", 0.05)
    raw = adt("1").replace(b"ADT^A01", b"ADT^A28")
    assert await Desk(log).send(raw) == ("AR", "")
    (row,) = await log.arrivals(TENANT, MessageQuery())
    # Our maps know more now.
    desk = Desk(log, kinds=KINDS | {"ADT^A28"})
    looking = asyncio.create_task(desk.pipeline.look_after())
    assert await log.reopen(TENANT, row.row, 2)
    await until(lambda: desk.done == ["1"])
    looking.cancel()
    assert await desk.send(raw) == ("AA", "")


async def test_what_is_opened_again_too_early_is_quarantined_again(log: MessageLog) -> None:
    raw = adt("1").replace(b"ADT^A01", b"ADT^A28")
    desk = Desk(log)
    await desk.send(raw)
    (row,) = await log.arrivals(TENANT, MessageQuery())
    assert await log.reopen(TENANT, row.row, 2)
    assert await desk.pipeline.resume() == 1
    assert await desk.counts() == {"received": 1, "quarantined": 1}


async def test_work_that_the_store_cannot_take_is_tried_again(log: MessageLog) -> None:
    failures = iter((StoreUnavailable("busy"), StoreUnavailable("busy")))

    async def fail(job: Job) -> None:
        for error in failures:
            raise error

    desk = Desk(log, fail)
    assert await desk.send(adt("1")) == ("", "AA")
    assert desk.pipeline.outcomes.retries == 2


async def test_a_mistake_of_ours_quarantines_the_message(
    log: MessageLog, caplog: pytest.LogCaptureFixture
) -> None:
    async def stumble(job: Job) -> None:
        raise KeyError("a name")

    desk = Desk(log, stumble)
    assert await desk.send(adt("1")) == ("", "AE")
    (row,) = await log.arrivals(TENANT, MessageQuery())
    assert row.arrival.state == "quarantined"
    assert read_reasons(row.arrival.reason)[0].id == "hl7v2-unexpected"
    assert desk.pipeline.outcomes.failures == 1


async def test_a_mistake_of_ours_after_a_message_was_stored_does_not_deny_it(
    log: MessageLog, caplog: pytest.LogCaptureFixture
) -> None:
    async def stumble(job: Job) -> None:
        await log.settle(TENANT, Settled(job.row, "stored", acknowledge(job.header, "AA"), 1))
        raise KeyError("a name")

    desk = Desk(log, stumble)
    assert await desk.send(adt("1")) == ("", "AA")
    assert await desk.counts() == {"received": 1, "stored": 1}


async def test_who_settled_first_has_the_last_word(log: MessageLog) -> None:
    async def overtake(job: Job) -> None:
        await log.settle(TENANT, Settled(job.row, "stored", b"\rMSA|AA|theirs", 1))

    desk = Desk(log, overtake)
    taken = await desk.inbox.take(adt("1"), "127.0.0.1")
    assert taken.later is not None
    assert await taken.later == b"\rMSA|AA|theirs"


async def test_a_log_that_cannot_be_read_leaves_a_sender_without_answer(
    log: MessageLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def overtake(job: Job) -> None:
        await log.settle(TENANT, Settled(job.row, "stored", b"\rMSA|AA|theirs", 1))

    async def gone(self: MessageLog, tenant: int, row: int) -> None:
        raise StoreUnavailable("gone")

    desk = Desk(log, overtake)
    with monkeypatch.context() as patched:
        patched.setattr(type(log), "arrival", gone)
        assert await desk.send(adt("1")) == ("", "")
    assert await desk.send(adt("1")) == ("AA", "")


async def test_stopping_leaves_what_is_not_done_in_the_log(log: MessageLog) -> None:
    async def never(job: Job) -> None:
        await asyncio.sleep(60)

    desk = Desk(log, never)
    taken = await desk.inbox.take(adt("1", mode="AL|NE"), "127.0.0.1")
    assert code(taken.now) == "CA"
    await desk.pipeline.stop(0.05)
    again = Desk(log)
    assert await again.pipeline.resume() == 1
    await again.pipeline.stop(5)
    assert again.done == ["1"]


async def test_what_the_store_cannot_take_does_not_hold_up_the_end(log: MessageLog) -> None:
    async def fail(job: Job) -> None:
        raise StoreUnavailable("disk full")

    desk = Desk(log, fail)
    taken = await desk.inbox.take(adt("1"), "127.0.0.1")
    await until(lambda: desk.pipeline.outcomes.retries > 0)
    desk.pipeline.wind_down()
    assert taken.later is not None
    assert await asyncio.wait_for(taken.later, 2) == b""
    assert len(await log.waiting(TENANT, 0, 10)) == 1


async def test_nothing_more_is_taken_while_very_much_is_in_work(
    log: MessageLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipelines, "MOST_JOBS", 2)
    gate = asyncio.Event()
    desk = Desk(log, lambda job: asyncio.wait_for(gate.wait(), 5))  # type: ignore[arg-type]
    for number in range(2):
        await desk.inbox.take(adt(str(number), mode="AL|NE"), "127.0.0.1")
    third: asyncio.Task[Taken] = asyncio.create_task(
        desk.inbox.take(adt("3", mode="AL|NE"), "127.0.0.1")
    )
    await asyncio.sleep(0.1)
    assert not third.done()
    gate.set()
    assert code((await third).now) == "CA"


async def test_a_large_message_is_read_beside_the_event_loop(log: MessageLog) -> None:
    desk = Desk(log)
    raw = adt("1") + b"".join(b"OBX|%d|TX|||text\r" % number for number in range(10_000))
    assert await desk.send(raw) == ("", "AA")
    assert await desk.send(raw) == ("AA", "")


async def test_a_site_s_addresses_are_kept(log: MessageLog) -> None:
    import ipaddress

    own = Site(addresses=(ipaddress.ip_network("10.0.0.0/8"),))
    desk = Desk(log, sites=Sites({DEFAULT: own}))
    assert await desk.send(adt("1")) == ("AR", "")
    assert await desk.counts() == {}


async def test_a_message_over_the_limit_is_rejected_with_the_limit_and_not_kept(
    log: MessageLog,
) -> None:
    desk = Desk(log)
    for mode, expected in (("", "AR"), ("AL|AL", "CR")):
        raw = adt("1", mode=mode)
        answer = desk.inbox.oversize(raw[:100], 2_000_000)
        assert code(answer) == expected
        assert b"|hl7v2-oversize|" in answer
        assert b"1000 bytes" in answer
    assert await desk.counts() == {}


async def test_what_cannot_be_stored_is_said_and_not_promised() -> None:
    class Broken:
        async def receive(self, tenant: int, arrival: Arrival) -> object:
            raise StoreUnavailable("disk full")

    desk = Desk(Broken())  # type: ignore[arg-type]
    assert await desk.send(adt("1")) == ("AE", "")
    assert await desk.send(adt("1", mode="AL|AL")) == ("CE", "")
    assert desk.done == []
