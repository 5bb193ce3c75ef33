"""Conditions, preferences, dates and repeated headers."""

from __future__ import annotations

import time

import pytest

from hub.errors import BadRequest
from hub.rest import headers
from hub.rest.headers import Preference
from hub.storage.port import Stored

_UPDATED = 1_793_000_000_123
_STORED = Stored("Patient", "1", 3, _UPDATED, 9, "PUT", b"}}")


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({}, False),
        ({b"if-none-match": b'W/"3"'}, True),
        ({b"if-none-match": b'"3"'}, True),
        ({b"if-none-match": b'W/"2", W/"3"'}, True),
        ({b"if-none-match": b"*"}, True),
        ({b"if-none-match": b'W/"2"'}, False),
        ({b"if-none-match": b"3"}, False),
        ({b"if-modified-since": headers.http_date(_UPDATED // 1000)}, True),
        ({b"if-modified-since": headers.http_date(_UPDATED // 1000 - 1)}, False),
        ({b"if-modified-since": b"yesterday"}, False),
        ({b"if-modified-since": b"Mon, 01 Jan 99999 00:00:00 GMT"}, False),
        (
            {
                b"if-none-match": b'W/"2"',
                b"if-modified-since": headers.http_date(_UPDATED // 1000),
            },
            False,
        ),
    ],
)
def test_a_conditional_read_finds_what_is_new(sent: dict[bytes, bytes], expected: bool) -> None:
    assert headers.not_modified(sent, _STORED) is expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, Preference()),
        (b"return=minimal", Preference("minimal")),
        (b"RETURN=Representation", Preference("representation")),
        (b'return="OperationOutcome"; handling=strict', Preference("OperationOutcome", True)),
        (b"respond-async, handling=lenient", Preference()),
        (b"return=everything", Preference()),
        (b"\xff\x00=;,,=", Preference()),
    ],
)
def test_preferences_are_read(header: bytes | None, expected: Preference) -> None:
    assert headers.preference(header) == expected


def test_repeated_list_headers_are_joined() -> None:
    found = headers.collect([(b"accept", b"a/b"), (b"accept", b"c/d"), (b"host", b"x")])
    assert found == {b"accept": b"a/b, c/d", b"host": b"x"}


def test_a_single_header_sent_twice_is_refused_unless_it_says_the_same() -> None:
    assert headers.collect([(b"host", b"x"), (b"host", b"x")]) == {b"host": b"x"}
    with pytest.raises(BadRequest) as refused:
        headers.collect([(b"if-match", b'W/"1"'), (b"if-match", b'W/"2"')])
    assert refused.value.issues[0].message == "header-repeated"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"abc-1.2_3", True),
        (b"a" * 64, True),
        (b"a" * 65, False),
        (b"", False),
        (b"a b", False),
        (b'a"b', False),
        (b"a\n", False),
        ("张".encode(), False),
        (None, False),
    ],
)
def test_only_harmless_request_ids_are_taken_over(value: bytes | None, expected: bool) -> None:
    assert headers.valid_request_id(value) is expected


def test_versions_have_etag_and_date() -> None:
    assert headers.version_headers(_STORED) == (
        (b"etag", b'W/"3"'),
        (b"last-modified", b"Mon, 26 Oct 2026 07:33:20 GMT"),
    )


@pytest.mark.parametrize(
    "text",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:37 -0000",
    ],
)
def test_every_form_of_a_date_is_in_utc_wherever_the_hub_stands(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    try:
        assert headers.http_seconds(text) == 784111777
    finally:
        monkeypatch.undo()
        time.tzset()
