"""Bodies come back byte for byte, whatever dictionary their row names."""

from __future__ import annotations

import hashlib
from importlib import resources
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from hub.demo.generate import generate
from hub.model import json
from hub.model.body import split
from hub.storage.sqlite.codec import CURRENT, RAW, Codec, UnknownCodecError
from hub.storage.sqlite.train import extend

RELEASED = {
    1: "f22a20af5beecd33ce5b9a3a69b705ec23cf8026a87ae5b22a36bbb24ce0f3f9",
    2: "24161331bf1f8d9bbb543322b2d5e1c275202758959d5a1021b91bc11be2947b",
}
"""SHA-256 of each dictionary that rows may name: a released one never changes."""


@given(st.binary(max_size=5_000))
def test_any_bytes_come_back(tail: bytes) -> None:
    codec = Codec()
    number, body = codec.compress(tail)
    assert codec.expand(number, 0, body) == tail
    assert len(body) <= len(tail)


def test_resources_shrink_to_a_third() -> None:
    codec = Codec()
    tails = [split(resource) for resource in generate(5, 3)]
    bodies = [codec.compress(tail)[1] for tail in tails]
    assert sum(map(len, bodies)) < sum(map(len, tails)) / 3


def test_rows_of_an_older_dictionary_stay_readable() -> None:
    dictionary = resources.files("hub.storage.sqlite") / "dictionaries" / "1.dict"
    parameters = zstandard.ZstdCompressionParameters.from_level(
        3, format=zstandard.FORMAT_ZSTD1_MAGICLESS, write_checksum=True, write_dict_id=False
    )
    older = zstandard.ZstdCompressor(
        dict_data=zstandard.ZstdCompressionDict(dictionary.read_bytes()),
        compression_params=parameters,
    )
    tail = split(next(iter(generate(1, 3))))
    assert Codec().expand(1, 0, older.compress(tail)) == tail


def test_an_extended_dictionary_knows_what_the_older_one_knew_and_more(tmp_path: Path) -> None:
    resource = {"resourceType": "Basic", "code": {"text": "what nobody has ever written before"}}
    (tmp_path / "more.ndjson").write_bytes(json.encode(resource))
    older = (resources.files("hub.storage.sqlite") / "dictionaries" / "1.dict").read_bytes()
    longer = extend(older, [tmp_path / "more.ndjson"])
    assert longer.startswith(older)
    sizes = [
        len(zstandard.ZstdCompressor(dict_data=zstandard.ZstdCompressionDict(one)).compress(tail))
        for tail in (split(resource), split(next(iter(generate(1, 3)))))
        for one in (older, longer)
    ]
    assert sizes[1] < sizes[0] / 2
    assert sizes[3] <= sizes[2] + 8


def test_small_and_incompressible_tails_stay_raw() -> None:
    codec = Codec()
    noise = hashlib.shake_256(b"seed").digest(500)
    assert codec.compress(b"}}") == (RAW, b"}}")
    assert codec.compress(noise) == (RAW, noise)
    assert codec.compress(b"x" * 500)[0] == CURRENT


def test_an_unknown_dictionary_or_key_is_named() -> None:
    codec = Codec()
    with pytest.raises(UnknownCodecError, match="dictionary 99"):
        codec.expand(99, 0, b"x")
    with pytest.raises(UnknownCodecError, match="key 7"):
        codec.expand(CURRENT, 7, b"x")


def test_damaged_bytes_are_an_error() -> None:
    with pytest.raises(zstandard.ZstdError):
        Codec().expand(CURRENT, 0, b"\xff" * 40)


def test_released_dictionaries_never_change() -> None:
    folder = resources.files("hub.storage.sqlite") / "dictionaries"
    found = {
        int(file.name.removesuffix(".dict")): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.iterdir()
    }
    assert found == RELEASED
    assert CURRENT in RELEASED
