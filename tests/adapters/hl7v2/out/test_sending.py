"""Messages reach a destination in order, at least once, whatever happens on the way."""

from __future__ import annotations

import asyncio
import socket
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from adapters.hl7v2.message import Message
from adapters.hl7v2.mllp.receiver import Taken
from adapters.hl7v2.mllp.tls import client_context, server_context
from adapters.hl7v2.reasons import read_reasons
from adapters.hl7v2.sending import Pace
from hub.storage.message_log import DepartureRow
from hub.storage.port import StoreUnavailable
from tests.adapters.hl7v2.mllp.talking import certificate
from tests.adapters.hl7v2.out.conftest import PATIENT, Hub, MakeHub, his
from tests.adapters.hl7v2.out.receiver import Receiver, ack, listening


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as place:
        return int(place.getsockname()[1])


async def _patients(hub: Hub, count: int) -> None:
    for number in range(count):
        await hub.put({**PATIENT, "id": f"p{number}"})


def _all(state: str, count: int) -> Any:
    return lambda rows: [row.state for row in rows] == [state] * count


async def test_messages_arrive_in_the_order_of_the_changes(make_hub: MakeHub) -> None:
    receiver = Receiver()
    async with listening(receiver) as port:
        hub = make_hub(his=his(port))
        async with hub.sending():
            await _patients(hub, 12)
            rows = await hub.until(_all("done", 12))
    assert receiver.ids == [row.departure.control_id for row in rows]
    assert [one.first("PID").component(3) for one in receiver.got] == ["P1"] * 12  # type: ignore[union-attr]
    assert [row.attempts for row in rows] == [1] * 12


async def test_what_cannot_be_delivered_waits_and_nothing_overtakes_it(make_hub: MakeHub) -> None:
    port = _free_port()
    hub = make_hub(his=his(port))
    receiver = Receiver()
    async with hub.sending():
        await _patients(hub, 3)
        rows = await hub.until(lambda rows: len(rows) == 3 and rows[0].attempts > 4)
        state = await hub.states.state("his", 0)
        assert (state.breaker in ("open", "half-open"), state.failures >= 3) == (True, True)
        assert read_reasons(rows[0].reason)[0].id == "hl7v2-out-unreachable"
        assert rows[1].attempts == 0
        async with listening(receiver, port):
            rows = await hub.until(_all("done", 3))
    assert receiver.ids == [row.departure.control_id for row in rows]
    assert (await hub.states.state("his", 0)).breaker == "closed"


async def test_a_paused_destination_gets_nothing_until_it_is_resumed(make_hub: MakeHub) -> None:
    receiver = Receiver()
    async with listening(receiver) as port:
        hub = make_hub(his=his(port), other=his(port, events=()))
        await hub.states.pause("his", "admin", 1)
        async with hub.sending():
            await _patients(hub, 2)
            await hub.until(lambda rows: len(rows) == 2)
            await asyncio.sleep(0.1)
            assert receiver.got == []
            await hub.states.resume("his", "admin", 2)
            await hub.until(_all("done", 2))


async def test_who_resumes_need_not_wait_for_the_breaker(make_hub: MakeHub) -> None:
    port = _free_port()
    hub = make_hub(his=his(port))
    receiver = Receiver()
    async with hub.sending(Pace(first=60, most=60, poll=0.01)):
        await _patients(hub, 1)
        await hub.until(lambda rows: bool(rows) and rows[0].attempts == 1)
        async with listening(receiver, port):
            await asyncio.sleep(0.1)
            assert receiver.got == []
            now = int(hub.ctx.clock().timestamp() * 1000) + 1
            await hub.states.resume("his", "admin", now)
            await hub.until(_all("done", 1))


