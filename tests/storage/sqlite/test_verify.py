"""Damage of every kind is found and named, without a patient's data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from hub.storage.port import AuditRecord, Commit, Finding, Write
from hub.storage.sqlite.blob import path_of
from hub.storage.sqlite.connect import DATABASE
from hub.storage.sqlite.store import SqliteStore, open_store

AUDIT = AuditRecord("U", "update", "me", "request")
SECRET = "Zhang San"


async def commit(store: SqliteStore, *writes: Write) -> None:
    await store.commit(Commit(1, writes, AUDIT, 1_000))


def put(id: str, *blobs: str) -> Write:
    tail = b'},"name":[{"text":"' + SECRET.encode() * 10 + b'"}]}'
    return Write("PUT", "Patient", id, tail, blobs=blobs)


async def fill(folder: Path) -> str:
    """Versions 1 to 3 of one, 1 of two others in one commit, a tombstone and a blob."""
    store = open_store(folder)
    for _ in range(3):
        await commit(store, put("a"))
    writer = await store.new_blob(1)
    await writer.write(b"content")
    blob = await writer.finish()
    await commit(store, put("b"), put("c", blob.sha256))
    await commit(store, Write("DELETE", "Patient", "b"))
    assert await findings(store) == []
    await store.close()
    return blob.sha256


async def findings(store: SqliteStore) -> list[Finding]:
    return [finding async for finding in store.verify(1)]


DAMAGE: dict[str, tuple[str, str]] = {
    "a version is missing": (
        "DELETE FROM history WHERE version = 1 AND rid = 1",
        "its history has a gap",
    ),
    "a newest version is missing": (
        "DELETE FROM resource WHERE id = 'c'",
        "it is not there",
    ),
    "half a bundle is missing without trace in the counters": (
        "DELETE FROM resource WHERE id = 'c';"
        "UPDATE statistics SET live = live - 1, versions = versions - 1",
        "names it, but it is not there",
    ),
    "a version nobody committed": (
        "INSERT INTO resource SELECT 99, tenant, type, 'x', version, updated, sequence, method,"
        " deleted, date, codec, key, index_version, body FROM resource WHERE id = 'c'",
        "no audit row names 1 of its versions",
    ),
    "a body is damaged": (
        "UPDATE resource SET body = x'00112233' WHERE id = 'a'",
        "its body cannot be expanded",
    ),
    "a body is no JSON": (
        "UPDATE resource SET codec = 0, body = CAST('},,}' AS BLOB) WHERE id = 'a'",
        "its body is damaged",
    ),
    "a body needs a dictionary that is not here": (
        "UPDATE resource SET codec = 200 WHERE id = 'a'",
        "its body cannot be expanded",
    ),
    "a tombstone has a body": (
        "UPDATE resource SET body = x'7d7d' WHERE id = 'b'",
        "a tombstone has a body",
    ),
    "a tombstone is current": (
        "UPDATE resource SET deleted = 0 WHERE id = 'b'",
        "it is not certain whether it is deleted",
    ),
    "times are out of order": (
        "UPDATE history SET updated = updated + 1000 WHERE rid = 1 AND version = 1",
        "out of order",
    ),
    "ends do not meet": (
        "UPDATE history SET until = until + 1 WHERE rid = 1 AND version = 1",
        "does not end where the next begins",
    ),
    "a sequence from the future": (
        "UPDATE resource SET sequence = 1000 WHERE id = 'a'",
        "newer than the newest commit",
    ),
    "counters are wrong": (
        "UPDATE statistics SET live = live + 1",
        "the counters",
    ),
    "history of nothing": (
        "INSERT INTO history SELECT 77, version, tenant, type, updated, until, sequence, method,"
        " codec, key, body FROM history LIMIT 1",
        "belong to no resource",
    ),
    "an audit row was changed": (
        "UPDATE audit SET record = CAST(record || x'00' AS BLOB) WHERE row = 2",
        "it was altered",
    ),
    "an audit time was changed": ("UPDATE audit SET time = time + 1 WHERE row = 2", "altered"),
    "an audit row was taken out": ("DELETE FROM audit WHERE row = 2", "missing"),
    "the last audit row was taken out": (
        "DELETE FROM audit WHERE row = (SELECT max(row) FROM audit)",
        "no audit row names 1 of its versions",
    ),
    "a blob in use was forgotten": ("DELETE FROM blob", "it is used but was removed"),
    "a blob's user is gone": (
        "UPDATE blob_use SET version = 50",
        "what uses it is gone",
    ),
    "an index does not agree with its table": (
        "PRAGMA writable_schema = on;"
        "UPDATE sqlite_schema SET sql = replace(sql, 'type, id', 'id, type')"
        " WHERE name = 'resource_id'",
        "resource_id",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
async def test_damage_in_the_database_is_found(tmp_path: Path, damage: str) -> None:
    statements, expected = DAMAGE[damage]
    await fill(tmp_path)
    connection = apsw.Connection(str(tmp_path / DATABASE))
    connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 0)
    connection.execute(statements)
    connection.close()
    store = open_store(tmp_path, role="reader")
    found = await findings(store)
    await store.close()
    assert any(expected in finding.what for finding in found), found
    assert not any(SECRET in finding.what + finding.where for finding in found)


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[3] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize(
    ("harm", "expected"),
    [
        (flip, "its file was changed"),
        (lambda file: file.write_bytes(b""), "its file was changed"),
        (Path.unlink, "its file cannot be read: FileNotFoundError"),
    ],
)
async def test_damage_of_a_blob_is_found(
    tmp_path: Path, harm: Callable[[Path], None], expected: str
) -> None:
    sha256 = await fill(tmp_path)
    harm(path_of(tmp_path, sha256))
    store = open_store(tmp_path)
    assert await findings(store) == [Finding(f"blob {sha256}", expected)]
    await store.close()


async def test_findings_are_bounded(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await commit(store, *(put(f"p{number}") for number in range(1_500)))
    await store.close()
    connection = apsw.Connection(str(tmp_path / DATABASE))
    connection.execute("UPDATE resource SET body = x'00'")
    connection.close()
    store = open_store(tmp_path)
    found = await findings(store)
    assert 1_000 <= len(found) < 1_500
    await store.close()


async def test_a_number_beyond_a_float_is_no_damage(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    tail = b'},"valueQuantity":{"value":-1E+400}}'
    await commit(store, Write("PUT", "Observation", "far", tail))
    assert await findings(store) == []
    await store.close()
