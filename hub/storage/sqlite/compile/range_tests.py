"""Conditions on ranges as Python functions, for tests on packed entries.

`hub.search.ranges.holds` in a form that costs a fraction of a microsecond. Called by the
modules for dates, numbers and composites.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

from hub.search.ranges import Alternatives, Condition

RangeTest = Callable[[float, float], bool]

_OPERATORS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def range_test(alternatives: Alternatives) -> RangeTest:
    """A function of a row's low and high that tells whether it meets the conditions.

    Args:
        alternatives: From `date_conditions` or `number_conditions`.
    """
    tests = [_all(group) for group in alternatives]
    if len(tests) == 1:
        return tests[0]

    def meets_any(low: float, high: float) -> bool:
        for test in tests:  # noqa: SIM110 - any() takes three times as long
            if test(low, high):
                return True
        return False

    return meets_any


def _all(group: tuple[Condition, ...]) -> RangeTest:
    if len(group) == 1:
        return _one(group[0])
    if len(group) == 2:
        first, second = map(_one, group)
        return lambda low, high: first(low, high) and second(low, high)
    tests = [_one(condition) for condition in group]
    return lambda low, high: all(test(low, high) for test in tests)


def _one(condition: Condition) -> RangeTest:
    side, name, bound = condition
    compare = _OPERATORS[name]
    if side == "low":
        return lambda low, high: compare(low, bound)
    return lambda low, high: compare(high, bound)
