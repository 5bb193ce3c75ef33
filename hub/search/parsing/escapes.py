r"""Splits values at `,` `|` and `$`, which a backslash protects.

https://hl7.org/fhir/R4/search.html#escaping. Called by `hub.search.parsing`.
"""

from __future__ import annotations

import re

_ESCAPED = re.compile(r"\\([,|$\\])")


def split(text: str, separator: str, most: int = -1) -> list[str]:
    """Split at unescaped separators; the pieces keep their escapes.

    Args:
        text: A search value.
        separator: One of `,` `|` `$`.
        most: Most splits; -1 for all.
    """
    if "\\" not in text:
        return text.split(separator, most)
    pieces: list[str] = []
    start = place = 0
    while place < len(text) and most != len(pieces):
        if text[place] == "\\":
            place += 1
        elif text[place] == separator:
            pieces.append(text[start:place])
            start = place + 1
        place += 1
    pieces.append(text[start:])
    return pieces


def unescape(text: str) -> str:
    """The text without its escapes; a backslash before anything else stays."""
    return _ESCAPED.sub(r"\1", text) if "\\" in text else text
