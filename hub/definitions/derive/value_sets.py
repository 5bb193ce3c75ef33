"""Expands the package's value sets (https://hl7.org/fhir/R4/valueset.html#compositions).

Called by `hub.definitions.build`, once; at run time only the result is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from hub.definitions.derive.package import Artifact, of_type, without_version
from hub.definitions.shapes import BoundCodes

Members = dict[str, set[str]]
LARGEST = 5000


class NotEnumerable(Exception):
    """The package cannot list the value set; the message says why."""


@dataclass(slots=True)
class CodeSystem:
    """A code system with its hierarchy.

    Attributes:
        url: Canonical.
        concepts: Code to its concept.
        parents: Code to the codes directly above it.
    """

    url: str
    concepts: dict[str, dict[str, Any]] = field(default_factory=dict)
    parents: dict[str, set[str]] = field(default_factory=dict)

    def ancestors(self, code: str) -> set[str]:
        """All codes above `code`, without itself."""
        found: set[str] = set()
        open_codes = list(self.parents.get(code, ()))
        while open_codes:
            parent = open_codes.pop()
            if parent not in found:
                found.add(parent)
                open_codes.extend(self.parents.get(parent, ()))
        return found


def _read_code_system(artifact: Artifact) -> CodeSystem:
    system = CodeSystem(artifact["url"])

    def add(concepts: list[dict[str, Any]], parent: str | None) -> None:
        for concept in concepts:
            code = concept["code"]
            system.concepts[code] = concept
            above = system.parents.setdefault(code, set())
            if parent is not None:
                above.add(parent)
            for row in concept.get("property", ()):
                if row["code"] in ("subsumedBy", "parent"):
                    above.add(str(_property_value(row)))
            add(concept.get("concept", []), code)

    add(artifact.get("concept", []), None)
    return system


def _property_value(row: dict[str, Any]) -> object:
    return next((value for name, value in row.items() if name.startswith("value")), None)


def _properties(concept: dict[str, Any], name: str) -> Iterator[str]:
    for row in concept.get("property", ()):
        if row["code"] == name:
            value = _property_value(row)
            yield ("true" if value else "false") if isinstance(value, bool) else str(value)


Test = Callable[[CodeSystem, str, str, str], bool]


def _is_below(system: CodeSystem, code: str, _property: str, value: str) -> bool:
    return value in system.ancestors(code)


def _is_a(system: CodeSystem, code: str, _property: str, value: str) -> bool:
    return code == value or value in system.ancestors(code)


def _equals(system: CodeSystem, code: str, name: str, value: str) -> bool:
    return value in _properties(system.concepts[code], name)


def _in(system: CodeSystem, code: str, name: str, value: str) -> bool:
    wanted = {part.strip() for part in value.split(",")}
    if name in ("concept", "code"):
        return code in wanted
    return not wanted.isdisjoint(_properties(system.concepts[code], name))


def _matches(system: CodeSystem, code: str, name: str, value: str) -> bool:
    if name in ("concept", "code"):
        return re.fullmatch(value, code) is not None
    return any(re.fullmatch(value, text) for text in _properties(system.concepts[code], name))


def _exists(system: CodeSystem, code: str, name: str, value: str) -> bool:
    return any(True for _ in _properties(system.concepts[code], name)) is (value == "true")


FILTERS: dict[str, Test] = {
    "is-a": _is_a,
    "descendent-of": _is_below,
    "is-not-a": lambda system, code, name, value: not _is_a(system, code, name, value),
    "=": _equals,
    "in": _in,
    "not-in": lambda system, code, name, value: not _in(system, code, name, value),
    "regex": _matches,
    "exists": _exists,
}


class Expansion:
    """Expands value sets against the complete code systems of one package."""

    def __init__(self, artifacts: list[Artifact]) -> None:
        """Index the package's code systems and value sets by canonical."""
        self.systems = {
            item["url"]: _read_code_system(item)
            for item in of_type(artifacts, "CodeSystem")
            if item["content"] == "complete"
        }
        self.value_sets = {item["url"]: item for item in of_type(artifacts, "ValueSet")}

    def expand(self, canonical: str, seen: tuple[str, ...] = ()) -> Members:
        """System to codes of a value set.

        Args:
            canonical: Of the value set; a version is not looked at.
            seen: Value sets being expanded, to refuse a circle.

        Raises:
            NotEnumerable: With the reason.
        """
        url = without_version(canonical)
        value_set = self.value_sets.get(url)
        if value_set is None or url in seen:
            raise NotEnumerable(f"{url} is not in the package, or includes itself")
        compose = value_set.get("compose")
        if not compose or not compose.get("include"):
            raise NotEnumerable(f"{url} has no composition")
        members: Members = {}
        for part in compose["include"]:
            for system, codes in self._part(part, (*seen, url)).items():
                members.setdefault(system, set()).update(codes)
        for part in compose.get("exclude", ()):
            for system, codes in self._part(part, (*seen, url)).items():
                members.get(system, set()).difference_update(codes)
        return members

    def _part(self, part: dict[str, Any], seen: tuple[str, ...]) -> Members:
        """One include or exclude: everything it names, in common."""
        selections: list[Members] = []
        if "system" in part:
            selections.append({part["system"]: self._from_system(part)})
        selections.extend(self.expand(canonical, seen) for canonical in part.get("valueSet", ()))
        first, *others = selections
        return {
            system: codes.intersection(*(other.get(system, set()) for other in others))
            for system, codes in first.items()
        }

    def _from_system(self, part: dict[str, Any]) -> set[str]:
        if "concept" in part:
            return {concept["code"] for concept in part["concept"]}
        system = self.systems.get(part["system"])
        if system is None:
            raise NotEnumerable(f"{part['system']} is not complete in the package")
        codes = set(system.concepts)
        for row in part.get("filter", ()):
            test = FILTERS.get(row["op"])
            if test is None:
                raise NotEnumerable(f"filter {row['op']} is not known")
            codes = {code for code in codes if test(system, code, row["property"], row["value"])}
        return codes


def derive_value_sets(
    artifacts: list[Artifact], corrections: Artifact
) -> list[tuple[str, BoundCodes]]:
    """Every value set that can be listed, and those that are checked by syntax, by url.

    Value sets above `LARGEST` codes are left to the terminology service.

    Args:
        artifacts: The package.
        corrections: corrections.toml.
    """
    expansion = Expansion(artifacts)
    found = {
        row["url"]: BoundCodes(frozenset(), {}, row["syntax"]) for row in corrections["value_set"]
    }
    for url in expansion.value_sets:
        if url in found:
            continue
        try:
            members = expansion.expand(url)
        except NotEnumerable:
            continue
        codes = frozenset[str]().union(*members.values())
        if codes and len(codes) <= LARGEST:
            systems = {system: frozenset(own) for system, own in sorted(members.items())}
            found[url] = BoundCodes(codes, systems)
    return sorted(found.items())
