"""What R4 says about the elements that maps make: type, whether it repeats.

From `hub.definitions`. Called by `adapters.hl7v2.mapping.compiler`, at compile time only.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from hub.definitions import Element, type_definition, type_kind, type_names


class Place(NamedTuple):
    """An element as a map names it.

    Attributes:
        path: Where its children are looked up: `Patient.contact` for a backbone element, else the
            type's name.
        type: `HumanName`, `code`, `BackboneElement`.
        repeats: JSON has a list.
        primitive: JSON has a text, number or boolean.
    """

    path: str
    type: str
    repeats: bool
    primitive: bool


@lru_cache(maxsize=1024)
def children(path: str) -> dict[str, Place]:
    """The elements below a type or a backbone element, by their JSON names.

    Args:
        path: `Patient`, `Patient.contact`, `HumanName`.

    Raises:
        KeyError: No such type.
    """
    root = path.split(".", 1)[0]
    found: dict[str, Place] = {}
    for element in type_definition(root).elements:
        parent, _, last = element.path.rpartition(".")
        if parent != path:
            continue
        for name, place in _named(element, last):
            found[name] = place
            if place.primitive:
                found[f"_{name}"] = Place("Element", "Element", place.repeats, False)
    return found


def _named(element: Element, last: str) -> list[tuple[str, Place]]:
    repeats = element.max is None or element.max > 1
    if element.content_reference:
        return [(last, Place(element.content_reference, "BackboneElement", repeats, False))]
    if not element.is_choice:
        code = element.types[0].code
        return [(last, _place(element.path, code, repeats))]
    return [
        (element.name + kind.code[0].upper() + kind.code[1:], _place("", kind.code, repeats))
        for kind in element.types
    ]


def _place(path: str, code: str, repeats: bool) -> Place:
    if code.startswith(("System.", "http:")):
        code = "string"
    if code in ("BackboneElement", "Element"):
        return Place(path, code, repeats, False)
    return Place(code, code, repeats, type_kind(code) == "primitive-type")


def is_type(name: str) -> bool:
    """A FHIR type of this name."""
    return name in type_names()
