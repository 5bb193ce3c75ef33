"""Date, DateTime and Time of FHIRPath: partial, compared by what is known of them.

http://hl7.org/fhirpath/N1/#datetime and the sections on equality, comparison and date/time
arithmetic. A value keeps its precision and its offset as written. FHIR's date, dateTime,
instant and time become these through `parse`. Called by every operator and function that
meets a point in time.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Literal

Kind = Literal["Date", "DateTime", "Time"]

_PATTERN = re.compile(
    r"(?:(\d{4})(?:-(\d\d)(?:-(\d\d))?)?)?(?:(T)?(?:(\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d{1,18}))?)?)?"
    r"(Z|[+-]\d\d:\d\d)?)?)?\Z",
    re.ASCII,
)
_SECOND = 10**9
_DAY = 86_400 * _SECOND
_HOUR = 3_600 * _SECOND
_UNKNOWN_EARLIEST = 14 * _HOUR
_UNKNOWN_LATEST = 12 * _HOUR
# Lowest values of year, month, day, hour, minute, second.
_FLOOR = (1, 1, 1, 0, 0, 0)
_DIGITS = {"Date": (4, 6, 8), "DateTime": (4, 6, 8, 10, 12, 14), "Time": (2, 4, 6)}


@dataclass(frozen=True, slots=True)
class Temporal:
    """A point or span of time, as precise as it was written.

    Attributes:
        kind: Date, DateTime or Time.
        parts: Year, month, day, hour, minute, second as far as given; a Time starts at hour.
        fraction: Digits after the seconds, as written; empty if none.
        zone: `Z`, `+08:00` as written; empty if none.
    """

    kind: Kind
    parts: tuple[int, ...]
    fraction: str = ""
    zone: str = ""

    @property
    def text(self) -> str:
        """As FHIR writes it: `2014-01`, `2014-01-01T10:30:00.000Z`, `10:30`."""
        day = "" if self.kind == "Time" else _join("-", self.parts[:3], year=True)
        clock = _join(":", self.parts if self.kind == "Time" else self.parts[3:])
        if self.fraction:
            clock += f".{self.fraction}"
        if not day or not clock:
            return day or clock
        return f"{day}T{clock}{self.zone}"

    @property
    def literal(self) -> str:
        """As FHIRPath writes it: `@2014-01T`, `@T10:30`."""
        if self.kind == "Time":
            return f"@T{self.text}"
        bare = self.kind == "DateTime" and len(self.parts) < 4
        return f"@{self.text}T" if bare else f"@{self.text}"

    def __str__(self) -> str:
        return self.text

    @property
    def precision(self) -> int:
        """How many digits are known, as the function counts them: milliseconds are three."""
        return _DIGITS[self.kind][len(self.parts) - 1] + len(self.fraction)

    @property
    def offset(self) -> int | None:
        """Minutes east of UTC, or None."""
        if not self.zone:
            return None
        if self.zone == "Z":
            return 0
        minutes = int(self.zone[1:3]) * 60 + int(self.zone[4:6])
        return -minutes if self.zone[0] == "-" else minutes

    def span(self) -> tuple[int, int]:
        """First and last-plus-one nanosecond, in UTC when the offset is known."""
        if self.kind == "Time":
            start = _clock(self.parts)
            length = (_HOUR, 60 * _SECOND, 1)[len(self.parts) - 1]
        else:
            start = date(*_filled(self.parts[:3])).toordinal() * _DAY
            start += _clock(self.parts[3:])
            length = self._length()
        start += int(self.fraction.ljust(9, "0")[:9] or 0)
        start -= (self.offset or 0) * 60 * _SECOND
        return start, start + length

    def _length(self) -> int:
        year, month = self.parts[0], (*self.parts, 1)[1]
        count = len(self.parts)
        if count == 1:
            return (366 if monthrange(year, 2)[1] == 29 else 365) * _DAY
        if count == 2:
            return monthrange(year, month)[1] * _DAY
        return (_DAY, _HOUR, 60 * _SECOND, 1)[count - 3]


def _join(separator: str, parts: Sequence[int], year: bool = False) -> str:
    widths = [4 if year and index == 0 else 2 for index in range(len(parts))]
    return separator.join(str(part).zfill(width) for part, width in zip(parts, widths, strict=True))


def _filled(parts: Sequence[int]) -> tuple[int, int, int]:
    year, month, day = (*parts, *_FLOOR[len(parts) : 3])
    return year, month, day


def _clock(parts: Sequence[int]) -> int:
    hour, minute, second = (*parts, 0, 0, 0)[:3]
    return ((hour * 60 + minute) * 60 + second) * _SECOND


def _valid(kind: Kind, parts: tuple[int, ...], zone: str) -> bool:
    clock = parts if kind == "Time" else parts[3:]
    if kind != "Time":
        year, month, day = _filled(parts[:3])
        if not (year >= 1 and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]):
            return False
    # 60: a leap second, which FHIR's pattern for instants lets through.
    limits = (23, 59, 60)
    if any(part > limit for part, limit in zip(clock, limits, strict=False)):
        return False
    return not zone or zone == "Z" or (int(zone[1:3]) <= 14 and int(zone[4:6]) <= 59)


@lru_cache(maxsize=4096)
def parse(text: str, kind: Kind) -> Temporal | None:
    """Read the text of a Date, DateTime or Time; None if it is none.

    Args:
        text: `2014-01`, `2014-01-01T10:30:00+08:00`, `10:30`, with or without the `@` and `T`
            that mark a literal.
        kind: What it has to be; a DateTime may stop at year, month or day.
    """
    match = _PATTERN.match(text.removeprefix("@"))
    if match is None:
        return None
    year, month, day, mark, hour, minute, second, fraction, zone = match.groups()
    if kind == "Time":
        if year or zone or hour is None:
            return None
        parts = tuple(int(part) for part in (hour, minute, second) if part is not None)
        return Temporal(kind, parts, fraction or "") if _valid(kind, parts, "") else None
    if year is None or (hour is not None and not (mark and day)) or (kind == "Date" and mark):
        return None
    digits = (year, month, day, hour, minute, second)
    parts = tuple(int(part) for part in digits if part is not None)
    if zone and hour is None:
        return None
    if not _valid(kind, parts, zone or ""):
        return None
    return Temporal(kind, parts, fraction or "", zone or "")


def compare(left: Temporal, right: Temporal) -> int | None:
    """-1, 0 or 1; None when their precision or a missing offset leaves it open.

    A Date is compared with a DateTime as a DateTime without time. A value without offset is
    compared with one that has an offset as if it could be anywhere from -12:00 to +14:00.

    Raises:
        TypeError: A Time against a Date or DateTime.
    """
    if (left.kind == "Time") != (right.kind == "Time"):
        raise TypeError
    if left.zone == right.zone:
        return _compare_parts(left, right)
    low, high = left.span()
    other_low, other_high = right.span()
    if left.kind != "Time" and bool(left.zone) != bool(right.zone):
        if left.zone:
            other_low, other_high = other_low - _UNKNOWN_EARLIEST, other_high + _UNKNOWN_LATEST
        else:
            low, high = low - _UNKNOWN_EARLIEST, high + _UNKNOWN_LATEST
    elif len(left.parts) == len(right.parts):
        return (low > other_low) - (low < other_low)
    if high <= other_low:
        return -1
    if low >= other_high:
        return 1
    return None


def _compare_parts(left: Temporal, right: Temporal) -> int | None:
    """As `compare`, for values that count from the same offset."""
    one, other = left.parts, right.parts
    if len(one) != len(other):
        shared = min(len(one), len(other))
        one, other = one[:shared], other[:shared]
        return None if one == other else (1 if one > other else -1)
    if one != other:
        return 1 if one > other else -1
    digits, others = left.fraction.rstrip("0"), right.fraction.rstrip("0")
    return (digits > others) - (digits < others)


def equal(left: Temporal, right: Temporal) -> bool | None:
    """Equality: None when precision or a missing offset leaves it open."""
    if (left.kind == "Time") != (right.kind == "Time"):
        return False
    order = compare(left, right)
    return None if order is None else order == 0


def equivalent(left: Temporal, right: Temporal) -> bool:
    """Equivalence: different precision means not equivalent."""
    return equal(left, right) is True


# --- arithmetic ------------------------------------------------------------------------------

_NANOSECONDS = {
    "week": 7 * _DAY,
    "day": _DAY,
    "hour": _HOUR,
    "minute": 60 * _SECOND,
    "second": _SECOND,
    "millisecond": _SECOND // 1000,
}
# A unit finer than the value's precision is counted in the value's own unit, cut off.
_COARSER: dict[int, tuple[str, dict[str, int]]] = {
    1: ("year", {"month": 12, "week": 52, "day": 365}),
    2: ("month", {"week": 4, "day": 30}),
    3: ("day", {}),
    4: ("hour", {}),
    5: ("minute", {}),
}


def add(value: Temporal, amount: Decimal, unit: str) -> Temporal | None:
    """Add a duration, keeping the value's precision.

    Args:
        value: The point in time.
        amount: How many; the fraction counts for `second` only.
        unit: Calendar unit in the singular (`year` ... `millisecond`).

    Returns:
        The sum, or None when it leaves the years 1 to 9999.
    """
    if unit != "second":
        amount = Decimal(int(amount))
    if value.kind == "Time":
        return _add_to_time(value, amount, unit)
    count = len(value.parts)
    if unit in ("year", "month") and not (unit == "month" and count == 1):
        return _add_months(value, int(amount) * (12 if unit == "year" else 1))
    if count < 6:
        amount, unit = _in_own_unit(amount, unit, count)
        if unit in ("year", "month"):
            return _add_months(value, int(amount) * (12 if unit == "year" else 1))
    return _shift(value, int(amount * _NANOSECONDS[unit]))


def _in_own_unit(amount: Decimal, unit: str, count: int) -> tuple[Decimal, str]:
    own, factors = _COARSER[count]
    if unit in factors:
        return Decimal(int(amount / factors[unit])), own
    if own in _NANOSECONDS:
        size = _NANOSECONDS[unit]
        return (
            (amount, unit)
            if size >= _NANOSECONDS[own]
            else (Decimal(int(amount * size / _NANOSECONDS[own])), own)
        )
    days = int(amount * _NANOSECONDS[unit] / _DAY)
    return Decimal(int(days / factors["day"])), own


def _add_months(value: Temporal, months: int) -> Temporal | None:
    year, month, day = _filled(value.parts[:3])
    index = year * 12 + month - 1 + months
    year, month = index // 12, index % 12 + 1
    if not 1 <= year <= 9999:
        return None
    day = min(day, monthrange(year, month)[1])
    parts = (year, month, day, *value.parts[3:])[: len(value.parts)]
    return Temporal(value.kind, parts, value.fraction, value.zone)


def _shift(value: Temporal, nanoseconds: int) -> Temporal | None:
    start = date(*_filled(value.parts[:3])).toordinal() * _DAY + _clock(value.parts[3:])
    start += int(value.fraction.ljust(9, "0")[:9] or 0) + nanoseconds
    days, rest = divmod(start, _DAY)
    if not 1 <= days <= date.max.toordinal():
        return None
    day = date.fromordinal(days)
    clock, fraction = _split(rest, value.fraction)
    parts = (day.year, day.month, day.day, *clock)[: len(value.parts)]
    return Temporal(value.kind, parts, fraction if len(parts) == 6 else "", value.zone)


def _add_to_time(value: Temporal, amount: Decimal, unit: str) -> Temporal | None:
    if unit not in _NANOSECONDS:
        return None
    own = ("hour", "minute", "second")[len(value.parts) - 1]
    shift = int(amount * _NANOSECONDS[unit])
    if own != "second":
        shift = int(Decimal(shift) / _NANOSECONDS[own]) * _NANOSECONDS[own]
    start = _clock(value.parts) + int(value.fraction.ljust(9, "0")[:9] or 0) + shift
    clock, fraction = _split(start % _DAY, value.fraction)
    parts = clock[: len(value.parts)]
    return Temporal("Time", parts, fraction if len(parts) == 3 else "")


def _split(nanoseconds: int, like: str) -> tuple[tuple[int, int, int], str]:
    seconds, rest = divmod(nanoseconds, _SECOND)
    digits = str(rest).zfill(9).rstrip("0")
    if digits and len(digits) < 3:
        digits = digits.ljust(3, "0")
    clock = (seconds // 3600, seconds // 60 % 60, seconds % 60)
    return clock, digits.ljust(len(like), "0")


# --- boundaries ------------------------------------------------------------------------------


def boundary(value: Temporal, digits: int | None, high: bool) -> Temporal | None:
    """lowBoundary() or highBoundary(): the first or last value it could stand for.

    Args:
        value: The point in time; an hour without minutes counts as that full hour's first
            minute, since FHIR does not know such a value.
        digits: Precision wanted as precision() counts it; None for the finest.
        high: The last instead of the first.

    Returns:
        The boundary, or None when the kind has no such precision.
    """
    steps = (*_DIGITS[value.kind], *((17,) if value.kind == "DateTime" else ()))
    if value.kind == "Time":
        steps = (*steps, 9)
    digits = steps[-1] if digits is None else digits
    if digits not in steps:
        return None
    wanted = steps.index(digits) + 1
    hours = 1 if value.kind == "Time" else 4
    parts = value.parts if len(value.parts) != hours else (*value.parts, 0)
    full = len(steps) - 1 if steps[-1] in (9, 17) else len(steps)
    parts = _extend(parts, full, high, hours - 1)
    fraction = value.fraction[:3].ljust(3, "9" if high and not value.fraction else "0")
    if wanted <= full:
        parts, fraction = parts[:wanted], ""
    zone = value.zone
    if value.kind == "DateTime" and not zone and len(parts) > 3:
        zone = "-12:00" if high else "+14:00"
    return Temporal(value.kind, parts, fraction, zone if len(parts) > 3 else "")


def _extend(parts: tuple[int, ...], length: int, high: bool, clock: int) -> tuple[int, ...]:
    while len(parts) < length:
        place = len(parts) - clock + 3
        if not high:
            part = _FLOOR[place]
        elif place == 2:
            part = monthrange(parts[0], parts[1])[1]
        else:
            part = (0, 12, 0, 23, 59, 59)[place]
        parts = (*parts, part)
    return parts
