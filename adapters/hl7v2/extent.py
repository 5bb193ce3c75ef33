"""How much a message may consist of: what is small in bytes can be much to work on.

The bytes are bound by the listener; here the parts are, before a message is taken apart or
anything is made of them. Called by `adapters.hl7v2.message.parse`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from hub.errors import Unprocessable, fault

MOST_SEGMENTS = 25_000
MOST_MERGES = 500
MOST_FIELDS = 1_000_000
MOST_REPETITIONS = 50_000
"""Of all fields together; arrays of measured values are not counted."""
MOST_IN_FIELD = 1_000
"""Of a field that is none of OBX: names, identifiers, addresses."""

_ARRAYS = frozenset(("NA", "MA", "CD"))


class _Segment(Protocol):
    """What is looked at of a segment."""

    @property
    def name(self) -> str: ...

    @property
    def ordinal(self) -> int: ...

    @property
    def fields(self) -> Sequence[str]: ...


def check_parts(segments: int, fields: int) -> None:
    """Refuse a text with too many parts.

    Args:
        segments: How many line ends it has.
        fields: How many field delimiters.

    Raises:
        Unprocessable: It has too many.
    """
    if segments > MOST_SEGMENTS:
        raise Unprocessable(fault("too-long", "hl7v2-segments-many", "", limit=MOST_SEGMENTS))
    if fields > MOST_FIELDS:
        raise Unprocessable(fault("too-long", "hl7v2-fields-many", "", limit=MOST_FIELDS))


def check_merges(merges: int) -> None:
    """Refuse a message that merges too much: each record may follow from all others.

    Args:
        merges: How many MRG segments it has.

    Raises:
        Unprocessable: Too many.
    """
    if merges > MOST_MERGES:
        raise Unprocessable(fault("too-long", "hl7v2-segments-many", "MRG", limit=MOST_MERGES))


def check_repetitions(segments: Iterable[_Segment], repetition: str) -> None:
    """Refuse fields that repeat too often.

    Args:
        segments: Of a message that has more than `MOST_IN_FIELD` delimiters of repetitions.
        repetition: The delimiter.

    Raises:
        Unprocessable: A field does, or all together; the location is where it was seen.
    """
    found = 0
    for segment in segments:
        fields, result = segment.fields, segment.name == "OBX"
        array = result and len(fields) > 2 and fields[2] in _ARRAYS
        for number, text in enumerate(fields):
            if array and number == 5:
                continue
            count = text.count(repetition)
            if not count:
                continue
            found += count
            many = not result and count >= MOST_IN_FIELD
            if many or found > MOST_REPETITIONS:
                limit = MOST_IN_FIELD if many else MOST_REPETITIONS
                place = f"{segment.name}[{segment.ordinal}]-{number}"
                raise Unprocessable(fault("too-long", "hl7v2-repetitions-many", place, limit=limit))
