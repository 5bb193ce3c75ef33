"""Builders of the operators: logic, equality, comparison, membership, union.

http://hl7.org/fhirpath/N1/#operations. Each takes the codes of its operands and gives the code
of the whole; arithmetic is in `hub.fhirpath.arithmetic`. Called by the compiler.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from hub.fhirpath import quantity, temporal
from hub.fhirpath.code import (
    EMPTY,
    Code,
    Run,
    computed,
    describe_one,
    described,
    one,
    system_types,
    truth,
    value,
)
from hub.fhirpath.equality import (
    collections_equal,
    collections_equivalent,
    distinct,
    distinct_bare,
    equal,
    holds,
)
from hub.fhirpath.errors import FHIRPathEvaluationError
from hub.fhirpath.item import Item
from hub.fhirpath.quantity import Quantity
from hub.fhirpath.temporal import Temporal
from hub.fhirpath.values import system_type, type_of

BOOLEAN = "System.Boolean"
_TEXT = frozenset(["System.String"])


def is_text(code: Code) -> bool:
    """Whether every item converts to a System.String."""
    return system_types(code) == _TEXT


# --- logic -----------------------------------------------------------------------------------


def conjunction(operands: Sequence[Code], position: int) -> Code:
    """`and` over two or more operands."""
    tests = tuple(truth(operand, "and", position) for operand in operands)
    if len(tests) == 2:
        first, second = tests

        def both(node: Any, context: Any) -> Any:
            one = first(node, context)
            if one is False:
                return False
            other = second(node, context)
            return False if other is False else (True if one and other else None)

        return computed(both, BOOLEAN)

    def run(node: Any, context: Any) -> Any:
        result: bool | None = True
        for test in tests:
            found = test(node, context)
            if found is False:
                return False
            if found is None:
                result = None
        return result

    return computed(run, BOOLEAN)


def disjunction(operands: Sequence[Code], position: int) -> Code:
    """`or` over two or more operands."""
    tests = tuple(truth(operand, "or", position) for operand in operands)
    if len(tests) == 2:
        first, second = tests

        def either(node: Any, context: Any) -> Any:
            one = first(node, context)
            if one:
                return True
            other = second(node, context)
            return True if other else (None if one is None or other is None else False)

        return computed(either, BOOLEAN)

    def run(node: Any, context: Any) -> Any:
        result: bool | None = False
        for test in tests:
            found = test(node, context)
            if found:
                return True
            if found is None:
                result = None
        return result

    return computed(run, BOOLEAN)


def exclusive(left: Code, right: Code, position: int) -> Code:
    """`xor`."""
    first, second = truth(left, "xor", position), truth(right, "xor", position)

    def run(node: Any, context: Any) -> Any:
        one, other = first(node, context), second(node, context)
        return None if one is None or other is None else one is not other

    return computed(run, BOOLEAN)


def implication(left: Code, right: Code, position: int) -> Code:
    """`implies`."""
    first, second = truth(left, "implies", position), truth(right, "implies", position)

    def run(node: Any, context: Any) -> Any:
        one = first(node, context)
        if one is False:
            return True
        other = second(node, context)
        if one:
            return other
        return True if other else None

    return computed(run, BOOLEAN)


# --- equality --------------------------------------------------------------------------------


def equality(left: Code, right: Code, position: int) -> Code:
    """`=`."""
    if left.empty or right.empty:
        return EMPTY
    if is_text(left) and is_text(right) and left.single and right.single:
        return _text_equality(left, right)
    if left.single and right.single and _computes(left) and _computes(right):
        first, second = value(left, "=", position), value(right, "=", position)

        def pair(node: Any, context: Any) -> Any:
            one = first(node, context)
            return None if one is None else equal(one, second(node, context))

        return computed(pair, BOOLEAN)
    first, second = described(left), described(right)

    def run(node: Any, context: Any) -> Any:
        return collections_equal(first(node, context), second(node, context))

    return computed(run, BOOLEAN)


def _computes(code: Code) -> bool:
    """Whether its items are simple values, which compare by their System value alone."""
    types = system_types(code)
    return types is not None and "System.Quantity" not in types


def _text_equality(left: Code, right: Code) -> Code:
    first, second = left.run, right.run
    expected = right.literal
    if expected is not None:

        def known(node: Any, context: Any) -> Any:
            one = first(node, context)
            if one.__class__ is Item:
                one = one.value
            return None if one is None else one == expected

        return computed(known, BOOLEAN)

    def run(node: Any, context: Any) -> Any:
        one, other = first(node, context), second(node, context)
        if one.__class__ is Item:
            one = one.value
        if other.__class__ is Item:
            other = other.value
        return None if one is None or other is None else one == other

    return computed(run, BOOLEAN)


def inequality(left: Code, right: Code, position: int) -> Code:
    """`!=`."""
    return negated(equality(left, right, position))


def negated(code: Code) -> Code:
    """The opposite of a Boolean code."""
    if code.empty:
        return code
    run = code.run

    def opposite(node: Any, context: Any) -> Any:
        found = run(node, context)
        return None if found is None else not found

    return computed(opposite, BOOLEAN)


def equivalence(left: Code, right: Code, _position: int) -> Code:
    """`~`."""
    first, second = described(left), described(right)
    return computed(
        lambda node, context: collections_equivalent(first(node, context), second(node, context)),
        BOOLEAN,
    )


def difference(left: Code, right: Code, position: int) -> Code:
    """`!~`."""
    return negated(equivalence(left, right, position))


# --- comparison ------------------------------------------------------------------------------


def order(left: Any, right: Any) -> int | None:
    """-1, 0, 1 or None for two System values.

    Raises:
        TypeError: They have no order.
    """
    if isinstance(left, bool) or isinstance(right, bool):
        raise TypeError
    if isinstance(left, int | Decimal) and isinstance(right, int | Decimal):
        return (left > right) - (left < right)
    if isinstance(left, str) and isinstance(right, str):
        return (left > right) - (left < right)
    if isinstance(left, Temporal) and isinstance(right, Temporal):
        return temporal.compare(left, right)
    if isinstance(left, Quantity) or isinstance(right, Quantity):
        return quantity.compare(_quantity(left), _quantity(right))
    raise TypeError


def _quantity(number: Any) -> Quantity:
    if isinstance(number, Quantity):
        return number
    if isinstance(number, int | Decimal):
        return Quantity(Decimal(number))
    raise TypeError


_COMPARISONS: dict[str, Callable[[int], bool]] = {
    "<": lambda found: found < 0,
    "<=": lambda found: found <= 0,
    ">": lambda found: found > 0,
    ">=": lambda found: found >= 0,
}


def comparison(operator: str) -> Callable[[Code, Code, int], Code]:
    """The builder of `<`, `<=`, `>` or `>=`."""
    holds_for = _COMPARISONS[operator]

    def build(left: Code, right: Code, position: int) -> Code:
        first, second = value(left, operator, position), value(right, operator, position)

        def run(node: Any, context: Any) -> Any:
            one, other = first(node, context), second(node, context)
            if one is None or other is None:
                return None
            try:
                found = order(one, other)
            except TypeError:
                raise wrong_operands(operator, position, one, other) from None
            return None if found is None else holds_for(found)

        return computed(run, BOOLEAN)

    return build


def wrong_operands(name: str, position: int, left: Any, right: Any) -> FHIRPathEvaluationError:
    """The error for operands an operator is not defined for; names types only."""
    return FHIRPathEvaluationError(
        "fhirpath-operands",
        position,
        name=name,
        left=type_of(left) or "an element",
        right=type_of(right) or "an element",
    )


# --- collections -----------------------------------------------------------------------------


def membership(left: Code, right: Code, position: int) -> Code:
    """`in`."""
    if is_text(left) and isinstance(right.literal, tuple):
        members = frozenset(right.literal)
        first = value(left, "in", position)

        def known(node: Any, context: Any) -> Any:
            found = first(node, context)
            return None if found is None else found in members

        return computed(known, BOOLEAN)
    first, second = one(_described_code(left), "in", position), described(right)

    def run(node: Any, context: Any) -> Any:
        found = first(node, context)
        return None if found is None else holds(second(node, context), found)

    return computed(run, BOOLEAN)


def containment(left: Code, right: Code, position: int) -> Code:
    """`contains`."""
    return membership(right, left, position)


def _described_code(code: Code) -> Code:
    return Code(described(code), False, code.types)


def union(operands: Sequence[Code], _position: int = 0) -> Code:
    """`|` over any number of operands: their items without duplicates."""
    parts = [operand for operand in operands if not operand.empty]
    if not parts:
        return EMPTY
    literals = [part.literal for part in parts]
    if all(isinstance(literal, str) for literal in literals):
        texts = tuple(dict.fromkeys(literals))
        return Code(lambda _node, _context: texts, False, ("System.String",), literal=texts)
    types = _union_types(parts)
    raw = parts[0].raw
    if len(parts) == 1 and parts[0].single:
        return parts[0]
    bare = raw is not None and all(part.raw == raw for part in parts)
    if bare and system_type(raw or "") is None:
        return Code(_union_run(parts, distinct_bare, describing=False), False, types, raw)
    return Code(_union_run(parts, distinct, describing=True), False, types)


def _union_types(parts: Sequence[Code]) -> tuple[str, ...] | None:
    found: dict[str, None] = {}
    for part in parts:
        if part.types is None:
            return None
        found.update(dict.fromkeys(part.types))
    return tuple(found)


def _union_run(
    parts: Sequence[Code], unique: Callable[[Sequence[Any]], Sequence[Any]], describing: bool
) -> Run:
    rows = [(part.run, part.single, part.raw if describing else None) for part in parts]

    def run(node: Any, context: Any) -> Any:
        found: Any = ()
        joined = False
        for each, single, raw in rows:
            nodes = each(node, context)
            if single:
                if nodes is None:
                    continue
                nodes = (nodes,)
            elif not nodes:
                continue
            if raw is not None:
                nodes = [describe_one(one, raw) for one in nodes]
            if joined:
                found.extend(nodes)
            elif found:
                found, joined = [*found, *nodes], True
            else:
                found = nodes
        return unique(found) if len(found) > 1 else found

    return run


Builder = Callable[[Code, Code, int], Code]

BINARY: dict[str, Builder] = {
    "xor": exclusive,
    "implies": implication,
    "=": equality,
    "!=": inequality,
    "~": equivalence,
    "!~": difference,
    "<": comparison("<"),
    "<=": comparison("<="),
    ">": comparison(">"),
    ">=": comparison(">="),
    "in": membership,
    "contains": containment,
}
SERIES: dict[str, Callable[[Sequence[Code], int], Code]] = {
    "|": union,
    "and": conjunction,
    "or": disjunction,
}
