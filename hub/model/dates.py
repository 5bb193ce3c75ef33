"""Partial dates as ranges of time (https://hl7.org/fhir/R4/datatypes.html#dateTime).

A date, dateTime or instant of any precision covers a range: `2026-03` is a month. A range is a
pair of integers, microseconds since 1970-01-01T00:00Z, the first inside it, the second just
after it. Values without an offset are read in the tenant's zone
(https://hl7.org/fhir/R4/search.html#date). Called by index extraction, search and FHIRPath.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

MIN = -(2**62)
MAX = 2**62
DEFAULT_ZONE = "Asia/Shanghai"

Range = tuple[int, int]

_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_LAST_DAY = date.max.toordinal()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LONGEST_CACHED = 40
_FORM = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})"
    r"(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?"
).fullmatch


def parse(value: str, zone: str = DEFAULT_ZONE) -> Range:
    """The range of time that a date, dateTime or instant covers.

    Seconds may be 60 (a leap second, read as the second after); hours end at 23. A fraction
    finer than a microsecond is cut off. Search values may leave out seconds and offset.

    Args:
        value: As `2026`, `2026-03-01`, `2026-03-01T02:00:00.123+08:00`.
        zone: IANA zone for values without an offset.

    Returns:
        First microsecond, and the one after the last.

    Raises:
        ValueError: It is no date. The message does not repeat the value.
    """
    if len(value) > _LONGEST_CACHED:
        return _parse(value, zone)
    return _parse_cached(value, zone)


def _parse(value: str, zone: str) -> Range:
    found = _FORM(value)
    if found is None:
        raise ValueError("not a FHIR date")
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    if day is None:
        return _months(int(year), month, zone)
    ordinal = date(int(year), int(month), int(day)).toordinal()
    if hour is None:
        return _midnight(ordinal, zone), _midnight(ordinal + 1, zone)
    of_day = _of_day(hour, minute, second)
    length = _MINUTE if second is None else _SECOND
    if fraction is not None:
        digits = min(len(fraction), 6)
        length = 10 ** (6 - digits)
        of_day += int(fraction[:digits]) * length
    low = (ordinal - _EPOCH_DAY) * _DAY + of_day
    low -= _zone_offset(ordinal, of_day, zone) if offset is None else _written_offset(offset)
    return low, low + length


_parse_cached = lru_cache(maxsize=16_384)(_parse)


def _of_day(hour: str, minute: str, second: str | None) -> int:
    hours, minutes, seconds = int(hour), int(minute), int(second or 0)
    if hours > 23 or minutes > 59 or seconds > 60:
        raise ValueError("no such time of day")
    return hours * _HOUR + minutes * _MINUTE + seconds * _SECOND


def _months(year: int, month: str | None, zone: str) -> Range:
    """A year, or a month of it."""
    first = date(year, int(month or 1), 1)
    if month is None:
        after = date(year + 1, 1, 1).toordinal() if year < date.max.year else _LAST_DAY + 1
    else:
        after = _next_month(first)
    return _midnight(first.toordinal(), zone), _midnight(after, zone)


def _next_month(first: date) -> int:
    if first.month < 12:
        return first.replace(month=first.month + 1).toordinal()
    return first.toordinal() + 31


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(maxsize=16_384)
def _midnight(ordinal: int, zone: str) -> int:
    """When a day begins in a zone; the day after the last one of the calendar too."""
    return (ordinal - _EPOCH_DAY) * _DAY - _zone_offset(ordinal, 0, zone)


def _zone_offset(ordinal: int, of_day: int, zone: str) -> int:
    """Microseconds that a zone is ahead of UTC at a local time."""
    day = date.fromordinal(min(ordinal, _LAST_DAY))
    hour, rest = divmod(min(of_day, _DAY - 1), _HOUR)
    local = datetime(day.year, day.month, day.day, hour, rest // _MINUTE, tzinfo=_zone(zone))
    offset = local.utcoffset()
    return 0 if offset is None else offset // _MICROSECOND


def _written_offset(offset: str) -> int:
    """Microseconds of `Z` or `+08:00`; at most 14 hours."""
    if offset == "Z":
        return 0
    hours, minutes = int(offset[1:3]), int(offset[4:])
    if minutes > 59 or hours * 60 + minutes > 14 * 60:
        raise ValueError("no such offset")
    size = hours * _HOUR + minutes * _MINUTE
    return -size if offset[0] == "-" else size


def period_range(period: Mapping[str, Any], zone: str = DEFAULT_ZONE) -> Range:
    """The range of a Period; a missing end is open (MIN, MAX).

    Args:
        period: With `start`, `end`, both or none.
        zone: IANA zone for values without an offset.

    Raises:
        ValueError: An end is no date.
    """
    start, end = period.get("start"), period.get("end")
    low = MIN if start is None else parse(start, zone)[0]
    high = MAX if end is None else parse(end, zone)[1]
    return low, high


def microseconds(moment: datetime) -> int:
    """Microseconds since the epoch of an aware datetime."""
    return (moment - _EPOCH) // _MICROSECOND


def from_microseconds(value: int) -> datetime:
    """The datetime in UTC, the inverse of `microseconds`.

    Args:
        value: Microseconds since the epoch, within the years 1 to 9999.
    """
    return _EPOCH + timedelta(microseconds=value)
