"""Records of audit rows: packed without loss, with the keys they are found by."""

from __future__ import annotations

import apsw
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hub.storage.audit_keys import keys_of
from hub.storage.port import AuditRecord
from hub.storage.sqlite import audit_pack, migrations, schema
from hub.storage.sqlite.interner import shrink

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
agents = st.just("") | ids.map("Practitioner/{}".format) | texts.filter(lambda one: "/" not in one)
records = st.builds(
    AuditRecord,
    texts,
    texts,
    texts,
    texts | ids,
    texts,
    st.lists(texts, max_size=3).map(tuple),
    texts,
    agents,
    texts,
    texts,
    st.lists(ids, max_size=3).map(tuple),
    texts,
    st.integers(0, 2**48),
)


@given(record=records, written=st.lists(versions, max_size=3))
def test_any_record_comes_back(record: AuditRecord, written: list[tuple[int, str, int]]) -> None:
    named = [(type, TYPES.names[type], id, version) for type, id, version in written]
    packed = audit_pack.pack(record, named)
    expected = tuple(f"{type}/{id}/_history/{version}" for _, type, id, version in named)
    whole = structs.replace(record, entities=(*record.entities, *expected), time=77)
    unpacked = audit_pack.unpack(packed, 77, TYPES)
    assert unpacked == (False, (whole,))
    keys, ago = audit_pack.stored_keys(packed, TYPES)
    assert keys == audit_pack.own_keys(unpacked) == tuple(sorted(keys_of(whole)))
    assert ago == 0


@given(events=st.lists(records, min_size=1, max_size=20), late=st.integers(0, 2**31))
def test_any_block_comes_back(events: list[AuditRecord], late: int) -> None:
    clock = max(one.time for one in events) + late
    packed = audit_pack.pack_block(events, clock)
    unpacked = audit_pack.unpack(packed, clock, TYPES)
    assert unpacked == (True, tuple(events))
    keys, ago = audit_pack.stored_keys(packed, TYPES)
    assert keys == audit_pack.own_keys(unpacked)
    assert ago == min(clock - min(one.time for one in events), audit_pack.LONGEST_AGO)


def test_rows_of_the_first_release_stay_readable() -> None:
    packed = msgspec.msgpack.encode(
        ("C", "create", "local", bytes(16), "0", ["Task/t", (97, shrink(UUID), 2)])
    )
    unpacked = audit_pack.unpack(packed, 5, TYPES)
    entities = ("Task/t", f"{TYPES.names[97]}/{UUID}/_history/2")
    expected = AuditRecord("C", "create", "local", "00" * 16, "0", entities, time=5)
    assert unpacked == (False, (expected,))
    assert audit_pack.stored_keys(packed, TYPES) == (tuple(sorted(keys_of(expected))), 0)


def test_a_create_takes_little_room() -> None:
    record = AuditRecord(
        "C", "create", "li.wei", "0123456789abcdef" * 2, client="app", address="192.0.2.1",
        agent=f"Practitioner/{UUID}", patients=(UUID,),
    )  # fmt: skip
    assert len(audit_pack.pack(record, [(97, "Patient", UUID, 1)])) < 190


def test_a_block_of_reads_takes_little_room() -> None:
    events = [
        AuditRecord(
            "R", "read", "li.wei", f"0123456789ab{n:08x}", "0", (f"Observation/{n * 7919:032x}",),
            "app", "Practitioner/1", "192.0.2.1", "", (f"{n // 9:032x}",), "",
            1_700_000_000_000 + n,
        )
        for n in range(512)
    ]  # fmt: skip
    assert len(audit_pack.pack_block(events, 1_700_000_001_000)) < 512 * 40


@given(st.binary(max_size=80))
@pytest.mark.parametrize("kind", [1, 2, 3])
def test_what_is_damaged_is_told(kind: int, rest: bytes) -> None:
    packed = audit_pack.HEADER.pack(audit_pack.MARK, kind, 0, 0) + rest
    try:
        audit_pack.unpack(packed, 1, TYPES)
    except audit_pack.DAMAGED:
        return