@pytest.mark.parametrize(
    ("code", "errors", "state", "attempts"),
    [
        ("AR", "", "refused", 1),
        ("CR", "", "refused", 1),
        ("AE", "101", "refused", 1),
        ("AE", "", "refused", 3),
        ("CE", "", "refused", 3),
        ("AE", "207", "done", 5),
        ("AE", "206^Application record locked^HL70357", "done", 5),
    ],
)
async def test_what_is_answered_with_an_error_is_sent_again_by_rule(
    make_hub: MakeHub, code: str, errors: str, state: str, attempts: int
) -> None:
    def reply(message: Message, times: int) -> bytes:
        bad = message.first("PID").component(3) == "P1" and times < 4  # type: ignore[union-attr]
        return ack(message, code, errors) if bad else ack(message, "AA")

    receiver = Receiver(reply)
    async with listening(receiver) as port:
        hub = make_hub(his=his(port, error_attempts=3))
        async with hub.sending():
            await _patients(hub, 1)
            await hub.put({**PATIENT, "identifier": [{"system": "urn:oid:1.2.3", "value": "P2"}]})
            rows = await hub.until(lambda rows: len(rows) == 2 and rows[1].state == "done")
    assert (rows[0].state, rows[0].attempts) == (state, attempts)
    assert receiver.ids[-1] == rows[1].departure.control_id
    if state == "refused":
        assert rows[0].answer.decode().count(f"MSA|{code}") == 1
        assert read_reasons(rows[0].reason)[0].arguments["code"] == code


async def test_a_message_that_was_refused_can_be_sent_again(make_hub: MakeHub) -> None:
    receiver = Receiver(lambda message, times: ack(message, "AA" if times else "AR"))
    async with listening(receiver) as port:
        hub = make_hub(his=his(port))
        async with hub.sending():
            await _patients(hub, 1)
            (row,) = await hub.until(_all("refused", 1))
            await hub.door.store.messages.attempted(1, row.row, "queued")
            await hub.until(_all("done", 1))


async def test_an_accepted_message_is_done_when_the_application_answers(make_hub: MakeHub) -> None:
    go = asyncio.Event()

    def reply(message: Message, times: int) -> Taken:
        async def later() -> bytes:
            await go.wait()
            return ack(message, "AA")

        return Taken(ack(message, "CA"), later())

    receiver = Receiver(reply)
    async with listening(receiver) as port:
        hub = make_hub(his=his(port, ack="enhanced", answer_seconds=0.3))
        async with hub.sending():
            await _patients(hub, 3)
            rows = await hub.until(_all("accepted", 3))
            header = receiver.got[0].header
            assert (header.field(15), header.field(16)) == ("AL", "AL")
            go.set()
            rows = await hub.until(_all("done", 3))
    assert [row.attempts for row in rows] == [1, 1, 1]
    assert len(receiver.got) == 3


async def test_an_application_that_refuses_later_leaves_it_to_a_person(make_hub: MakeHub) -> None:
    def reply(message: Message, times: int) -> Taken:
        async def later() -> bytes:
            return ack(message, "AE", "207")

        return Taken(ack(message, "CA"), later())

    async with listening(Receiver(reply)) as port:
        hub = make_hub(his=his(port, ack="enhanced"))
        async with hub.sending():
            await _patients(hub, 1)
            (row,) = await hub.until(_all("refused", 1))
    assert row.attempts == 1


@pytest.mark.parametrize(
    "answer",
    [b"", b"hello", b"MSH|^~\\&|A|B\r", b"MSH|^~\\&|A|B\rMSA|XX|1\r", b"\xff\xfe\x00"],
)
async def test_what_is_no_answer_is_no_answer(make_hub: MakeHub, answer: bytes) -> None:
    def reply(message: Message, times: int) -> bytes:
        return ack(message, "AA") if times else answer

    receiver = Receiver(reply)
    async with listening(receiver) as port:
        hub = make_hub(his=his(port, answer_seconds=0.2))
        async with hub.sending():
            await _patients(hub, 1)
            (row,) = await hub.until(_all("done", 1))
    assert row.attempts == 2
    assert len(set(receiver.ids)) == 1


async def test_an_answer_to_another_message_is_not_taken_for_one(make_hub: MakeHub) -> None:
    def reply(message: Message, times: int) -> bytes:
        if times:
            return ack(message, "AA")
        return ack(message, "AA").replace(message.control_id.encode(), b"SOMEBODYELSE")

    receiver = Receiver(reply)
    async with listening(receiver) as port:
        hub = make_hub(his=his(port, answer_seconds=0.2))
        async with hub.sending():
            await _patients(hub, 1)
            (row,) = await hub.until(_all("done", 1))
    assert row.attempts == 2


