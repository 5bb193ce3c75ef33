"""Narratives: the table of cases, against both a reader of XML and one of HTML."""

import time
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.messages import catalogue
from hub.validation.narrative import is_safe, narrative_problem

TABLE = tomllib.loads(
    (Path(__file__).parent.parent / "cases/validation/narratives.toml").read_text()
)


def div(content: str) -> str:
    if content.startswith(("<div xmlns", "<!DOCTYPE", "<?xml")):
        return content
    return f'<div xmlns="http://www.w3.org/1999/xhtml">{content}</div>'


@pytest.mark.parametrize("content", TABLE["good"])
def test_a_safe_narrative_is_accepted(content: str) -> None:
    assert narrative_problem(div(content)) is None


@pytest.mark.parametrize("row", TABLE["bad"], ids=lambda row: row[0])
def test_an_unsafe_narrative_is_refused(row: list[str]) -> None:
    content, message, *whole = row
    found = narrative_problem(content if whole else div(content))
    assert found is not None
    assert found.message == f"validation-narrative-{message}"
    assert "{" not in catalogue()[found.message][0].format_map(found.arguments)


def test_a_namespace_is_needed() -> None:
    assert not is_safe("<div>a</div>")


def test_deep_and_long_narratives_take_no_time() -> None:
    start = time.process_time()
    assert not is_safe(div("<div>" * 100_000))
    assert not is_safe(div("<p>" * 100_000 + "</p>" * 100_000))
    assert is_safe(div("<p>a</p>" * 50_000))
    assert not is_safe("<!DOCTYPE a [<!ENTITY b 'bb'><!ENTITY c '&b;&b;'>]><div>&c;</div>")
    assert time.process_time() - start < 1


class Browser(HTMLParser):
    """What a reader of HTML sees."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


PIECES = st.sampled_from(
    ["<p>", "</p>", "<img src='a'/>", "<!--", "-->", "<![CDATA[", "]]>", ">", "<", "a", "'", '"',
     "<script>", "</script>", " onclick='a()'", "<a href='", "javascript:", "</a>", "&lt;", "&#60;",
     "<b", "/>", "--!>", "<!-->", "<?", "?>", "<style>", "<svg>", "&", ";", "<p title='"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=12).map("".join))
def test_what_is_accepted_has_nothing_active_for_a_reader_of_html(content: str) -> None:
    if is_safe(div(content)):
        browser = Browser()
        browser.feed(div(content))
        for tag, attributes in browser.seen:
            assert tag not in {"script", "style", "svg", "iframe", "object", "embed", "form"}
            assert not any(name.startswith("on") for name in attributes)
            assert not str(attributes.get("href")).strip().startswith("javascript")
