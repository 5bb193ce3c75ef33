"""Every message the engine can give has its words in both languages."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import hub.fhirpath
from hub.messages.fhirpath import MESSAGES

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
