"""Rows are passed over only when they cannot match; what a search relies on is checked."""

from __future__ import annotations

from pathlib import Path

import apsw
import msgspec
import pytest

from hub.storage.audit_keys import name_key, reference_key
from hub.storage.port import AuditPage, AuditQuery, AuditRecord, Commit, StoreUnavailable
from hub.storage.sqlite import audit, audit_search
from hub.storage.sqlite.connect import DATABASE
from hub.storage.sqlite.store import SqliteStore, open_store

RELEASED = Path(__file__).parents[2] / "cases" / "storage"
ROWS = audit_search.SEGMENT * 3 + 5


async def filled(folder: Path) -> SqliteStore:
    store = open_store(folder)
    for number in range(ROWS):
        record = AuditRecord("R", "read", "chen", "r", patients=(str(number % 100),))
        await store.commit(Commit(1, (), record, 1000 * number))
    return store


async def rows_of(store: SqliteStore, *keys: int) -> list[int]:
    found: list[int] = []
    query = AuditQuery(keys=tuple((key,) for key in keys))
    while True:
        page: AuditPage = await store.audit_rows(1, query)
        found += [row.row for row in page.rows]
        if page.next is None:
            return found
        query = AuditQuery(before=page.next, keys=query.keys)


def database(folder: Path) -> apsw.Connection:
    return apsw.Connection(str(folder / DATABASE))


async def test_chains_of_an_older_release_are_searched_and_hold(tmp_path: Path) -> None:
    connection = database(tmp_path)
    connection.execute((RELEASED / "schema_v2.sql").read_text())
    connection.pragma("application_id", 0x46484842)
    connection.pragma("user_version", 2)
    head = audit.FIRST
    for number in range(1, ROWS + 1):
        said = ("C", "create", f"user-{number % 7}", b"\0" * 16, "0", [f"Patient/{number % 50}"])
        head = audit.append(connection, 1, head, number, number, msgspec.msgpack.encode(said))
    connection.execute("INSERT INTO state VALUES (1, ?, ?, 0)", (ROWS, ROWS))
    connection.close()
    store = open_store(tmp_path)
    connection = database(tmp_path)
    assert connection.execute("SELECT count(*) FROM audit_segment").get == 3
    connection.close()
    await store.commit(Commit(1, (), AuditRecord("R", "read", "chen", "r"), 0))
    found = await store.audit_rows(1, AuditQuery(keys=((name_key("user-3"),),), count=1000))
    # rows of that release hold no keys: within a segment that may match all of them are given
    wanted = {number for number in range(1, ROWS + 1) if number % 7 == 3}
    assert wanted <= {row.row for row in found.rows}
    assert await rows_of(store, reference_key("Patient/nobody")) == list(
        range(ROWS, audit_search.SEGMENT * 3, -1)
    )
    assert await store.check_audit(1) is None
    findings = [finding async for finding in store.verify(1)]
    assert findings == []
    await store.close()


async def test_a_row_without_a_summary_is_looked_at(tmp_path: Path) -> None:
    store = await filled(tmp_path)
    key = reference_key("Patient/7")
    expected = [row for row in range(ROWS, 0, -1) if (row - 1) % 100 == 7]
    assert await rows_of(store, key) == expected
    connection = database(tmp_path)
    connection.execute("DELETE FROM audit_segment WHERE last = ?", (audit_search.SEGMENT * 2,))
    assert await rows_of(store, key) == expected
    findings = [finding async for finding in store.verify(1)]
    assert [one.where for one in findings] == [f"audit rows up to {audit_search.SEGMENT * 2}"]
    connection.execute("DELETE FROM audit_segment")
    assert await rows_of(store, key, name_key("CHEN")) == expected
    connection.close()
    await store.close()


@pytest.mark.parametrize(
    "change", ["keys = x''", "oldest = oldest - 1", "last = 1000", "keys = zeroblob(8)"]
)
async def test_a_summary_that_would_hide_rows_is_found(tmp_path: Path, change: str) -> None:
    store = await filled(tmp_path)
    connection = database(tmp_path)
    connection.execute(f"UPDATE audit_segment SET {change} WHERE last = {audit_search.SEGMENT}")
    connection.close()
    findings = [finding async for finding in store.verify(1)]
    assert findings
    assert all("summary" in one.what for one in findings)
    assert await store.check_audit(1) is None
    await store.close()


async def test_a_damaged_row_is_told(tmp_path: Path) -> None:
    store = await filled(tmp_path)
    connection = database(tmp_path)
    connection.execute("UPDATE audit SET record = x'c101000000000000000000ff' WHERE row = 9")
    connection.close()
    with pytest.raises(StoreUnavailable) as told:
        await rows_of(store)
    assert told.value.trouble == "damaged"
    await store.close()
