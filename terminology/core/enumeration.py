"""The codes of a value set, in order and each once: numbers of concepts, not yet words.

Called by expansion. A value set is some chunks, each of one code system; what is large stays a
range until a page of it is asked for.
Spec: https://hl7.org/fhir/R4/valueset.html#compositions
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from terminology.core.effort import BRANCH, CODE, COMPARED
from terminology.core.filters import matching
from terminology.core.findings import Finding, Refused
from terminology.core.membership import unknown_system
from terminology.core.scope import Scope
from terminology.core.shapes import CodeSystem, Resource, objects
from terminology.core.text import text_index, words_of
from terminology.core.value_set import Branch, Part, Ready

Key = tuple[str, str]

MOST_FOUND = 5_000
"""Hits of a text filter that are counted; beyond them there is no total."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Codes of one include.

    Attributes:
        part: The include.
        system: Its code system; None when only the value set lists its codes.
        ordinals: Concepts in order; without a code system, places in `codes`.
        listed: What the include says of its codes; None when it lists none.
        codes: The codes themselves when there is no code system.
    """

    part: Part
    system: CodeSystem | None
    ordinals: Sequence[int]
    listed: dict[str, Resource] | None = None
    codes: tuple[str, ...] = ()

    def code(self, ordinal: int) -> str:
        """The code of one of its ordinals."""
        return self.codes[ordinal] if self.system is None else self.system.code(ordinal)

    def keep(self, wanted: Iterable[int]) -> Chunk:
        """The same with other ordinals."""
        return replace(self, ordinals=array("L", wanted))


@dataclass(slots=True)
class Used:
    """What an enumeration drew on.

    Attributes:
        systems: Code systems by canonical.
        rules: Names of the version rules that acted, with the canonical they gave.
        unknown: Urls of code systems that are not there, whose codes were taken as listed.
    """

    systems: dict[str, CodeSystem] = field(default_factory=dict)
    rules: dict[tuple[str, str], None] = field(default_factory=dict)
    unknown: dict[str, None] = field(default_factory=dict)


def chunks(scope: Scope, ready: Ready, used: Used, active_only: bool = False) -> list[Chunk]:
    """The codes of a value set.

    Args:
        scope: The content and its rules.
        ready: The value set.
        used: Is added to.
        active_only: Leave inactive codes out.

    Raises:
        Refused: A code system or version is not there, a filter cannot be answered, or it takes
            too much work.
    """
    branches = (*ready.includes, *ready.excludes)
    scope.effort.spend(BRANCH * len(branches))
    urls = (one.part.system for one in branches if one.part.system)
    scope.library.need("code_systems", urls)
    found = [one for branch in ready.includes for one in _branch(scope, branch, used)]
    if ready.excludes:
        out = {
            key
            for branch in ready.excludes
            for one in _branch(scope, branch, used)
            for key in _keys(scope, one)
        }
        found = [_without(scope, one, out) for one in found]
    if active_only or ready.active_only:
        found = [_active(scope, one) for one in found]
    return _once(scope, found)


def _keys(scope: Scope, chunk: Chunk) -> Iterable[Key]:
    """System and code of each of a chunk's codes."""
    scope.effort.spend(COMPARED * len(chunk.ordinals))
    url = chunk.part.system
    return ((url, chunk.code(ordinal)) for ordinal in chunk.ordinals)


def _branch(scope: Scope, branch: Branch, used: Used) -> list[Chunk]:
    imports = [chunks(scope, one, used) for one in branch.imports]
    if branch.part.system in scope.left_out:
        return []
    if branch.part.system:
        found = [_own(scope, branch.part, used)]
    else:
        found, imports = (imports[0], imports[1:]) if imports else ([], [])
    for imported in imports:
        allowed = {key for one in imported for key in _keys(scope, one)}
        found = [_within(scope, one, allowed) for one in found]
    return found


