"""Where in a message something came from: from an element of a resource back to its field.

Called by what stores messages, for errors (`ERR`) and remarks, and by what shows them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from adapters.hl7v2.converted import Mapped, Source
from hub.errors import HubError, Issue

_ENTRY = re.compile(r"Bundle\.entry\[(\d+)\](?:\.resource)?\.?(.*)", re.DOTALL)


def entry(number: int) -> str:
    """The location of a change, from which `in_message` comes back."""
    return f"Bundle.entry[{number}]"


def written(source: Source) -> str:
    """A source as people write it: `PID-5.1`, `OBX[3]-3[2].4`; the first segment without number."""
    segment = source.segment.removesuffix("[1]")
    return f"{segment}-{source.field}" if source.field else segment


def place_of(mapped: Mapped, element: str) -> str:
    """The field that an element came from, as precisely as it is known; "" when it is not.

    Args:
        mapped: The resource of the message.
        element: Path below the resource.
    """
    found = _best(mapped.sources, element)
    return "" if found is None else written(found)


def _best(sources: Sequence[Source], element: str) -> Source | None:
    """The source of an element, else of what is below it, else of what it is part of."""
    for source in sources:
        if source.element == element:
            return source
    while element:
        for source in sources:
            if _is_under(source.element, element):
                return source
        element = above(element)
    return None


def above(path: str) -> str:
    """What an element is part of: `name` of `name[0]`, which `name[0].family` is part of."""
    return path[: max(path.rfind("."), path.rfind("["), 0)]


def _is_under(path: str, element: str) -> bool:
    """Whether a path is an element, below it, or one of its types: `valueQuantity` of `value`."""
    following = path[len(element) : len(element) + 1]
    return path.startswith(element) and (following in ("", ".", "[") or following.isupper())


def in_message(error: HubError, told: Sequence[Sequence[Mapped]]) -> tuple[Issue, ...]:
    """The issues of an error of the record, each at its field.

    Args:
        error: Its locations name entries as `entry` does, or fields already.
        told: For each entry the resources of the message that went into it.
    """
    return tuple(_moved(issue, told) for issue in error.issues)


def _moved(issue: Issue, told: Sequence[Sequence[Mapped]]) -> Issue:
    match = _ENTRY.fullmatch(issue.location)
    if match is None:
        return issue
    number = int(match[1])
    sources = told[number] if number < len(told) else ()
    for mapped in sources:
        if found := place_of(mapped, match[2]):
            return replace(issue, location=found)
    for mapped in sources:
        if mapped.sources:  # At least the segment.
            return replace(issue, location=mapped.sources[0].segment.removesuffix("[1]"))
    return replace(issue, location="")
