"""What is known of a segment before its fields are read: which it has, and what conditions ask.

Segments of a sender have few shapes. For each of them a map is compiled again without what it can
never make, and without conditions that are decided. Called by `adapters.hl7v2.mapping.compiler`,
which leaves out what `impossible` names, and by `adapters.hl7v2.mapping.variants`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.hl7v2.mapping.grammar import (
    Compare,
    Condition,
    Count,
    Field,
    Joined,
    Longer,
    MessageWord,
    Source,
    Template,
)

OTHER = "\x00"
"""Text of a field that is none of those it is compared with."""

Loops = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape of segments.

    Attributes:
        segment: `OBX`.
        kind: Of the message, `ADT^A01`.
        present: Bits of the fields that have a text; the first repetition of each is more than
            blanks and delimiters, and not `""`.
        texts: Fields of one letter-and-digit word: the word, or `OTHER`.
        counts: Repetitions of fields, 2 for several.
    """

    segment: str
    kind: str
    present: int
    texts: Mapping[int, str]
    counts: Mapping[int, int]

    def lacks(self, source: Source) -> bool:
        """Whether a source is of this segment, and its fields are empty."""
        if isinstance(source, Template):
            parts = tuple(source.sources)
            return bool(parts) and all(self.lacks(part) for part in parts)
        return (
            isinstance(source, Field)
            and source.segment == self.segment
            and not self.present >> source.number & 1
        )

    @property
    def words(self) -> dict[str, str]:
        """What the kind tells of `MessageWord`."""
        return {"kind": self.kind, "type": self.kind[:3], "trigger": self.kind[4:]}


def impossible(*_: Any) -> Any:
    """Makes nothing: what a segment of this shape never gives."""
    return None


def reduced(condition: Condition, shape: Shape, loops: Loops) -> Condition | bool:
    """What is left to ask of a condition.

    Args:
        condition: Of a segment map.
        shape: Of the segment.
        loops: As `Frame.loops`.
    """
    match condition:
        case Joined("not", (inner,)):
            left = reduced(inner, shape, loops)
            return not left if isinstance(left, bool) else Joined("not", (left,))
        case Joined(by, conditions):
            return _joined(by == "and", condition, [reduced(c, shape, loops) for c in conditions])
        case Compare(source, values):
            return _compared(condition, source, values, shape, loops)
        case Count(source, sign, number):
            count = 0 if shape.lacks(source) else shape.counts.get(source.number)
            if source.segment != shape.segment or count is None:
                return condition
            return _counted(condition, count, sign, number)
        case Longer(source, _) if shape.lacks(source):
            return False
        case _:
            return condition


def _joined(
    all_of_them: bool, condition: Joined, parts: list[Condition | bool]
) -> Condition | bool:
    if any(part is not all_of_them for part in parts if isinstance(part, bool)):
        return not all_of_them
    left = tuple(part for part in parts if not isinstance(part, bool))
    if not left:
        return all_of_them
    return left[0] if len(left) == 1 else Joined(condition.by, left)


def _compared(
    condition: Compare, source: Source, values: frozenset[str], shape: Shape, loops: Loops
) -> Condition | bool:
    if isinstance(source, MessageWord):
        text = shape.words.get(source.word)
        if text is None:
            return condition
        return text in values if values else text != ""
    if shape.lacks(source):
        return "" in values
    if not is_whole(source, shape.segment, loops):
        return condition
    assert isinstance(source, Field)
    if not values:
        return True
    text = shape.texts.get(source.number)
    return condition if text is None else text in values


def is_whole(source: Source, segment: str, loops: Loops) -> bool:
    """Whether a source is the first repetition of a field of a segment."""
    return (
        isinstance(source, Field)
        and source.segment == segment
        and not source.component
        and 0 <= source.repetition <= 1
        and (source.segment, source.number) not in loops
    )


def _counted(condition: Count, count: int, sign: str, number: int) -> Condition | bool:
    if count > 1 and number > 1:
        return condition
    if sign == ">":
        return count > number
    return count < number if sign == "<" else count == number


class Asked:
    """What conditions of segment maps ask of the fields of their segment.

    Attributes:
        texts: (segment, field) and what it is compared with.
        counts: (segment, field) whose repetitions are counted.
    """

    __slots__ = ("counts", "texts")

    def __init__(self) -> None:
        self.texts: dict[tuple[str, int], set[str]] = {}
        self.counts: set[tuple[str, int]] = set()

    def note(self, condition: Condition, segment: str, loops: Loops) -> None:
        """A condition of a map."""
        match condition:
            case Joined(_, conditions):
                for inner in conditions:
                    self.note(inner, segment, loops)
            case Compare(Field() as source, values) if values and is_whole(source, segment, loops):
                self.texts.setdefault((segment, source.number), set()).update(values)
            case Count(source, _, _) if source.segment == segment:
                self.counts.add((segment, source.number))
            case _:
                pass
