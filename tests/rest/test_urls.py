"""Paths and queries are read strictly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import BadRequest
from hub.interactions.url import parameters
from hub.rest import urls


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b"", []),
        (b"/", []),
        (b"/Patient", ["Patient"]),
        (b"/Patient/", ["Patient"]),
        (b"/Patient/1/_history/2", ["Patient", "1", "_history", "2"]),
        (b"/Patient/%24everything", ["Patient", "$everything"]),
        (b"/%50atient", ["Patient"]),
        ("/Patient/张".encode(), ["Patient", "张"]),
    ],
)
def test_a_path_is_taken_apart(path: bytes, expected: list[str]) -> None:
    assert urls.segments(path) == expected


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (b"//", "path-segment-empty"),
        (b"/Patient//1", "path-segment-empty"),
        (b"/Patient/..", "path-segment-dots"),
        (b"/Patient/%2e%2E/x", "path-segment-dots"),
        (b"/Patient/.", "path-segment-dots"),
        (b"/Patient/%", "url-escape-broken"),
        (b"/Patient/%zz", "url-escape-broken"),
        (b"/Patient/%2", "url-escape-broken"),
        (b"/Patient/%ff", "url-encoding"),
        (b"/Patient/\xff", "url-encoding"),
        (b"/Patient/%00", "url-control-character"),
        (b"/Patient/a%0d%0ab", "url-control-character"),
        (b"/Patient/\x01", "url-control-character"),
    ],
)
def test_a_bad_path_is_refused(path: bytes, message: str) -> None:
    with pytest.raises(BadRequest) as refused:
        urls.segments(path)
    assert refused.value.issues[0].message == message


def test_a_query_is_decoded_in_order() -> None:
    found = parameters(b"name=a+b&name=%E5%BC%A0&&_count=&x")
    assert found == (("name", "a b"), ("name", "张"), ("_count", ""), ("x", ""))


def test_a_value_may_have_lines() -> None:
    assert parameters(b"expression=a%0Aor%09b") == (("expression", "a\nor\tb"),)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (b"=1", "query-name-missing"),
        (b"a=%", "url-escape-broken"),
        (b"a=%c3%28", "url-encoding"),
        (b"a%00=1", "url-control-character"),
        (b"a%0a=1", "url-control-character"),
        (b"a=%00", "url-control-character"),
        (b"a=%1b", "url-control-character"),
        (b"&".join([b"a=1"] * 1001), "query-too-many"),
    ],
)
def test_a_bad_query_is_refused(query: bytes, message: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parameters(query)
    assert refused.value.issues[0].message == message


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    for read in (lambda: urls.segments(b"/" + raw), lambda: parameters(raw)):
        try:
            read()
        except BadRequest:
            continue
