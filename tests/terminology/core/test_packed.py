"""Packed concepts come back as they were; what is no such blob is refused, not believed."""

from __future__ import annotations

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from terminology.core import packed
from terminology.core.packed import PackedDamaged, binary_of, pack, unpack
from terminology.core.shapes import Columns, Designation, Property


def blob(content: object) -> bytes:
    return b"FHC1" + zstandard.ZstdCompressor().compress(msgspec.msgpack.encode(content))


def test_concepts_come_back_as_they_were() -> None:
    columns = Columns(
        ["a", "b"],
        ["甲", ""],
        {0: "first"},
        {1: [Designation("bee", "en", {"code": "x"})]},
        {0: [Property("weight", "decimal", 1)]},
        {1: [0]},
    )
    assert unpack(pack(columns)) == columns


@pytest.mark.parametrize(
    "content",
    [
        {"codes": ["a", "a"], "displays": ["", ""]},
        {"codes": ["a"], "displays": []},
        {"codes": ["a"], "displays": [""], "parents": {0: [1]}},
        {"codes": ["a"], "displays": [""], "parents": {-1: [0]}},
        {"codes": ["a"], "displays": [""], "definitions": {7: "x"}},
        {"codes": [1], "displays": [""]},
        ["a"],
        {"codes": "a"},
    ],
)
def test_columns_that_do_not_fit_together_are_refused(content: object) -> None:
    with pytest.raises(PackedDamaged):
        unpack(blob(content))


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "MOST_BYTES", 1_000_000)
    with pytest.raises(PackedDamaged):
        unpack(b"FHC1" + zstandard.ZstdCompressor().compress(b"\x00" * 10_000_000))
    unsized = zstandard.ZstdCompressor(write_content_size=False).compress(b"\x00" * 10_000_000)
    with pytest.raises(PackedDamaged):
        unpack(b"FHC1" + unsized)


@given(st.binary(max_size=200))
def test_other_bytes_are_refused(data: bytes) -> None:
    for one in (data, b"FHC1" + data, b"FHC1" + zstandard.ZstdCompressor().compress(data)):
        try:
            columns = unpack(one)
        except PackedDamaged:
            continue
        assert len(columns.codes) == len(columns.displays)


@pytest.mark.parametrize(
    "extension",
    [
        None,
        "x",
        ["x"],
        [{}],
        [{"url": packed.EXTENSION}],
        [{"url": packed.EXTENSION, "valueReference": "Binary/1"}],
        [{"url": packed.EXTENSION, "valueReference": {"reference": "Patient/1"}}],
        [{"url": packed.EXTENSION, "valueReference": {"reference": "Binary/../../etc"}}],
    ],
)
def test_what_names_no_binary_has_its_concepts_itself(extension: object) -> None:
    assert binary_of({"extension": extension}) == ""
