"""Which JSON properties an object of a type may have (https://hl7.org/fhir/R4/json.html).

A `Shape` is the content model of one kind of object: a resource (`Observation`), a data type
(`Coding`) or a backbone element (`Observation.component`). Both validation passes are made from
it: `hub.validation.source` writes the fast one, `hub.validation.structure` walks by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from hub.definitions import Constraint, Element, ElementType, TypeDefinition, type_definition

Kind = Literal["primitive", "sibling", "complex", "resource"]
SIMPLE_QUANTITY = "http://hl7.org/fhir/StructureDefinition/SimpleQuantity"
_DEFINITION_ID = "ElementDefinition.id"
# Checked by the shape of every object itself, not as an expression.
_STRUCTURAL = frozenset(["ele-1"])


@dataclass(frozen=True, slots=True)
class Slot:
    """One JSON property of a shape.

    Attributes:
        key: The property: `valueQuantity`, `_birthDate`, `name`.
        element: The definition it comes from.
        type: The one type this property stands for.
        kind: `primitive`; `sibling` for the `_x` beside a primitive; `complex`; `resource`.
        shape: Name of the shape of its objects; a primitive's own type name otherwise.
        constraints: Invariants that this element adds to those of its type.
    """

    key: str
    element: Element
    type: ElementType
    kind: Kind
    shape: str
    constraints: tuple[Constraint, ...] = ()

    @property
    def many(self) -> bool:
        """Whether the property is an array."""
        return self.element.max != 1

    @property
    def is_element_id(self) -> bool:
        """Whether it holds an id that is unique within its resource.

        Those of ElementDefinitions stand in a snapshot and a differential alike.
        """
        return self.key == "id" and self.shape == "string" and self.element.path != _DEFINITION_ID

    @property
    def is_simple_quantity(self) -> bool:
        """Whether a comparator is forbidden (https://hl7.org/fhir/R4/datatypes.html#SimpleQuantity)."""
        return SIMPLE_QUANTITY in self.type.profiles


@dataclass(frozen=True, slots=True)
class Shape:
    """What an object may hold.

    Attributes:
        name: Path of its root element: `Observation`, `Coding`, `Observation.component`.
        is_resource: Has a `resourceType`.
        slots: By JSON property.
        elements: Element name to all properties that hold it, siblings included.
        required: Names of the elements with a minimum of 1.
        choices: Names of the elements whose type may be chosen (`value[x]`).
        constraints: Invariants evaluated on the object.
    """

    name: str
    is_resource: bool
    slots: Mapping[str, Slot]
    elements: Mapping[str, tuple[str, ...]]
    required: tuple[str, ...]
    choices: tuple[str, ...]
    constraints: tuple[Constraint, ...]


@cache
def shape_of(name: str) -> Shape:
    """The content model of a type or backbone element.

    Args:
        name: `Observation`, `Coding`, `Observation.component`.

    Raises:
        KeyError: R4 has no such type or element.
    """
    definition = type_definition(name.partition(".")[0])
    rows = _rows(definition, name)
    slots = {slot.key: slot for row in rows[1:] for slot in _slots(definition, row)}
    by_element: dict[str, list[str]] = {}
    for slot in slots.values():
        by_element.setdefault(slot.element.name, []).append(slot.key)
    return Shape(
        name=name,
        is_resource=definition.kind == "resource" and "." not in name,
        slots=slots,
        elements={element: tuple(keys) for element, keys in by_element.items()},
        required=tuple(row.name for row in rows[1:] if row.min > 0),
        choices=tuple(row.name for row in rows[1:] if row.is_choice),
        constraints=_constraints(rows[0]),
    )


def _rows(definition: TypeDefinition, name: str) -> list[Element]:
    """The element at `name` followed by its direct children."""
    depth = name.count(".") + 1
    within = name + "."
    found: list[Element] = []
    for row in definition.elements:
        if row.path == name:
            found.insert(0, row)
        elif row.path.startswith(within) and row.path.count(".") == depth:
            found.append(row)
    if not found or found[0].path != name:
        raise KeyError(name)
    return found


def _slots(definition: TypeDefinition, row: Element) -> Iterable[Slot]:
    own = _constraints(row)
    if row.content_reference is not None:
        kind = ElementType("BackboneElement")
        yield Slot(row.name, row, kind, "complex", row.content_reference, own)
        return
    for kind in row.types:
        key = row.name + kind.code[0].upper() + kind.code[1:] if row.is_choice else row.name
        if kind.code in ("Resource", "DomainResource"):
            yield Slot(key, row, kind, "resource", kind.code, own)
        elif _has_children(definition, row.path):
            # Its invariants are those of the shape that its children make.
            yield Slot(key, row, kind, "complex", row.path)
        elif type_definition(kind.code).kind == "primitive-type":
            yield Slot(key, row, kind, "primitive", kind.code, own)
            if _may_be_extended(definition, row, kind):
                yield Slot("_" + key, row, kind, "sibling", "Element")
        else:
            yield Slot(key, row, kind, "complex", kind.code, own)


def _may_be_extended(definition: TypeDefinition, row: Element, kind: ElementType) -> bool:
    """Ids, extension urls and XHTML are no FHIR elements with an id and extensions of their own."""
    is_resource_id = definition.kind == "resource" and row.path.count(".") == 1 and row.name == "id"
    return not (row.is_xml_attribute or is_resource_id or kind.code == "xhtml")


def _has_children(definition: TypeDefinition, path: str) -> bool:
    within = path + "."
    return any(row.path.startswith(within) for row in definition.elements)


def _constraints(row: Element) -> tuple[Constraint, ...]:
    return tuple(rule for rule in row.constraints if rule.key not in _STRUCTURAL)
