"""Entries of a JSON Bundle as their own bytes, whatever the chunks."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.loading import splitting
from hub.loading.item import Mark
from hub.loading.splitting import BrokenError, Head, entries, head

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='a"\\{}[],:é张\n', max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=12,
)
ENTRIES = st.lists(st.dictionaries(st.text(max_size=8), VALUES, max_size=4), max_size=6)


def _bundle(listed: list[Any], before: bool, indent: int | None) -> bytes:
    made = {"resourceType": "Bundle", "link": [{"url": "entry"}], "meta": {"tag": [{"code": "["}]}}
    if before:
        made["type"] = "collection"
    made["entry"] = listed
    if not before:
        made["type"] = "collection"
    return json.dumps(made, ensure_ascii=False, indent=indent).encode()


@given(
    listed=ENTRIES,
    before=st.booleans(),
    indent=st.sampled_from([None, 2]),
    chunk=st.sampled_from([1, 7, 64, 4096]),
)
def test_entries_are_those_that_a_decoder_finds(
    listed: list[Any], before: bool, indent: int | None, chunk: int
) -> None:
    data = _bundle(listed, before, indent)
    splitting.CHUNK, kept = chunk, splitting.CHUNK
    try:
        found = list(entries(io.BytesIO(data), 10**6))
        assert [json.loads(piece.text or b"") for piece in found] == listed
        assert [piece.mark.number for piece in found] == list(range(1, len(listed) + 1))
        top = head(io.BytesIO(data), 10**6)
        assert (top.kind, top.type) == ("Bundle", "collection")
        for number, piece in enumerate(found):
            rest = entries(io.BytesIO(data), 10**6, piece.mark)
            assert [json.loads(one.text or b"") for one in rest] == listed[number + 1 :]
    finally:
        splitting.CHUNK = kept


def test_digits_and_repeated_keys_stay_for_the_decoder() -> None:
    data = b'{"entry":[{"a":1.00,"a":1E+2}]}'
    (piece,) = entries(io.BytesIO(data), 100)
    assert piece.text == b'{"a":1.00,"a":1E+2}'


def test_an_entry_over_the_limit_comes_without_its_text_and_the_next_is_whole() -> None:
    long = [{"a": ["x" * 50] * 40}, {"b": 1}]
    data = json.dumps({"entry": long}).encode()
    first, second = entries(io.BytesIO(data), 1000)
    assert first.text is None
    assert second == (b'{"b": 1}', Mark(len(data) - 2, 2))


@pytest.mark.parametrize(
    "data",
    [
        b'{"entry":[{"a":1},{"b":',
        b'{"entry":[{"a":1}',
        b'{"entry":[{"a":"never ends',
        b'{"entry":[{"a":"' + b"x" * 5000 + b'"}]}',
    ],
)
def test_what_is_cut_short_is_told(data: bytes) -> None:
    splitting.CHUNK, kept = 64, splitting.CHUNK
    try:
        with pytest.raises(BrokenError):
            list(entries(io.BytesIO(data), 1000))
    finally:
        splitting.CHUNK = kept


def test_the_head_tells_what_a_file_is() -> None:
    def told(text: str) -> Head:
        return head(io.BytesIO(text.encode()), 10**6)

    assert told('{"resourceType":"Patient","id":"1"}').kind == "Patient"
    assert told('{"a":[1,{"resourceType":"Patient"}]}').kind == ""
    assert told(
        '{"meta":{"versionId":"3"},"resourceType":"Bundle","type":"collection","entry":[{}]}'
    ) == Head("Bundle", "collection", stored=True)
    assert told(
        '{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"urn:uuid:1"}]}'
    ) == Head("Bundle", "collection", links=True)
