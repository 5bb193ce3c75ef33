"""Concept maps compiled into look-ups by system and code, once for each resource.

`terminology.core.translating` then takes a few microseconds for a code.
Spec: https://hl7.org/fhir/R4/conceptmap.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from terminology.core.shapes import Resource, objects

RELATIONSHIP = "ConceptMap.group.unmapped.relationship"
"""End of the url of the extension by which R5 states an equivalence here."""

_EQUIVALENCES: Mapping[str, str] = {
    "related-to": "relatedto",
    "equivalent": "equivalent",
    "source-is-narrower-than-target": "wider",
    "source-is-broader-than-target": "narrower",
    "not-related-to": "disjoint",
}
"""R5's relationships in R4's words, which tell how the target is to the source."""


class Other(NamedTuple):
    """What a target depends on, or comes with: ConceptMap's dependsOn and product."""

    property: str
    system: str
    value: str
    display: str


@dataclass(frozen=True, slots=True)
class Target:
    """What a code is mapped to.

    Attributes:
        system: Code system, "" without.
        version: Its version, "" without.
        code: "" when there is none (`unmatched`).
        display: "" without.
        equivalence: How the target is to the source.
        comment: "" without.
        depends_on: All must hold.
        product: What has to be set along with it.
    """

    system: str
    version: str
    code: str
    display: str
    equivalence: str
    comment: str = ""
    depends_on: tuple[Other, ...] = ()
    product: tuple[Other, ...] = ()


@dataclass(frozen=True, slots=True)
class Unmapped:
    """What to do with a code that a group does not list: mode, and its code or url."""

    mode: str
    code: str
    display: str
    url: str
    equivalence: str


@dataclass(frozen=True, slots=True)
class Group:
    """Mappings from one code system to another; systems are "" when the map does not say.

    Attributes:
        source: System of the codes.
        source_version: Its version.
        target: System of the targets.
        target_version: Its version.
        targets: Code to what it is mapped to, empty for one that is listed without.
        displays: Code to its display.
        sources: Code of a target to the codes that are mapped to it.
        unmapped: None when there is nothing to do.
    """

    source: str
    source_version: str
    target: str
    target_version: str
    targets: Mapping[str, tuple[Target, ...]]
    displays: Mapping[str, str]
    sources: Mapping[str, tuple[tuple[str, Target], ...]]
    unmapped: Unmapped | None


@dataclass(frozen=True, slots=True)
class ConceptMap:
    """A compiled map.

    Attributes:
        url: Canonical url, "" without.
        version: "" without.
        source_scope: Value set of the codes, "" when it does not say.
        target_scope: Value set of the targets, "" when it does not say.
        groups: In order.
    """

    url: str
    version: str
    source_scope: str
    target_scope: str
    groups: tuple[Group, ...]

    @property
    def canonical(self) -> str:
        """`url|version`, or the url alone."""
        return f"{self.url}|{self.version}" if self.version else self.url


# --- compiling ------------------------------------------------------------------------------


class _Same:
    """A resource as a key: by what it is, not by what it says."""

    __slots__ = ("resource",)

    def __init__(self, resource: Resource) -> None:
        self.resource = resource

    def __hash__(self) -> int:
        return id(self.resource)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.resource is self.resource


def compiled(resource: Resource) -> ConceptMap:
    """A map ready for use; the same resource object is compiled once.

    Args:
        resource: ConceptMap; what has the wrong shape in it is passed over.
    """
    return _compiled(_Same(resource))


@lru_cache(maxsize=64)
def _compiled(same: _Same) -> ConceptMap:
    resource = same.resource
    return ConceptMap(
        _text(resource, "url"),
        _text(resource, "version"),
        bare(_text(resource, "sourceUri") or _text(resource, "sourceCanonical")),
        bare(_text(resource, "targetUri") or _text(resource, "targetCanonical")),
        tuple(_group(one) for one in objects(resource.get("group"))),
    )


def _group(element: Resource) -> Group:
    target, target_version = _text(element, "target"), _text(element, "targetVersion")
    targets: dict[str, tuple[Target, ...]] = {}
    displays: dict[str, str] = {}
    sources: dict[str, list[tuple[str, Target]]] = {}
    for one in objects(element.get("element")):
        code = _text(one, "code")
        if not code:
            continue
        found = tuple(_target(each, target, target_version) for each in objects(one.get("target")))
        targets[code] = targets.get(code, ()) + found
        if display := _text(one, "display"):
            displays[code] = display
        for each in found:
            if each.code:
                sources.setdefault(each.code, []).append((code, each))
    return Group(
        _text(element, "source"),
        _text(element, "sourceVersion"),
        target,
        target_version,
        targets,
        displays,
        {code: tuple(found) for code, found in sources.items()},
        _unmapped(element.get("unmapped")),
    )


def _target(element: Resource, system: str, version: str) -> Target:
    return Target(
        system,
        version,
        _text(element, "code"),
        _text(element, "display"),
        _text(element, "equivalence") or "relatedto",
        _text(element, "comment"),
        _others(element.get("dependsOn")),
        _others(element.get("product")),
    )


def _others(given: Any) -> tuple[Other, ...]:
    return tuple(
        Other(
            _text(one, "property"), _text(one, "system"), _text(one, "value"), _text(one, "display")
        )
        for one in objects(given)
    )


def _unmapped(element: Any) -> Unmapped | None:
    if not isinstance(element, dict):
        return None
    equivalence = "relatedto"
    for extension in objects(element.get("extension")):
        if _text(extension, "url").endswith(RELATIONSHIP):
            equivalence = _EQUIVALENCES.get(_text(extension, "valueCode"), equivalence)
    return Unmapped(
        _text(element, "mode"),
        _text(element, "code"),
        _text(element, "display"),
        _text(element, "url"),
        equivalence,
    )


def _text(element: Mapping[str, Any], name: str) -> str:
    found = element.get(name)
    return found if isinstance(found, str) else ""


def bare(canonical: str) -> str:
    """A canonical without its version."""
    return canonical.partition("|")[0]
