"""Equality, equivalence and distinctness of FHIRPath items and collections.

http://hl7.org/fhirpath/N1/#equality. Works on described nodes: Items and System values. Called
by the operators `= != ~ !~ in contains` and by the functions that merge or compare collections.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from decimal import Decimal
from typing import Any

from hub.fhirpath import quantity, temporal
from hub.fhirpath.errors import FHIRPathLimitError
from hub.fhirpath.item import Item
from hub.fhirpath.quantity import Quantity
from hub.fhirpath.temporal import Temporal
from hub.fhirpath.values import converter

_NUMBERS = (int, Decimal)
_FEW = 8
_MOST_COMPARISONS = 200_000


def operand(node: Any) -> Any:
    """The value of a described node to compare by: a System value or a dict.

    A FHIR Quantity with a comparator or without a number stays a dict.
    """
    if node.__class__ is not Item:
        return node
    value = node.value
    if value is None:
        return None
    if value.__class__ is dict:
        found = converter(node.type)(value) if "comparator" not in value else None
        return value if found is None else found
    return converter(node.type)(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, _NUMBERS) and not isinstance(value, bool)


def equal(left: Any, right: Any) -> bool | None:
    """Equality of two values (of `operand`); None when it cannot be told."""
    if left is None or right is None:
        return None
    if _is_number(left) and _is_number(right):
        return bool(left == right)
    if left.__class__ is not right.__class__:
        return False
    if isinstance(left, Temporal):
        return temporal.equal(left, right)
    if isinstance(left, Quantity):
        order = quantity.compare(left, right)
        return None if order is None else order == 0
    return bool(left == right)


def equivalent(left: Any, right: Any) -> bool:
    """Equivalence of two values (of `operand`)."""
    if left is None or right is None:
        return left is right
    if _is_number(left) and _is_number(right):
        return quantity.equivalent_numbers(Decimal(left), Decimal(right))
    if left.__class__ is not right.__class__:
        return False
    if isinstance(left, str):
        return _words(left) == _words(right)
    if isinstance(left, Temporal):
        return temporal.equivalent(left, right)
    if isinstance(left, Quantity):
        return quantity.equivalent(left, right)
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(
            equivalent(value, right[key]) for key, value in left.items()
        )
    if isinstance(left, list):
        return _match(left, right)
    return bool(left == right)


def _words(text: str) -> str:
    return " ".join(text.casefold().split())


def _match(left: Sequence[Any], right: Sequence[Any]) -> bool:
    if len(left) != len(right):
        return False
    rest = list(right)
    budget = _MOST_COMPARISONS
    for value in left:
        place = next((n for n, other in enumerate(rest) if equivalent(value, other)), None)
        if place is None:
            return False
        del rest[place]
        budget -= place
        if budget < 0:
            raise FHIRPathLimitError("fhirpath-limit-steps", limit=_MOST_COMPARISONS)
    return True


def collections_equal(left: Sequence[Any], right: Sequence[Any]) -> bool | None:
    """The operator `=` on two collections of described nodes."""
    if not left or not right:
        return None
    if len(left) != len(right):
        return False
    known = True
    for one, other in zip(left, right, strict=True):
        same = equal(operand(one), operand(other))
        if same is False:
            return False
        known = known and same is not None
    return True if known else None


def collections_equivalent(left: Sequence[Any], right: Sequence[Any]) -> bool:
    """The operator `~` on two collections of described nodes: order does not matter."""
    return _match([operand(node) for node in left], [operand(node) for node in right])


def frozen(value: Any) -> Hashable:
    """A hashable form of JSON: equal JSON gives equal ones."""
    if value.__class__ is dict:
        return frozenset((key, frozen(part)) for key, part in value.items())
    if value.__class__ is list:
        return tuple(frozen(part) for part in value)
    if isinstance(value, bool):
        return ("boolean", value)
    hashable: Hashable = value
    return hashable


def identity(node: Any) -> Hashable:
    """A key that two nodes share exactly when they are equal."""
    value = operand(node)
    if value is None and node.__class__ is Item:
        return ("element", frozen(node.element or {}))
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, Temporal):
        clock = value.kind == "Time"
        return ("time", clock, len(value.parts), bool(value.zone), value.span()[0])
    if isinstance(value, Quantity):
        return ("quantity", *quantity.canonical(value))
    if value.__class__ in (dict, list):
        return ("complex", frozen(value))
    hashable: Hashable = value
    return hashable


def distinct(nodes: Sequence[Any]) -> Sequence[Any]:
    """The nodes without those that equal an earlier one, in order."""
    if len(nodes) < 2:
        return nodes
    if len(nodes) <= _FEW:
        return _few_distinct(nodes)
    return list({identity(node): node for node in reversed(nodes)}.values())[::-1]


def _few_distinct(nodes: Sequence[Any]) -> Sequence[Any]:
    kept: list[Any] = []
    values: list[Any] = []
    for node in nodes:
        value = operand(node)
        # Without a value there is nothing to be equal by but the extensions.
        if value is None:
            if any(other == node.element for other in values if other.__class__ is dict):
                continue
            value = node.element
        elif any(equal(other, value) for other in values):
            continue
        kept.append(node)
        values.append(value)
    return kept


def distinct_bare(nodes: Sequence[Any]) -> Sequence[Any]:
    """As `distinct`, for bare nodes of one complex FHIR type other than Quantity."""
    if len(nodes) < 2:
        return nodes
    if len(nodes) <= _FEW:
        kept: list[Any] = []
        for node in nodes:
            if node not in kept:
                kept.append(node)
        return kept
    return list({frozen(node): node for node in reversed(nodes)}.values())[::-1]


def holds(nodes: Sequence[Any], node: Any) -> bool:
    """Whether some node of the collection equals the given one."""
    value = operand(node)
    return any(equal(operand(other), value) for other in nodes)
