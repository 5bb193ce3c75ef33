"""Translation of codes by concept maps: forward, backward, what is unmapped, what it depends on.

Called by `$translate` and, through `terminology.core.translator`, by the HL7v2 maps.
Spec: https://hl7.org/fhir/R4/conceptmap.html, conceptmap-operation-translate.html
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from terminology.core.concept_map import ConceptMap, Group, Other, Target, Unmapped, bare

MOST_MAPS = 8
"""Maps that one code may be handed on through (`other-map`)."""

MOST_OTHERS = 100
"""Maps that are fetched because others hand codes on to them."""

NO_TRANSLATION = frozenset(("unmatched", "disjoint"))
"""Equivalences that say what a code is not."""


class Code(NamedTuple):
    """A code to translate; the system may be "" when the caller does not know it."""

    system: str
    code: str
    version: str = ""
    display: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """One translation.

    Attributes:
        target: The side of the targets: what was found, backward what was asked about.
        source: The side of the sources.
        map: Canonical of the map it stands in, with its version.
    """

    target: Target
    source: Code
    map: str

    @property
    def positive(self) -> bool:
        """Whether it says what the code is, not what it is not."""
        return bool(self.target.code) and self.target.equivalence not in NO_TRANSLATION


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a translation is limited to.

    Attributes:
        target_system: Code system of the results, which backward are the sources; "" for any.
        source_scope: Value set the code is from, "" for any; maps that name another are left out.
        target_scope: Value set the translation is for, "" for any.
        dependencies: Property to system and code of what is known besides.
    """

    target_system: str = ""
    source_scope: str = ""
    target_scope: str = ""
    dependencies: Mapping[str, frozenset[tuple[str, str]]] = field(default_factory=dict)


def fits(concept_map: ConceptMap, code: Code, wanted: Wanted, *, reverse: bool = False) -> bool:
    """Whether a map that nobody named is one for this question.

    Args:
        concept_map: The map.
        code: What is to be translated.
        wanted: What it is limited to.
        reverse: Whether the code is on the side of the targets.
    """
    for asked, has in (
        (wanted.source_scope, concept_map.source_scope),
        (wanted.target_scope, concept_map.target_scope),
    ):
        if asked and has and bare(asked) != has:
            return False
    return any(_is_for(group, code, wanted, reverse=reverse) for group in concept_map.groups)


def forward(
    concept_map: ConceptMap,
    code: Code,
    wanted: Wanted,
    others: Mapping[str, ConceptMap],
    asked: set[str] | None = None,
    depth: int = 1,
) -> Iterator[Match]:
    """What a map says of a code.

    Args:
        concept_map: The map.
        code: The code; without a system it is looked for in every group.
        wanted: What is asked for.
        others: Canonical to map, for what is handed on (`other_maps`).
        asked: Canonicals of the maps that were asked for this code: none is asked again, on
            whatever way it is reached.
        depth: Maps on the way here, this one too.
    """
    asked = set() if asked is None else asked
    asked.add(concept_map.canonical)
    groups = [one for one in concept_map.groups if _is_for(one, code, wanted, reverse=False)]
    listed = False
    for group in groups:
        for target in group.targets.get(code.code, ()):
            listed = True
            if _holds(target.depends_on, wanted.dependencies):
                source = Code(group.source or code.system, code.code, display=code.display)
                yield Match(target, source, concept_map.canonical)
        listed = listed or code.code in group.targets
    if listed:
        return
    for group in groups:
        rest = group.unmapped
        if rest is None:
            continue
        if rest.mode != "other-map":
            yield from _fixed(concept_map, group, rest, code)
            continue
        other = others.get(rest.url)
        if other is not None and other.canonical not in asked and depth < MOST_MAPS:
            yield from forward(other, code, wanted, others, asked, depth + 1)


def _fixed(concept_map: ConceptMap, group: Group, rest: Unmapped, code: Code) -> Iterator[Match]:
    """The code that a group has for whatever no group lists, or the code as it came."""
    found, display = rest.code, rest.display
    if rest.mode == "provided":
        found, display = code.code, code.display
    if found and (rest.mode in ("fixed", "provided")):
        target = Target(group.target, group.target_version, found, display, rest.equivalence)
        yield Match(target, Code(group.source or code.system, code.code), concept_map.canonical)


def backward(concept_map: ConceptMap, code: Code, wanted: Wanted) -> Iterator[Match]:
    """The codes that a map maps to a code.

    Args:
        concept_map: The map.
        code: A code on the side of the targets.
        wanted: `target_system` limits the side of the sources, for they are what is found.
    """
    for group in concept_map.groups:
        if not _is_for(group, code, wanted, reverse=True):
            continue
        for source, target in group.sources.get(code.code, ()):
            if _holds(target.depends_on, wanted.dependencies):
                found = Code(
                    group.source, source, group.source_version, group.displays.get(source, "")
                )
                yield Match(target, found, concept_map.canonical)


def other_maps(concept_map: ConceptMap) -> Iterator[str]:
    """Canonicals of the maps that it hands codes on to."""
    for group in concept_map.groups:
        if group.unmapped is not None and group.unmapped.mode == "other-map" and group.unmapped.url:
            yield group.unmapped.url


async def with_others(
    maps: Iterable[ConceptMap], find: Callable[[str], Awaitable[ConceptMap | None]]
) -> Mapping[str, ConceptMap]:
    """The maps that some maps hand codes on to, and those that these do.

    Args:
        maps: Where to begin.
        find: A map by its canonical.
    """
    others: dict[str, ConceptMap] = {}
    missing: set[str] = set()
    waiting = [url for one in maps for url in other_maps(one)]
    while waiting and len(others) < MOST_OTHERS:
        url = waiting.pop()
        if url in others or url in missing:
            continue
        found = await find(url)
        if found is None:
            missing.add(url)
            continue
        others[url] = found
        waiting.extend(other_maps(found))
    return others


def best(matches: Iterable[Match]) -> Sequence[Match]:
    """The matches that say what a code is, the closest first.

    Args:
        matches: In the order of the map.
    """
    order = ("equal", "equivalent", "wider", "subsumes", "relatedto", "inexact")
    place = {name: number for number, name in enumerate(order)}
    positive = [one for one in matches if one.positive]
    return sorted(positive, key=lambda one: place.get(one.target.equivalence, len(order)))


def _is_for(group: Group, code: Code, wanted: Wanted, *, reverse: bool) -> bool:
    """Whether a group speaks of a code's system, and of the system that is wanted."""
    system, version, other = group.source, group.source_version, group.target
    if reverse:
        system, version, other = group.target, group.target_version, group.source
    if code.system and system and system != code.system:
        return False
    if code.version and version and version != code.version:
        return False
    return not wanted.target_system or not other or other == wanted.target_system


def _holds(depends_on: tuple[Other, ...], known: Mapping[str, frozenset[tuple[str, str]]]) -> bool:
    return all(
        any(
            value == one.value and (not one.system or not system or system == one.system)
            for system, value in known.get(one.property, ())
        )
        for one in depends_on
    )
