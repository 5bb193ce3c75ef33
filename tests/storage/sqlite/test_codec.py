"""Bodies come back byte for byte, whatever dictionary their row names."""

from __future__ import annotations

import hashlib
from importlib import resources

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from hub.demo.generate import generate
from hub.model.body import split
from hub.storage.sqlite.codec import CURRENT, RAW, Codec, UnknownCodecError

RELEASED = {1: "f22a20af5beecd33ce5b9a3a69b705ec23cf8026a87ae5b22a36bbb24ce0f3f9"}
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
