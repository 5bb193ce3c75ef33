"""Every message the engine can give has its words in both languages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

import hub.fhirpath
from hub.fhirpath import FHIRPathError, compile
from hub.messages import render
from hub.messages.fhirpath import MESSAGES
from hub.messages.phrases import PHRASES

SOURCES = sorted(Path(hub.fhirpath.__file__).parent.rglob("*.py"))


def test_messages_in_use_and_messages_in_the_table_are_the_same() -> None:
    used = {
        found
        for path in SOURCES
        for found in re.findall(r'"(fhirpath-[a-z-]+)"', path.read_text(encoding="utf-8"))
    }
    assert used == set(MESSAGES)


def test_both_languages_say_the_same_things() -> None:
    def placeholders(text: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    for english, chinese in MESSAGES.values():
        assert placeholders(english) == placeholders(chinese)


_WORDS = {"expected", "found", "what", "service"}
_CALLS = {"unexpected": 0, "wrong_input": 0, "input": 1, "typed": 2}


def _words() -> Iterator[str]:
    """Words that stand inside a message: literal arguments of the calls that make errors."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            given = [word.value for word in node.keywords if word.arg in _WORDS]
            place = _CALLS.get(getattr(node.func, "attr", getattr(node.func, "id", "")))
            if place is not None and len(node.args) > place:
                given.append(node.args[place])
            for value in given:
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    yield value.value


def test_words_inside_a_message_have_chinese_ones() -> None:
    found = {words for words in _words() if " " in words or words.islower()} - {"this"}
    assert len(found) > 15
    assert found <= PHRASES.keys()


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("a b", "应为 结尾"),
        ("a.where(", "应为 值"),
        ("'a", "字符串 没有结尾"),
        ("iif()", "需要 2 到 3 个参数"),
        ("a.", "应为 元素或函数"),
    ],
)
def test_an_error_is_told_in_chinese(expression: str, words: str) -> None:
    with pytest.raises(FHIRPathError) as refused:
        compile(expression)
    (issue,) = refused.value.issues
    text = render(issue.message, issue.arguments, "zh")
    assert not re.search(r"[a-z]{3,} [a-z]{2,}", text), text
    assert words in text
