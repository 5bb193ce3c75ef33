"""The expansion of a value set: its codes, a page of them, each as it is to be shown.

Spec: https://hl7.org/fhir/R4/valueset-operation-expand.html; what the expansion tells of itself
follows the terminology ecosystem's expectations.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from itertools import chain, islice

from terminology.core.concept_view import View
from terminology.core.enumeration import MOST_FOUND, Chunk, Used, by_text, chunks
from terminology.core.findings import Finding, Refused
from terminology.core.scope import Scope
from terminology.core.shapes import CodeSystem, Resource, ValueSet
from terminology.core.standing import notable
from terminology.core.value_set import Ready, ready

MOST = 1_000
"""Codes of an expansion that is not asked for by pages."""

MOST_PAGE = 10_000
"""Codes of one page."""

MOST_NESTED = 40
"""Levels that codes are shown below each other."""

_VOLATILE = frozenset(("text", "meta", "expansion"))
_LEFT_OUT = _VOLATILE | frozenset(("compose", "description", "purpose", "useContext", "contact"))


@dataclass(frozen=True, slots=True)
class Wish:
    """How a value set is to be expanded.

    Attributes:
        text: Words that a code must have.
        offset: Codes to skip.
        count: Codes to show, None for all.
        active_only: Leave inactive codes out.
        flat: No code stands below another.
        definition: The value set keeps its compose.
        designations: Whether other words are shown.
        chosen: Of which languages or uses, as `system|code`; none: all.
        properties: Properties to show.
        echoed: Parameters that the expansion repeats.
    """

    text: str = ""
    offset: int = 0
    count: int | None = None
    active_only: bool = False
    flat: bool = False
    definition: bool = False
    designations: bool = False
    chosen: tuple[str, ...] = ()
    properties: tuple[str, ...] = ()
    echoed: tuple[Resource, ...] = ()


def expand(scope: Scope, value_set: ValueSet, wish: Wish, timestamp: str) -> Resource:
    """The value set with its expansion.

    Args:
        scope: The content and its rules.
        value_set: The value set.
        wish: How.
        timestamp: Now, as an instant.

    Raises:
        Refused: Content is not there, a filter cannot be answered, or there are too many codes.
        NotLoaded: Content has to be fetched.
    """
    prepared = ready(scope, value_set)
    used = Used()
    found = chunks(scope, prepared, used, wish.active_only)
    scope.require_supplements(list(used.systems.values()))
    complete = True
    if wish.text:
        paged = wish.count is not None
        most = max(wish.offset + (wish.count or 0) + 1, MOST_FOUND) if paged else MOST + 1
        found, complete = by_text(found, wish.text, most)
    total = sum(len(one.ordinals) for one in found)
    count = MOST if wish.count is None else min(wish.count, MOST_PAGE)
    if wish.count is None and total - wish.offset > MOST:
        shown = f"{total}+" if not complete else str(total)
        arguments = {"total": shown, "most": MOST, "url": value_set.canonical}
        raise Refused(Finding("tx-too-costly", arguments={**arguments}, hint="tx-too-costly-hint"))
    view = View(
        scope.languages,
        wish.designations,
        frozenset(wish.chosen),
        frozenset(wish.properties),
        _versions_differ(prepared),
    )
    whole = wish.offset == 0 and count >= total
    if whole and not wish.flat and not prepared.excludes:
        contains = [one for chunk in found for one in _shown(view, chunk, wish)]
    else:
        every = chain.from_iterable(((one, o) for o in one.ordinals) for one in found)
        page = islice(every, wish.offset, wish.offset + count)
        contains = [view.entry(chunk, ordinal) for chunk, ordinal in page]
    expansion: Resource = {}
    declared = view.declaration()
    if declared:
        expansion["extension"] = declared
    expansion |= {"identifier": f"urn:uuid:{uuid.uuid4()}", "timestamp": timestamp}
    if complete:
        expansion["total"] = total
    if wish.offset or wish.count is not None:
        expansion["offset"] = wish.offset
    expansion["parameter"] = [*wish.echoed, *_told(scope, prepared, used)]
    if contains:
        expansion["contains"] = contains
    left_out = _VOLATILE if wish.definition else _LEFT_OUT
    head = {name: one for name, one in value_set.resource.items() if name not in left_out}
    return {**head, "expansion": expansion}


def _versions_differ(prepared: Ready) -> bool:
    """Whether one code system is there in several versions."""
    versions: dict[str, str] = {}
    for branch in prepared.includes:
        part = branch.part
        if part.system and versions.setdefault(part.system, part.version) != part.version:
            return True
    return False


def _shown(view: View, chunk: Chunk, wish: Wish) -> list[Resource]:
    """The codes of a chunk, below each other where the code system has them so."""
    system = chunk.system
    searched = wish.text and not chunk.part.filters
    if system is None or chunk.listed is not None or searched or not system.columns.parents:
        return [view.entry(chunk, ordinal) for ordinal in chunk.ordinals]
    entries = {ordinal: view.entry(chunk, ordinal) for ordinal in chunk.ordinals}
    roots = []
    for ordinal, entry in entries.items():
        above = _above(system, ordinal, entries)
        if above is None:
            roots.append(entry)
        else:
            entries[above].setdefault("contains", []).append(entry)
    return roots


def _above(system: CodeSystem, ordinal: int, entries: dict[int, Resource]) -> int | None:
    """The concept that another is shown under; None: under none, or it would be too deep."""
    if system.is_in_cycle(ordinal):
        return None
    first = step = _parent(system, ordinal, entries)
    for _ in range(MOST_NESTED):
        if step is None:
            return first
        step = _parent(system, step, entries)
    return None


def _parent(system: CodeSystem, ordinal: int, entries: dict[int, Resource]) -> int | None:
    return next((one for one in system.parents(ordinal) if one in entries), None)


def _told(scope: Scope, prepared: Ready, used: Used) -> list[Resource]:
    """What the expansion was made from."""
    made: list[Resource] = [{"name": rule, "valueUri": canonical} for rule, canonical in used.rules]
    for canonical, system in used.systems.items():
        made.append({"name": "used-codesystem", "valueUri": canonical})
        made += [
            {"name": "used-supplement", "valueUri": one.canonical}
            for one in (scope.supplements_of(system) if scope.supplements else ())
        ]
    made += [
        {"name": f"warning-{one.word}", "valueUri": one.canonical}
        for one in notable(prepared.value_set, used.systems.values())
    ]
    made += [{"name": "used-valueset", "valueUri": one} for one in prepared.imported]
    made += [{"name": "unknown-codesystem", "valueUri": one} for one in used.unknown]
    return made
