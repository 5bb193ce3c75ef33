"""What a prefix means on ranges: the one table that every store compiles.

Implements https://hl7.org/fhir/R4/search.html#prefix. Called by the stores.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from hub.search.query import DateValue, NumberValue, QuantityValue


class Condition(NamedTuple):
    """`side operator bound` on an index row, as in `low >= bound`."""

    side: Literal["low", "high"]
    operator: Literal["<", "<=", ">", ">="]
    bound: float


Alternatives = tuple[tuple[Condition, ...], ...]
"""Conditions in disjunctive form: any of the groups, each with all of its conditions."""


def date_conditions(value: DateValue) -> Alternatives:
    """What low and high (half-open, microseconds) of a `DateRow` must meet.

    Args:
        value: A date value; with prefix `ap` its range is already widened.
    """
    low, high = value.low, value.high
    match value.prefix:
        case "eq":
            return ((Condition("low", ">=", low), Condition("high", "<=", high)),)
        case "ne":
            return ((Condition("low", "<", low),), (Condition("high", ">", high),))
        case "gt":
            return ((Condition("high", ">", high),),)
        case "lt":
            return ((Condition("low", "<", low),),)
        case "ge":
            return ((Condition("low", ">=", low),), (Condition("high", ">", high),))
        case "le":
            return ((Condition("high", "<=", high),), (Condition("low", "<", low),))
        case "sa":
            return ((Condition("low", ">=", high),),)
        case "eb":
            return ((Condition("high", "<=", low),),)
        case "ap":
            return ((Condition("low", "<", high), Condition("high", ">", low)),)


def number_conditions(
    value: NumberValue | QuantityValue, *, canonical: bool = False
) -> Alternatives:
    """What low and high (closed) of a number or quantity row must meet.

    Args:
        value: A number; eq and ne use the range its digits imply, ap its widened range, the
            others the number itself.
        canonical: Compare the canonical columns of a quantity that has a canonical value.
    """
    exact, low, high = float(value.value), float(value.low), float(value.high)
    if canonical and isinstance(value, QuantityValue) and value.canonical_value is not None:
        exact = float(value.canonical_value)
        low = float(value.canonical_low or 0)
        high = float(value.canonical_high or 0)
    if low == high:  # More digits than a float has, so that the half-open range holds nothing.
        high = math.nextafter(high, math.inf)
    match value.prefix:
        case "eq":
            return ((Condition("low", ">=", low), Condition("high", "<", high)),)
        case "ne":
            return ((Condition("low", "<", low),), (Condition("high", ">=", high),))
        case "gt":
            return ((Condition("high", ">", exact),),)
        case "lt":
            return ((Condition("low", "<", exact),),)
        case "ge":
            return ((Condition("high", ">=", exact),),)
        case "le":
            return ((Condition("low", "<=", exact),),)
        case "sa":
            return ((Condition("low", ">", exact),),)
        case "eb":
            return ((Condition("high", "<", exact),),)
        case "ap":
            return ((Condition("low", "<=", high), Condition("high", ">=", low)),)


def holds(alternatives: Alternatives, low: float, high: float) -> bool:
    """Whether a row meets the conditions.

    Args:
        alternatives: From `date_conditions` or `number_conditions`.
        low: The row's low.
        high: The row's high.
    """
    return any(all(_meets(condition, low, high) for condition in group) for group in alternatives)


def _meets(condition: Condition, low: float, high: float) -> bool:
    found = low if condition.side == "low" else high
    match condition.operator:
        case "<":
            return found < condition.bound
        case "<=":
            return found <= condition.bound
        case ">":
            return found > condition.bound
        case ">=":
            return found >= condition.bound
