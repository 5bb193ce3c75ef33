"""What each prefix finds, on the examples of the specification."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hub.model import dates
from hub.search.query import NumberValue, QuantityValue
from hub.search.ranges import date_conditions, holds, number_conditions
from tests.search.reading import ZONE, read

EVERY = ["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]


def finds(search: str, low: int, high: int) -> bool:
    value = read(f"Observation?date={search}").query.criterion.values[0]
    return holds(date_conditions(value), low, high)


def period(start: str, end: str) -> tuple[int, int]:
    return dates.period_range({k: v for k, v in (("start", start), ("end", end)) if v}, ZONE)


@pytest.mark.parametrize(
    ("search", "start", "end", "found"),
    [
        ("eq2013-01-14", "2013-01-14T00:00", "2013-01-14T00:00", True),
        ("eq2013-01-14", "2013-01-14T10:00", "2013-01-14T10:00", True),
        ("eq2013-01-14", "2013-01-15T00:00", "2013-01-15T00:00", False),
        ("ne2013-01-14", "2013-01-15T00:00", "2013-01-15T00:00", True),
        ("ne2013-01-14", "2013-01-14T00:00", "2013-01-14T00:00", False),
        ("ne2013-01-14", "2013-01-14T10:00", "2013-01-14T10:00", False),
        ("lt2013-01-14T10:00", "2013-01-14", "2013-01-14", True),
        ("gt2013-01-14T10:00", "2013-01-14", "2013-01-14", True),
        ("ge2013-03-14", "2013-01-21", "", True),
        ("le2013-03-14", "2013-01-21", "", True),
        ("sa2013-03-14", "2013-03-15", "", True),
        ("sa2013-03-14", "2013-01-21", "", False),
        ("sa2013-03-14", "", "2013-01-21", False),
        ("eb2013-03-14", "2013-03-15", "", False),
        ("eb2013-03-14", "2013-01-21", "", False),
        ("eb2013-03-14", "", "2013-01-21", True),
        ("ap2013-03-14", "2013-03-14", "2013-03-14", True),
        ("ap2013-03-14", "2015-06-15", "2015-06-15", False),
        ("ge2013-03-14", "2013-03-14", "2013-03-14", True),
        ("ge2013-03-14", "2013-03-13", "2013-03-14", False),
        ("le2013-03-14", "2013-03-14", "2013-03-14", True),
        ("gt2013-03-14", "2013-03-14", "2013-03-14", False),
        ("lt2013-03-14", "2013-03-14", "2013-03-14", False),
        ("eq2026-03-01", "2026-03-01T02:00:00+08:00", "2026-03-01T02:00:00+08:00", True),
        ("eq2026-02-28", "2026-03-01T02:00:00+08:00", "2026-03-01T02:00:00+08:00", False),
    ],
)
def test_dates_are_compared_as_ranges(search: str, start: str, end: str, found: bool) -> None:
    low, high = period(start, end)
    assert finds(search, low, high) is found


@pytest.mark.parametrize(
    ("search", "stored", "found"),
    [
        ("100", 100, True),
        ("100", 99.5, True),
        ("100", 100.5, False),
        ("100.00", 100.004, True),
        ("1e2", 104, True),
        ("ne100", 100.2, False),
        ("ne100", 101, True),
        ("gt100", 100, False),
        ("gt100", 100.001, True),
        ("ge100", 100, True),
        ("lt100", 100, False),
        ("le100", 100, True),
        ("sa100", 100, False),
        ("sa100", 100.1, True),
        ("eb100", 99, True),
        ("ap100", 109, True),
        ("ap100", 111, False),
        ("5.40", 5.4, True),
        ("-3", -3.2, True),
    ],
)
def test_numbers_in_resources_are_points(search: str, stored: float, found: bool) -> None:
    value = read(f"RiskAssessment?probability={search}").query.criterion.values[0]
    assert isinstance(value, NumberValue)
    assert holds(number_conditions(value), stored, stored) is found


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("eq15", False),
        ("gt15", True),
        ("lt15", True),
        ("ge20", True),
        ("gt20", False),
        ("sa9", True),
        ("eb21", True),
        ("sa10", False),
        ("ap21", True),
    ],
)
def test_a_range_is_compared_by_its_ends(search: str, found: bool) -> None:
    value = read(f"RiskAssessment?probability={search}").query.criterion.values[0]
    assert holds(number_conditions(value), 10.0, 20.0) is found


def test_quantities_are_compared_in_canonical_units() -> None:
    search = "Observation?value-quantity=gt5400|http://unitsofmeasure.org|ug"
    value = read(search).query.criterion.values[0]
    assert isinstance(value, QuantityValue)
    assert value.canonical_unit == "g"
    assert not holds(number_conditions(value, canonical=True), 0.0054, 0.0054)
    assert holds(number_conditions(value, canonical=True), 0.0055, 0.0055)


def test_every_prefix_has_conditions() -> None:
    for prefix in EVERY:
        number = NumberValue(prefix, Decimal(1), Decimal(0), Decimal(2))
        assert number_conditions(number)
        assert finds(f"{prefix}2026", 0, 1) in (True, False)


@pytest.mark.parametrize("digits", ["123456789012345678901234567890", "0.12345678901234567890123"])
def test_a_number_with_more_digits_than_a_float_is_found(digits: str) -> None:
    value = read(f"RiskAssessment?probability={digits}").query.criterion.values[0]
    stored = float(Decimal(digits))
    assert holds(number_conditions(value), stored, stored)