async def test_a_connection_that_ends_after_each_message_costs_no_pause(make_hub: MakeHub) -> None:
    got: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raw = await reader.readuntil(b"\x1c\r")
        got.append(raw)
        control_id = raw.split(b"|")[9]
        writer.write(b"\x0bMSH|^~\\&|A|B\rMSA|AA|" + control_id + b"\r\x1c\r")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        hub = make_hub(his=his(server.sockets[0].getsockname()[1]))
        async with hub.sending():
            await _patients(hub, 5)
            rows = await hub.until(_all("done", 5))
    assert (len(got), [row.attempts for row in rows]) == (5, [1] * 5)


async def test_destinations_do_not_wait_for_each_other(make_hub: MakeHub) -> None:
    receiver = Receiver()
    async with listening(receiver) as port:
        hub = make_hub(dead=his(_free_port()), his=his(port))
        async with hub.sending():
            await _patients(hub, 3)

            def done(rows: list[DepartureRow]) -> bool:
                return sum(row.state == "done" for row in rows) == 3

            rows = await hub.until(done)
    assert {row.departure.destination for row in rows if row.state == "done"} == {"his"}


async def test_a_message_goes_out_again_under_its_control_id_when_the_answer_was_lost(
    make_hub: MakeHub,
) -> None:
    """The sender ends at every point of its way: between sending, answer and noting."""
    receiver = Receiver()
    async with listening(receiver) as port:
        hub = make_hub(his=his(port))
        await _patients(hub, 4)
        await hub.made()
        for steps in range(1, 40):
            async with hub.sending():
                for _ in range(steps):
                    await asyncio.sleep(0)
            if all(row.state == "done" for row in await hub.log()):
                break
        async with hub.sending():
            rows = await hub.until(_all("done", 4))
    assert set(receiver.ids) == {row.departure.control_id for row in rows}
    firsts = list(dict.fromkeys(receiver.ids))
    assert firsts == [row.departure.control_id for row in rows]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("name", ["depart", "due", "attempted"])
async def test_a_store_that_fails_at_any_point_loses_nothing(
    make_hub: MakeHub, monkeypatch: pytest.MonkeyPatch, name: str, after: bool
) -> None:
    """Each second call fails; `after`: it was stored, and nobody learns it."""
    receiver = Receiver()
    async with listening(receiver) as port:
        hub = make_hub(his=his(port))
        log = type(hub.door.store.messages)
        real, calls = getattr(log, name), count()

        async def failing(self: Any, *arguments: Any, **more: Any) -> Any:
            fails = next(calls) % 2 == 0
            if fails and not after:
                raise StoreUnavailable("cut off")
            made = await real(self, *arguments, **more)
            if fails:
                raise StoreUnavailable("cut off", uncertain=True)
            return made

        monkeypatch.setattr(log, name, failing)
        async with hub.sending():
            await _patients(hub, 6)
            rows = await hub.until(_all("done", 6))
    assert list(dict.fromkeys(receiver.ids)) == [row.departure.control_id for row in rows]


async def test_messages_go_over_tls_to_whom_the_certificate_belongs(
    make_hub: MakeHub, tmp_path: Path
) -> None:
    certificate(tmp_path, "ca")
    server, stranger = certificate(tmp_path, "server", "ca"), certificate(tmp_path, "stranger")
    receiver = Receiver()
    async with listening(receiver, tls=server_context(server, None, None)) as port:
        for authorities, state in ((stranger, "queued"), (tmp_path / "ca.pem", "done")):
            hub = make_hub(his=his(port, tls=True))
            tls = client_context(None, None, authorities)
            async with hub.sending(tls=tls):
                await _patients(hub, 1)
                await hub.until(lambda rows: bool(rows) and rows[0].attempts > 0)
            assert [row.state for row in await hub.log()] == [state]
    assert len(receiver.got) == 1
