"""Cut a resource down to what `_summary` or `_elements` ask for, and say so.

Whatever is cut carries the tag SUBSETTED, so that nobody takes it for the whole; mandatory
elements stay, so that it remains valid. Called for search pages and by REST for single
reads. Spec: https://hl7.org/fhir/R4/search.html#summary, #elements
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from hub.definitions import Element, type_definition

SUBSETTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
    "display": "subsetted",
}

Plan = dict[str, Any]
"""JSON property to keep, and for those that are cut themselves the plan of what is in them."""

_HEAD = ("resourceType", "id")
_ALWAYS = ("resourceType", "id", "_id", "meta")


def shape(resource: dict[str, Any], summary: str = "", elements: Sequence[str] = ()) -> Any:
    """A cut copy of a resource; the resource itself when nothing is to be cut.

    Args:
        resource: Any resource.
        summary: Value of `_summary`; `count` and `false` leave it whole.
        elements: Element names of `_elements`, also as `Patient.name`; wins over the summary.

    Returns:
        A new dict that shares its values with `resource`.
    """
    type = resource["resourceType"]
    if elements:
        return _tagged(_cut(resource, _elements_plan(type, tuple(sorted(elements)))))
    cut = _SUMMARIES.get(summary)
    return cut(resource) if cut else resource


def _true(resource: dict[str, Any]) -> dict[str, Any]:
    return _tagged(_cut(resource, _summary_plan(resource["resourceType"])))


def _text(resource: dict[str, Any]) -> dict[str, Any]:
    return _tagged(_cut(resource, _text_plan(resource["resourceType"])))


def _data(resource: dict[str, Any]) -> dict[str, Any]:
    return _tagged({name: value for name, value in resource.items() if name != "text"})


_SUMMARIES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "true": _true,
    "text": _text,
    "data": _data,
}


def _cut(node: dict[str, Any], plan: Plan) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in node.items():
        inner = plan.get(name, False)
        if inner is False:
            continue
        if inner is None:
            kept[name] = value
        elif isinstance(value, dict):
            kept[name] = _cut(value, inner)
        elif isinstance(value, list):
            kept[name] = [_cut(item, inner) if isinstance(item, dict) else item for item in value]
    return kept


def _tagged(resource: dict[str, Any]) -> dict[str, Any]:
    """The same with SUBSETTED in meta.tag; meta keeps its place behind the id."""
    meta = dict(resource.get("meta") or {})
    tags = meta.get("tag") or []
    if not any(tag.get("code") == "SUBSETTED" for tag in tags):
        meta["tag"] = [*tags, SUBSETTED]
    head: dict[str, Any] = {name: resource[name] for name in _HEAD if name in resource}
    return {**head, "meta": meta, **{k: v for k, v in resource.items() if k != "meta"}}


def _names(element: Element) -> tuple[str, ...]:
    """The JSON properties of an element, with the `_` siblings of primitives."""
    names = [
        element.name + (kind.code[0].upper() + kind.code[1:] if element.is_choice else "")
        for kind in element.types
    ] or [element.name]
    return tuple(dict.fromkeys(part for name in names for part in (name, "_" + name)))


def _roots(type: str) -> list[Element]:
    """The elements at the root of a resource."""
    return [item for item in type_definition(type).elements if item.path.count(".") == 1]


def _base(type: str) -> Plan:
    """What every cut keeps: identity and mandatory elements."""
    plan: Plan = dict.fromkeys(_ALWAYS)
    for element in _roots(type):
        if element.min > 0:
            plan.update(dict.fromkeys(_names(element)))
    return plan


@lru_cache(maxsize=1024)
def _elements_plan(type: str, elements: tuple[str, ...]) -> Plan:
    wanted = {name.removeprefix(type + ".").removesuffix("[x]") for name in elements}
    plan = _base(type)
    for element in _roots(type):
        # Without its modifiers (Patient.active) the rest could be misread.
        if element.is_modifier or element.name in wanted or not wanted.isdisjoint(_names(element)):
            plan.update(dict.fromkeys(_names(element)))
    return plan


@lru_cache(maxsize=256)
def _text_plan(type: str) -> Plan:
    return {**_base(type), "text": None}


@lru_cache(maxsize=256)
def _summary_plan(type: str) -> Plan:
    """Elements marked as summary, at every level; data types are cut by their own marks."""
    definition = type_definition(type)
    plans: dict[str, Plan] = {type: dict.fromkeys(_ALWAYS)}
    for element in definition.elements[1:]:
        parent = plans.get(element.path.rpartition(".")[0])
        if parent is None or not (element.is_summary or element.min > 0):
            continue
        for name in _names(element):
            parent[name] = None
        kinds = {kind.code for kind in element.types}
        if kinds & {"BackboneElement", "Element"}:
            parent[element.name] = plans[element.path] = {"id": None}
        elif element.content_reference is not None:
            parent[element.name] = plans.get(element.content_reference.lstrip("#"))
        elif kinds == {"Attachment"}:
            parent[element.name] = _data_type_plan("Attachment")
    return plans[type]


@lru_cache(maxsize=64)
def _data_type_plan(type: str) -> Plan:
    plan: Plan = {"id": None}
    for element in _roots(type):
        if element.is_summary:
            plan.update(dict.fromkeys(_names(element)))
    return plan
