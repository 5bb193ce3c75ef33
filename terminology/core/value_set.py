"""A value set made ready: its includes and excludes read, what they import found.

Called by membership and expansion. A value set without a compose stands for its expansion.
Spec: https://hl7.org/fhir/R4/valueset.html#compositions
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from terminology.core.effort import BRANCH, IMPORT
from terminology.core.findings import Finding, Refused
from terminology.core.scope import Scope
from terminology.core.shapes import Resource, ValueSet, objects

MOST_DEEP = 30
"""Levels of value sets that import each other."""

MOST_IMPORTS = 2_000
"""Value sets that one is made of, each as often as it is imported."""

Listed = Mapping[str, Resource]


@dataclass(frozen=True, slots=True)
class Part:
    """One include or exclude as written.

    Attributes:
        location: Its FHIRPath.
        system: Url of the code system, "" without.
        version: Its version or pattern, "" without.
        listed: By code what it lists; None when it lists nothing.
        filters: Each filter and its FHIRPath.
        value_sets: Canonicals of what it imports.
    """

    location: str
    system: str = ""
    version: str = ""
    listed: Listed | None = None
    filters: tuple[tuple[Resource, str], ...] = ()
    value_sets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Branch:
    """A part with what it imports."""

    part: Part
    imports: tuple[Ready, ...] = ()


@dataclass(frozen=True, slots=True)
class Ready:
    """A value set with all that it imports.

    Attributes:
        value_set: The value set.
        includes: Branches whose codes are in.
        excludes: Branches whose codes are out again.
        active_only: Whether its inactive codes are left out.
        imported: Canonicals of the value sets used, those contained left out.
        size: Value sets it is made of, each as often as it is imported.
    """

    value_set: ValueSet
    includes: tuple[Branch, ...] = ()
    excludes: tuple[Branch, ...] = ()
    active_only: bool = False
    imported: tuple[str, ...] = ()
    size: int = 1


def ready(scope: Scope, value_set: ValueSet, path: tuple[str, ...] = ()) -> Ready:
    """Read a value set and find what it imports.

    Args:
        scope: For the content.
        value_set: The value set.
        path: Canonicals of those that import it.

    Raises:
        Refused: It includes itself, is too deep, imports what is not there, or too much.
        NotLoaded: Content has to be fetched.
    """
    name = value_set.canonical or "#"
    if name in path and name != "#":
        ring = " > ".join((*path[path.index(name) + 1 :], name))
        raise Refused(Finding("tx-cyclic", arguments={"url": name, "path": ring}), status=400)
    if len(path) >= MOST_DEEP:
        raise Refused(Finding("tx-too-deep", arguments={"most": MOST_DEEP}))
    includes, excludes = parts(value_set)
    scope.effort.spend(IMPORT + BRANCH * (len(includes) + len(excludes)))
    every = (one for part in (*includes, *excludes) for one in part.value_sets)
    named = (one.partition("|")[0] for one in every if not one.startswith("#"))
    scope.library.need("value_sets", named)
    here = (*path, name)
    made_in = tuple(_branch(scope, value_set, part, here) for part in includes)
    made_out = tuple(_branch(scope, value_set, part, here) for part in excludes)
    compose = value_set.resource.get("compose")
    inactive = compose.get("inactive") if isinstance(compose, dict) else None
    imported: dict[str, None] = {}
    size = 1
    for branch in (*made_in, *made_out):
        for one in branch.imports:
            size += one.size
            if one.value_set.url and not one.value_set.kept.get("contained"):
                imported[one.value_set.canonical] = None
            imported |= dict.fromkeys(one.imported)
    if size > MOST_IMPORTS:  # Two imports of two imports of two ...
        raise Refused(Finding("tx-too-many-imports", arguments={"most": MOST_IMPORTS}))
    return Ready(value_set, made_in, made_out, inactive is False, tuple(imported), size)


def _branch(scope: Scope, owner: ValueSet, part: Part, path: tuple[str, ...]) -> Branch:
    imports = []
    for canonical in part.value_sets:
        if canonical.startswith("#"):
            found = _contained(owner, canonical[1:])
        else:
            found = scope.value_set(canonical)
        if found is None:
            raise Refused(Finding("tx-value-set-unknown", arguments={"url": canonical}), status=404)
        imports.append(ready(scope, found, path))
    return Branch(part, tuple(imports))


def _contained(owner: ValueSet, id: str) -> ValueSet | None:
    for one in objects(owner.resource.get("contained")):
        if one.get("id") == id and one.get("resourceType") == "ValueSet":
            found = ValueSet(one)
            found.kept["contained"] = True
            return found
    return None


# --- reading --------------------------------------------------------------------------------


def parts(value_set: ValueSet) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """The includes and excludes of a value set, read once.

    Raises:
        Refused: One of them has neither a system nor a value set.
    """
    found: tuple[tuple[Part, ...], tuple[Part, ...]] | None = value_set.kept.get("parts")
    if found is None:
        compose = value_set.resource.get("compose")
        if isinstance(compose, dict):
            found = (
                tuple(_parts(compose.get("include"), "ValueSet.compose.include")),
                tuple(_parts(compose.get("exclude"), "ValueSet.compose.exclude")),
            )
        else:
            found = tuple(_of_expansion(value_set.resource)), ()
        value_set.kept["parts"] = found
    return found


def _parts(given: Any, location: str) -> Iterable[Part]:
    for index, element in enumerate(objects(given)):
        yield _part(element, f"{location}[{index}]")


def _part(element: Resource, location: str) -> Part:
    system = element.get("system")
    given = element.get("valueSet")
    value_sets = tuple(
        one for one in (given if isinstance(given, list) else ()) if isinstance(one, str)
    )
    concepts = objects(element.get("concept"))
    listed = {str(one["code"]): one for one in concepts if "code" in one} if concepts else None
    filters = tuple(
        (one, f"{location}.filter[{index}]")
        for index, one in enumerate(objects(element.get("filter")))
    )
    if not (isinstance(system, str) and system) and (not value_sets or listed or filters):
        raise Refused(Finding("tx-compose-shape", location=location))
    return Part(
        location,
        system if isinstance(system, str) else "",
        str(element.get("version") or ""),
        listed,
        filters,
        value_sets,
    )


@dataclass(slots=True)
class _Gathered:
    """The codes of an expansion by system and version."""

    codes: dict[tuple[str, str], dict[str, Resource]] = field(default_factory=dict)

    def add(self, contains: Any) -> None:
        waiting = [contains]
        while waiting:
            for one in objects(waiting.pop()):
                code, system = one.get("code"), one.get("system")
                if isinstance(code, str) and isinstance(system, str):
                    key = (system, str(one.get("version") or ""))
                    self.codes.setdefault(key, {})[code] = one
                waiting.append(one.get("contains"))


def _of_expansion(resource: Resource) -> Iterable[Part]:
    expansion = resource.get("expansion")
    gathered = _Gathered()
    if isinstance(expansion, dict):
        gathered.add(expansion.get("contains"))
    for (system, version), codes in gathered.codes.items():
        yield Part("ValueSet.expansion", system, version, codes)
