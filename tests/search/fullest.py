"""A resource of a type with everything in it, deterministic: for each choice one variant.

Values are right in type and format, not in meaning; references point at every type an element
allows, one after the other.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from hub.definitions import resource_types, search_parameters_of, type_definition
from hub.fhirpath import schema

DEEPEST = 5
_LEFT_OUT = frozenset(["contained", "extension", "modifierExtension", "id", "resourceType"])
_PRIMITIVES: dict[str, list[Any]] = {
    "boolean": [True, False],
    "integer": [3, -4],
    "unsignedInt": [5],
    "positiveInt": [6],
    "decimal": [Decimal("1.50"), 2],
    "string": ["Straße Ü", "text one"],
    "markdown": ["*marked*"],
    "code": ["final", "A-b"],
    "uri": ["http://example.org/uri", "urn:oid:1.2.3", "Patient/u1"],
    "url": ["http://example.org/url"],
    "canonical": ["http://example.org/canonical|1.0", "http://example.org/canonical"],
    "oid": ["urn:oid:1.2.3"],
    "uuid": ["urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7"],
    "id": ["id-1"],
    "base64Binary": ["AQID"],
    "date": ["2026-03-01", "2026-03", "2026"],
    "dateTime": ["2026-03-01T02:00:00+08:00", "2026-03-01"],
    "instant": ["2026-03-01T02:00:00.123Z"],
    "time": ["12:30:00"],
    "xhtml": ['<div xmlns="http://www.w3.org/1999/xhtml">Narrative</div>'],
}
_ASKED_FOR = {
    ("ContactPoint", "system"): ["phone", "email"],
    ("RelatedArtifact", "type"): [
        "composed-of", "depends-on", "derived-from", "predecessor", "successor",
    ],
}  # fmt: skip
"""Codes that search expressions filter by."""

_EXTENSION_URL = re.compile(r"xtension\('([^']+)'\)")


def fullest(resource_type: str, variant: int) -> dict[str, Any]:
    """The resource.

    Args:
        resource_type: A concrete resource type.
        variant: Which type each choice takes, which target each reference.
    """
    return {
        "resourceType": resource_type,
        "id": f"v{variant}",
        **_elements(resource_type, variant, 0),
        "extension": [
            _extension(url, variant)
            for parameter in search_parameters_of(resource_type).values()
            for url in _EXTENSION_URL.findall(parameter.expression)
        ],
    }


def _extension(url: str, variant: int) -> dict[str, Any]:
    values: list[dict[str, Any]] = [
        {"valueString": "Müller"},
        {"valueCodeableConcept": {"coding": [{"system": "http://e", "code": "Ab"}]}},
        {"valueReference": {"reference": "Condition/1"}},
    ]
    return {"url": url, **values[variant % len(values)]}


_IS_SUBJECT = "http://hl7.org/fhir/StructureDefinition/questionnaireresponse-isSubject"


def variants(resource_type: str) -> int:
    """How many variants show every choice and target once, at most 12."""
    most = 5
    for element in type_definition(resource_type).elements:
        most = max(most, len(element.types), *(len(kind.targets) for kind in element.types), 2)
    return min(most, 12)


def _elements(type_name: str, variant: int, depth: int) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, step in schema.steps(type_name).items():
        if name in _LEFT_OUT:
            continue
        key, own = step.keys[variant % len(step.keys)]
        if not schema.is_primitive(own) and depth >= DEEPEST:
            continue
        values = [
            _value(type_name, name, own, variant + n, depth) for n in range(2 if step.many else 1)
        ]
        values = [value for value in values if value not in ({}, None)]
        if own == "QuestionnaireResponse.item":
            values[0]["extension"] = [{"url": _IS_SUBJECT, "valueBoolean": True}]
        if values:
            made[key] = values if step.many else values[0]
    return made


def _value(parent: str, name: str, own: str, variant: int, depth: int) -> Any:
    if own in _PRIMITIVES:
        choices = _ASKED_FOR.get((parent, name), _PRIMITIVES[own])
        return choices[variant % len(choices)]
    if own == "Resource":
        kinds = ("Composition", "MessageHeader", "Patient")
        return {"resourceType": kinds[variant % len(kinds)], "id": f"inner{variant}"}
    if own == "Reference":
        return _reference(parent, name, variant)
    if own == "SampledData":
        return {"origin": {"value": 10}, "period": 1, "dimensions": 1, "data": "1 E -2 3"}
    if own == "Extension":
        return None
    return _elements(own, variant, depth + 1)


def _reference(parent: str, name: str, variant: int) -> dict[str, Any]:
    targets: tuple[str, ...] = ()
    for element in type_definition(parent.partition(".")[0]).elements:
        if element.name == name and element.path.rpartition(".")[0] == parent:
            targets = tuple(t for kind in element.types for t in kind.targets)
    known = [target for target in targets if target in resource_types()] or ["Patient", "Device"]
    return {
        "reference": f"{known[variant % len(known)]}/{name}-{variant}",
        "display": f"shown {name}",
    }
