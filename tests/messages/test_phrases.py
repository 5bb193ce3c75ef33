"""The words inside messages are in the language of the message."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import hub
from hub.messages import Phrase, render
from hub.messages.phrases import PHRASES

SOURCES = sorted(Path(next(iter(hub.__path__))).rglob("*.py"))
# Calls that make a phrase, and which argument it is.
MAKERS = {"invalid": 1, "_malformed": 1, "_refuse": 0, "Phrase": 0, "expected": 0, "take": 1}
FOLDERS = ("search", "interactions")
_WORDS = re.compile(r"\b(?:a|an|the|of|must|not|is|or|and|no|missing|some|one|has)\b")


def _phrases() -> Iterator[str]:
    for path in SOURCES:
        if not set(FOLDERS) & set(path.parts):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            place = MAKERS.get(name)
            if place is None or len(node.args) <= place:
                continue
            argument = node.args[place]
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield argument.value


def test_every_phrase_that_is_words_has_chinese_ones() -> None:
    found = {phrase for phrase in _phrases() if _WORDS.search(phrase)}
    assert len(found) > 30
    assert found <= PHRASES.keys()


def test_placeholders_are_the_same_in_both_languages() -> None:
    for english, chinese in PHRASES.items():
        assert set(re.findall(r"{\w+}", english)) == set(re.findall(r"{\w+}", chinese))


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "move needs path, source"), ("zh-CN", "move 需要 path, source")],
)
def test_a_phrase_speaks_the_language_of_its_message(language: str, words: str) -> None:
    phrase = Phrase("{type} needs {names}", {"type": "move", "names": "path, source"})
    assert words in render("path-patch-syntax", {"number": 1, "reason": phrase}, language)


def test_a_date_that_is_none_is_told_in_chinese_only() -> None:
    expected = Phrase("a date as 2026, 2026-03, 2026-03-01 or 2026-03-01T08:00:00+08:00")
    text = render("search-value-invalid", {"name": "date", "expected": expected}, "zh")
    assert "a date" not in text
    assert "日期" in text
