"""What a resource consists of when messages tell of it: its elements, by type.

Most elements are properties of their own. The types of a choice are one element, and so are
elements that go together; some lists are unions; parts that come at another time than the rest
are elements too. Called by `adapters.hl7v2.merging` and what stores messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from hub.definitions import type_definition

Content = dict[str, Any]

IDENTIFIER = "identifier"

_OUTSIDE = frozenset(("resourceType", "id"))
_STAMPED = ("versionId", "lastUpdated")

BOUND: Mapping[str, Mapping[str, str]] = {
    "Appointment": {"cancelationReason": "status"},
    "Encounter": {"period.end": "status"},
    "Immunization": {"statusReason": "status"},
    "Observation": {"dataAbsentReason": "value"},
    "Task": {"statusReason": "status"},
}
"""Elements that go together with another one: invariants and sense bind them."""

PARTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "Encounter": {"period": ("end",), "hospitalization": ("destination", "dischargeDisposition")},
}
"""Parts of elements that come at another time than the rest, and are told on their own: a later
message that does not mention the discharge leaves it."""

UNITED: Mapping[str, frozenset[str]] = {
    "DiagnosticReport": frozenset(("result", "specimen")),
    "ServiceRequest": frozenset(("supportingInfo",)),
}
"""Lists that are unions as `identifier` is: a correction brings only the results it corrects."""


@lru_cache(maxsize=256)
def _elements(type: str) -> dict[str, str]:
    """JSON names of a resource type's properties whose element has another name."""
    found = {}
    for element in type_definition(type).elements[1:]:
        if element.path.count(".") != 1:
            continue
        names = [element.name]
        if element.is_choice:
            names += [element.name + kind.code[0].upper() + kind.code[1:] for kind in element.types]
        for name in names:
            found[name] = found["_" + name] = BOUND.get(type, {}).get(element.name, element.name)
    found |= {name: BOUND.get(type, {}).get(name, name) for name in _part_names(type)}
    return {name: element for name, element in found.items() if name != element}


def _part_names(type: str) -> list[str]:
    return [f"{name}.{part}" for name, parts in PARTS.get(type, {}).items() for part in parts]


def parted(type: str, content: Content) -> Content:
    """A resource with parts as properties of their own, `period.end`."""
    if type not in PARTS:
        return content
    made: Content = {}
    for name, value in content.items():
        parts = PARTS[type].get(name, ())
        if not parts or not isinstance(value, dict):
            made[name] = value
            continue
        if rest := {key: below for key, below in value.items() if key not in parts}:
            made[name] = rest
        made.update((f"{name}.{part}", value[part]) for part in parts if part in value)
    return made


def whole(type: str, content: Content) -> Content:
    """The opposite of `parted`; changes and gives the resource."""
    for name, parts in PARTS.get(type, {}).items():
        found = {
            part: content.pop(f"{name}.{part}") for part in parts if f"{name}.{part}" in content
        }
        if found:
            content[name] = content.get(name, {}) | found
    return content


def element_of(type: str, name: str) -> str:
    """The element that a property of a resource belongs to: `value` of `valueQuantity`."""
    return _elements(type).get(name, name)


def by_element(type: str, content: Iterable[str]) -> dict[str, list[str]]:
    """The properties of a resource by the element they belong to."""
    others = _elements(type)
    found: dict[str, list[str]] = {}
    for name in content:
        if name not in _OUTSIDE:
            found.setdefault(others.get(name, name), []).append(name)
    return found


@lru_cache(maxsize=256)
def numbers_of(type: str) -> dict[str, int]:
    """The elements of a resource type by name, numbered as R4 4.0.1 has them."""
    elements = type_definition(type).elements[1:]
    names = [element.name for element in elements if element.path.count(".") == 1]
    return {name: number for number, name in enumerate(names + _part_names(type))}


@lru_cache(maxsize=256)
def names_of(type: str) -> list[str]:
    """The elements of a resource type, in the order of their numbers."""
    return list(numbers_of(type))


def plain(resource: Content) -> Content:
    """A resource without what the store assigns: version and time."""
    made = {name: value for name, value in resource.items() if name not in ("id", "meta")}
    meta = {k: v for k, v in resource.get("meta", {}).items() if k not in _STAMPED}
    return made | {"meta": meta} if meta else made
