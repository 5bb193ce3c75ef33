"""From a CodeSystem resource to columns.

Nested concepts and the properties `parent` and `child` both make the hierarchy. Called by the
sources of content (`terminology.core.content`) and by loaders.
Spec: https://hl7.org/fhir/R4/codesystem.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from terminology.core.shapes import (
    CodeSystem,
    Columns,
    Designation,
    Property,
    PropertyKind,
    Resource,
    objects,
)

_VALUE_KINDS: dict[str, PropertyKind] = {
    "valueCode": "code",
    "valueCoding": "Coding",
    "valueString": "string",
    "valueInteger": "integer",
    "valueBoolean": "boolean",
    "valueDateTime": "dateTime",
    "valueDecimal": "decimal",
}


class Builder:
    """Collects concepts into columns; parents may be named before they come.

    Attributes:
        columns: What there is so far; whole after `finish`.
    """

    def __init__(self) -> None:
        """Start empty."""
        self.columns = Columns()
        self._ordinals: dict[str, int] = {}
        self._links: list[tuple[str, str]] = []

    def add(self, code: str, display: str = "", parent: int | None = None) -> int:
        """Append a concept, or find the one with this code.

        Args:
            code: The code.
            display: "" without.
            parent: Ordinal of the concept above it.

        Returns:
            Its ordinal.
        """
        ordinal = self._ordinals.get(code)
        if ordinal is None:
            ordinal = self._ordinals[code] = len(self.columns.codes)
            self.columns.codes.append(code)
            self.columns.displays.append(display)
        if parent is not None:
            self._under(ordinal, parent)
        return ordinal

    def link(self, child: str, parent: str) -> None:
        """Say that a code stands under another; codes that never come are left out."""
        self._links.append((child, parent))

    def finish(self) -> Columns:
        """The columns, with the links resolved."""
        for child, parent in self._links:
            below, above = self._ordinals.get(child), self._ordinals.get(parent)
            if below is not None and above is not None:
                self._under(below, above)
        self._links.clear()
        return self.columns

    def _under(self, ordinal: int, parent: int) -> None:
        parents = self.columns.parents.setdefault(ordinal, [])
        if parent not in parents:
            parents.append(parent)


def code_system(resource: Resource) -> CodeSystem:
    """A code system from its resource; what has the wrong shape in it is passed over.

    Args:
        resource: CodeSystem; not changed.
    """
    builder = Builder()
    header = {name: content for name, content in resource.items() if name != "concept"}
    named = {"parent": {"parent"}, "child": {"child"}}
    for one in objects(resource.get("property")):
        uri = str(one.get("uri") or "")
        for name, codes in named.items():
            if uri.endswith(f"concept-properties#{name}"):
                codes.add(str(one.get("code")))
    waiting: list[tuple[Iterator[Mapping[str, Any]], int | None]] = [
        (iter(objects(resource.get("concept"))), None)
    ]
    while waiting:
        concepts, parent = waiting[-1]
        concept = next(concepts, None)
        if concept is None:
            waiting.pop()
            continue
        code = concept.get("code")
        if isinstance(code, str) and code:
            ordinal = builder.add(code, str(concept.get("display") or ""), parent)
            _fill(builder, ordinal, code, concept, named["parent"], named["child"])
            waiting.append((iter(objects(concept.get("concept"))), ordinal))
    return CodeSystem(header, builder.finish())


def _fill(
    builder: Builder,
    ordinal: int,
    code: str,
    concept: Mapping[str, Any],
    parent_names: set[str],
    child_names: set[str],
) -> None:
    columns = builder.columns
    definition = concept.get("definition")
    if isinstance(definition, str) and definition:
        columns.definitions[ordinal] = definition
    designations = [designation(one) for one in objects(concept.get("designation"))]
    if designations:
        columns.designations[ordinal] = designations
    extensions = objects(concept.get("extension"))
    if extensions:
        columns.extensions[ordinal] = extensions
    properties: list[Property] = []
    for one in objects(concept.get("property")):
        made = property_of(one)
        if made is None:
            continue
        if made.code in parent_names and isinstance(made.value, str):
            builder.link(code, made.value)
        elif made.code in child_names and isinstance(made.value, str):
            builder.link(made.value, code)
        else:
            properties.append(made)
    if properties:
        columns.properties[ordinal] = properties


def designation(element: Mapping[str, Any]) -> Designation:
    """A designation from its element."""
    use = element.get("use")
    return Designation(
        str(element.get("value") or ""),
        str(element.get("language") or ""),
        use if isinstance(use, dict) else {},
        objects(element.get("extension")),
    )


def property_of(element: Mapping[str, Any]) -> Property | None:
    """A property from its element, None when it has no code or no value."""
    code = element.get("code")
    for name, kind in _VALUE_KINDS.items():
        if name in element and isinstance(code, str):
            return Property(code, kind, element[name])
    return None
