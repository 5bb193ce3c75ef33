"""Writes of other processes: once each, in time or not at all, and from the same user only."""

from __future__ import annotations

import asyncio
import os
import stat
import tempfile
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from hub.storage.port import AuditRecord, StoreUnavailable
from hub.storage.sqlite import wire
from hub.storage.sqlite.connect import open_reader
from hub.storage.sqlite.frames import (
    ANSWER,
    COMMIT,
    GREETING,
    LARGEST_FRAME,
    MAGIC,
    REQUEST,
    SOCKET,
)
from hub.storage.sqlite.remote_writer import RemoteWriter
from hub.storage.sqlite.store import SqliteStore, open_store
from tests.faults.load import TENANT, Load, assert_whole, bundle

HELLO = GREETING.pack(MAGIC, 5)
AUDIT = AuditRecord("D", "expunge", "me", "request")


@pytest.fixture
async def owner(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = open_store(tmp_path / "data")
    await store.listen()
    yield store
    await store.close()


class Cutter:
    """Stands between a worker and the owner, and cuts the line before an answer now and then."""

    def __init__(self, target: Path, path: Path, random: Random) -> None:
        self.target, self.path, self.random = target, path, random
        self.cuts = 0
        self.tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Cutter:
        self.server = await asyncio.start_unix_server(self.accept, str(self.path))
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.server.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_owner, to_owner = await asyncio.open_unix_connection(str(self.target))
        there = asyncio.create_task(self.copy(reader, to_owner))
        back = asyncio.create_task(self.answer(from_owner, writer))
        self.tasks |= {there, back}
        await asyncio.wait([there, back], return_when=asyncio.FIRST_COMPLETED)
        there.cancel()
        back.cancel()
        writer.close()
        to_owner.close()

    async def copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if self.random.random() < 0.2:
                self.cuts += 1
                return
            writer.write(data)


async def test_what_was_sent_again_is_applied_once(tmp_path: Path, owner: SqliteStore) -> None:
    random, load = Random(1), Load(Random(2))
    async with Cutter(owner.folder / SOCKET, tmp_path / "cut.sock", random) as cutter:
        worker = open_store(owner.folder, role="reader", socket=tmp_path / "cut.sock")
        await load.run(worker, 200)
        await worker.close()
    assert cutter.cuts > 5
    assert len(load.stored) == 200
    await assert_whole(owner, 200, load.stored, set())


async def test_what_may_not_be_sent_again_is_uncertain(tmp_path: Path, owner: SqliteStore) -> None:
    await owner.commit(bundle(1, Random(1)))

    class Always(Random):
        def random(self) -> float:
            return 0.0

    async with Cutter(owner.folder / SOCKET, tmp_path / "cut.sock", Always()):
        worker = open_store(owner.folder, role="reader", socket=tmp_path / "cut.sock")
        with pytest.raises(StoreUnavailable) as refused:
            await worker.expunge(TENANT, "Patient", "n1", AUDIT, 1)
        assert refused.value.uncertain
        await worker.close()


async def test_without_an_owner_nothing_was_stored(tmp_path: Path) -> None:
    writer = RemoteWriter(tmp_path / SOCKET, timeout=0.2)
    with pytest.raises(StoreUnavailable) as refused:
        await writer.commit(bundle(1, Random(1)))
    assert not refused.value.uncertain
    await writer.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        await writer.commit(bundle(1, Random(1)))


async def test_an_owner_that_does_not_answer_is_uncertain(tmp_path: Path) -> None:
    hung_up = asyncio.Event()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        hung_up.set()

    server = await asyncio.start_unix_server(accept, str(tmp_path / SOCKET))
    writer = RemoteWriter(tmp_path / SOCKET, timeout=0.2)
    with pytest.raises(StoreUnavailable) as refused:
        await writer.commit(bundle(1, Random(1)))
    assert refused.value.uncertain
    await writer.close()
    await hung_up.wait()
    server.close()
    await server.wait_closed()


async def test_a_commit_waits_for_an_owner_that_comes(tmp_path: Path) -> None:
    await open_store(tmp_path).close()
    worker = open_store(tmp_path, role="reader")
    committing = asyncio.create_task(worker.commit(bundle(1, Random(1))))
    await asyncio.sleep(0.1)
    (tmp_path / SOCKET).touch()  # as one that was killed leaves it
    owner = open_store(tmp_path)
    await owner.listen()
    assert (await committing).results[0].version == 1
    await worker.close()
    await owner.close()


@pytest.mark.parametrize(
    "frame",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x00",
        MAGIC[:-1] + b"1" + bytes(8),
        MAGIC,
        HELLO,
        HELLO + b"half",
        HELLO + REQUEST.pack(LARGEST_FRAME + 1, 1, COMMIT, 0, 0),
        HELLO + REQUEST.pack(LARGEST_FRAME, 1, COMMIT, 0, 0) + b"half",
        HELLO + REQUEST.pack(3, 1, COMMIT, 0, 0) + b"\xc1\xc1\xc1",
        HELLO + REQUEST.pack(1, 1, 77, 0, 0) + b"\x01",
        HELLO + REQUEST.pack(1, 1, 4, 0, 0) + b"\x01",
        HELLO + REQUEST.pack(0, 1, COMMIT, 1, 65535),
    ],
)
async def test_noise_on_the_socket_harms_nobody(owner: SqliteStore, frame: bytes) -> None:
    reader, writer = await asyncio.open_unix_connection(str(owner.folder / SOCKET))
    writer.write(frame)
    writer.write_eof()
    await asyncio.wait_for(reader.read(), 5)
    writer.close()
    worker = open_store(owner.folder, role="reader")
    await worker.commit(bundle(1, Random(1)))
    await worker.close()


