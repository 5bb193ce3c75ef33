"""Quick tests that tell where an invariant surely holds, from the presence of elements.

Most invariants of R4 hold as soon as some element is absent, or present: obs-7 does where there
is no component. `test_of` turns the tree of an expression into a Python test that is true only
where the expression is surely true; where it is not, the FHIRPath is evaluated. So an invariant
of absent elements costs a dictionary look-up, and the test needs to know nothing it is unsure of.
Called by `hub.validation.invariant`; a test compares it with FHIRPath on many objects.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from hub.fhirpath import syntax
from hub.validation.content import Shape, Slot

TRUE, FALSE = "True", "False"
_EMPTY_WITH_SOURCE = frozenset(
    ["where", "select", "first", "last", "tail", "skip", "take", "trace", "distinct", "ofType"]
)
_COMPARE: Mapping[str, Callable[[int, int], bool]] = {
    ">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le, "=": operator.eq,
    "!=": operator.ne,
}  # fmt: skip
_DATES = frozenset(["date", "dateTime", "instant"])
_NUMBERS = frozenset(["decimal", "integer", "positiveInt", "unsignedInt"])
_TEXTS = frozenset(["code", "string", "uri", "url", "canonical", "id", "markdown"])
_UCUM = "http://unitsofmeasure.org"


class Sure(NamedTuple):
    """Python tests of a truth value: where it surely is true, and where it surely is false."""

    true: str
    false: str


_UNKNOWN = Sure(FALSE, FALSE)


def not_after(start: str | None, end: str | None) -> bool:
    """Whether two dates of one form are surely in order.

    Args:
        start: A valid date, dateTime or instant; None is unsure.
        end: As start.
    """
    if start is None or end is None or len(start) != len(end) or start > end:
        return False
    # Of the same length they compare as text, when neither has an offset or both the same.
    return len(start) <= 10 or start[-1] == "Z" == end[-1] or start[-6:] == end[-6:]


def all_of(*tests: str) -> str:
    """The conjunction of tests."""
    if FALSE in tests:
        return FALSE
    kept = [test for test in dict.fromkeys(tests) if test != TRUE]
    return kept[0] if len(kept) == 1 else f"({' and '.join(kept)})" if kept else TRUE


def any_of(*tests: str) -> str:
    """The disjunction of tests."""
    if TRUE in tests:
        return TRUE
    kept = [test for test in dict.fromkeys(tests) if test != FALSE]
    return kept[0] if len(kept) == 1 else f"({' or '.join(kept)})" if kept else FALSE


@dataclass(frozen=True, slots=True)
class Guarding:
    """Turns expressions over one shape into tests.

    Attributes:
        shape: What the object is.
        bits: Choice elements to their bit in `s`; without it they are looked up in `o`.
    """

    shape: Shape
    bits: Mapping[str, int]

    def test_of(self, node: syntax.Node) -> str:
        """A Python test over `o` and `s`, true only where the expression surely is."""
        return self.sure(node).true

    def sure(self, node: syntax.Node) -> Sure:
        """The tests of an expression that gives a truth value."""
        if isinstance(node, syntax.Literal) and isinstance(node.value, bool):
            return Sure(TRUE, FALSE) if node.value else Sure(FALSE, TRUE)
        if isinstance(node, syntax.Series) and node.operator in ("and", "or"):
            return self._series(node)
        if isinstance(node, syntax.Binary):
            return self._binary(node)
        if isinstance(node, syntax.Call):
            return self._call(node)
        return _UNKNOWN

    def _series(self, node: syntax.Series) -> Sure:
        parts = [self.sure(operand) for operand in node.operands]
        true, false = [part.true for part in parts], [part.false for part in parts]
        if node.operator == "and":
            return Sure(all_of(*true), any_of(*false))
        return Sure(any_of(*true), all_of(*false))

    def _binary(self, node: syntax.Binary) -> Sure:
        if node.operator == "implies":
            left, right = self.sure(node.left), self.sure(node.right)
            return Sure(any_of(left.false, right.true), all_of(left.true, right.false))
        if node.operator == "xor":
            return _differ(self.sure(node.left), self.sure(node.right))
        if node.operator in ("=", "!=") and _is_truth(node.left) and _is_truth(node.right):
            differs = _differ(self.sure(node.left), self.sure(node.right))
            return differs if node.operator == "!=" else Sure(differs.false, differs.true)
        if node.operator == "in":
            return self._among(node.left, node.right)
        return self._comparison(node)

    def _comparison(self, node: syntax.Binary) -> Sure:
        if node.operator not in _COMPARE:
            return _UNKNOWN
        if isinstance(node.right, syntax.Literal) and isinstance(node.right.value, int):
            counted = self._counts(node.left)
            if counted is not None and not isinstance(node.right.value, bool):
                return self._count(node.operator, counted, node.right.value)
        if node.operator in ("=", "!="):
            same = self._equals(node.left, node.right)
            return same if node.operator == "=" else Sure(same.false, same.true)
        return self._ordered(node)

    def _counts(self, node: syntax.Node) -> list[syntax.Node] | None:
        """What `a.count() + b.count()` counts, or None if it is no such sum."""
        if isinstance(node, syntax.Call) and node.name == "count" and node.source is not None:
            return [node.source]
        if isinstance(node, syntax.Binary) and node.operator == "+":
            left, right = self._counts(node.left), self._counts(node.right)
            return None if left is None or right is None else left + right
        return None

    def _count(self, sign: str, counted: list[syntax.Node], number: int) -> Sure:
        none = all_of(*(self.absent(node) for node in counted))
        some = any_of(*(self.present(node) for node in counted))
        if (sign, number) in ((">", 0), (">=", 1), ("!=", 0)):
            return Sure(some, none)
        if (sign, number) in (("=", 0), ("<", 1), ("<=", 0)):
            return Sure(none, some)
        return Sure(none, FALSE) if _COMPARE[sign](0, number) else Sure(FALSE, none)

    def _equals(self, left: syntax.Node, right: syntax.Node) -> Sure:
        slot = self._single(left)
        value = _constant(right)
        if slot is None or value is None:
            return _UNKNOWN
        key = slot.key
        if isinstance(value, bool) and slot.shape == "boolean":
            return Sure(f'o.get("{key}") is {value}', f'o.get("{key}") is {not value}')
        if not isinstance(value, str) or slot.shape not in _TEXTS:
            return _UNKNOWN
        return Sure(f'o.get("{key}") == {value!r}', f'("{key}" in o and o["{key}"] != {value!r})')

    def _among(self, left: syntax.Node, right: syntax.Node) -> Sure:
        slot = self._single(left)
        operands = right.operands if isinstance(right, syntax.Series) else (right,)
        values = [_constant(operand) for operand in operands]
        if slot is None or slot.shape not in _TEXTS or not all(isinstance(v, str) for v in values):
            return _UNKNOWN
        row = "(" + "".join(f"{value!r}, " for value in values) + ")"
        key = slot.key
        return Sure(f'o.get("{key}") in {row}', f'("{key}" in o and o["{key}"] not in {row})')

    def _ordered(self, node: syntax.Binary) -> Sure:
        left, right = self._single(node.left), self._single(node.right)
        if left is not None and right is not None and node.operator in ("<=", ">="):
            first, second = (left, right) if node.operator == "<=" else (right, left)
            if {first.shape, second.shape} <= _DATES:
                test = f'not_after(o.get("{first.key}"), o.get("{second.key}"))'
                return Sure(test, FALSE)
        number = _constant(node.right)
        if left is None or left.shape not in _NUMBERS or type(number) is not int:
            return _UNKNOWN
        return Sure(f'("{left.key}" in o and o["{left.key}"] {node.operator} {number})', FALSE)

    def _call(self, node: syntax.Call) -> Sure:
        source = node.source
        if node.name == "not" and source is not None:
            inner = self.sure(source)
            return Sure(inner.false, inner.true)
        if source is None:
            return _UNKNOWN
        if node.name == "exists" and not node.arguments:
            return Sure(self.present(source), self.absent(source))
        if node.name == "exists":
            return Sure(FALSE, self.absent(source))
        if node.name == "empty":
            return Sure(self.absent(source), self.present(source))
        if node.name in ("all", "isDistinct", "allTrue"):
            return Sure(self.absent(source), FALSE)
        if node.name == "hasValue":
            slot = self._single(source)
            present = FALSE if slot is None else f'"{slot.key}" in o'
            return Sure(present, self.absent(source))
        return _UNKNOWN

    def absent(self, node: syntax.Node) -> str:
        """A test that is true only where an expression surely is empty."""
        if isinstance(node, syntax.Member):
            if node.source is not None and not self._is_own_type(node.source):
                return self.absent(node.source)
            if node.name in self.bits:
                return f"not s & {self.bits[node.name]}"
            keys = self.shape.elements.get(node.name)
            return FALSE if keys is None else all_of(*(f'"{key}" not in o' for key in keys))
        if isinstance(node, syntax.Call) and node.source is not None:
            return self.absent(node.source) if node.name in _EMPTY_WITH_SOURCE else FALSE
        if isinstance(node, syntax.Series) and node.operator == "|":
            return all_of(*(self.absent(operand) for operand in node.operands))
        return FALSE

    def present(self, node: syntax.Node) -> str:
        """A test that is true only where an expression surely is not empty."""
        if isinstance(node, syntax.Member):
            if node.source is not None and not self._is_own_type(node.source):
                return FALSE
            if node.name in self.bits:
                return f"s & {self.bits[node.name]}"
            keys = self.shape.elements.get(node.name, ())
            return any_of(*(f'"{key}" in o' for key in keys))
        if isinstance(node, syntax.Call) and node.name == "trace" and node.source is not None:
            return self.present(node.source)
        return FALSE

    def _single(self, node: syntax.Node) -> Slot | None:
        """The property of an element that neither repeats nor has a choice of types."""
        if isinstance(node, syntax.Call) and node.name == "trace" and node.source is not None:
            return self._single(node.source)
        if not isinstance(node, syntax.Member):
            return None
        if node.source is not None and not self._is_own_type(node.source):
            return None
        slot = self.shape.slots.get(node.name)
        return None if slot is None or slot.many or slot.kind != "primitive" else slot

    def _is_own_type(self, node: syntax.Node) -> bool:
        """`Appointment` in `Appointment.status`: the object itself."""
        return (
            isinstance(node, syntax.Member) and node.source is None and node.name == self.shape.name
        )


def _differ(left: Sure, right: Sure) -> Sure:
    return Sure(
        any_of(all_of(left.true, right.false), all_of(left.false, right.true)),
        any_of(all_of(left.true, right.true), all_of(left.false, right.false)),
    )


def _is_truth(node: syntax.Node) -> bool:
    """Whether an expression gives exactly one truth value."""
    if isinstance(node, syntax.Call):
        return node.name in ("exists", "empty", "hasValue", "not")
    if isinstance(node, syntax.Series):
        return node.operator in ("and", "or")
    return isinstance(node, syntax.Binary) and node.operator in ("implies", "xor", "=", "in")


def _constant(node: syntax.Node) -> object:
    if isinstance(node, syntax.Literal):
        return node.value
    if isinstance(node, syntax.Variable) and node.name == "ucum":
        return _UCUM
    return None
