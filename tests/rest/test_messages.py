"""Every message that the edge uses has words in both languages, with the same placeholders."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.messages import catalogue

_SOURCES = sorted((Path(__file__).parents[2] / "hub/rest").rglob("*.py"))
_OWN = ("location", "severity")


def _faults() -> Iterator[tuple[str, frozenset[str]]]:
    for source in _SOURCES:
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "fault":
                message = node.args[1]
                if isinstance(message, ast.Constant):
                    names = (word.arg for word in node.keywords if word.arg not in _OWN)
                    yield str(message.value), frozenset(str(name) for name in names)


def _placeholders(text: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name)


@pytest.mark.parametrize(("message", "arguments"), sorted(set(_faults()), key=str))
def test_a_message_has_its_words_and_arguments(message: str, arguments: frozenset[str]) -> None:
    english, chinese = catalogue()[message]
    assert _placeholders(english) == _placeholders(chinese)
    assert _placeholders(english) <= arguments


def test_messages_of_this_edge_are_in_both_languages() -> None:
    from hub.messages.rest import MESSAGES

    for english, chinese in MESSAGES.values():
        assert _placeholders(english) == _placeholders(chinese)
        assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese)
        assert english.endswith(".")
