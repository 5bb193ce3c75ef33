"""Finding concepts by words of their displays, designations and codes.

All words of a code system stand in one long string with the place of each concept, so that a
search runs in C: 100,000 concepts take about a millisecond for a rare word. Case does not
matter; a part of a word is enough, as Chinese needs it. Called by expansion.
Spec: https://hl7.org/fhir/R4/valueset-operation-expand.html (filter)
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from terminology.core.shapes import CodeSystem

_END = "\x00"
_MOST_WORDS = 20


@dataclass(frozen=True, slots=True)
class TextIndex:
    """The words of a code system.

    Attributes:
        text: Of all concepts, folded, each ended by a NUL.
        starts: Where each concept's begins.
    """

    text: str
    starts: array[int]

    def search(self, words: Sequence[str]) -> Iterator[int]:
        """Ordinals of the concepts that have all words, in order.

        Args:
            words: Folded, at least one.
        """
        rarest = words[0] if len(words) == 1 else min(words, key=self.text.count)
        others = [word for word in words if word != rarest]
        find, text, starts = self.text.find, self.text, self.starts
        place = find(rarest)
        while place >= 0:
            ordinal = bisect_right(starts, place) - 1
            end = starts[ordinal + 1] if ordinal + 1 < len(starts) else len(text)
            if all(find(word, starts[ordinal], end) >= 0 for word in others):
                yield ordinal
            place = find(rarest, end)


def words_of(asked: str) -> list[str]:
    """The words of a filter, folded; none: everything."""
    return asked.replace(_END, " ").casefold().split()[:_MOST_WORDS]


def text_index(system: CodeSystem) -> TextIndex:
    """The words of a code system, gathered once."""
    found: TextIndex | None = system.kept.get("text")
    if found is None:
        starts, pieces, place = array("L"), [], 0
        for ordinal in range(len(system)):
            piece = searched(system, ordinal) + _END
            starts.append(place)
            pieces.append(piece)
            place += len(piece)
        found = system.kept["text"] = TextIndex("".join(pieces), starts)
    return found


def searched(system: CodeSystem, ordinal: int) -> str:
    """What is searched of one concept, folded."""
    words = [system.display(ordinal), system.code(ordinal)]
    words += [one.value for one in system.designations(ordinal)]
    return "\n".join(words).replace(_END, " ").casefold()
