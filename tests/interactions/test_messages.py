"""Every message that the interactions raise has words in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import hub.interactions
from hub.messages import catalogue


def test_every_message_has_words() -> None:
    folder = Path(next(iter(hub.interactions.__path__)))
    raised = {
        name
        for path in folder.glob("*.py")
        for name in re.findall(
            r'fault\(\s*"[a-z-]+",\s*"([a-z0-9-]+)"', path.read_text(encoding="utf-8")
        )
    }
    raised |= {
        name
        for path in folder.glob("*patch.py")
        for name in re.findall(r'"((?:path-)?patch-[a-z-]+)"', path.read_text(encoding="utf-8"))
    }
    assert len(raised) > 40
    assert raised <= catalogue().keys()


def test_no_message_is_left_over() -> None:
    from hub.messages.interactions import MESSAGES

    sources = "".join(
        path.read_text(encoding="utf-8")
        for path in Path(next(iter(hub.interactions.__path__))).parent.rglob("*.py")
        if "messages" not in path.parts
    )
    assert [name for name in MESSAGES if f'"{name}"' not in sources] == []
