"""Shapes of the R4 definition tables: what the build script writes and every layer reads.

Derived from StructureDefinition, SearchParameter, CompartmentDefinition, ValueSet and
CodeSystem of hl7.fhir.r4.core 4.0.1. Read through the functions of `hub.definitions`.
"""

from __future__ import annotations

import msgspec


class ElementType(msgspec.Struct, frozen=True, array_like=True):
    """One allowed type of an element (ElementDefinition.type).

    Attributes:
        code: Type name (`string`, `Reference`, `BackboneElement`), or `System.String` etc. for
            the FHIRPath system types of a primitive's own value. Ids and extension urls, which
            the package types so too, are corrected to `id`, `string` and `uri`.
        targets: Resource type names a Reference or canonical may point to; empty: any.
        profiles: Canonicals of profiles on the type itself (`SimpleQuantity`); usually empty.
    """

    code: str
    targets: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()


class Binding(msgspec.Struct, frozen=True, array_like=True):
    """ElementDefinition.binding; value_set is a canonical without version."""

    strength: str
    value_set: str


class Constraint(msgspec.Struct, frozen=True, array_like=True):
    """ElementDefinition.constraint: an invariant in FHIRPath."""

    key: str
    severity: str
    human: str
    expression: str


class Element(msgspec.Struct, frozen=True, array_like=True):
    """One row of a snapshot.

    Attributes:
        path: `Observation.component.value[x]`.
        name: Last step without `[x]`: `value`.
        min: Least number of repetitions.
        max: Most; None means `*`.
        types: Allowed types; empty for a content reference.
        is_choice: True for `[x]` elements; JSON name is name + type code capitalised.
        content_reference: Path whose children it takes (`Observation.referenceRange`), or None.
        binding: Binding or None.
        constraints: Invariants of this element (those of its type are on the type).
        is_summary: In `_summary=true`.
        is_modifier: Can change the meaning.
        is_xml_attribute: Element.id, Extension.url: attributes in XML.
        short: One line of explanation.
        pattern: ElementDefinition.pattern[x]/fixed[x] are absent in base R4; kept for profiles.
        max_length: maxLength or None.
    """

    path: str
    name: str
    min: int
    max: int | None
    types: tuple[ElementType, ...] = ()
    is_choice: bool = False
    content_reference: str | None = None
    binding: Binding | None = None
    constraints: tuple[Constraint, ...] = ()
    is_summary: bool = False
    is_modifier: bool = False
    is_xml_attribute: bool = False
    short: str = ""
    max_length: int | None = None


class TypeDefinition(msgspec.Struct, frozen=True, array_like=True):
    """A FHIR type: a resource, a complex data type or a primitive.

    Attributes:
        name: `Patient`, `HumanName`, `dateTime`.
        kind: `resource`, `complex-type` or `primitive-type`.
        abstract: True for Resource, DomainResource, Element, BackboneElement.
        base: Name of the base type (`DomainResource`), or None for Element and Resource.
        url: Canonical of the StructureDefinition.
        elements: The whole snapshot in order; the first one is the root, whose constraints are
            the type's. Backbone children follow their parent by path.
        regex: Value pattern of a primitive, or None.
    """

    name: str
    kind: str
    abstract: bool
    base: str | None
    url: str
    elements: tuple[Element, ...]
    regex: str | None = None


class SearchParameterComponent(msgspec.Struct, frozen=True, array_like=True):
    """SearchParameter.component of a composite: definition canonical and its expression."""

    definition: str
    expression: str


class SearchParameter(msgspec.Struct, frozen=True, array_like=True):
    """A SearchParameter.

    Attributes:
        key: Small stable integer that stands for it in index rows. Core ones get 1..9999 from
            the committed table; those created at run time get 10000 and up from the store.
        url: Canonical.
        code: Name in the URL (`birthdate`, `_id`).
        type: number, date, string, token, reference, composite, quantity, uri, special.
        base: Resource types it applies to; may hold `Resource` or `DomainResource`.
        expression: FHIRPath as given (a union over the bases), empty if none.
        targets: For references: target types; empty means any.
        components: For composites.
        description: One line.
    """

    key: int
    url: str
    code: str
    type: str
    base: tuple[str, ...]
    expression: str
    targets: tuple[str, ...] = ()
    components: tuple[SearchParameterComponent, ...] = ()
    description: str = ""


class BoundCodes(msgspec.Struct, frozen=True, array_like=True):
    """What a value set allows, enumerated from the package or checked by syntax.

    Attributes:
        codes: All codes, whatever their system; empty where `syntax` is set.
        systems: Code system url to the codes taken from it.
        syntax: None when enumerated, else `mime`, `bcp47`, `ucum`, `iso4217`, or `all` where
            nothing can be said.
    """

    codes: frozenset[str]
    systems: dict[str, frozenset[str]]
    syntax: str | None = None
