"""Numbers with their precision, quantities in canonical units.

https://hl7.org/fhir/R4/search.html#number and #quantity. Called by index extraction and search.
"""

from __future__ import annotations

import re
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from functools import lru_cache

from hub.model import ucum

UCUM = "http://unitsofmeasure.org"
LARGEST_EXPONENT = 400
MOST_DIGITS = 100

_NUMBER = re.compile(r"[+-]?[0-9]{1,100}(?:\.[0-9]{1,100})?(?:[eE][+-]?[0-9]{1,4})?").fullmatch
_EXACT = Context(prec=400, Emin=MIN_EMIN, Emax=MAX_EMAX)
_ROUNDED = Context(prec=34, Emin=MIN_EMIN, Emax=MAX_EMAX)


def parse_number(text: str) -> Decimal:
    """Read a decimal of a search value; its digits are kept.

    Args:
        text: As `100`, `-1.00`, `5.4e-2`.

    Raises:
        ValueError: It is none, has more than 100 digits or an exponent beyond 400.
    """
    if _NUMBER(text) is None:
        raise ValueError("not a number")
    value = Decimal(text)
    if len(text) > MOST_DIGITS or abs(value.adjusted()) > LARGEST_EXPONENT:
        raise ValueError("a number out of range")
    return value


def implied_range(value: Decimal | int) -> tuple[Decimal, Decimal]:
    """The numbers that round to a value: 100 is [99.5, 100.5), 1.00 is [0.995, 1.005).

    With a positive exponent the specification's own example is followed: 1e2 is [95, 105).

    Args:
        value: With the digits it was written with.

    Returns:
        Lowest number inside, lowest number above.
    """
    number = value if isinstance(value, Decimal) else Decimal(value)
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError("not a number")
    half = Decimal((0, (5,), exponent - 1 if exponent <= 0 else exponent - 2))
    return _EXACT.subtract(number, half), _EXACT.add(number, half)


@lru_cache(maxsize=4096)
def _scale(code: str) -> tuple[Decimal, Decimal, Decimal, str] | None:
    """Offset, numerator, denominator and canonical unit: (value + offset) * n / d."""
    unit = ucum.parse(code)
    if unit is None or not unit.is_convertible:
        return None
    if unit.function and unit.function not in ucum.AFFINE:
        # A logarithm's scale keeps its own unit, and with it the order of pH values.
        factor, offset, canonical = unit.prefix, Decimal(0), unit.symbol
    elif unit.function:
        # (value * prefix + offset) * factor, with the prefix moved out of the bracket.
        offset = ucum.AFFINE[unit.function] * unit.prefix.denominator / unit.prefix.numerator
        factor, canonical = unit.factor * unit.prefix, unit.canonical
    else:
        factor, offset, canonical = unit.factor, Decimal(0), unit.canonical
    numerator, denominator = Decimal(factor.numerator), Decimal(factor.denominator)
    if max(numerator.adjusted(), denominator.adjusted()) > LARGEST_EXPONENT:
        return None
    return offset, numerator, denominator, canonical


def canonical(value: Decimal | int, code: str, system: str = UCUM) -> tuple[Decimal, str] | None:
    """A quantity in base units, so that 1 mg and 1000 ug are equal.

    Equal quantities give equal numbers: the exact value is rounded once, to 34 digits.

    Args:
        value: Of the quantity.
        code: Its unit's code.
        system: The code's system; only UCUM has canonical units.

    Returns:
        Value and unit (`g.m-3`), or None where UCUM defines no conversion.
    """
    if system != UCUM or len(code) > ucum.LONGEST:
        return None
    scale = _scale(code)
    if scale is None:
        return None
    offset, numerator, denominator, unit = scale
    if offset:
        value = _EXACT.add(value, offset)
    if numerator != 1:
        value = _EXACT.multiply(value, numerator)
    return _ROUNDED.divide(value, denominator), unit
