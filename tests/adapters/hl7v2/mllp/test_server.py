"""The MLLP server over real sockets: order, limits, hostile and slow senders, TLS, a clean end."""

from __future__ import annotations

import asyncio
import socket
import struct
from pathlib import Path

import pytest

from adapters.hl7v2.mllp.client import Connection, ConnectionLost, connect, connected
from adapters.hl7v2.mllp.framing import framed
from adapters.hl7v2.mllp.receiver import Taken
from adapters.hl7v2.mllp.tls import CertificateError, client_context, server_context
from tests.adapters.hl7v2.mllp.talking import HOST, Echo, Listening, certificate, listening, until


async def raw(place: Listening) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(HOST, place.port)


async def test_empty_frames_are_nothing() -> None:
    async with listening() as place:
        reader, writer = await raw(place)
        writer.write(framed(b"") * 3 + framed(b"a"))
        assert await reader.readuntil(b"\x1c\r") == framed(b"got a")
        assert place.echo.taken == [b"a"]
        writer.close()


async def test_many_messages_go_over_one_connection() -> None:
    async with listening() as place, connected(HOST, place.port) as client:
        for number in range(20):
            assert await client.exchange(b"%d" % number, 2) == b"got %d" % number
    assert place.server.counts.frames == 20


async def test_pieces_and_several_at_once_are_understood() -> None:
    async with listening() as place:
        reader, writer = await raw(place)
        for byte in b"noise" + framed(b"slowly"):
            writer.write(bytes((byte,)))
            await writer.drain()
        assert await reader.readuntil(b"\x1c\r") == framed(b"got slowly")
        writer.write(framed(b"a") + framed(b"b") + b"\r\n" + framed(b"c"))
        for name in (b"a", b"b", b"c"):
            assert await reader.readuntil(b"\x1c\r") == framed(b"got " + name)
        writer.close()


async def test_answers_keep_the_order_of_messages_though_work_does_not() -> None:
    waits, quick = {b"slow", b"quick"}, asyncio.Event()

    async def later(name: bytes) -> bytes:
        if name == b"slow":
            await quick.wait()
        return name

    echo = Echo(lambda name: Taken(later=later(name)) if name in waits else Taken(name))
    async with listening(echo) as place, connected(HOST, place.port) as client:
        for name in (b"slow", b"quick", b"at once"):
            await client.send(name, 2)
        await until(lambda: len(echo.taken) == 3)
        quick.set()
        assert [await client.receive(2) for _ in range(3)] == [b"slow", b"quick", b"at once"]


async def test_answers_after_the_work_do_not_hold_up_those_at_once() -> None:
    async def later(name: bytes) -> bytes:
        await asyncio.sleep(0.2)
        return b"done " + name

    echo = Echo(lambda name: Taken(b"safe " + name, later(name)))
    async with listening(echo) as place, connected(HOST, place.port) as client:
        await client.send(b"a", 2)
        await client.send(b"b", 2)
        found = [await client.receive(2) for _ in range(4)]
        assert found == [b"safe a", b"safe b", b"done a", b"done b"]


async def test_a_message_over_the_limit_is_refused_and_the_connection_lives() -> None:
    async with listening(message=1000) as place, connected(HOST, place.port) as client:
        assert await client.exchange(b"x" * 5000, 2) == b"too large: 5000"
        assert await client.exchange(b"fine", 2) == b"got fine"
        assert place.echo.taken == [b"fine"]


async def test_a_frame_without_end_is_refused_and_cut() -> None:
    async with listening(message=1000) as place:
        reader, writer = await raw(place)
        writer.write(b"\x0b" + b"x" * 8500)
        assert b"too large" in await asyncio.wait_for(reader.read(), 2)
        assert place.server.counts.cut == 1
        assert place.server.held == 0
        writer.close()


