"""Words of every message in English and Chinese, found by its stable id.

One module per area holds `MESSAGES: dict[id, (English, Chinese)]`; `render` looks an id up.
Called by `hub.rest.outcomes` and the command line.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import lru_cache


@lru_cache(maxsize=1)
def catalogue() -> Mapping[str, tuple[str, str]]:
    """All messages by id, collected from the area modules beside this file."""
    found: dict[str, tuple[str, str]] = {}
    for area in pkgutil.iter_modules(__path__):
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
    return (chinese if language.lower().startswith("zh") else english).format_map(arguments)
