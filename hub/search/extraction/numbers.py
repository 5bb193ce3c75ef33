"""Number and quantity rows (https://hl7.org/fhir/R4/search.html#quantity).

A plain value is a range of no width, a Range, a comparator or sampled data has one. Called by
`hub.search.extraction.leaves`.
"""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, NamedTuple

from hub.model import quantity as quantities
from hub.search.extraction.found import Found, Visit
from hub.search.values import NumberRow, QuantityRow

_new = tuple.__new__
_CURRENCY = "urn:iso:std:iso:4217"
_MOST_SAMPLES = 20_000


class _Columns(NamedTuple):
    """The numeric columns of a quantity row."""

    low: float
    high: float
    canonical_low: float
    canonical_high: float
    canonical_unit: str


def number(keys: tuple[int, ...]) -> Visit:
    """An integer or decimal."""

    def visit(element: Decimal | int, found: Found) -> None:
        value = _float(element)
        for key in keys:
            found.numbers.append(_new(NumberRow, (key, value, value)))

    return visit


def number_range(keys: tuple[int, ...]) -> Visit:
    """A Range, its unit left out (RiskAssessment.probability)."""

    def visit(element: dict[str, Any], found: Found) -> None:
        low, high = _ends(element)
        if low is None and high is None:
            return
        for key in keys:
            row = (
                key,
                -math.inf if low is None else _float(low),
                math.inf if high is None else _float(high),
            )
            found.numbers.append(_new(NumberRow, row))

    return visit


def quantity(keys: tuple[int, ...]) -> Visit:
    """A Quantity, Age, Duration, Count or Distance."""

    def visit(element: dict[str, Any], found: Found) -> None:
        value = element.get("value")
        if value is None:
            return
        system, code = element.get("system", ""), element.get("code", "")
        columns = _columns(value, element.get("comparator", ""), system, code)
        _note(keys, columns, system, code, element.get("unit", ""), found)

    return visit


def money(keys: tuple[int, ...]) -> Visit:
    """A Money; its currency is the code and the unit."""

    def visit(element: dict[str, Any], found: Found) -> None:
        value, currency = element.get("value"), element.get("currency", "")
        if value is not None:
            columns = _columns(value, "", _CURRENCY, currency)
            _note(keys, columns, _CURRENCY, currency, currency, found)

    return visit


def quantity_range(keys: tuple[int, ...]) -> Visit:
    """A Range; the unit of one end stands for both."""

    def visit(element: dict[str, Any], found: Found) -> None:
        low, high = _ends(element)
        if low is None and high is None:
            return
        unit = element.get("low") or element["high"]
        _note_between(keys, low, high, unit, found)

    return visit


def sampled_data(keys: tuple[int, ...]) -> Visit:
    """The range from the least to the greatest sample."""

    def visit(element: dict[str, Any], found: Found) -> None:
        origin = element.get("origin") or {}
        factor = Decimal(element.get("factor", 1))
        zero = Decimal(origin.get("value", 0))
        samples = [
            zero + sample * factor
            for sample in map(_sample, element.get("data", "").split()[:_MOST_SAMPLES])
            if sample is not None
        ]
        if samples:
            _note_between(keys, min(samples), max(samples), origin, found)

    return visit


def _sample(text: str) -> Decimal | None:
    """A sample; E, L and U (error, below and above the limits) are none."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() and abs(value.adjusted()) <= 400 else None


Number = Decimal | int


def _ends(element: dict[str, Any]) -> tuple[Number | None, Number | None]:
    """The ends of a Range, in order."""
    low: Number | None = (element.get("low") or {}).get("value")
    high: Number | None = (element.get("high") or {}).get("value")
    if low is not None and high is not None and low > high:
        return high, low
    return low, high


def _note_between(
    keys: tuple[int, ...],
    low: Decimal | int | None,
    high: Decimal | int | None,
    unit: dict[str, Any],
    found: Found,
) -> None:
    system, code = unit.get("system", ""), unit.get("code", "")
    lower = None if low is None else _columns(low, "", system, code)
    upper = None if high is None else _columns(high, "", system, code)
    canonical_unit = (lower or upper or _NOTHING).canonical_unit
    columns = _Columns(
        -math.inf if lower is None else lower.low,
        math.inf if upper is None else upper.high,
        (-math.inf if lower is None else lower.canonical_low) if canonical_unit else 0.0,
        (math.inf if upper is None else upper.canonical_high) if canonical_unit else 0.0,
        canonical_unit,
    )
    _note(keys, columns, system, code, unit.get("unit", ""), found)


def _note(
    keys: tuple[int, ...], columns: _Columns, system: str, code: str, unit: str, found: Found
) -> None:
    low, high, canonical_low, canonical_high, canonical_unit = columns
    for key in keys:
        found.quantities.append(
            _new(
                QuantityRow,
                (
                    key, low, high, system, code, unit,
                    canonical_low, canonical_high, canonical_unit,
                ),
            )
        )  # fmt: skip


@lru_cache(maxsize=16384)
def _columns(value: Decimal | int, comparator: str, system: str, code: str) -> _Columns:
    """The columns of a value with a comparator, which opens the range to one side."""
    exact = _float(value)
    canonical = quantities.canonical(Decimal(value), code, system) if code else None
    converted, unit = (0.0, "") if canonical is None else (_float(canonical[0]), canonical[1])
    if comparator.startswith("<"):
        return _Columns(-math.inf, exact, -math.inf if unit else 0.0, converted, unit)
    if comparator.startswith(">"):
        return _Columns(exact, math.inf, converted, math.inf if unit else 0.0, unit)
    return _Columns(exact, exact, converted, converted, unit)


_NOTHING = _Columns(0.0, 0.0, 0.0, 0.0, "")


def _float(value: Decimal | int) -> float:
    try:
        return float(value) + 0.0  # SQLite has no negative zero.
    except OverflowError:
        return math.inf if value > 0 else -math.inf
