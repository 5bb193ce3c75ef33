"""From an item to its elements when the type is known only at run time.

http://hl7.org/fhirpath/N1/#path-selection, https://hl7.org/fhir/R4/json.html#primitive. The
guarded mode and the places where the type varies (contained resources, choices, descendants)
go through here; it believes nothing about the shape of the JSON. Paths over known types are
compiled by `hub.fhirpath.paths` instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from hub.fhirpath import schema
from hub.fhirpath.item import Item
from hub.fhirpath.quantity import Quantity

Nodes = list[Any]


def child_items(
    item: Item, key: str, value: Any, name: str, own: str, many: bool
) -> Iterator[Item]:
    """The items of one JSON member, with parent and place."""
    siblings = item.value.get(f"_{key}") if not schema.is_resource(own) else None
    if value.__class__ is list:
        others = siblings if siblings.__class__ is list else ()
        for index in range(max(len(value), len(others))):
            one = value[index] if index < len(value) else None
            element = others[index] if index < len(others) else None
            if one is not None or element.__class__ is dict:
                yield Item(
                    one,
                    _own_type(own, one),
                    element if element.__class__ is dict else None,
                    item,
                    name,
                    index,
                    key,
                )
        return
    element = siblings if siblings.__class__ is dict else None
    if value is not None or element is not None:
        yield Item(value, _own_type(own, value), element, item, name, 0 if many else None, key)


def _own_type(declared: str, value: Any) -> str:
    if declared == schema.RESOURCE:
        return schema.type_of_resource(value) or declared
    return declared


def _member(item: Item, key: str, name: str, own: str, many: bool) -> Iterator[Item]:
    value = item.value.get(key)
    if value is None and f"_{key}" in item.value:
        siblings = item.value[f"_{key}"]
        value = [None] * len(siblings) if siblings.__class__ is list else None
        yield from child_items(item, key, value, name, own, many)
    elif value is not None:
        yield from child_items(item, key, value, name, own, many)


def _untyped(item: Item) -> Iterator[tuple[str, str]]:
    for key in item.value:
        if key != "resourceType" and not key.startswith("_"):
            yield key, ""


def _element_of(item: Item) -> Item | None:
    """A primitive's `_x` as an item, so that its id and extensions are elements of it."""
    if item.element is None:
        return None
    return Item(item.element, "Element", None, item.parent, item.name, item.index, item.key)


def navigate(node: Any, name: str, found: Nodes) -> None:
    """Append the elements called `name` of a described node."""
    if node.__class__ is not Item:
        if node.__class__ is Quantity and name in ("value", "unit"):
            found.append(node.value if name == "value" else node.unit)
        return
    value = node.value
    if value.__class__ is not dict:
        element = _element_of(node)
        if element is not None:
            navigate(element, name, found)
        return
    steps = schema.steps(node.type)
    step = steps.get(name)
    if step is not None:
        for key, own in step.keys:
            if key in value or f"_{key}" in value:
                found.extend(_member(node, key, name, own, step.many))
    elif not steps and name in value:
        found.extend(_member(node, name, name, "", value[name].__class__ is list))


def children(node: Any, found: Nodes) -> None:
    """Append all elements of a described node, in the order of the JSON."""
    if node.__class__ is not Item:
        return
    value = node.value
    if value.__class__ is not dict:
        element = _element_of(node)
        if element is not None:
            children(element, found)
        return
    known = schema.keys(node.type)
    seen: set[str] = set()
    for member in value:
        key = member.removeprefix("_")
        if key in seen or key == "resourceType":
            continue
        seen.add(key)
        if key in known:
            step, own = known[key]
            found.extend(_member(node, key, step.name, own, step.many))
        elif not known:
            found.extend(_member(node, key, key, "", value.get(key).__class__ is list))


def descendants(nodes: Nodes, hold: Callable[[int, int], None] | None = None) -> Nodes:
    """All elements below the nodes, level by level.

    Args:
        nodes: Described nodes.
        hold: Called with the numbers of items so far and of new ones, to refuse too many.
    """
    found: Nodes = []
    level = nodes
    while level:
        below: Nodes = []
        for node in level:
            children(node, below)
        found.extend(below)
        if hold is not None:
            hold(len(found), len(below))
        level = below
    return found
