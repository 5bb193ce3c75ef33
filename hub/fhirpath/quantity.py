"""Quantity of FHIRPath: a decimal with a UCUM unit or a calendar duration.

http://hl7.org/fhirpath/N1/#quantity; FHIR Quantities become these by
https://hl7.org/fhir/R4/fhirpath.html#quantity. Units are compared and converted by
`hub.model.ucum`, exactly. Calendar days, hours and so on equal their UCUM units; calendar
years and months are definite only against each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any

from hub.model import ucum
from hub.model.quantity import canonical as in_base_units

UCUM = "http://unitsofmeasure.org"
MAX_UNIT = 128

# Calendar unit to its UCUM code.
CALENDAR = {
    "year": "a", "month": "mo", "week": "wk", "day": "d",
    "hour": "h", "minute": "min", "second": "s", "millisecond": "ms",
}  # fmt: skip
_WORDS = {code: word for word, code in CALENDAR.items()}
_INDEFINITE = {"year": 12, "month": 1}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with a unit.

    Attributes:
        value: The number, with its digits.
        unit: UCUM code (`mg`, `1`) or calendar word as written (`days`).
        calendar: Whether the unit is a calendar word.
    """

    value: Decimal
    unit: str = "1"
    calendar: bool = False

    @property
    def text(self) -> str:
        """As FHIRPath writes it: `1.0 'mg'`, `4 days`."""
        return f"{self.value:f} {self.unit if self.calendar else repr_unit(self.unit)}"

    def __str__(self) -> str:
        return self.text

    @property
    def word(self) -> str:
        """The calendar unit in the singular; empty for a UCUM unit."""
        return self.unit.removesuffix("s") if self.calendar else ""

    @property
    def code(self) -> str:
        """The UCUM code, of a calendar unit the one of the same name."""
        return CALENDAR[self.word] if self.calendar else self.unit

    def as_fhir(self) -> dict[str, Any]:
        """As a FHIR Quantity in JSON form; a calendar duration has a unit and no code."""
        if self.calendar:
            return {"value": self.value, "unit": self.unit}
        return {"value": self.value, "unit": self.unit, "system": UCUM, "code": self.unit}


def repr_unit(unit: str) -> str:
    """A unit in the quotes of a literal."""
    escaped = unit.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def from_fhir(value: Any) -> Quantity | None:
    """The System.Quantity of a FHIR Quantity in JSON form; None if it has no value.

    UCUM's `a` and `mo` become calendar years and months, as the R4 page has it. Without a UCUM
    code the printed unit stands; such a quantity equals only one with the same unit.
    """
    if not isinstance(value, dict):
        return None
    number = value.get("value")
    if isinstance(number, float):
        number = Decimal(repr(number))
    if isinstance(number, bool) or not isinstance(number, int | Decimal):
        return None
    code = value.get("code")
    if value.get("system") == UCUM and isinstance(code, str):
        if code in ("a", "mo"):
            return Quantity(Decimal(number), _WORDS[code], calendar=True)
        return Quantity(Decimal(number), code)
    unit = value.get("unit") or code
    return Quantity(Decimal(number), unit if isinstance(unit, str) else "1")


def named(value: Decimal, unit: str) -> Quantity:
    """A quantity whose unit may be a UCUM code or, in quotes, a calendar word."""
    if unit.removesuffix("s") in CALENDAR and not ucum.is_valid(unit):
        return Quantity(value, unit, calendar=True)
    return Quantity(value, unit)


def canonical(quantity: Quantity) -> tuple[Decimal, str]:
    """Value and unit such that comparable quantities have the same unit.

    The unit is only a name to compare by. A unit UCUM does not know stands for itself.
    """
    if quantity.word in _INDEFINITE:
        return quantity.value * _INDEFINITE[quantity.word], "calendar month"
    found = in_base_units(quantity.value, quantity.code)
    if found is None:
        return quantity.value, f"unit {quantity.unit}"
    return found


def comparable(left: Quantity, right: Quantity) -> bool:
    """Whether two quantities have units that convert into each other."""
    if not left.calendar and not right.calendar:
        if left.unit == right.unit:
            return True
        return ucum.comparable(left.unit, right.unit)
    return canonical(left)[1] == canonical(right)[1]


def compare(left: Quantity, right: Quantity) -> int | None:
    """-1, 0, 1, or None when the units do not convert."""
    if left.unit == right.unit and left.calendar == right.calendar:
        one, other = left.value, right.value
    else:
        one, unit = canonical(left)
        other, other_unit = canonical(right)
        if unit != other_unit:
            return None
    return (one > other) - (one < other)


def equivalent(left: Quantity, right: Quantity) -> bool:
    """Equivalence: same to the digits of the less precise, in the larger of the units.

    A calendar year or month is equivalent to UCUM's.
    """
    code, other_code = left.code, right.code
    one, other = left.value, right.value
    if code != other_code:
        if not ucum.comparable(code, other_code):
            return False
        if ucum.convert(Decimal(1), code, other_code) >= 1:
            other = ucum.convert(other, other_code, code)
        else:
            one = ucum.convert(one, code, other_code)
    return equivalent_numbers(one, other)


def equivalent_numbers(left: Decimal, right: Decimal) -> bool:
    """Whether two decimals are the same, rounded to the digits of the less precise."""
    with localcontext(prec=64):
        digits = min(_decimals(left), _decimals(right))
        step = Decimal(1).scaleb(-digits)
        return left.quantize(step) == right.quantize(step)


def _decimals(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def multiply(left: Quantity, right: Quantity) -> Quantity | None:
    """The product; None when its unit would be over `MAX_UNIT` characters."""
    return _combined(left, right, left.value * right.value, ".")


def divide(left: Quantity, right: Quantity) -> Quantity | None:
    """The quotient; None when the divisor is zero or the unit would grow too long."""
    if not right.value:
        return None
    return _combined(left, right, left.value / right.value, "/")


def _combined(left: Quantity, right: Quantity, value: Decimal, sign: str) -> Quantity | None:
    code, other = left.code, right.code
    if other == "1":
        return Quantity(value, code)
    if sign == "/" and code == other:
        return Quantity(value, "1")
    if code == "1" and sign == ".":
        return Quantity(value, other)
    unit = f"{_grouped(code)}{sign}{_grouped(other)}"
    return Quantity(value, unit) if len(unit) <= MAX_UNIT else None


def _grouped(code: str) -> str:
    return f"({code})" if "/" in code or "." in code else code


def add(left: Quantity, right: Quantity, sign: int) -> Quantity | None:
    """Sum or difference in the left one's unit; None when the units do not convert."""
    same = left.unit == right.unit and left.calendar == right.calendar
    if same or (left.word and left.word == right.word):
        return Quantity(left.value + sign * right.value, left.unit, left.calendar)
    if left.word in _INDEFINITE or right.word in _INDEFINITE:
        one, unit = canonical(left)
        other, other_unit = canonical(right)
        if unit != other_unit:
            return None
        return Quantity(one + sign * other, "month", calendar=True)
    if not ucum.comparable(right.code, left.code):
        return None
    converted = ucum.convert(right.value, right.code, left.code)
    return Quantity(left.value + sign * converted, left.unit, left.calendar)
