"""What is wrong with a text is told in the hub's own words, in both languages."""

from __future__ import annotations

import re

import pytest

from hub.errors import BadRequest
from hub.messages import render
from hub.messages.phrases import PHRASES
from hub.model import json, xml_read
from hub.model.parser_reasons import JSON_REASONS, XML_REASONS, json_reason, xml_reason

JSON = (
    b'{"a":1,}', b'{"a" 1}', b"{1:2}", b"{'a':1}", b'{"a":1 "b":2}', b'{"a":01}', b'{"a":tru}',
    b'{"a":1.}', b'{"a":1e}', b'{"a":-}', b'{"a":"\\x"}', b'{"a":"\\u12"}', b'{"a":"\n"}',
    b"[1 2]", b"[1,]", b"{} {}", b'{"a":NaN}', b"{/*a*/}", b'{"a":"\\ud800\\u0041"}', b'{"a":+1}',
    b'{"a":"\\ud83d"}', b'{"\\udc00":1}', b'{"a":"\\ud800b"}', b"{}x",
)  # fmt: skip
XML = (
    b"hello", b" ", b"<a", b"<a>", b"<a b>", b"<a b=c/>", b'<a b="c/>', b'<a b="<"/>',
    b'<a b="1" b="2"/>', b"<a></b>", b"<a/><b/>", b"<f:a/>", b'<a f:b="1"/>', b"<a>&foo;</a>",
    b"<a>&foo</a>", b"<a>& b</a>", b"<a>&#0;</a>", b"<a>\x01</a>", b'<a b="\x01"/>',
    b"<a><!-- x -- --></a>", b"<a><!-- </a>", b"<a><?xml?></a>", b"<a><?pi </a>",
    b"<a><![CDATA[ </a>", b"<a>]]></a>", b'<?xml version="1.0"', b'<?xml version="2.0"?><a/>',
    b'<?xml encoding="utf-8"?><a/>', b' <?xml version="1.0"?><a/>', b'<a xmlns:b=""/>',
    b'<a xmlns:xml="x"/>', b'<a xmlns:xmlns="x"/>', b"<1a/>", b"<a:/>", b'<a b="1"c="2"/>',
    b"<a>" * 300, b'<a xmlns:p="u" xmlns:q="u" p:b="1" q:b="2"/>', b"<a>&#99999999;</a>",
    b'<?xml version="1.0" standalone="x"?><a/>', b'<a xmlns="a b"/>', b"<" + b"a" * 60_000 + b"/>",
)  # fmt: skip
_WORDS = re.compile(r"[A-Za-z]{3,} [A-Za-z]{2,}")


def _refused(data: bytes) -> BadRequest:
    read = xml_read.parse if data in XML else json.decode
    with pytest.raises(BadRequest) as refused:
        read(data)
    return refused.value


@pytest.mark.parametrize("data", [*JSON, *XML], ids=lambda data: str(data[:24]))
def test_a_reason_is_in_the_language_of_its_message(data: bytes) -> None:
    (issue,) = _refused(data).issues
    assert issue.message in ("json-syntax", "xml-syntax")
    chinese = render(issue.message, issue.arguments, "zh")
    assert not _WORDS.search(chinese.replace("surrogate pair", "")), chinese
    assert "（" not in chinese or "surrogate" in chinese
    assert len(render(issue.message, issue.arguments)) < 200


def test_every_reason_has_its_words() -> None:
    phrases = {*JSON_REASONS.values(), *(phrase for _, phrase in XML_REASONS)}
    assert phrases <= PHRASES.keys()


def test_an_unknown_reason_is_quoted_in_a_chinese_sentence() -> None:
    for reason in (json_reason("quite new"), xml_reason("quite new, line 1\nand a text")):
        assert str(reason) == "quite new"
        assert reason.text(True) == "语法有误（quite new）"


def test_what_libxml_quotes_of_the_text_is_not_told() -> None:
    (issue,) = _refused(b"<a><!-- x -- --></a>").issues
    assert " x " not in render(issue.message, issue.arguments)


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b'{"a":"\\ud800b"}', (1, 7)),
        (b'{\n "a":"\\\\\\uD83d"}', (2, 9)),
        (b'{"a":"\\ud83d', (1, 7)),
    ],
)
def test_half_of_a_surrogate_pair_is_found(data: bytes, place: tuple[int, int]) -> None:
    (issue,) = _refused(data).issues
    assert str(issue.arguments["reason"]) == "half of a surrogate pair stands alone"
    assert (issue.arguments["line"], issue.arguments["column"]) == place


def test_a_backslash_before_ud800_is_no_surrogate() -> None:
    with pytest.raises(BadRequest, match="json-truncated"):
        json.decode(b'{"a":"\\\\ud800')


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_told_as_such(encoding: str) -> None:
    with pytest.raises(BadRequest, match="json-encoding"):
        json.decode('{"resourceType":"Patient"}'.encode(encoding))
