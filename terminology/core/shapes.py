"""Code systems, value sets and concept maps in memory, and where they come from.

A code system is columns of equal length with an index by code: a concept is its ordinal, its
place in the order of the definition. What few concepts have (definitions, designations,
properties, several parents) is sparse. 100,000 concepts with Chinese names and a hierarchy take
about 65 MB; the columns go into one msgpack blob as they are (`Columns`), for loaders.
Spec: https://hl7.org/fhir/R4/codesystem.html, valueset.html, conceptmap.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, Protocol

import msgspec

Resource = dict[str, Any]

PropertyKind = Literal["code", "Coding", "string", "integer", "boolean", "dateTime", "decimal"]

CONCEPT_PROPERTIES = "http://hl7.org/fhir/concept-properties#"
"""What leads the uri of a property that FHIR itself defines (`inactive`, `notSelectable` ...)."""

INACTIVE_STATUSES = frozenset(("retired", "inactive"))
"""Values of the property `status` that make a concept inactive."""


def objects(given: Any) -> list[Resource]:
    """The objects of a list; of what has another shape, none."""
    return [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []


class Designation(msgspec.Struct, frozen=True, array_like=True):
    """Another word for a concept.

    Attributes:
        value: The word.
        language: BCP-47, "" when it does not say.
        use: Coding of its use, empty without.
        extension: Its extensions as in the resource.
        source: Canonical of the supplement it comes from, "" for the code system itself.
    """

    value: str
    language: str = ""
    use: dict[str, Any] = msgspec.field(default_factory=dict)
    extension: list[dict[str, Any]] = msgspec.field(default_factory=list)
    source: str = ""


class Property(msgspec.Struct, frozen=True, array_like=True):
    """One property of a concept: its code, its type, its value as JSON has it."""

    code: str
    kind: PropertyKind
    value: Any

    @property
    def element(self) -> str:
        """Name of the element that holds it: `valueCode`."""
        return f"value{self.kind[0].upper()}{self.kind[1:]}"


class Columns(msgspec.Struct):
    """The concepts of a code system, each by its ordinal; msgpack takes it as it is.

    Attributes:
        codes: In the order of the definition, each once.
        displays: As many; "" without one.
        definitions: Ordinal to definition.
        designations: Ordinal to designations.
        properties: Ordinal to properties; without `parent` and `child`, which are in `parents`.
        parents: Ordinal to the ordinals of its parents; a root has no entry.
        extensions: Ordinal to extensions of the concept.
    """

    codes: list[str] = msgspec.field(default_factory=list)
    displays: list[str] = msgspec.field(default_factory=list)
    definitions: dict[int, str] = msgspec.field(default_factory=dict)
    designations: dict[int, list[Designation]] = msgspec.field(default_factory=dict)
    properties: dict[int, list[Property]] = msgspec.field(default_factory=dict)
    parents: dict[int, list[int]] = msgspec.field(default_factory=dict)
    extensions: dict[int, list[dict[str, Any]]] = msgspec.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PropertyDefinition:
    """CodeSystem.property: code, what it means to FHIR ("" or a uri), type, words."""

    code: str
    uri: str = ""
    kind: str = "string"
    description: str = ""


@dataclass(frozen=True, eq=False)
class Canonical:
    """What code systems and value sets share: their resource, and what they are called."""

    resource: Resource

    @cached_property
    def url(self) -> str:
        """Canonical url, "" without."""
        return str(self.resource.get("url") or "")

    @cached_property
    def version(self) -> str:
        """Business version, "" without."""
        return str(self.resource.get("version") or "")

    @cached_property
    def canonical(self) -> str:
        """`url|version`, or the url alone."""
        return f"{self.url}|{self.version}" if self.version else self.url

    @cached_property
    def kept(self) -> dict[str, Any]:
        """What was derived from it elsewhere, kept with it."""
        return {}


@dataclass(frozen=True, eq=False)
class CodeSystem(Canonical):
    """A version of a code system, or a supplement of one; its resource is without concepts.

    Attributes:
        columns: The concepts. They are not changed once they are here.
    """

    columns: Columns = field(default_factory=Columns, repr=False)

    def __len__(self) -> int:
        """Number of concepts."""
        return len(self.columns.codes)

    # --- the definition ---------------------------------------------------------------------

    @cached_property
    def content(self) -> str:
        """complete, fragment, example, not-present or supplement."""
        return str(self.resource.get("content") or "complete")

    @cached_property
    def language(self) -> str:
        """Language of the displays, "" when it does not say."""
        return str(self.resource.get("language") or "")

    @cached_property
    def supplements(self) -> str:
        """Canonical of the code system that this one supplements, "" for none."""
        return str(self.resource.get("supplements") or "")

    @cached_property
    def case_sensitive(self) -> bool:
        """Whether codes differ by case; what does not say is taken as sensitive."""
        return self.resource.get("caseSensitive") is not False

    @cached_property
    def property_definitions(self) -> Mapping[str, PropertyDefinition]:
        """Its own properties by code."""
        return {
            str(one.get("code")): PropertyDefinition(
                str(one.get("code")),
                str(one.get("uri") or ""),
                str(one.get("type") or "string"),
                str(one.get("description") or ""),
            )
            for one in objects(self.resource.get("property"))
        }

    def property_named(self, name: str) -> str:
        """The code by which this code system has one of FHIR's own properties.

        Args:
            name: As `inactive`; the answer when no property has its uri.
        """
        uri = CONCEPT_PROPERTIES + name
        for one in self.property_definitions.values():
            if one.uri == uri:
                return one.code
        return name

    # --- concepts ---------------------------------------------------------------------------

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Code to ordinal; of folded codes when case does not matter."""
        codes = self.columns.codes
        if self.case_sensitive:
            return {code: ordinal for ordinal, code in enumerate(codes)}
        folded: dict[str, int] = {}
        for ordinal, code in enumerate(codes):
            folded.setdefault(code.casefold(), ordinal)
        return folded

    @property
    def enumerable(self) -> bool:
        """Whether its codes can be listed."""
        return True

    def find(self, code: str) -> int | None:
        """Ordinal of a concept, None when there is none."""
        return self.index.get(code if self.case_sensitive else code.casefold())

    def code(self, ordinal: int) -> str:
        """The code as the definition writes it."""
        return self.columns.codes[ordinal]

    def display(self, ordinal: int) -> str:
        """The display, "" without."""
        return self.columns.displays[ordinal]

    def definition(self, ordinal: int) -> str:
        """The definition, "" without."""
        return self.columns.definitions.get(ordinal, "")

    def designations(self, ordinal: int) -> Sequence[Designation]:
        """Other words."""
        return self.columns.designations.get(ordinal, ())

    def properties(self, ordinal: int) -> Sequence[Property]:
        """Properties without `parent` and `child`."""
        return self.columns.properties.get(ordinal, ())

    def extensions(self, ordinal: int) -> Sequence[Resource]:
        """Extensions of the concept."""
        return self.columns.extensions.get(ordinal, ())

    def values(self, ordinal: int, name: str) -> list[Any]:
        """Values of one property, in order."""
        return [one.value for one in self.properties(ordinal) if one.code == name]

    # --- hierarchy --------------------------------------------------------------------------

    @cached_property
    def _children(self) -> Mapping[int, Sequence[int]]:
        found: dict[int, list[int]] = {}
        for ordinal in sorted(self.columns.parents):
            for parent in self.columns.parents[ordinal]:
                found.setdefault(parent, []).append(ordinal)
        return found

    def parents(self, ordinal: int) -> Sequence[int]:
        """Ordinals of the concepts right above."""
        return self.columns.parents.get(ordinal, ())

    def children(self, ordinal: int) -> Sequence[int]:
        """Ordinals of the concepts right below, in order."""
        return self._children.get(ordinal, ())

    def roots(self) -> Iterator[int]:
        """Ordinals of the concepts without a parent, in order."""
        parents = self.columns.parents
        return (ordinal for ordinal in range(len(self)) if not parents.get(ordinal))

    def below(self, ordinal: int) -> set[int]:
        """All under a concept, itself not; a cycle ends."""
        return _reach(ordinal, self.children)

    def above(self, ordinal: int) -> set[int]:
        """All over a concept, itself not; a cycle ends."""
        return _reach(ordinal, self.parents)

    def is_in_cycle(self, ordinal: int) -> bool:
        """Whether a concept stands under itself, which a hierarchy cannot show."""
        return ordinal in self._cyclic

    @cached_property
    def _cyclic(self) -> frozenset[int]:
        """Concepts that a walk from the roots does not reach."""
        reached: set[int] = set()
        waiting = list(self.roots())
        while waiting:
            ordinal = waiting.pop()
            if ordinal not in reached:
                reached.add(ordinal)
                waiting.extend(self.children(ordinal))
        if len(reached) == len(self):
            return frozenset()
        return frozenset(range(len(self))) - reached

    @cached_property
    def selections(self) -> dict[tuple[str, str, str], frozenset[int]]:
        """What filters selected already (`terminology.core.filters`), by property, op, value."""
        return {}

    # --- status -----------------------------------------------------------------------------

    @cached_property
    def _inactive(self) -> frozenset[int]:
        inactive, status = self.property_named("inactive"), self.property_named("status")
        return frozenset(
            ordinal
            for ordinal, properties in self.columns.properties.items()
            if any(
                (one.code == inactive and one.value in (True, "true"))
                or (one.code == status and one.value in INACTIVE_STATUSES)
                for one in properties
            )
        )

    @cached_property
    def _abstract(self) -> frozenset[int]:
        name = self.property_named("notSelectable")
        names = (name, "abstract") if name == "notSelectable" else (name,)
        return frozenset(
            ordinal
            for ordinal, properties in self.columns.properties.items()
            if any(one.code in names and one.value in (True, "true") for one in properties)
        )

    def is_inactive(self, ordinal: int) -> bool:
        """Whether the concept is no longer for use."""
        return ordinal in self._inactive

    @property
    def has_inactive(self) -> bool:
        """Whether any concept is no longer for use."""
        return bool(self._inactive)

    def is_abstract(self, ordinal: int) -> bool:
        """Whether the concept only groups others."""
        return ordinal in self._abstract


def _reach(start: int, step: Any) -> set[int]:
    seen: set[int] = set()
    waiting = list(step(start))
    while waiting:
        ordinal = waiting.pop()
        if ordinal not in seen:
            seen.add(ordinal)
            waiting.extend(step(ordinal))
    seen.discard(start)
    return seen


class ValueSet(Canonical):
    """A version of a value set: the resource as it is."""


class ContentSource(Protocol):
    """Where content comes from: a request's own, the record, the R4 package.

    Each answers with every version it has; who asks chooses. A source shows only what whoever
    asks may read, and shows a changed resource at once.
    """

    async def code_systems(self, url: str) -> Sequence[CodeSystem]:
        """Versions of a code system, without supplements."""

    async def supplements(self, url: str) -> Sequence[CodeSystem]:
        """Supplements of the code system with this url, whatever version they name."""

    async def value_sets(self, url: str) -> Sequence[ValueSet]:
        """Versions of a value set."""

    async def concept_maps(self, url: str) -> Sequence[Resource]:
        """Versions of a concept map; "" for the url: all that there are."""
