"""hub.model.json: lossless and guarded."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest

from hub.errors import BadRequest
from hub.messages import render
from hub.model import json


def refused(data: bytes, message: str, **arguments: object) -> None:
    with pytest.raises(BadRequest) as caught:
        json.decode(data)
    (issue,) = caught.value.issues
    assert issue.message == message
    for name, value in arguments.items():
        assert issue.arguments[name] == value
    assert render(issue.message, issue.arguments)
    assert render(issue.message, issue.arguments, "zh-CN")


@pytest.mark.parametrize(
    "text",
    [
        '{"value":1.00}',
        '{"value":-0.0}',
        '{"value":100}',
        '{"value":185.123456789012345678901234567890}',
        '{"value":123456789012345678901234567890}',
        '{"value":0.000001}',
        '{"a":[null,"x"],"_a":[{"id":"1"},null]}',
        '{"name":"张　三","emoji":"😀","text":"a\\"b\\\\c\\n"}',
        '{"div":"<div xmlns=\\"http://www.w3.org/1999/xhtml\\">{[]}</div>"}',
        "{}",
    ],
)
def test_what_was_read_is_written_as_it_was(text):
    data = text.encode()
    assert json.encode(json.decode(data)) == data
    assert json.encode(json.load(data)) == data


def test_numbers_keep_their_kind_and_digits():
    assert json.decode(b'{"a":1}') == {"a": 1}
    found = json.decode(b'{"a":1.00,"b":1e2}')
    assert str(found["a"]) == "1.00"
    assert found["b"] == Decimal(100)


def test_a_byte_order_mark_is_skipped():
    assert json.decode(b'\xef\xbb\xbf{"a":1}') == {"a": 1}


def test_escaped_brackets_are_no_duplicates():
    assert json.decode(b'{"a":"\\u007b\\u005b","b":"\\u0022:","c":"}\\\\"}') == {
        "a": "{[",
        "b": '":',
        "c": "}\\",
    }


@pytest.mark.parametrize(
    ("data", "line", "column"),
    [
        (b'{"a":1,}', 1, 8),
        (b'{\n  "a": tru\n}', 3, 1),
        (b"{'a':1}", 1, 2),
        (b'{"a":01}', 1, 7),
        (b'{"a":NaN}', 1, 6),
        (b'{"a":1}{', 1, 9),
        (b'{"a":"\x01"}', 1, 7),
        (b'{"a":"\x00"}', 1, 7),
        (b'{"a":"\\udc00"}', 1, 13),
    ],
)
def test_a_syntax_error_names_line_and_column(data, line, column):
    refused(data, "json-syntax", line=line, column=column)


@pytest.mark.parametrize("data", [b"", b" ", b'{"a":', b'{"a":"b', b"{", b"["])
def test_json_that_ends_in_the_middle(data):
    refused(data, "json-truncated")


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":"\xff"}',
        b'{"\xff":1}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":"\xc0\xaf"}',
        '{"a":1}'.encode("utf-16"),
        '{"name":"张三"}'.encode("gb18030"),
    ],
)
def test_other_encodings_are_refused(data):
    refused(data, "json-encoding")


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (b'{"a":1,"a":2}', "a"),
        (b'{"a":1,"a":1}', "a"),
        (b'{"x":{"id":"1","id":"1"}}', "id"),
        (b'{"x":[{"b":[],"b":[]}]}', "b"),
        (b'{"a":1,"\\u0061":2}', "a"),
        (b'{"a":"\\u0022:","b":1,"b":2}', "b"),
        (b'{"a":{},"a":{"b":"\\u007b"}}', "a"),
        (b'{"a":"\\"","a":"\\\\"}', "a"),
        (b'{"":1,"":2}', ""),
    ],
)
def test_a_duplicate_key_is_named(data, key):
    refused(data, "json-duplicate-key", key=key)


def nested(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


def test_nesting_is_limited():
    assert json.decode(nested(100))
    refused(nested(101), "json-depth", limit=100)
    refused(nested(10_000), "json-depth")
    refused(b"[" * 1_000_000, "json-depth")
    refused(b'{"a":' * 500_000, "json-depth")


def test_brackets_in_strings_neither_hide_nor_feign_depth():
    assert json.decode(b'{"a":"' + b"[" * 500 + b'"}')
    hidden = b'{"a":["]",' * 60 + b'"x"' + b',"["]}' * 60
    refused(hidden, "json-depth")
    assert json.decode(b'{"a":[' + b'"]","[",' * 200 + b"[]]}")


def test_arrays_and_scalars_are_not_resources():
    for data in (b"[]", b"1", b'"a"', b"null", b"true"):
        refused(data, "not-an-object")


@pytest.mark.parametrize(
    "number",
    [
        "1E+999999999",
        "1e-999999999",
        "1E+99999999999999999999",
        "1e401",
        "1." + "0" * 200,
        "1" * 5000,
    ],
)
def test_numbers_that_exhaust_arithmetic_are_refused(number):
    refused(f'{{"a":{number}}}'.encode(), "json-number-range")


def test_nul_is_refused_but_its_escape_as_text_is_not():
    refused(b'{"a":"\\u0000"}', "json-control-character")
    refused(b'{"a\\u0000":1}', "json-control-character")
    assert json.decode(b'{"a":"\\\\u0000"}') == {"a": "\\u0000"}


def test_pretty_json_is_indented():
    assert json.encode_pretty({"a": [1, Decimal("1.0")]}) == b'{\n  "a": [\n    1,\n    1.0\n  ]\n}'
    assert json.encode_pretty(b'{"a":1}') == b'{\n  "a": 1\n}'


def test_time_grows_with_the_size_only():
    start = time.process_time()
    json.decode(b'{"a":[' + b"[]," * 300_000 + b"[]]}")
    json.decode(b'{"a":"' + b'\\"' * 1_000_000 + b'"}')
    json.decode(b'{"a":"' + b"\\\\" * 1_000_000 + b'"}')
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"resourceType":"Patient","id":"a","id":"b"}', "Patient"),
        (
            '{"resourceType":"Patient","name":[{},{"period":{"start":"1","st\\u0061rt":"2"}}]}',
            "Patient.name[1].period",
        ),
        (
            '{"resourceType":"Observation","valueQuantity":{"value":1,"value":2},'
            '"component":[{"code":{},"code":{}}]}',
            "Observation.value",
        ),
        (
            '{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Observation",'
            '"effectivePeriod":{"start":"1","start":"2"}}}]}',
            "Bundle.entry[0].resource.effective",
        ),
        ('{"resourceType":"Patient","_birthDate":{"id":"a","id":"a"}}', "Patient.birthDate"),
        ('{"a":1,"a":2}', ""),
    ],
)
def test_a_repeated_key_is_located(text: str, place: str) -> None:
    with pytest.raises(BadRequest) as refused:
        json.decode(text.encode())
    (issue,) = refused.value.issues
    assert (issue.message, issue.location) == ("json-duplicate-key", place)
