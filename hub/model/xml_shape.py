"""Which elements an XML element may hold, in which order: taken from the definitions.

Called by `hub.model.xml_read` and `hub.model.xml_write`.
Spec: https://hl7.org/fhir/R4/xml.html
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, NamedTuple

from hub.definitions import Element, type_definition, type_kind

Kind = Literal["primitive", "complex", "resource", "xhtml"]

FHIR = "http://hl7.org/fhir"
XHTML = "http://www.w3.org/1999/xhtml"
_BACKBONE = ("BackboneElement", "Element")


class Child(NamedTuple):
    """An element that may stand in another.

    Attributes:
        name: In XML and JSON: `valueQuantity` for `value[x]`.
        is_list: Whether JSON has an array.
        kind: How its value is written.
        type: Type code; for `complex`, `shape` takes it.
        path: Where its own children are: a type name or a path within one.
    """

    name: str
    is_list: bool
    kind: Kind
    type: str
    path: str


class Shape(NamedTuple):
    """What an element of a type, or of a path within one, may hold.

    Attributes:
        attributes: `id`, and `url` for an Extension.
        children: By name, in the order of XML.
    """

    attributes: tuple[str, ...]
    children: dict[str, Child]


@lru_cache(maxsize=2048)
def shape(path: str) -> Shape:
    """The shape at a path.

    Args:
        path: A type (`Patient`, `Period`) or a backbone element (`Patient.contact`).

    Raises:
        KeyError: R4 has no such type.
    """
    attributes: list[str] = []
    children: dict[str, Child] = {}
    for element in type_definition(path.partition(".")[0]).elements:
        parent, _, last = element.path.rpartition(".")
        if parent != path:
            continue
        if element.is_xml_attribute:
            attributes.append(last)
        else:
            children.update((child.name, child) for child in _children(element))
    return Shape(tuple(attributes), children)


def _children(element: Element) -> list[Child]:
    is_list = element.max is None or element.max > 1
    if element.content_reference is not None:
        target = element.content_reference
        return [Child(element.name, is_list, "complex", "BackboneElement", target)]
    found = []
    for kind in element.types:
        name = element.name
        if element.is_choice:
            name += kind.code[0].upper() + kind.code[1:]
        path = element.path if kind.code in _BACKBONE else kind.code
        found.append(Child(name, is_list, _kind(kind.code), kind.code, path))
    return found


def _kind(code: str) -> Kind:
    if code == "xhtml":
        return "xhtml"
    if code == "Resource":
        return "resource"
    return "primitive" if type_kind(code) == "primitive-type" else "complex"
