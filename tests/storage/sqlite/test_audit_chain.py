"""The audit chain: each row hashes the one before, and every way of tampering is named."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from pathlib import Path
from typing import Any

import apsw
import pytest

from hub.storage.port import AuditHead, AuditRecord, Commit, Finding
from hub.storage.sqlite import audit, migrations
from hub.storage.sqlite.audit import digest
from hub.storage.sqlite.connect import DATABASE
from hub.storage.sqlite.store import open_store

CONNECTION = apsw.Connection(":memory:")
migrations.upgrade(CONNECTION)
ROWS = 9


def test_each_row_hashes_the_one_before() -> None:
    head = AuditHead(0, audit.FIRST_HASH)
    for row in range(1, 5):
        head = audit.append(CONNECTION, 7, head, row * 10, row * 1000, b"record")
        assert head.row == row
    assert audit.head(CONNECTION, 7) == head
    assert audit.head(CONNECTION, 8) == audit.FIRST
    start = audit.StoredRow(0, 0, 0, b"", audit.FIRST_HASH)
    rows = list(audit.rows(CONNECTION, 7, 0, 10))
    for before, found in pairwise([start, *rows]):
        assert found.hash == digest(before.hash, 7, *found[:4])
    assert list(audit.rows(CONNECTION, 7, 2, 1)) == rows[2:3]


@pytest.mark.parametrize("changed", range(6))
def test_every_part_is_in_the_hash(changed: int) -> None:
    parts: list[Any] = [bytes(32), 1, 2, 3, 4, b"record"]
    hashed = digest(*parts)
    parts[changed] = b"x" * 32 if changed in (0, 5) else 99
    assert digest(*parts) != hashed


def test_the_hash_is_what_the_page_says() -> None:
    """Anyone can check a chain without this program."""
    numbers = b"".join(n.to_bytes(8, "big") for n in (1, 2, 3, 4))
    expected = hashlib.sha256(bytes(32) + numbers + b"record").digest()
    assert digest(bytes(32), 1, 2, 3, 4, b"record") == expected


# --- tampering ------------------------------------------------------------------------------


class File:
    """A store's database in the hands of somebody who may write it."""

    def __init__(self, folder: Path) -> None:
        self.connection = apsw.Connection(str(folder / DATABASE))

    def run(self, sql: str, *bindings: object) -> None:
        self.connection.execute(sql, bindings)

    def renumber(self, first: int, by: int) -> None:
        """Give the rows from one on other numbers."""
        self.run("UPDATE audit SET row = row + 1000 WHERE row >= ?", first)
        self.run("UPDATE audit SET row = row - 1000 + ? WHERE row > 1000", by)

    def hash_anew(self, first: int, last: int) -> None:
        """Make the hashes of rows fit their content."""
        for row in audit.rows(self.connection, 1, first - 1, last - first + 1):
            before = self.connection.execute(
                "SELECT hash FROM audit WHERE row = ?", (row.row - 1,)
            ).get
            hashed = digest(before, 1, *row[:4])  # type: ignore[arg-type]
            self.run("UPDATE audit SET hash = ? WHERE row = ?", hashed, row.row)

    def alter(self, row: int) -> None:
        """Let somebody else have done it."""
        self.run(
            "UPDATE audit SET record = CAST(replace(record, 'user-', 'eve--') AS BLOB)"
            " WHERE row = ?",
            row,
        )

    def insert(self, row: int) -> None:
        """Put in a copy of another row, the rows from there on getting other numbers."""
        self.renumber(row, 1)
        self.run(
            "INSERT INTO audit SELECT tenant, ?, sequence, time, record, hash FROM audit"
            " WHERE row = 2",
            row,
        )

    def remove(self, row: int) -> None:
        """Take a row out, the rows from there on getting other numbers."""
        self.run("DELETE FROM audit WHERE row = ?", row)
        self.renumber(row, -1)


def altered(file: File) -> None:
    file.alter(5)


def altered_and_hashed(file: File) -> None:
    file.alter(5)
    file.hash_anew(5, 5)


def first_altered(file: File) -> None:
    file.alter(1)


