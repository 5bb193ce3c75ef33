"""Builders of the arithmetic operators and of `&`.

http://hl7.org/fhirpath/N1/#math and the section on date/time arithmetic. What cannot be
represented (overflow, division by zero) is empty; operands without such an operation are an
error. Called by the compiler.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Any

from hub.fhirpath import quantity, temporal
from hub.fhirpath.code import EMPTY, Code, computed, system_types, value
from hub.fhirpath.errors import FHIRPathEvaluationError, FHIRPathLimitError, FHIRPathSemanticError
from hub.fhirpath.operators import Builder, wrong_operands
from hub.fhirpath.quantity import Quantity
from hub.fhirpath.temporal import Temporal
from hub.fhirpath.values import type_of

MAX_INTEGER = 2**31 - 1
MIN_INTEGER = -(2**31)
# 28 digits before and after the point are more than the 28 with 8 places the language asks for.
CONTEXT = Context(
    prec=36,
    rounding=ROUND_HALF_EVEN,
    Emax=99,
    Emin=-99,
    traps=[InvalidOperation, DivisionByZero, Overflow],
)
MAX_DECIMAL = Decimal(10) ** 28
MAX_TEXT = 1_000_000

Operation = Callable[[Any, Any, int], Any]


def bounded(number: int | Decimal | None) -> int | Decimal | None:
    """The number, or None when its type cannot hold it."""
    if number is None:
        return None
    if isinstance(number, int):
        return number if MIN_INTEGER <= number <= MAX_INTEGER else None
    return number if number.is_finite() and -MAX_DECIMAL < number < MAX_DECIMAL else None


def is_number(value: Any) -> bool:
    """Whether it is an Integer or a Decimal."""
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _both_integers(left: Any, right: Any) -> bool:
    return isinstance(left, int) and isinstance(right, int)


def _plus(left: Any, right: Any, position: int) -> Any:
    if is_number(left) and is_number(right):
        if _both_integers(left, right):
            return left + right
        return CONTEXT.add(Decimal(left), Decimal(right))
    if isinstance(left, str) and isinstance(right, str):
        return joined(left, right)
    if isinstance(left, Quantity) and isinstance(right, Quantity):
        return quantity.add(left, right, 1)
    if isinstance(left, Temporal) and isinstance(right, Quantity):
        return _moved(left, right, 1, position)
    raise TypeError


def _minus(left: Any, right: Any, position: int) -> Any:
    if is_number(left) and is_number(right):
        if _both_integers(left, right):
            return left - right
        return CONTEXT.subtract(Decimal(left), Decimal(right))
    if isinstance(left, Quantity) and isinstance(right, Quantity):
        return quantity.add(left, right, -1)
    if isinstance(left, Temporal) and isinstance(right, Quantity):
        return _moved(left, right, -1, position)
    raise TypeError


_UCUM_DURATIONS = {"wk": "week", "d": "day", "h": "hour", "min": "minute", "ms": "millisecond"}


def _moved(value: Temporal, duration: Quantity, sign: int, position: int) -> Temporal | None:
    amount = duration.value * sign
    if duration.calendar:
        return temporal.add(value, amount, duration.word)
    if duration.unit == "s":
        # A definite second counts whole; only the calendar second carries a fraction.
        return temporal.add(value, Decimal(int(amount)), "second")
    if duration.unit in _UCUM_DURATIONS:
        return temporal.add(value, amount, _UCUM_DURATIONS[duration.unit])
    raise FHIRPathEvaluationError("fhirpath-calendar-unit", position)


def _times(left: Any, right: Any, _position: int) -> Any:
    if is_number(left) and is_number(right):
        if _both_integers(left, right):
            return left * right
        return CONTEXT.multiply(Decimal(left), Decimal(right))
    if isinstance(left, Quantity) or isinstance(right, Quantity):
        return quantity.multiply(_quantity(left), _quantity(right))
    raise TypeError


def _divided(left: Any, right: Any, _position: int) -> Any:
    if is_number(left) and is_number(right):
        return CONTEXT.divide(Decimal(left), Decimal(right)) if right else None
    if isinstance(left, Quantity):
        return quantity.divide(left, _quantity(right))
    raise TypeError


def _quantity(value: Any) -> Quantity:
    if isinstance(value, Quantity):
        return value
    if is_number(value):
        return Quantity(Decimal(value))
    raise TypeError


def _whole_quotient(left: Any, right: Any, _position: int) -> Any:
    if not (is_number(left) and is_number(right)):
        raise TypeError
    if not right:
        return None
    if _both_integers(left, right):
        quotient = abs(left) // abs(right)
        return quotient if (left < 0) == (right < 0) else -quotient
    return int(CONTEXT.divide_int(Decimal(left), Decimal(right)))


def _remainder(left: Any, right: Any, _position: int) -> Any:
    if not (is_number(left) and is_number(right)):
        raise TypeError
    if not right:
        return None
    if _both_integers(left, right):
        rest = abs(left) % abs(right)
        return rest if left >= 0 else -rest
    return CONTEXT.remainder(Decimal(left), Decimal(right))


def joined(left: str, right: str) -> str:
    """Two strings as one.

    Raises:
        FHIRPathLimitError: Longer than any string may become.
    """
    if len(left) + len(right) > MAX_TEXT:
        raise FHIRPathLimitError("fhirpath-limit-text", limit=MAX_TEXT)
    return left + right


_OPERATIONS: dict[str, Operation] = {
    "+": _plus,
    "-": _minus,
    "*": _times,
    "/": _divided,
    "div": _whole_quotient,
    "mod": _remainder,
}


def _result_types(operator: str, left: Code, right: Code) -> tuple[str, ...] | None:
    one, other = system_types(left), system_types(right)
    if not one or not other or len(one) > 1 or len(other) > 1:
        return None
    if operator in ("/", "div"):
        numbers = {"System.Integer", "System.Decimal"}
        if one | other <= numbers:
            return ("System.Decimal",) if operator == "/" else ("System.Integer",)
        return None
    if one == other:
        return tuple(one)
    return None


def _refuse_literals(operator: str, left: Code, right: Code, position: int) -> None:
    """Raise now what two literals would raise at every evaluation."""
    if left.literal is None or right.literal is None:
        return
    try:
        _OPERATIONS[operator](left.literal, right.literal, position)
    except TypeError:
        raise FHIRPathSemanticError(
            "fhirpath-operands",
            position,
            name=operator,
            left=type_of(left.literal),
            right=type_of(right.literal),
        ) from None
    except (ArithmeticError, FHIRPathEvaluationError):
        return


def arithmetic(operator: str) -> Builder:
    """The builder of `+ - * / div mod`."""
    operation = _OPERATIONS[operator]

    def build(left: Code, right: Code, position: int) -> Code:
        if left.empty or right.empty:
            return EMPTY
        _refuse_literals(operator, left, right, position)
        first, second = value(left, operator, position), value(right, operator, position)

        def run(node: Any, context: Any) -> Any:
            one, other = first(node, context), second(node, context)
            if one is None or other is None:
                return None
            try:
                found = operation(one, other, position)
            except TypeError:
                raise wrong_operands(operator, position, one, other) from None
            except ArithmeticError:
                return None
            return bounded(found) if is_number(found) else found

        return Code(run, True, _result_types(operator, left, right))

    return build


def concatenation(left: Code, right: Code, position: int) -> Code:
    """`&`: strings, an empty operand counting as the empty string."""
    first, second = value(left, "&", position), value(right, "&", position)

    def run(node: Any, context: Any) -> Any:
        one, other = first(node, context), second(node, context)
        one = "" if one is None else one
        other = "" if other is None else other
        if not (isinstance(one, str) and isinstance(other, str)):
            raise wrong_operands("&", position, one, other)
        return joined(one, other)

    return computed(run, "System.String")


def polarity(sign: str, operand: Code, position: int) -> Code:
    """`+x` and `-x`."""
    inner = value(operand, sign, position)
    literal = operand.literal
    if sign == "-" and is_number(literal):
        negative = -literal
        return Code(lambda _node, _context: negative, True, operand.types, literal=negative)

    def run(node: Any, context: Any) -> Any:
        found = inner(node, context)
        if found is None:
            return None
        if isinstance(found, Quantity):
            number = found.value if sign == "+" else -found.value
            return Quantity(number, found.unit, found.calendar)
        if not is_number(found):
            raise FHIRPathEvaluationError(
                "fhirpath-wrong-input",
                position,
                name=sign,
                expected="numbers and quantities",
                found=type_of(found) or "an element",
            )
        return found if sign == "+" else bounded(-found)

    known = system_types(operand)
    return Code(run, True, tuple(known) if known else None)


BINARY: dict[str, Builder] = {
    **{operator: arithmetic(operator) for operator in _OPERATIONS},
    "&": concatenation,
}
