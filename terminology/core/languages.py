"""Which word of a concept is shown, and which words are right, by language.

What is asked for is written as in Accept-Language: `de,it`, `zh-CN, zh;q=0.8, *;q=0`. A star
with q=0 refuses what stands in no language asked for; otherwise the display of the code system
stands in. Called by expansion, validation and lookup.
Spec: RFC 9110, 12.5.4; https://hl7.org/fhir/R4/valueset-operation-expand.html (displayLanguage)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from terminology.core.shapes import Designation

PREFERRED = "http://terminology.hl7.org/CodeSystem/hl7TermMaintInfra"
_DISPLAY_USES = frozenset(
    (
        (PREFERRED, "preferredForLanguage"),
        ("http://terminology.hl7.org/CodeSystem/designation-usage", "display"),
        ("http://snomed.info/sct", "900000000000013009"),
        ("http://snomed.info/sct", "900000000000003001"),
    )
)
_MOST_TAGS = 20
_LONGEST = 1_000


@dataclass(frozen=True, slots=True)
class Languages:
    """What languages are asked for.

    Attributes:
        asked: As it was written, "" for nothing.
        tags: In order of preference, without the star.
        strict: Nothing else will do.
    """

    asked: str = ""
    tags: tuple[str, ...] = ()
    strict: bool = False

    def score(self, language: str) -> int:
        """How well a language fits: 0 not at all, else the higher the better."""
        best = 0
        for place, tag in enumerate(self.tags):
            fit = _fit(tag, language.lower())
            if fit:
                best = max(best, (len(self.tags) - place) * 4 + fit)
        return best

    @property
    def shown(self) -> str:
        """For messages; `--` for any language."""
        return ", ".join(self.tags) or "--"


def _fit(tag: str, language: str) -> int:
    if tag == language:
        return 3
    if language.startswith(f"{tag}-"):
        return 2
    return int(bool(language) and tag.split("-")[0] == language.split("-")[0])


def languages(asked: str) -> Languages:
    """Read what is asked for; what cannot be read in it is passed over.

    Args:
        asked: As in Accept-Language; what is too long to be that asks for nothing.
    """
    return _read(asked) if len(asked) <= _LONGEST else Languages()


@lru_cache(maxsize=256)
def _read(asked: str) -> Languages:
    weighed: list[tuple[float, str]] = []
    strict = False
    for part in asked.split(",")[:_MOST_TAGS]:
        tag, _, rest = part.strip().partition(";")
        tag = tag.strip().lower()
        weight = _weight(rest)
        if tag == "*":
            strict = weight == 0
        elif tag and weight > 0:
            weighed.append((-weight, tag))
    weighed.sort(key=lambda one: one[0])
    return Languages(asked, tuple(tag for _, tag in weighed), strict)


def _weight(rest: str) -> float:
    name, _, number = rest.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(max(float(number), 0.0), 1.0)
    except ValueError:
        return 1.0


def is_display(designation: Designation) -> bool:
    """Whether a designation is a word to show, not one for another use."""
    use = designation.use
    return not use or (str(use.get("system")), str(use.get("code"))) in _DISPLAY_USES


@dataclass(frozen=True, slots=True)
class Shown:
    """The word that was chosen.

    Attributes:
        display: "" when there is none.
        others: Designations that remain, the display of the code system among them when
            another word was chosen.
    """

    display: str
    others: Sequence[Designation]


def shown(
    display: str, language: str, designations: Sequence[Designation], wanted: Languages
) -> Shown:
    """Choose the word to show.

    Args:
        display: That of the code system, "" without.
        language: Its language, "" when not known.
        designations: The other words.
        wanted: What is asked for.
    """
    if not wanted.tags and not wanted.strict:
        return Shown(display, designations)
    best, chosen = wanted.score(language) * 2 + 1 if display and wanted.score(language) else 0, -1
    for place, one in enumerate(designations):
        score = wanted.score(one.language) * 2
        if score > best and is_display(one):
            best, chosen = score, place
    if chosen >= 0:
        others = [one for place, one in enumerate(designations) if place != chosen]
        if display:
            others.insert(0, own_display(display, language))
        return Shown(designations[chosen].value, others)
    if best or not wanted.strict or not language:
        return Shown(display, designations)
    return Shown("", [own_display(display, language), *designations] if display else designations)


def own_display(display: str, language: str) -> Designation:
    """The display of a code system as a designation."""
    use = {
        "system": PREFERRED,
        "code": "preferredForLanguage",
        "display": "Preferred For Language",
    }
    return Designation(display, language, use)


def fitting(words: Iterable[tuple[str, str]], wanted: Languages) -> list[tuple[str, str]]:
    """Those words that stand in a language asked for; a word without a language does always.

    Args:
        words: Word and language.
        wanted: What is asked for.
    """
    if not wanted.tags:
        return list(words)
    return [one for one in words if not one[1] or wanted.score(one[1])]
