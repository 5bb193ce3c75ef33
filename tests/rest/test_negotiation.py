"""Formats, languages and encodings by the request's headers."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import BadRequest, HubError, NotAcceptable, UnsupportedMediaType
from hub.rest import negotiation

_CASES = [
    line.split("\t")
    for line in (Path(__file__).parents[1] / "cases/rest/negotiation.tsv").read_text().splitlines()
    if not line.startswith("#")
]


@pytest.mark.parametrize(("accept", "format_", "expected"), _CASES)
def test_the_format_follows_accept_and_format(accept: str, format_: str, expected: str) -> None:
    if expected == "-":
        with pytest.raises(NotAcceptable):
            negotiation.negotiate(accept.encode(), format_.strip())
    else:
        found = negotiation.negotiate(accept.encode() or None, format_.strip())
        assert found.content_type.decode() == expected


def test_pretty_is_a_choice_and_the_default_for_browsers() -> None:
    assert negotiation.negotiate(None, pretty="true").pretty
    browser = b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    assert negotiation.negotiate(browser).pretty
    assert not negotiation.negotiate(browser, pretty="false").pretty
    with pytest.raises(HubError):
        negotiation.negotiate(None, pretty="yes")


def test_only_fhir_formats_asked_for_by_name_are_explicit() -> None:
    assert negotiation.negotiate(b"application/fhir+json").explicit
    assert negotiation.negotiate(None, "json").explicit
    assert not negotiation.negotiate(b"application/json").explicit
    assert not negotiation.negotiate(b"*/*").explicit


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("application/fhir+json", "json"),
        ("application/fhir+json; charset=utf-8; fhirVersion=4.0", "json"),
        ("application/json;charset=US-ASCII", "json"),
        ("text/xml", "xml"),
    ],
)
def test_a_body_is_json_or_xml(content_type: str, expected: str) -> None:
    assert negotiation.body_format(content_type) == expected


@pytest.mark.parametrize(
    ("content_type", "message"),
    [
        (None, "content-type-unsupported"),
        ("", "content-type-unsupported"),
        ("text/plain", "content-type-unsupported"),
        ("application/fhir+json; charset=gbk", "charset-unsupported"),
        ("application/fhir+json; fhirVersion=5.0", "fhir-version-unsupported"),
    ],
)
def test_other_bodies_are_unsupported(content_type: str | None, message: str) -> None:
    with pytest.raises(UnsupportedMediaType) as refused:
        negotiation.body_format(content_type)
    assert refused.value.issues[0].message == message


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, "en"),
        (b"", "en"),
        (b"zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        (b"en;q=0.5, zh-Hant;q=0.7", "zh"),
        (b"fr, zh;q=0", "en"),
        (b"de", "en"),
    ],
)
def test_words_are_english_or_chinese(header: bytes | None, expected: str) -> None:
    assert negotiation.language(header) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, False),
        (b"gzip", True),
        (b"br, gzip;q=0.5", True),
        (b"*", True),
        (b"gzip;q=0, *", False),
        (b"br", False),
    ],
)
def test_gzip_is_used_when_it_is_accepted(header: bytes | None, expected: bool) -> None:
    assert negotiation.gzip_accepted(header) is expected


@given(st.binary(max_size=4096), st.text(max_size=100), st.text(max_size=8))
def test_no_header_breaks_negotiation(accept: bytes, format_: str, pretty: str) -> None:
    negotiation.language(accept)
    negotiation.gzip_accepted(accept)
    negotiation.accepts_media(accept, "application/pdf")
    with suppress(BadRequest, NotAcceptable):
        negotiation.negotiate(accept, format_, pretty)
