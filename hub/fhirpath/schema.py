"""The R4 types as FHIRPath sees them: elements by name, choices, inheritance, namespaces.

https://hl7.org/fhir/R4/fhirpath.html#types. Built from `hub.definitions`; asked by the
compiler once per step, and by navigation over items whose type is known only at run time.

A type is named by its FHIR name (`Patient`, `code`), a backbone element by its path
(`Patient.contact`), a System type with its namespace (`System.String`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from hub.definitions import ancestors, is_resource_type, type_definition, type_names
from hub.definitions.shapes import Element

SYSTEM_TYPES = frozenset(
    f"System.{name}"
    for name in (
        "Any", "Boolean", "String", "Integer", "Decimal", "Date", "DateTime", "Time", "Quantity",
    )
)  # fmt: skip
TYPE_INFO = "System.TypeInfo"
RESOURCE = "Resource"


@dataclass(frozen=True, slots=True)
class Step:
    """An element of a type.

    Attributes:
        name: Element name, without `[x]`.
        many: Whether it may repeat.
        keys: JSON key and type of each form it can take; one unless it is a choice.
        choice: Whether it is `[x]`.
    """

    name: str
    many: bool
    keys: tuple[tuple[str, str], ...]
    choice: bool

    @property
    def types(self) -> tuple[str, ...]:
        """The types it can take."""
        return tuple(type_name for _, type_name in self.keys)

    def key(self, type_name: str) -> str | None:
        """The JSON key for one type."""
        return next((key for key, own in self.keys if own == type_name), None)


_TYPE_INFO_STEPS = {
    name: Step(name, False, ((name, "System.String"),), False) for name in ("namespace", "name")
}
_ANONYMOUS = frozenset(["BackboneElement", "Element"])


def _element_type(element: Element, code: str, parents: frozenset[str]) -> str:
    """Name of the type: the path for elements that are defined in place."""
    if code in _ANONYMOUS and element.path in parents:
        return element.path
    return code


@cache
def _tables(definition: str) -> Mapping[str, Mapping[str, Step]]:
    """Elements of a type and of each backbone element within, by type name and name."""
    elements = type_definition(definition).elements
    parents = frozenset(element.path.rpartition(".")[0] for element in elements)
    tables: dict[str, dict[str, Step]] = {definition: {}}
    for element in elements[1:]:
        parent = element.path.rpartition(".")[0]
        if element.content_reference:
            keys: tuple[tuple[str, str], ...] = ((element.name, element.content_reference),)
        elif element.is_choice:
            keys = tuple(
                (element.name + own.code[0].upper() + own.code[1:], own.code)
                for own in element.types
            )
        else:
            code = element.types[0].code if element.types else ""
            keys = ((element.name, _element_type(element, code, parents)),)
        many = element.max is None or element.max > 1
        step = Step(element.name, many, keys, element.is_choice)
        tables.setdefault(parent, {})[element.name] = step
    return tables


@cache
def steps(type_name: str) -> Mapping[str, Step]:
    """Elements of a type by name; empty for one that is not known or has none.

    Args:
        type_name: `Patient`, `HumanName`, `Patient.contact`.
    """
    if type_name == TYPE_INFO:
        return _TYPE_INFO_STEPS
    definition = type_name.partition(".")[0]
    if definition not in type_names():
        return {}
    found = _tables(definition).get(type_name, {})
    if is_primitive(type_name):
        found = {name: step for name, step in found.items() if name != "value"}
    return found


@cache
def keys(type_name: str) -> Mapping[str, tuple[Step, str]]:
    """Element and type for each JSON key of a type."""
    return {key: (step, own) for step in steps(type_name).values() for key, own in step.keys}


@cache
def is_known(type_name: str) -> bool:
    """Whether it is a FHIR type, a backbone element's path or a System type."""
    return type_name in type_names() or type_name in SYSTEM_TYPES or bool(steps(type_name))


@cache
def is_primitive(type_name: str) -> bool:
    """Whether it is a FHIR primitive."""
    return type_name in type_names() and type_definition(type_name).kind == "primitive-type"


@cache
def is_resource(type_name: str) -> bool:
    """Whether it is a resource type, concrete or abstract."""
    return type_name in type_names() and type_definition(type_name).kind == "resource"


@cache
def lineage(type_name: str) -> tuple[str, ...]:
    """The type and its ancestors, nearest first."""
    if type_name in type_names():
        return ancestors(type_name)
    if type_name.startswith("System."):
        return (type_name, "System.Any")
    if "modifierExtension" in steps(type_name):
        return (type_name, "BackboneElement", "Element")
    return (type_name, "Element")


@cache
def is_a(type_name: str, wanted: str) -> bool:
    """Whether a value of the type is one of the wanted type, by inheritance."""
    if type_name == wanted or wanted == "System.Any":
        return True
    # A System.Quantity is what FHIR.Quantity converts to; the plain name means both.
    if type_name == "System.Quantity":
        return wanted == "Quantity"
    return bool(type_name) and wanted in lineage(type_name)


@cache
def is_exactly(type_name: str, wanted: str) -> bool:
    """As `is_a`, but a primitive only when it is the very type: what as() and ofType() keep."""
    if is_primitive(type_name):
        return type_name == wanted or wanted == "System.Any"
    return is_a(type_name, wanted)


@cache
def type_named(name: str) -> str | None:
    """The type a specifier names, or None.

    Args:
        name: `Patient`, `FHIR.Patient`, `System.String`, `String`. A plain name is FHIR's
            where FHIR has it, else System's.
    """
    namespace, _, plain = name.rpartition(".")
    if namespace == "System":
        # A FHIR name in the System namespace is no type at all, but a valid question.
        return name if name in SYSTEM_TYPES or plain in type_names() else None
    if namespace not in ("", "FHIR"):
        return name if steps(name) else None
    if plain in type_names():
        return plain
    return f"System.{plain}" if not namespace and f"System.{plain}" in SYSTEM_TYPES else None


def type_of_resource(resource: object) -> str:
    """The type of a JSON resource; empty when it names none that R4 has."""
    if isinstance(resource, dict):
        name = resource.get("resourceType")
        if isinstance(name, str) and is_resource_type(name):
            return name
    return ""
