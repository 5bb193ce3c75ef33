"""Math functions: abs, ceiling, exp, floor, ln, log, power, round, sqrt, truncate.

http://hl7.org/fhirpath/N1/#math-1. Results that cannot be represented are empty.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_UP,
    Context,
    Decimal,
    localcontext,
)
from typing import Any

from hub.fhirpath.arithmetic import CONTEXT, bounded, is_number
from hub.fhirpath.code import EMPTY, Code, Run, computed, system_types, value
from hub.fhirpath.errors import FHIRPathEvaluationError
from hub.fhirpath.quantity import Quantity
from hub.fhirpath.site import Function, Site

INTEGER, DECIMAL = "System.Integer", "System.Decimal"
MAX_EXPONENT = 400
MAX_PLACES = 28
# Transcendental results are computed with more digits and rounded, so that log(16, 2) is 4.
_WIDE = Context(prec=50, Emax=999, Emin=-999, traps=CONTEXT.traps)
_NARROW = Context(prec=30, Emax=999, Emin=-999, traps=CONTEXT.traps)


def _number(site: Site) -> Run:
    """Run to the number the function is called on, or None."""
    run = value(site.source, site.label, site.position)

    def checked(node: Any, context: Any) -> Any:
        found = run(node, context)
        if found is not None and not is_number(found):
            raise site.wrong_input("a number", found)
        return found

    return checked


def _argument(site: Site) -> Run:
    run = value(site.argument(0), site.label, site.position)

    def checked(node: Any, context: Any) -> Any:
        found = run(node, context)
        if found is not None and not is_number(found):
            raise FHIRPathEvaluationError(
                "fhirpath-bad-argument", site.position, name=site.name, expected="a number"
            )
        return found

    return checked


Operation = Callable[..., Any]


def _numeric(operation: Operation, result: str) -> Callable[[Site], Code]:
    """The builder of a function from a number, maybe with one more number, to a number."""

    def build(site: Site) -> Code:
        if site.source.empty:
            return EMPTY
        source = _number(site)
        argument = _argument(site) if site.arguments else None

        def run(node: Any, context: Any) -> Any:
            found = source(node, context)
            other = argument(node, context) if argument is not None else None
            if found is None or (argument is not None and other is None):
                return None
            try:
                return bounded(operation(found) if argument is None else operation(found, other))
            except ArithmeticError:
                return None

        return computed(run, result)

    return build


def _whole(rounding: str) -> Operation:
    return lambda number: int(Decimal(number).to_integral_value(rounding=rounding))


def _abs(site: Site) -> Code:
    if site.source.empty:
        return EMPTY
    run = value(site.source, site.label, site.position)

    def absolute(node: Any, context: Any) -> Any:
        found = run(node, context)
        if isinstance(found, Quantity):
            return Quantity(abs(found.value), found.unit, found.calendar)
        if found is not None and not is_number(found):
            raise site.wrong_input("a number or a quantity", found)
        return None if found is None else bounded(abs(found))

    known = system_types(site.source)
    return Code(absolute, True, tuple(known) if known else None)


def _rounded(number: Decimal) -> Decimal:
    return _NARROW.plus(number)


def _exp(number: Any) -> Decimal:
    return _rounded(_WIDE.exp(Decimal(number)))


def _ln(number: Any) -> Decimal | None:
    return _rounded(_WIDE.ln(Decimal(number))) if number > 0 else None


def _log(number: Any, base: Any) -> Decimal | None:
    if number <= 0 or base <= 0 or base == 1:
        return None
    return _rounded(_WIDE.divide(_WIDE.ln(Decimal(number)), _WIDE.ln(Decimal(base))))


def _power(number: Any, exponent: Any) -> Any:
    if abs(exponent) > MAX_EXPONENT and number not in (0, 1, -1):
        return None
    if isinstance(number, int) and isinstance(exponent, int) and exponent >= 0:
        return number**exponent
    if number < 0 and exponent != int(exponent):
        return None
    return _rounded(_WIDE.power(Decimal(number), Decimal(exponent)))


def _sqrt(number: Any) -> Decimal | None:
    return _rounded(_WIDE.sqrt(Decimal(number))) if number >= 0 else None


def _round(site: Site) -> Code:
    if site.source.empty:
        return EMPTY
    source = _number(site)
    precision = site.integer(0) if site.arguments else None

    def run(node: Any, context: Any) -> Any:
        found = source(node, context)
        places = precision(node, context) if precision is not None else 0
        if found is None or places is None:
            return None
        if places < 0:
            raise FHIRPathEvaluationError(
                "fhirpath-bad-argument", site.position, name=site.name, expected="0 or more"
            )
        with localcontext(prec=64):
            step = Decimal(1).scaleb(-min(places, MAX_PLACES))
            return Decimal(found).quantize(step, rounding=ROUND_HALF_UP)

    return computed(run, DECIMAL)


FUNCTIONS = {
    "abs": Function(_abs),
    "ceiling": Function(_numeric(_whole(ROUND_CEILING), INTEGER)),
    "exp": Function(_numeric(_exp, DECIMAL)),
    "floor": Function(_numeric(_whole(ROUND_FLOOR), INTEGER)),
    "ln": Function(_numeric(_ln, DECIMAL)),
    "log": Function(_numeric(_log, DECIMAL), 1, 1),
    "power": Function(_numeric(_power, DECIMAL), 1, 1),
    "round": Function(_round, 0, 1),
    "sqrt": Function(_numeric(_sqrt, DECIMAL)),
    "truncate": Function(_numeric(_whole(ROUND_DOWN), INTEGER)),
}