async def test_a_client_that_greets_again_loses_its_older_connection(owner: SqliteStore) -> None:
    """What that still holds unread must not be applied after its repetition."""
    path = str(owner.folder / SOCKET)
    old, to_owner = await asyncio.open_unix_connection(path)
    to_owner.write(HELLO)
    await asyncio.sleep(0.05)
    _, again = await asyncio.open_unix_connection(path)
    again.write(HELLO)
    with suppress(ConnectionResetError):
        assert await asyncio.wait_for(old.read(), 5) == b""
    to_owner.close()
    again.close()


async def test_a_repetition_is_answered_as_before_and_not_applied(owner: SqliteStore) -> None:
    reader, writer = await asyncio.open_unix_connection(str(owner.folder / SOCKET))
    body = wire.encode_commit(bundle(1, Random(1)))
    writer.write(HELLO)
    answers = []
    for again in (0, 1, 1):
        writer.write(REQUEST.pack(len(body), 7, COMMIT, again, 3) + body)
        length, number, ok = ANSWER.unpack(await reader.readexactly(ANSWER.size))
        assert (number, ok) == (7, 1)
        answers.append(wire.decode_committed(await reader.readexactly(length)))
    assert answers[0] == answers[1] == answers[2]
    writer.close()
    await assert_whole(owner, 2, {1}, {0})


async def test_requests_that_arrive_together_are_committed_together(owner: SqliteStore) -> None:
    worker = open_store(owner.folder, role="reader")
    await worker.commit(bundle(0, Random(1)))
    before = _groups(owner)
    await asyncio.gather(*(worker.commit(bundle(number, Random(1))) for number in range(1, 41)))
    assert _groups(owner) - before <= 10
    await worker.close()
    await assert_whole(owner, 41, set(range(41)), set())


def _groups(store: SqliteStore) -> int:
    """How many groups were committed so far: each counts the fence up."""
    connection = open_reader(store.folder)
    (fence,) = connection.execute("SELECT fence FROM state").fetchone() or (0,)
    connection.close()
    return int(fence)


async def test_the_socket_is_the_users_own(owner: SqliteStore) -> None:
    mode = (owner.folder / SOCKET).stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
async def test_another_user_is_refused_even_where_the_file_lets_him(owner: SqliteStore) -> None:
    socket = owner.folder / SOCKET
    socket.chmod(0o666)
    for folder in socket.parents:
        if Path(tempfile.gettempdir()) in folder.parents:
            folder.chmod(folder.stat().st_mode | 0o011)
    code = (
        "import os, socket, sys; os.setuid(65534); s = socket.socket(socket.AF_UNIX);"
        "s.connect(sys.argv[1]); s.sendall(b'x' * 100); sys.exit(len(s.recv(1)))"
    )
    process = await asyncio.create_subprocess_exec("python3", "-c", code, str(socket))
    assert await asyncio.wait_for(process.wait(), 10) in (0, 1)
    worker = open_store(owner.folder, role="reader")
    await worker.commit(bundle(1, Random(1)))
    await worker.close()


async def test_a_long_path_is_no_obstacle(tmp_path: Path) -> None:
    folder = tmp_path / ("long-" * 20) / ("name-" * 20)
    owner = open_store(folder)
    await owner.listen()
    worker = open_store(folder, role="reader")
    await worker.commit(bundle(1, Random(1)))
    await worker.close()
    await owner.close()


async def test_many_workers_write_at_once(owner: SqliteStore) -> None:
    workers = [open_store(owner.folder, role="reader") for _ in range(3)]
    load = Load(Random(1))
    await asyncio.gather(*(load.run(worker, 60) for worker in workers))
    for worker in workers:
        await worker.close()
    await assert_whole(owner, len(load.sent), load.stored, set())
    assert len(load.stored) == 180