async def test_a_slow_sender_is_cut_and_an_idle_one_is_not() -> None:
    async with (
        listening(seconds=0.2, rate=1_000_000) as place,
        connected(HOST, place.port) as idle,
    ):
        _, writer = await raw(place)
        writer.write(b"\x0b")
        for _ in range(100):
            if place.server.counts.cut:
                break
            writer.write(b"x")
            await asyncio.sleep(0.05)
        assert place.server.counts.cut == 1
        writer.transport.abort()
        assert await idle.exchange(b"still here", 2) == b"got still here"


async def test_a_sender_that_takes_no_answers_is_cut() -> None:
    echo = Echo(lambda name: Taken(b"x" * 1_000_000))
    async with listening(echo, seconds=0.3, pending=1000) as place:
        _, writer = await raw(place)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(framed(b"give") * 40)
        await asyncio.sleep(0.15)
        assert len(echo.taken) < 40
        await until(lambda: place.server.counts.cut == 1)
        writer.transport.abort()


async def test_no_more_is_read_than_can_be_answered() -> None:
    gate = asyncio.Event()

    async def later() -> bytes:
        await gate.wait()
        return b"done"

    echo = Echo(lambda name: Taken(later=later()))
    async with listening(echo, pending=4) as place, connected(HOST, place.port) as client:
        for _ in range(100):
            await client.send(b"x" * 70_000, 2) if len(echo.taken) < 4 else None
            await asyncio.sleep(0)
        await asyncio.sleep(0.1)
        taken = len(echo.taken)
        assert taken <= 8  # What came with the last piece, and no more.
        gate.set()
        for _ in range(taken):
            assert await client.receive(2) == b"done"


async def test_the_number_of_connections_is_bounded() -> None:
    async with listening(connections=2) as place:
        first, second = [await connect(HOST, place.port) for _ in range(2)]
        assert await first.exchange(b"a", 2) == b"got a"
        assert await second.exchange(b"b", 2) == b"got b"
        third = await connect(HOST, place.port)
        with pytest.raises(ConnectionLost):
            await third.exchange(b"c", 2)
        await first.close()
        await until(lambda: place.server.counts.connections == 1)
        async with connected(HOST, place.port) as fourth:
            assert await fourth.exchange(b"d", 2) == b"got d"
        await second.close()
        await third.close()


async def test_who_holds_most_is_cut_when_all_hold_too_much() -> None:
    async with listening(budget=100_000) as place:
        _, large = await raw(place)
        _, small = await raw(place)
        large.write(b"\x0b" + b"x" * 70_000)
        await until(lambda: place.server.held == 70_000)
        small.write(b"\x0b" + b"x" * 40_000)
        await until(lambda: place.server.held == 40_000)
        assert place.server.counts.connections == 1
        large.close()
        small.close()


async def test_an_address_that_is_not_admitted_is_refused() -> None:
    async with listening(Echo(admitted=False)) as place:
        client = await connect(HOST, place.port)
        with pytest.raises(ConnectionLost):
            await client.exchange(b"a", 2)
        assert place.server.counts.refused == 1
        await client.close()


async def test_who_sends_no_more_still_gets_its_answers() -> None:
    async def later(name: bytes) -> bytes:
        await asyncio.sleep(0.1)
        return name

    async with listening(Echo(lambda name: Taken(later=later(name)))) as place:
        reader, writer = await raw(place)
        writer.write(framed(b"a") + framed(b"b"))
        writer.write_eof()
        assert await asyncio.wait_for(reader.read(), 2) == framed(b"a") + framed(b"b")
        writer.close()


async def test_messages_that_came_whole_are_taken_though_the_sender_is_gone() -> None:
    async with listening() as place:
        _, writer = await raw(place)
        writer.write(framed(b"a") + framed(b"b") + framed(b"c"))
        await writer.drain()
        writer.transport.abort()
        await until(lambda: len(place.echo.taken) == 3 and not place.server.held)
        assert place.echo.taken == [b"a", b"b", b"c"]


async def test_a_sender_that_does_not_frame_is_told_of_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with listening() as place:
        _, writer = await raw(place)
        for _ in range(3):
            writer.write(b"MSH|^~\\&|A|B\r")
            await writer.drain()
            await asyncio.sleep(0.02)
        writer.close()
    assert caplog.text.count("does not frame its messages") == 1