def time_altered(file: File) -> None:
    file.run("UPDATE audit SET time = time + 1 WHERE row = 5")


def hash_altered(file: File) -> None:
    file.run("UPDATE audit SET hash = zeroblob(32) WHERE row = 5")


def last_altered(file: File) -> None:
    file.alter(ROWS)


def taken_out(file: File) -> None:
    file.run("DELETE FROM audit WHERE row = 5")


def first_taken_out(file: File) -> None:
    file.run("DELETE FROM audit WHERE row = 1")


def taken_out_and_renumbered(file: File) -> None:
    file.remove(5)


def inserted(file: File) -> None:
    file.insert(5)


def inserted_and_hashed(file: File) -> None:
    file.insert(5)
    file.hash_anew(5, 5)


def inserted_in_its_time(file: File) -> None:
    file.insert(5)
    file.run("UPDATE audit SET (sequence, time) ="
             " (SELECT sequence, time - 1 FROM audit WHERE row = 6) WHERE row = 5")  # fmt: skip
    file.hash_anew(5, 5)


def put_in_other_order(file: File) -> None:
    file.run("UPDATE audit SET row = 1000 WHERE row = 5")
    file.run("UPDATE audit SET row = 5 WHERE row = 6")
    file.run("UPDATE audit SET row = 6 WHERE row = 1000")


TAMPERING = [
    (altered, 5, "it was altered"),
    (altered_and_hashed, 6, "or the row before it was altered and hashed anew"),
    (first_altered, 1, "it was altered"),
    (time_altered, 5, "it was altered"),
    (hash_altered, 5, "it was altered"),
    (last_altered, 9, "it was altered"),
    (taken_out, 5, "it is missing"),
    (first_taken_out, 1, "it is missing"),
    (taken_out_and_renumbered, 5, "a row is missing here"),
    (inserted, 5, "it was inserted"),
    (inserted_and_hashed, 5, "not later than that of the row before: it was put there"),
    (inserted_in_its_time, 5, "it was inserted"),
    (put_in_other_order, 5, "it was inserted"),
]


async def chain(folder: Path) -> AuditHead:
    """A store with some rows; gives their head."""
    store = open_store(folder)
    for number in range(ROWS):
        record = AuditRecord("C", "create", f"user-{number}", "r")
        await store.commit(Commit(1, (), record, 1000 * number))
    head = await store.audit_head(1)
    await store.close()
    assert head.row == ROWS
    return head


async def checked(folder: Path, expected: AuditHead | None = None) -> Finding | None:
    store = open_store(folder)
    found = await store.check_audit(1, expected)
    await store.close()
    return found


@pytest.mark.parametrize(("tamper", "row", "what"), TAMPERING)
async def test_the_first_row_that_was_tampered_with_is_named(
    tmp_path: Path, tamper: Any, row: int, what: str
) -> None:
    await chain(tmp_path)
    assert await checked(tmp_path) is None
    file = File(tmp_path)
    tamper(file)
    file.connection.close()
    found = await checked(tmp_path)
    assert found is not None
    assert found.where == f"audit row {row}"
    assert what in found.what


async def test_a_cut_off_tail_shows_against_a_head_that_was_noted(tmp_path: Path) -> None:
    head = await chain(tmp_path)
    file = File(tmp_path)
    file.run("DELETE FROM audit WHERE row > 7")
    file.connection.close()
    assert await checked(tmp_path) is None
    found = await checked(tmp_path, head)
    assert found == Finding(
        "audit row 8", "it is missing: the chain was cut off and ends with row 7"
    )


async def test_a_chain_hashed_anew_as_a_whole_shows_against_a_head(tmp_path: Path) -> None:
    head = await chain(tmp_path)
    assert await checked(tmp_path, head) is None
    file = File(tmp_path)
    file.alter(3)
    file.hash_anew(3, ROWS)
    file.connection.close()
    assert await checked(tmp_path) is None
    found = await checked(tmp_path, head)
    assert found is not None
    assert found.where == f"audit row {ROWS}"
    assert "all hashed anew" in found.what
