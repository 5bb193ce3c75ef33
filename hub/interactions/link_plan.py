"""Where a resource can hold links: references, uris, narrative, by type, from the definitions.

In a transaction a server replaces every link to an entry's fullUrl: Reference.reference,
elements of type uri, url, oid and uuid, and `a href` and `img src` in narrative; canonicals stay.
`slots` finds them in one walk that enters only what can hold one. Called by
`hub.interactions.bundle_references`.
Spec: https://hl7.org/fhir/R4/http.html#transaction
"""

from __future__ import annotations

from collections.abc import Container
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from hub.definitions import TypeDefinition, is_resource_type, type_definition, type_names

Kind = Literal["reference", "uri", "narrative"]

Plan = dict[str, Any]
"""JSON property name to what is under it: a Plan, a Quiet, or one of the marks below."""

REFERENCE, URI, NARRATIVE, RESOURCE = "reference", "uri", "narrative", "resource"

_URIS = frozenset(("uri", "url", "oid", "uuid"))
_ANONYMOUS = frozenset(("BackboneElement", "Element"))
_NEVER_QUIET = _ANONYMOUS | {"Extension", "Narrative", "Reference"}


class Quiet(NamedTuple):
    """A data type of primitives, at most one of them a uri: entered only for more than these.

    Most of what a resource consists of (Coding, Quantity, Period) is passed in one comparison.

    Attributes:
        plain: JSON names of its primitives.
        uri: Name of the one that is a uri, "" if none.
        plan: For elements with extensions.
    """

    plain: frozenset[str]
    uri: str
    plan: Plan


class Slot(NamedTuple):
    """A place that holds a link: `holder[key]` was `text` when it was found."""

    holder: Any
    key: str | int
    text: str
    kind: Kind


def slots(resource: dict[str, Any], known: Container[str]) -> list[Slot]:
    """All references of a resource, its uris that are known, and its narrative with links.

    Args:
        resource: Any resource; parts that are not well-formed are passed over.
        known: The fullUrls whose uris are wanted.
    """
    found: list[Slot] = []
    _resource(resource, known, found)
    return found


def _resource(resource: dict[str, Any], known: Container[str], found: list[Slot]) -> None:
    type = resource.get("resourceType")
    if isinstance(type, str) and is_resource_type(type):
        _visit(resource, plan_of(type), known, found)


def _visit(node: dict[str, Any], plan: Plan, known: Container[str], found: list[Slot]) -> None:
    for key, value in node.items():
        action = plan.get(key)
        if action is None:
            continue
        if action.__class__ is dict:
            if value.__class__ is dict:
                _visit(value, action, known, found)
            elif value.__class__ is list:
                for item in value:
                    if item.__class__ is dict:
                        _visit(item, action, known, found)
        elif action.__class__ is Quiet:
            _pass(action, value, known, found)
        else:
            _MARKS[action](node, key, value, known, found)


def _pass(quiet: Quiet, value: Any, known: Container[str], found: list[Slot]) -> None:
    plain, uri, plan = quiet
    for item in value if value.__class__ is list else (value,):
        if item.__class__ is not dict:
            continue
        if not item.keys() <= plain:
            _visit(item, plan, known, found)
        elif uri and uri in item:
            _uri(item, uri, item[uri], known, found)


def _reference(
    node: Any, key: str | int, value: Any, known: Container[str], found: list[Slot]
) -> None:
    if value.__class__ is str:
        found.append(Slot(node, key, value, "reference"))


def _uri(node: Any, key: str | int, value: Any, known: Container[str], found: list[Slot]) -> None:
    if value.__class__ is str:
        if value in known:
            found.append(Slot(node, key, value, "uri"))
    elif value.__class__ is list:
        for index, item in enumerate(value):
            _uri(value, index, item, known, found)


def _narrative(
    node: Any, key: str | int, value: Any, known: Container[str], found: list[Slot]
) -> None:
    if value.__class__ is str and ("href" in value or "src" in value):
        found.append(Slot(node, key, value, "narrative"))


def _inner(node: Any, key: str | int, value: Any, known: Container[str], found: list[Slot]) -> None:
    for item in value if value.__class__ is list else (value,):
        if item.__class__ is dict:
            _resource(item, known, found)


_MARKS = {REFERENCE: _reference, URI: _uri, NARRATIVE: _narrative, RESOURCE: _inner}


@lru_cache(maxsize=256)
def plan_of(resource_type: str) -> Plan:
    """The plan of a resource type."""
    plan: Plan = {}
    _fill(plan, type_definition(resource_type), _data_types())
    return plan


@lru_cache(maxsize=1)
def _data_types() -> dict[str, Any]:
    """What to do with each complex type; they refer to each other (Identifier and Reference)."""
    # BackboneElement first: the parts of the others start as copies of it.
    names = ["BackboneElement", *sorted(type_names() - {"BackboneElement"})]
    definitions = [one for one in map(type_definition, names) if one.kind == "complex-type"]
    plans: dict[str, Plan] = {definition.name: {} for definition in definitions}
    actions: dict[str, Any] = {
        definition.name: _quiet(definition, plans[definition.name]) or plans[definition.name]
        for definition in definitions
    }
    for definition in definitions:
        _fill(plans[definition.name], definition, actions)
    plans["Reference"]["reference"] = REFERENCE
    plans["Extension"].pop("url", None)  # It names a definition, as a canonical does.
    return actions


def _quiet(definition: TypeDefinition, plan: Plan) -> Quiet | None:
    """A type that holds nothing but primitives, Reference and Extension left out."""
    kinds = {
        element.name: [kind.code for kind in element.types]
        for element in definition.elements[1:]
        if element.name not in ("id", "extension")
    }
    uris = [name for name, codes in kinds.items() if not _URIS.isdisjoint(codes)]
    flat = all(len(codes) == 1 and codes[0][0].islower() for codes in kinds.values())
    if definition.name in _NEVER_QUIET or not (kinds and flat and len(uris) < 2):
        return None
    return Quiet(frozenset(kinds), uris[0] if uris else "", plan)


def _fill(plan: Plan, definition: TypeDefinition, data_types: dict[str, Any]) -> None:
    """Put the actions for a type's own elements into `plan`, backbone by backbone."""
    parts: dict[str, Plan] = {definition.name: plan}
    elements = definition.elements[1:]
    for element in elements:
        if any(kind.code in _ANONYMOUS for kind in element.types):
            parts[element.path] = dict(data_types["BackboneElement"])
    for element in elements:
        parent = parts.get(element.path.rpartition(".")[0])
        if parent is None:
            continue
        if element.content_reference is not None:
            parent[element.name] = parts[element.content_reference.lstrip("#")]
        for kind in element.types:
            name = element.name
            if element.is_choice:
                name += kind.code[0].upper() + kind.code[1:]
            action = parts.get(element.path) or _action(kind.code, data_types)
            if action is not None:
                parent[name] = action
            if kind.code[0].islower() and kind.code != "xhtml":
                parent["_" + name] = data_types["Element"]


def _action(code: str, data_types: dict[str, Any]) -> object:
    if code in _URIS:
        return URI
    if code == "xhtml":
        return NARRATIVE
    if code in data_types:
        return data_types[code]
    return RESOURCE if code in ("Resource", "DomainResource") else None
