"""Translation for those who cannot wait: some concept maps, held ready.

Made by `hub.interactions.terminology`, anew whenever a concept map of the record changes; called
by the HL7v2 maps for every local code (a microsecond for one that was asked before).
Spec: https://hl7.org/fhir/R4/conceptmap.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from terminology.core.concept_map import ConceptMap, Target
from terminology.core.translating import Code, Wanted, best, forward

MOST_KEPT = 20_000
"""Answers that are kept; local code lists are smaller."""

_ANY = Wanted()

Codings = list[dict[str, Any]]


class Translator:
    """Translates by concept maps that it was made with."""

    def __init__(
        self, maps: Mapping[str, ConceptMap | None], others: Mapping[str, ConceptMap]
    ) -> None:
        """Hold maps.

        Args:
            maps: By the canonical they are asked by; None for one that is not there.
            others: By canonical, those that they hand codes on to.
        """
        self._maps, self._others = maps, others
        self._answers: dict[tuple[str, str, str], Codings] = {}

    def knows(self, canonical: str) -> bool:
        """Whether it was made with a canonical in mind, be the map there or not."""
        return canonical in self._maps

    @property
    def canonicals(self) -> frozenset[str]:
        """What it was made with."""
        return frozenset(self._maps)

    def __call__(self, canonical: str, system: str, code: str) -> Codings | None:
        """The codings that a map gives for a code, the closest first; none when it has none.

        Args:
            canonical: Of the concept map.
            system: Of the code, "" when it is not known.
            code: The code.

        Returns:
            None when there is no such map.
        """
        key = (canonical, system, code)
        found = self._answers.get(key)
        if found is None:
            concept_map = self._maps.get(canonical)
            if concept_map is None:
                return None
            matches = best(forward(concept_map, Code(system, code), _ANY, self._others))
            found = [_coding(one.target) for one in matches]
            if len(self._answers) >= MOST_KEPT:
                self._answers.clear()
            self._answers[key] = found
        return found


def _coding(target: Target) -> dict[str, Any]:
    made = {"system": target.system, "code": target.code, "display": target.display}
    return {name: content for name, content in made.items() if content}
