"""Whether a code is in a value set, and what could not be told.

Works on one code: nothing is expanded. A whole code system costs one look-up, a filter is
selected once per code system and kept. Called by validation and search.
Spec: https://hl7.org/fhir/R4/valueset.html#compositions
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from terminology.core.effort import BRANCH
from terminology.core.filters import matching
from terminology.core.findings import Finding
from terminology.core.scope import Choice, Scope
from terminology.core.shapes import CodeSystem, Resource
from terminology.core.value_set import Branch, Part, Ready


@dataclass(frozen=True, slots=True)
class Member:
    """A code that was found.

    Attributes:
        part: The include that has it.
        system: Its code system; None when only the value set lists it.
        ordinal: Its concept there; None as above.
        listed: The concept of the include that lists it, None when it lists none.
        wanted: The version or pattern that the include came to mean.
        rule: The rule that said so, "" when it is the include's own.
    """

    part: Part
    system: CodeSystem | None = None
    ordinal: int | None = None
    listed: Resource | None = None
    wanted: str = ""
    rule: str = ""


@dataclass(slots=True)
class Doubts:
    """What stood in the way.

    Attributes:
        choices: Includes of the code's system whose version is not there, with what they meant.
    """

    choices: list[tuple[Part, Choice]] = field(default_factory=list)


def member(
    scope: Scope,
    ready: Ready,
    system: str,
    code: str,
    given: str,
    doubts: Doubts,
    active_only: bool = False,
) -> Member | None:
    """Find a code in a value set: as an active concept if any of its includes has it so.

    Args:
        scope: The content and its rules.
        ready: The value set.
        system: Url of the code's system.
        code: The code.
        given: The version that came with it, "" without.
        doubts: Is added to.
        active_only: Whether that matters, also when the value set does not say so.

    Raises:
        Refused: A filter cannot be answered, or it takes too much work.
    """
    active_only = active_only or ready.active_only
    scope.effort.spend(BRANCH * (len(ready.includes) + len(ready.excludes)))
    inactive: Member | None = None
    looked = False
    for branch in ready.includes:
        found = _in_branch(scope, branch, system, code, given, doubts, active_only)
        if found is None:
            continue
        if not looked and _excluded(scope, ready, system, code, given, doubts):
            return None
        looked = True
        if not (active_only and is_inactive(found)):
            return found
        inactive = inactive or found
    return inactive


def contains(
    scope: Scope, ready: Ready, system: str, code: str, given: str, doubts: Doubts
) -> bool:
    """Whether a value set has a code; an inactive one only if it does not leave those out.

    Arguments and errors as for `member`.
    """
    found = member(scope, ready, system, code, given, doubts)
    return found is not None and not (ready.active_only and is_inactive(found))


def _excluded(
    scope: Scope, ready: Ready, system: str, code: str, given: str, doubts: Doubts
) -> bool:
    return any(
        _in_branch(scope, branch, system, code, given, doubts, False) is not None
        for branch in ready.excludes
    )


def _in_branch(
    scope: Scope,
    branch: Branch,
    system: str,
    code: str,
    given: str,
    doubts: Doubts,
    active_only: bool,
) -> Member | None:
    found: Member | None = None
    part = branch.part
    if part.system:
        found = _in_part(scope, part, code, given, doubts) if part.system == system else None
        if found is None:
            return None
    for imported in branch.imports:
        also = member(scope, imported, system, code, given, doubts, active_only)
        if also is None or (imported.active_only and is_inactive(also)):
            return None
        found = found or also
    return found


def _in_part(scope: Scope, part: Part, code: str, given: str, doubts: Doubts) -> Member | None:
    choice = scope.choose(part.system, part.version, given)
    system = choice.system
    if system is None:
        if part.listed is not None and scope.is_unknown(part.system):
            listed = part.listed.get(code)
            return None if listed is None else Member(part, listed=listed)
        doubts.choices.append((part, choice))
        return None
    ordinal = system.find(code)
    if ordinal is None:
        return None
    listed = None
    if part.listed is not None:
        listed = part.listed.get(system.code(ordinal))
        if listed is None:
            return None
    for element, location in part.filters:
        if ordinal not in matching(system, element, location, scope.effort):
            return None
    return Member(part, system, ordinal, listed, choice.wanted, choice.rule)


def is_inactive(found: Member) -> bool:
    """Whether the concept is no longer for use."""
    return (
        found.system is not None
        and found.ordinal is not None
        and found.system.is_inactive(found.ordinal)
    )


def systems(ready: Ready) -> Iterator[str]:
    """Urls of the code systems whose codes may be in a value set, each once, in order."""
    yield from dict.fromkeys(_systems(ready))


def _systems(ready: Ready) -> Iterator[str]:
    for branch in ready.includes:
        if branch.part.system:
            yield branch.part.system
        for one in branch.imports:
            yield from _systems(one)


def used_systems(scope: Scope, ready: Ready) -> list[CodeSystem]:
    """The code systems that a value set draws on, as far as they are there."""
    found = []
    for branch in (*ready.includes, *ready.excludes):
        if branch.part.system:
            choice = scope.choose(branch.part.system, branch.part.version)
            if choice.system is not None:
                found.append(choice.system)
        for one in branch.imports:
            found += used_systems(scope, one)
    return found


def unknown_system(scope: Scope, url: str, version: str, location: str, use: str = "") -> Finding:
    """That a code system, or a version of it, is not there.

    Args:
        scope: For the versions that are.
        url: The code system.
        version: Version or pattern that was wanted, "" for any.
        location: FHIRPath of what was asked about.
        use: `-expand` when it is for an expansion.
    """
    if not version:
        return Finding(f"tx-system-unknown{use}", "error", location, {"system": url})
    versions = scope.versions(url)
    none = "" if versions else "-none"
    arguments: dict[str, object] = {"system": url, "version": version}
    arguments["versions"] = " or ".join(versions) if len(versions) < 3 else ", ".join(versions)
    return Finding(f"tx-version-unknown{none}{use}", "error", location, arguments)
