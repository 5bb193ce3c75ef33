"""Finds elements of a resource by path, with the container that holds each.

For FHIRPath Patch (https://hl7.org/fhir/R4/fhirpatch.html): an operation changes
`item.parent.value[item.key]`, or the entry `item.index` of the list there.
"""

from __future__ import annotations

from typing import Any

from hub.fhirpath.environment import DEFAULT_LIMITS, Environment, Limits
from hub.fhirpath.expression import Expression
from hub.fhirpath.item import Item
from hub.fhirpath.parser import parse_expression


def locate(path: str, resource: dict[str, Any], limits: Limits = DEFAULT_LIMITS) -> list[Item]:
    """The items a path finds.

    An item that is an element of the resource has a `location`, a `parent` (except the resource
    itself), the `key` and the `index` it has in the parent's JSON; `value` of a complex element
    is the very dict of the resource. What was computed or lies elsewhere has no location.

    Args:
        path: FHIRPath, from a patch: not trusted.
        resource: The resource in JSON form.
        limits: Where it is stopped.

    Raises:
        FHIRPathError: The path is wrong, does not fit the resource or takes too much.
    """
    expression = Expression(path, parse_expression(path), None, strict=False)
    items = expression.evaluate_located(resource, Environment(limits=limits))
    return [item if is_within(item, resource) else Item(item.value, item.type) for item in items]


def is_within(item: Item, resource: dict[str, Any]) -> bool:
    """Whether an item was reached by steps from the resource."""
    while item.parent is not None:
        item = item.parent
    return item.value is resource and bool(item.name)
