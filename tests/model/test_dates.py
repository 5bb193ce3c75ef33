"""hub.model.dates: partial dates as ranges."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.model import dates

SECOND = 1_000_000
DAY = 86_400 * SECOND


def at(*parts: int, hours: float = 0) -> int:
    """Microseconds of a time at an offset."""
    zone = timezone(timedelta(hours=hours))
    return dates.microseconds(datetime(*parts, tzinfo=zone))


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("2026", at(2026, 1, 1, hours=8), at(2027, 1, 1, hours=8)),
        ("2026-02", at(2026, 2, 1, hours=8), at(2026, 3, 1, hours=8)),
        ("2026-12", at(2026, 12, 1, hours=8), at(2027, 1, 1, hours=8)),
        ("2026-03-01", at(2026, 3, 1, hours=8), at(2026, 3, 2, hours=8)),
        ("2024-02-29", at(2024, 2, 29, hours=8), at(2024, 3, 1, hours=8)),
        (
            "2026-03-01T02:00:00+08:00",
            at(2026, 3, 1, 2, hours=8),
            at(2026, 3, 1, 2, hours=8) + SECOND,
        ),
        ("2026-03-01T02:00:00Z", at(2026, 3, 1, 2), at(2026, 3, 1, 2) + SECOND),
        ("2026-03-01T02:00:00-00:00", at(2026, 3, 1, 2), at(2026, 3, 1, 2) + SECOND),
        ("2026-03-01T02:00", at(2026, 3, 1, 2, hours=8), at(2026, 3, 1, 2, 1, hours=8)),
        ("2026-03-01T02:00Z", at(2026, 3, 1, 2), at(2026, 3, 1, 2, 1)),
        ("2026-03-01T02:00:00.5Z", at(2026, 3, 1, 2) + 500_000, at(2026, 3, 1, 2) + 600_000),
        ("2026-03-01T02:00:00.123Z", at(2026, 3, 1, 2) + 123_000, at(2026, 3, 1, 2) + 124_000),
        (
            "2026-03-01T02:00:00.123456789Z",
            at(2026, 3, 1, 2) + 123_456,
            at(2026, 3, 1, 2) + 123_457,
        ),
        ("2016-12-31T23:59:60Z", at(2017, 1, 1), at(2017, 1, 1) + SECOND),
        ("2026-03-01T00:00:00+14:00", at(2026, 3, 1, hours=14), at(2026, 3, 1, hours=14) + SECOND),
        (
            "2026-03-01T00:00:00-03:30",
            at(2026, 3, 1, hours=-3.5),
            at(2026, 3, 1, hours=-3.5) + SECOND,
        ),
    ],
)
def test_a_value_covers_its_precision(text, low, high):
    assert dates.parse(text) == (low, high)


def test_a_time_at_two_in_the_morning_lies_in_its_local_day():
    low, high = dates.parse("2026-03-01")
    moment, _ = dates.parse("2026-03-01T02:00:00+08:00")
    assert low <= moment < high
    low, high = dates.parse("2026-03-01", "UTC")
    assert not low <= moment < high


def test_the_ends_of_the_calendar():
    low, high = dates.parse("9999", "UTC")
    assert dates.parse("9999-12", "UTC")[1] == dates.parse("9999-12-31", "UTC")[1] == high
    assert dates.parse("9999-12-31T23:59:59.999999Z")[1] == high
    assert dates.parse("0001-01-01T00:00:00+14:00")[0] > dates.MIN
    assert high < dates.MAX
    assert high - low == 365 * DAY


def test_summer_time_makes_days_of_23_and_25_hours():
    low, high = dates.parse("2026-03-29", "Europe/Berlin")
    assert high - low == 23 * 3600 * SECOND
    low, high = dates.parse("2026-10-25", "Europe/Berlin")
    assert high - low == 25 * 3600 * SECOND


@pytest.mark.parametrize(
    "text",
    [
        "",
        "26",
        "0000",
        "20260301",
        "2026-3-1",
        "2026-13",
        "2026-00",
        "2026-02-29",
        "2026-04-31",
        "2026-03-01T24:00:00Z",
        "2026-03-01T23:60:00Z",
        "2026-03-01T23:59:61Z",
        "2026-03-01T02Z",
        "2026-03-01T02:00:00.Z",
        "2026-03-01T02:00:00+15:00",
        "2026-03-01T02:00:00+14:01",
        "2026-03-01T02:00:00+08:60",
        "2026-03-01T02:00:00+0800",
        "2026-03-01T02:00:00z",
        "2026-03-01 02:00:00Z",
        "2026-03-01Z",
        "2026-03T02:00",
        " 2026",
        "2026\n",
        "２０２６",
        "-2026",
        "10000",
        "2026-W01",
        "2026-03-01T02:00:00." + "1" * 100 + "x",
    ],
)
def test_what_is_no_date_is_a_value_error(text):
    with pytest.raises(ValueError, match=r".") as caught:
        dates.parse(text)
    assert not text or text not in str(caught.value)


def test_a_period_may_be_open():
    assert dates.period_range({}) == (dates.MIN, dates.MAX)
    low, high = dates.period_range({"start": "2026-03-01"})
    assert (low, high) == (at(2026, 3, 1, hours=8), dates.MAX)
    low, high = dates.period_range({"end": "2026-03"}, "UTC")
    assert (low, high) == (dates.MIN, at(2026, 4, 1))


AWARE = st.datetimes(
    datetime(2, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
    datetime(9998, 12, 31),  # noqa: DTZ001
    timezones=st.sampled_from(
        [timezone(timedelta(minutes=minutes)) for minutes in (0, 480, -210, 840, -720)]
    ),
)


@given(AWARE)
def test_a_moment_survives_writing_and_reading(moment):
    low, high = dates.parse(moment.isoformat("T", "microseconds"))
    assert low == dates.microseconds(moment)
    assert high == low + 1
    assert dates.from_microseconds(low) == moment


@given(AWARE, st.sampled_from(["Asia/Shanghai", "UTC", "Europe/Berlin", "America/New_York"]))
def test_coarser_values_hold_finer_ones(moment, zone):
    text = moment.replace(tzinfo=None).isoformat("T", "microseconds")
    ranges = [dates.parse(text[:length], zone) for length in (4, 7, 10, 16, 19, 23, 26)]
    for (low, high), (finer_low, finer_high) in pairwise(ranges):
        assert low <= finer_low < finer_high <= high


@given(st.text(alphabet="0123456789-T:.Z+ ", max_size=60))
def test_any_text_is_a_range_or_a_value_error(text):
    try:
        low, high = dates.parse(text)
    except ValueError:
        return
    assert dates.MIN < low < high < dates.MAX