async def test_stopping_answers_what_has_come() -> None:
    async def later(name: bytes) -> bytes:
        await asyncio.sleep(0.2)
        return name

    async with listening(Echo(lambda name: Taken(later=later(name)))) as place:
        client = await connect(HOST, place.port)
        await client.send(b"in flight", 2)
        await until(lambda: bool(place.echo.taken))
        stopping = asyncio.create_task(place.server.stop(5))
        assert await client.receive(2) == b"in flight"
        await stopping
        with pytest.raises(ConnectionLost):
            await client.receive(2)
        with pytest.raises(ConnectionLost):
            await connect(HOST, place.port, timeout=1)
        await client.close()


async def test_tls_is_spoken_and_clients_are_checked_where_it_is_asked(tmp_path: Path) -> None:
    ours, theirs = certificate(tmp_path, "ca"), certificate(tmp_path, "hospital")
    server = certificate(tmp_path, "server", "ca")
    client = certificate(tmp_path, "client", "hospital")
    context = server_context(server, None, theirs)

    async def talk(shown: Path | None) -> bytes:
        tls = client_context(shown, None, ours)
        async with connected(HOST, place.port, tls=tls) as connection:
            return await connection.exchange(b"a", 2)

    async with listening(tls=context) as place:
        assert await talk(client) == b"got a"
        for stranger in (None, certificate(tmp_path, "stranger")):
            with pytest.raises(ConnectionLost):
                await talk(stranger)
        with pytest.raises(ConnectionLost):  # The server is not who it must be.
            async with connected(HOST, place.port, tls=client_context(client, None, theirs)):
                pass


def test_a_file_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("nothing")
    for made in (
        lambda: server_context(wrong, None, None),
        lambda: server_context(certificate(tmp_path, "a"), None, wrong),
        lambda: client_context(None, None, tmp_path / "missing.pem"),
    ):
        with pytest.raises(CertificateError, match=r"(wrong|missing)\.pem"):
            made()


async def test_a_client_is_told_when_nothing_comes_back() -> None:
    echo = Echo(lambda name: Taken())
    async with listening(echo) as place, connected(HOST, place.port) as client:
        assert isinstance(client, Connection)
        with pytest.raises(ConnectionLost, match="within the time"):
            await client.exchange(b"a", 0.1)


async def test_thousands_of_small_messages_at_once_wait_as_bytes() -> None:
    async with listening(pending=4) as place:
        reader, writer = await raw(place)
        writer.write(b"".join(framed(b"%d" % number) for number in range(5000)))
        for number in range(5000):
            assert await reader.readuntil(b"\x1c\r") == framed(b"got %d" % number)
        writer.close()
    assert place.server.held == 0


def reset(writer: asyncio.StreamWriter) -> None:
    """Be gone at once, without an end."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def test_what_came_whole_is_worked_on_though_its_sender_is_gone() -> None:
    async with listening(pending=2) as place:
        _, writer = await raw(place)
        writer.write(b"".join(framed(b"%d" % number) for number in range(100)) + b"\x0bhalf")
        await asyncio.sleep(0.01)
        reset(writer)
        while len(place.echo.taken) < 100 or place.server.lingering or place.server.held:
            await asyncio.sleep(0.01)
        assert place.echo.taken == [b"%d" % number for number in range(100)]


async def test_who_leaves_much_work_behind_waits_with_new_connections() -> None:
    release = asyncio.Event()

    async def later() -> bytes:
        await release.wait()
        return b"done"

    async with listening(Echo(lambda name: Taken(later=later())), connections=3) as place:
        for number in range(3):
            _, writer = await raw(place)
            writer.write(framed(b"%d" % number))
            while len(place.echo.taken) <= number:
                await asyncio.sleep(0.01)
            reset(writer)
        while place.server.lingering < 3:
            await asyncio.sleep(0.01)
        reader, writer = await raw(place)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.close()
        release.set()
        while place.server.lingering:
            await asyncio.sleep(0.01)
        async with connected(HOST, place.port) as client:
            assert await client.exchange(b"again", 2) == b"done"