def _own(scope: Scope, part: Part, used: Used) -> Chunk:
    choice = scope.choose(part.system, part.version)
    system = choice.system
    listed = None if part.listed is None else dict(part.listed)
    if system is None:
        if listed is not None and scope.is_unknown(part.system):
            used.unknown[part.system] = None
            codes = tuple(listed)
            return Chunk(part, None, range(len(codes)), listed, codes)
        raise Refused(unknown_system(scope, part.system, choice.wanted, "", "-expand"), status=404)
    wrong = scope.checked(part.system, system)
    if wrong is not None:
        raise Refused(wrong)
    if listed is None and not system.enumerable:
        arguments: dict[str, object] = {"system": system.url}
        raise Refused(Finding("tx-not-enumerable", arguments=arguments))
    used.systems[system.canonical] = system
    if choice.rule:
        used.rules[choice.rule, f"{part.system}|{choice.wanted}"] = None
    ordinals: Sequence[int] = range(len(system))
    if listed is not None:
        scope.effort.spend(CODE * len(listed))
        places = (system.find(code) for code in listed)
        ordinals = [place for place in places if place is not None]
    if part.filters:
        chosen = _filtered(scope, system, part)
        wanted = sorted(chosen) if listed is None else (one for one in ordinals if one in chosen)
        ordinals = array("L", wanted)
    return Chunk(part, system, ordinals, listed)


def _filtered(scope: Scope, system: CodeSystem, part: Part) -> frozenset[int]:
    """The concepts that meet all filters of an include."""
    (element, location), *others = part.filters
    chosen = matching(system, element, location, scope.effort)
    for element, location in others:
        also = matching(system, element, location, scope.effort)
        scope.effort.spend(CODE * min(len(chosen), len(also)))
        chosen &= also
    return chosen


def _within(scope: Scope, chunk: Chunk, allowed: set[Key]) -> Chunk:
    scope.effort.spend(COMPARED * len(chunk.ordinals))
    url = chunk.part.system
    return chunk.keep(one for one in chunk.ordinals if (url, chunk.code(one)) in allowed)


def _without(scope: Scope, chunk: Chunk, out: set[Key]) -> Chunk:
    scope.effort.spend(COMPARED * len(chunk.ordinals))
    url = chunk.part.system
    return chunk.keep(one for one in chunk.ordinals if (url, chunk.code(one)) not in out)


def _active(scope: Scope, chunk: Chunk) -> Chunk:
    system = chunk.system
    if system is None or not system.has_inactive:
        return chunk
    scope.effort.spend(CODE * len(chunk.ordinals))
    return chunk.keep(one for one in chunk.ordinals if not system.is_inactive(one))


def _once(scope: Scope, found: list[Chunk]) -> list[Chunk]:
    """Each code once, where it comes first; versions of a system count apart."""
    if len(found) < 2:
        return found
    seen: dict[tuple[str, str], set[str]] = {}
    kept = []
    for chunk in found:
        scope.effort.spend(2 * CODE * len(chunk.ordinals))
        version = "" if chunk.system is None else chunk.system.version
        codes = seen.setdefault((chunk.part.system, version), set())
        fresh = [one for one in chunk.ordinals if chunk.code(one) not in codes]
        codes.update(chunk.code(one) for one in fresh)
        kept.append(chunk if len(fresh) == len(chunk.ordinals) else chunk.keep(fresh))
    return [one for one in kept if one.ordinals]


def by_text(found: Sequence[Chunk], asked: str, most: int) -> tuple[list[Chunk], bool]:
    """Those codes that have all words of a text filter.

    Args:
        found: The codes.
        asked: The filter.
        most: Hits after which the search may end.

    Returns:
        The codes, and whether these are all.
    """
    words = words_of(asked)
    if not words:
        return list(found), True
    kept: list[Chunk] = []
    left = most
    for chunk in found:
        hits: list[int] = []
        for one in _hits(chunk, words):
            if left <= 0:
                return [*kept, chunk.keep(hits)], False
            hits.append(one)
            left -= 1
        kept.append(chunk.keep(hits))
    return kept, True


def _hits(chunk: Chunk, words: list[str]) -> Iterable[int]:
    system = chunk.system
    if system is None or chunk.listed is not None:
        return (one for one in chunk.ordinals if _says(chunk, one, words))
    hits = text_index(system).search(words)
    if isinstance(chunk.ordinals, range):
        return hits
    allowed = frozenset(chunk.ordinals)
    return (one for one in hits if one in allowed)


def _says(chunk: Chunk, ordinal: int, words: list[str]) -> bool:
    code = chunk.code(ordinal)
    said = [code]
    if chunk.system is not None:
        said.append(chunk.system.display(ordinal))
        said += [one.value for one in chunk.system.designations(ordinal)]
    listed = (chunk.listed or {}).get(code)
    if listed is not None:
        said.append(str(listed.get("display") or ""))
        said += [str(one.get("value")) for one in objects(listed.get("designation"))]
    text = "\n".join(said).casefold()
    return all(word in text for word in words)
