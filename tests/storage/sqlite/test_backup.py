"""Backups: consistent while the store is written to, verified, and put back."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

import apsw
import pytest

from hub.storage.port import AuditRecord, Commit, StoreUnavailable, Write
from hub.storage.sqlite.backup import MANIFEST, restore
from hub.storage.sqlite.blob import path_of
from hub.storage.sqlite.connect import DATABASE
from hub.storage.sqlite.store import SqliteStore, open_store
from tests.faults.load import TENANT, Load, assert_whole

AUDIT = AuditRecord("U", "update", "me", "request")


async def with_blob(store: SqliteStore) -> str:
    writer = await store.new_blob(TENANT)
    await writer.write(b"content of a blob")
    blob = await writer.finish()
    write = Write("PUT", "Binary", "b", b"}}", blobs=(blob.sha256,))
    await store.commit(Commit(TENANT, (write,), AUDIT, 1))
    return blob.sha256


async def test_a_backup_of_a_busy_store_is_whole(tmp_path: Path) -> None:
    store = open_store(tmp_path / "data")
    sha256 = await with_blob(store)
    load = Load(Random(1))
    await load.run(store, 100)
    sending = asyncio.create_task(load.run(store, 1_000_000))
    await asyncio.sleep(0.05)
    known = set(load.stored)
    await store.backup(tmp_path / "copy")
    load.stop = True
    await sending
    await store.close()
    assert len(load.sent) > len(known)
    restore(tmp_path / "copy", tmp_path / "new")
    restored = open_store(tmp_path / "new")
    await assert_whole(restored, len(load.sent), known, set())
    pieces = await restored.open_blob(TENANT, sha256)
    assert b"".join([piece async for piece in pieces]) == b"content of a blob"
    await load.send(restored)
    await restored.close()


async def test_a_worker_can_back_up(tmp_path: Path) -> None:
    owner = open_store(tmp_path / "data")
    await with_blob(owner)
    worker = open_store(tmp_path / "data", role="reader")
    await worker.backup(tmp_path / "copy")
    assert {file.name for file in (tmp_path / "copy").iterdir()} == {DATABASE, MANIFEST, "blobs"}
    await worker.close()
    await owner.close()


async def test_site_files_are_in_a_backup_and_do_not_replace_others(tmp_path: Path) -> None:
    store = open_store(tmp_path / "data")
    sites = tmp_path / "data" / "sites"
    sites.mkdir()
    (sites / "north.toml").write_text("of the backup")
    (sites / "north.toml~").write_text("no site file")
    await store.backup(tmp_path / "copy")
    await store.close()
    restore(tmp_path / "copy", tmp_path / "new")
    assert [file.name for file in (tmp_path / "new" / "sites").iterdir()] == ["north.toml"]
    other = tmp_path / "other" / "sites" / "north.toml"
    other.parent.mkdir(parents=True)
    other.write_text("there already")
    restore(tmp_path / "copy", tmp_path / "other")
    assert other.read_text() == "there already"


async def test_a_backup_does_not_replace_anything(tmp_path: Path) -> None:
    store = open_store(tmp_path / "data")
    (tmp_path / "copy").mkdir()
    with pytest.raises(FileExistsError):
        await store.backup(tmp_path / "copy")
    await store.backup(tmp_path / "other")
    await store.close()
    with pytest.raises(FileExistsError):
        restore(tmp_path / "other", tmp_path / "data")


def test_what_is_no_backup_is_not_restored(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        restore(tmp_path, tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("harmed", ["database", "blob", "manifest", "swapped"])
async def test_a_damaged_backup_is_refused_and_no_store_is_left(
    tmp_path: Path, harmed: str
) -> None:
    store = open_store(tmp_path / "data")
    sha256 = await with_blob(store)
    await Load(Random(1)).run(store, 20)
    copy = tmp_path / "copy"
    await store.backup(copy)
    if harmed == "database":
        content = bytearray((copy / DATABASE).read_bytes())
        content[len(content) // 2 :][:4096] = bytes(4096)
        middle = len(content) // 2 // 4096 * 4096
        content[middle : middle + 4096] = bytes(4096)
        (copy / DATABASE).write_bytes(content)
    elif harmed == "blob":
        path_of(copy, sha256).write_bytes(b"other content...")
    elif harmed == "manifest":
        (copy / MANIFEST).write_bytes(b"{")
    else:
        await Load(Random(2)).send(store)
        await store.backup(tmp_path / "later")
        (tmp_path / "later" / DATABASE).rename(copy / DATABASE)
    await store.close()
    with pytest.raises(StoreUnavailable):
        restore(copy, tmp_path / "new")
    assert not (tmp_path / "new" / DATABASE).exists()


async def test_a_backup_of_the_first_release_is_restored(tmp_path: Path) -> None:
    store = open_store(tmp_path / "data")
    load = Load(Random(1))
    await load.run(store, 30)
    await store.backup(tmp_path / "copy")
    await store.close()
    make_as_of_the_first_release(tmp_path / "copy" / DATABASE)
    restore(tmp_path / "copy", tmp_path / "new")
    restored = open_store(tmp_path / "new")
    await assert_whole(restored, len(load.sent), load.stored, set())
    await restored.close()


def make_as_of_the_first_release(database: Path) -> None:
    """Take out the tables that later releases added."""
    first = (Path(__file__).parents[2] / "cases" / "storage" / "schema_v1.sql").read_text()
    connection = apsw.Connection(str(database))
    tables = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE 'CREATE TABLE %'"
        " AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'word_index_%'"
    ).fetchall()
    later = [name for (name,) in tables if f"CREATE TABLE {name} (" not in first]
    assert "ledger" in later
    for name in later:
        connection.execute(f"DROP TABLE {name}")
    connection.pragma("user_version", 1)
    connection.close()


async def test_a_store_with_a_lost_blob_has_no_clean_backup(tmp_path: Path) -> None:
    store = open_store(tmp_path / "data")
    sha256 = await with_blob(store)
    path_of(tmp_path / "data", sha256).write_bytes(b"changed")
    with pytest.raises(StoreUnavailable, match="not whole"):
        await store.backup(tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    await store.close()


async def test_a_backup_that_was_cut_short_is_made_anew(tmp_path: Path) -> None:
    store = open_store(tmp_path / "data")
    (tmp_path / "copy.partial").mkdir()
    (tmp_path / "copy.partial" / DATABASE).write_bytes(b"half")
    await store.backup(tmp_path / "copy")
    assert not (tmp_path / "copy.partial").exists()
    await store.close()
