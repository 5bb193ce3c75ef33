"""hub.model.json on bodies made to exhaust memory or time."""

from __future__ import annotations

import time

import pytest

from hub.errors import BadRequest, TooLarge
from hub.messages import render
from hub.model import json
from hub.model.json import MAX_DEPTH, MAX_VALUES


def test_deep_nesting_repeated_over_megabytes_is_refused_soon():
    deep = b"[" * 400 + b"]" * 400
    data = b'{"a":[' + b",".join([deep] * 5_000) + b"]}"
    started = time.process_time()
    with pytest.raises(BadRequest) as caught:
        json.decode(data)
    assert caught.value.issues[0].message == "json-depth"
    assert time.process_time() - started < 5  # level by level, 16 MB took 15 s


@pytest.mark.parametrize("levels", [1, 15, 16, 17, 18, MAX_DEPTH - 1])
def test_depth_is_counted_beside_shallow_values(levels):
    nested = b"[" * levels + b"]" * levels
    data = b'{"a":' + nested + b',"b":["[[["]}'
    assert json.decode(data, max_depth=levels + 1)
    with pytest.raises(BadRequest):
        json.decode(data, max_depth=levels)


@pytest.mark.parametrize("value", [b"[],", b"{},", b"1.5,", b'{"":0},'])
def test_more_values_than_memory_has_room_for_are_refused_before_they_are_made(value):
    data = b'{"a":[' + value * MAX_VALUES + b"0]}"
    with pytest.raises(TooLarge) as caught:
        json.decode(data)
    (issue,) = caught.value.issues
    assert issue.message == "json-too-many-values"
    assert render(issue.message, issue.arguments, "zh-CN")


def test_commas_in_texts_are_no_values():
    assert json.decode(b'{"a":"' + b"," * 2 * MAX_VALUES + b'"}')


@pytest.mark.parametrize("value", [b'{"":0},', b'{"family":"a"},', b'"[",', b'"\\"[",'])
def test_texts_in_masses_are_counted_soon(value: bytes):
    data = b'{"a":[' + value * (40_000_000 // len(value)) + b"0]}"
    started = time.process_time()
    with pytest.raises(TooLarge):
        json.decode(data)
    assert time.process_time() - started < 6
