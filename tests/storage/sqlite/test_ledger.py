"""The ledger lasts: over a restart, a backup, and a lost connection to the writer."""

from __future__ import annotations

from pathlib import Path
from random import Random

import apsw

from hub.storage.sqlite.backup import restore
from hub.storage.sqlite.connect import DATABASE
from hub.storage.sqlite.store import open_store
from tests.storage.sqlite.test_socket import Cutter

NOW = 1_700_000_000_000


async def test_it_is_there_after_a_restart_and_in_a_backup(tmp_path: Path) -> None:
    store = open_store(tmp_path / "data")
    one = await store.ledger.put(1, "account", "a", b"one", now=NOW)
    two = await store.ledger.put(1, "account", "b", b"two", now=NOW)
    assert await store.ledger.take(1, "account", "b", now=NOW) == two
    await store.close()
    store = open_store(tmp_path / "data")
    assert await store.ledger.get(1, "account", "a", NOW) == one
    assert await store.ledger.get(1, "account", "b", NOW) is None
    again = await store.ledger.put(1, "account", "b", b"two", now=NOW)
    assert two
    assert again
    assert again.revision > two.revision
    await store.ledger.take(1, "account", "b", now=NOW)
    await store.backup(tmp_path / "copy")
    await store.close()
    restore(tmp_path / "copy", tmp_path / "again")
    store = open_store(tmp_path / "again")
    assert await store.ledger.get(1, "account", "a", NOW) == one
    await store.close()


async def test_nobody_else_may_read_the_file(tmp_path: Path) -> None:
    store = open_store(tmp_path / "data")
    await store.ledger.put(1, "key", "a", b"secret", now=NOW)
    files = [file for file in (tmp_path / "data").iterdir() if file.is_file()]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    await store.close()


async def test_a_worker_sees_at_once_what_another_changed(tmp_path: Path) -> None:
    owner = open_store(tmp_path / "data")
    await owner.listen()
    one, two = (open_store(tmp_path / "data", role="reader") for _ in range(2))
    await one.ledger.put(1, "kind", "a", b"x", now=NOW)
    for store in (owner, one, two):
        assert await store.ledger.get(1, "kind", "a", NOW)
    assert await two.ledger.take(1, "kind", "a", now=NOW)
    assert await one.ledger.take(1, "kind", "a", now=NOW) is None
    for store in (one, two, owner):
        await store.close()


async def test_a_change_sent_again_is_made_once(tmp_path: Path) -> None:
    owner = open_store(tmp_path / "data")
    await owner.listen()
    async with Cutter(owner.folder / "writer.sock", tmp_path / "cut", Random(1)) as cutter:
        worker = open_store(tmp_path / "data", role="reader", socket=tmp_path / "cut")
        for number in range(60):
            key = str(number)
            one = await worker.ledger.put(1, "kind", key, b"x", now=NOW, expected=0)
            assert one
            two = await worker.ledger.put(1, "kind", key, b"y", now=NOW, expected=one.revision)
            assert two
            assert await worker.ledger.take(1, "kind", key, now=NOW) == two
        assert cutter.cuts
        await worker.close()
    await owner.close()


async def test_a_record_of_an_older_release_keeps_going_up(tmp_path: Path) -> None:
    """Its revision was counted for itself, and may be above the store's count."""
    store = open_store(tmp_path / "data")
    await store.ledger.put(1, "account", "a", b"x", now=NOW)
    await store.close()
    connection = apsw.Connection(str(tmp_path / "data" / DATABASE))
    connection.execute("UPDATE ledger SET revision = 1000")
    connection.close()
    store = open_store(tmp_path / "data")
    made = await store.ledger.put(1, "account", "a", b"y", now=NOW, expected=1000)
    assert made
    assert made.revision > 1000
    await store.ledger.take(1, "account", "a", now=NOW)
    again = await store.ledger.put(1, "account", "a", b"z", now=NOW)
    assert again
    assert again.revision > made.revision
    await store.close()


async def test_an_impossible_record_is_found(tmp_path: Path) -> None:
    store = open_store(tmp_path / "data")
    await store.ledger.put(1, "code", "patient-name", b"x", now=NOW)
    await store.close()
    connection = apsw.Connection(str(tmp_path / "data" / DATABASE))
    connection.execute("UPDATE ledger SET revision = 0")
    connection.close()
    store = open_store(tmp_path / "data")
    found = [finding async for finding in store.verify(1)]
    assert [finding.where for finding in found] == ["ledger code"]
    assert "patient-name" not in str(found)
    await store.close()


async def test_nothing_is_left_in_the_files_of_what_was_replaced(tmp_path: Path) -> None:
    owner = open_store(tmp_path / "data")
    await owner.listen()
    worker = open_store(tmp_path / "data", role="reader")
    for number, store in enumerate((owner, worker)):
        await store.ledger.put(1, "key", str(number), b"private key %d" % number * 50, now=NOW)
        await store.ledger.put(1, "key", str(number), b"x", now=NOW)
        await store.ledger.put(1, "code", str(number), b"private code" * 50, now=NOW, expires=NOW)
    await owner.sweep(NOW)
    await worker.close()
    await owner.close()  # copies the log into the database and removes it
    (file,) = (tmp_path / "data").glob("hub.sqlite3*")
    assert b"private" not in file.read_bytes()
