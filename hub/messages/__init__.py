"""Words of every message in English and Chinese, found by its stable id.

One module per area holds `MESSAGES: dict[id, (English, Chinese)]`; `render` looks an id up.
Called by `hub.rest.outcomes` and the command line.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from hub.messages.phrases import PHRASES


@dataclass(frozen=True, slots=True)
class Phrase:
    """An argument that is words: they are in the message's language too.

    Attributes:
        english: The words, a key of `PHRASES` unless they are the same in every language.
        arguments: Values for their named placeholders.
    """

    english: str
    arguments: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        """The words in English."""
        return self.text(False)

    def text(self, chinese: bool) -> str:
        """The words in one of the two languages."""
        words = PHRASES.get(self.english, self.english) if chinese else self.english
        return words.format_map(self.arguments) if self.arguments else words


@lru_cache(maxsize=1)
def catalogue() -> Mapping[str, tuple[str, str]]:
    """All messages by id, collected from the area modules beside this file."""
    found: dict[str, tuple[str, str]] = {}
    for area in pkgutil.iter_modules(__path__):
        if not area.name.endswith("phrases"):
            found.update(importlib.import_module(f"{__name__}.{area.name}").MESSAGES)
    return found


def render(message: str, arguments: Mapping[str, object], language: str = "en") -> str:
    """The text of a message.

    Args:
        message: Stable id.
        arguments: Values for its named placeholders.
        language: BCP-47 tag; any `zh` gives Chinese, everything else English.
    """
    english, chinese = catalogue()[message]
    if not language.lower().startswith("zh"):
        return english.format_map(arguments)
    words = {
        name: value.text(True) if isinstance(value, Phrase) else value
        for name, value in arguments.items()
    }
    return chinese.format_map(words)
