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
_SAMPLES, _SAMPLE = 16, 8_192
"""Pieces of the text, and their characters, in which words are counted to find the rarest."""


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
        rarest = min(words, key=self._frequency) if len(words) > 1 else words[0]
        others = [word for word in words if word != rarest]
        find, text, starts = self.text.find, self.text, self.starts
        place = find(rarest)
        while place >= 0:
            end = find(_END, place)
            if others:
                start = text.rfind(_END, 0, place) + 1
                for word in others:
                    if find(word, start, end) < 0:
                        break
                else:
                    yield bisect_right(starts, place) - 1
            else:
                yield bisect_right(starts, place) - 1
            place = find(rarest, end)

    def _frequency(self, word: str) -> int:
        """How often a word occurs in some of the text."""
        return sum(
            self.text.count(word, start, start + _SAMPLE)
            for start in range(0, len(self.text), max(_SAMPLE, len(self.text) // _SAMPLES))
        )


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
