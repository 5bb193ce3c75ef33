"""Audit rows: packed without loss, chained so that every change shows."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.storage.port import AuditRecord
from hub.storage.sqlite import audit, migrations, schema

CONNECTION = apsw.Connection(":memory:")
migrations.upgrade(CONNECTION)
TYPES = schema.load_type_names(CONNECTION)
UUID = "12345678-90ab-cdef-1234-567890abcdef"

ids = st.one_of(
    st.uuids().map(str),
    st.uuids().map(lambda uuid: str(uuid).upper()),
    st.uuids().map(lambda uuid: uuid.hex),
    st.from_regex(r"\A[A-Za-z0-9\-\.]{1,64}\Z"),
)
versions = st.tuples(st.sampled_from(sorted(TYPES.names)), ids, st.integers(1, 2**40))
texts = st.text(max_size=40)


@given(
    record=st.builds(AuditRecord, texts, texts, texts, texts | ids, texts, st.tuples(texts)),
    written=st.lists(versions, max_size=3),
)
def test_any_record_comes_back(record: AuditRecord, written: list[tuple[int, str, int]]) -> None:
    found = audit.unpack(audit.pack(record, written), TYPES)
    expected = [f"{TYPES.names[type]}/{id}/_history/{n}" for type, id, n in written]
    assert found.entities == (*record.entities, *expected)
    assert (found.action, found.interaction, found.principal) == (
        record.action,
        record.interaction,
        record.principal,
    )
    assert (found.request_id, found.outcome) == (record.request_id, record.outcome)


def test_a_create_takes_little_room() -> None:
    record = AuditRecord("C", "create", "local", "0123456789abcdef" * 2)
    assert len(audit.pack(record, [(97, UUID, 1)])) < 64


def test_each_row_hashes_the_one_before() -> None:
    head = audit.Head()
    for row in range(1, 5):
        head = audit.append(CONNECTION, 7, head, row * 10, row * 1000, b"record")
        assert head.row == row
    assert audit.head(CONNECTION, 7) == head
    assert audit.head(CONNECTION, 8) == audit.Head()
    start = audit.AuditRow(0, 0, 0, b"", audit.FIRST_HASH)
    rows = list(audit.rows(CONNECTION, 7, 0, 10))
    for before, found in pairwise([start, *rows]):
        assert found.hash == audit.digest(before.hash, 7, *found[:4])
    assert list(audit.rows(CONNECTION, 7, 2, 1)) == rows[2:3]


@pytest.mark.parametrize("changed", range(6))
def test_every_part_is_in_the_hash(changed: int) -> None:
    parts: list[object] = [bytes(32), 1, 2, 3, 4, b"record"]
    hashed = audit.digest(*parts)  # type: ignore[arg-type]
    parts[changed] = b"x" * 32 if changed in (0, 5) else 99
    assert audit.digest(*parts) != hashed  # type: ignore[arg-type]


def test_the_hash_is_what_the_page_says() -> None:
    """Anyone can check a chain without this program."""
    numbers = b"".join(n.to_bytes(8, "big") for n in (1, 2, 3, 4))
    expected = hashlib.sha256(bytes(32) + numbers + b"record").digest()
    assert audit.digest(bytes(32), 1, 2, 3, 4, b"record") == expected
