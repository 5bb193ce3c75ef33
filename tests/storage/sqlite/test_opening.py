"""Who may open a store: one owner, many readers, no older release."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import apsw
import pytest

from hub.storage.port import AuditRecord, Commit, StoreLocked, StoreNewer, StoreUnavailable, Write
from hub.storage.sqlite import backup, migrations
from hub.storage.sqlite.connect import DATABASE
from hub.storage.sqlite.store import open_store

COMMIT = Commit(1, (Write("PUT", "Patient", "a", b"}}"),), AuditRecord("U", "update", "me", "r"), 1)


async def test_a_second_owner_is_told_who_the_first_is(tmp_path: Path) -> None:
    owner = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.faults.owner_process",
        str(tmp_path),
        stdout=asyncio.subprocess.PIPE,
    )
    assert owner.stdout is not None
    await owner.stdout.readline()
    with pytest.raises(StoreLocked) as refused:
        open_store(tmp_path)
    assert refused.value.owner == owner.pid
    assert str(owner.pid) in str(refused.value)
    beside = open_store(tmp_path, role="auto")
    assert not beside.owner
    await beside.commit(COMMIT)
    assert await beside.read(1, "Patient", "a")
    await beside.close()
    owner.terminate()
    await owner.wait()
    after = open_store(tmp_path, role="auto")
    assert after.owner
    await after.close()


async def test_the_lock_is_free_after_a_failed_opening(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_bytes(b"this is no database, but long enough to be one" * 100)
    for _ in range(2):
        with pytest.raises(StoreUnavailable) as refused:
            open_store(tmp_path)
        assert not isinstance(refused.value, StoreLocked)


async def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    await open_store(tmp_path).close()
    connection = apsw.Connection(str(tmp_path / DATABASE))
    connection.pragma("user_version", migrations.version() + 1)
    connection.close()
    before = (tmp_path / DATABASE).read_bytes()
    for role in ("owner", "reader"):
        with pytest.raises(StoreNewer) as refused:
            open_store(tmp_path, role=role)
        assert refused.value.found == migrations.version() + 1
    assert (tmp_path / DATABASE).read_bytes() == before


async def test_another_application_is_refused(tmp_path: Path) -> None:
    connection = apsw.Connection(str(tmp_path / DATABASE))
    connection.pragma("application_id", 4711)
    connection.execute("CREATE TABLE t (n)")
    connection.close()
    with pytest.raises(StoreUnavailable, match="another application"):
        open_store(tmp_path)


async def test_a_reader_needs_a_store(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_store(tmp_path, role="reader")
    assert list(tmp_path.iterdir()) == []


async def test_a_reader_cannot_write_to_the_file(tmp_path: Path) -> None:
    owner = open_store(tmp_path)
    reader = open_store(tmp_path, role="reader")
    with pytest.raises(apsw.ReadOnlyError):
        reader._inline.connection.execute("DELETE FROM resource")
    with pytest.raises(StoreUnavailable):
        await reader.listen()
    await reader.close()
    await owner.close()


async def test_closing_leaves_one_file_and_nothing_behind(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await store.commit(COMMIT)
    await store.close()
    assert not list(tmp_path.glob("*-wal"))
    with pytest.raises(StoreUnavailable):
        await store.commit(COMMIT)


async def test_a_reader_sees_what_was_committed(tmp_path: Path) -> None:
    owner = open_store(tmp_path)
    reader = open_store(tmp_path, role="reader")
    assert await reader.read(1, "Patient", "a") is None
    await owner.commit(COMMIT)
    assert await reader.read(1, "Patient", "a") == await owner.read(1, "Patient", "a")
    await reader.close()
    await owner.close()


async def test_nobody_else_may_read_the_files(tmp_path: Path) -> None:
    store = open_store(tmp_path / "data")
    await store.commit(COMMIT)
    writer = await store.new_blob(1)
    await writer.write(b"content")
    await writer.finish()
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0
    await store.backup(tmp_path / "copy")
    assert (tmp_path / "copy").stat().st_mode & 0o077 == 0
    for file in (tmp_path / "data").iterdir():
        if file.is_file():
            assert file.stat().st_mode & 0o077 == 0, file.name
    await store.close()
    backup.restore(tmp_path / "copy", tmp_path / "new")
    assert (tmp_path / "new" / DATABASE).stat().st_mode & 0o077 == 0
