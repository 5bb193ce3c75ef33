"""Date rows (https://hl7.org/fhir/R4/search.html#date): every date type as a range of time.

Called by `hub.search.extraction.leaves`.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from hub.model import dates
from hub.search.extraction.found import Found, Visit
from hub.search.values import DateRow

_new = tuple.__new__
_parse = dates.parse


def moment(keys: tuple[int, ...]) -> Visit:
    """A date, dateTime or instant of any precision; one that no calendar has gives no row."""

    def visit(element: str, found: Found) -> None:
        try:
            low, high = _parse(element, found.zone)
        except ValueError:
            return
        for key in keys:
            found.dates.append(_new(DateRow, (key, low, high)))

    return visit


def period(keys: tuple[int, ...]) -> Visit:
    """A Period; a missing end is open. One without any end gives no row."""

    def visit(element: dict[str, Any], found: Found) -> None:
        limits = period_limits(element, found.zone)
        if limits is not None:
            for key in keys:
                found.dates.append(_new(DateRow, (key, *limits)))

    return visit


def period_limits(element: dict[str, Any], zone: str) -> tuple[int, int] | None:
    """First and last moment of a Period, None when it names neither; in order if it is not.

    Args:
        element: A Period.
        zone: IANA zone of dates without an offset.
    """
    if "start" not in element and "end" not in element:
        return None
    try:
        low, high = dates.period_range(element, zone)
    except ValueError:
        return None
    return (low, high) if low < high else (high, low + 1)


def timing(keys: tuple[int, ...]) -> Visit:
    """The outer limits of a Timing: of its events and its bounds."""

    def visit(element: dict[str, Any], found: Found) -> None:
        limits = timing_limits(element, found.zone)
        if limits is not None:
            for key in keys:
                found.dates.append(_new(DateRow, (key, *limits)))

    return visit


def timing_limits(element: dict[str, Any], zone: str) -> tuple[int, int] | None:
    """First and last moment of a Timing, None when it names neither.

    Args:
        element: A Timing.
        zone: IANA zone of dates without an offset.
    """
    ranges: list[tuple[int, int]] = []
    for event in element.get("event", ()):
        if event is not None:
            with suppress(ValueError):
                ranges.append(_parse(event, zone))
    bounds = element.get("repeat", {}).get("boundsPeriod")
    limits = period_limits(bounds, zone) if bounds is not None else None
    if limits is not None:
        ranges.append(limits)
    if not ranges:
        return None
    return min(low for low, _ in ranges), max(high for _, high in ranges)
