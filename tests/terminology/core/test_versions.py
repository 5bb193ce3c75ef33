"""Which version is meant."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from terminology.core.versions import age, choose, fits, known


@dataclass(frozen=True)
class One:
    version: str


@pytest.mark.parametrize(
    ("wanted", "version", "expected"),
    [
        ("", "1.0.0", True),
        ("", "", True),
        ("1.0.0", "1.0.0", True),
        ("1.0.0", "1.0.1", False),
        ("1.0.x", "1.0.7", True),
        ("1.x", "1.0.7", True),
        ("1.x.x", "1.2.0", True),
        ("1.*", "1.2.0", True),
        ("*", "2026", True),
        ("1.x.0", "1.2.1", False),
        ("1.0.x", "1.0", False),
        ("1", "1.0.0", False),
        ("1.0", "1.0.0", False),
    ],
)
def test_a_version_fits(wanted: str, version: str, expected: bool) -> None:
    assert fits(wanted, version) is expected


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("1.9", "1.10"),
        ("", "0"),
        ("2025-12-31", "2026-01-01"),
        ("1.0.0-beta", "1.0.0-rc"),
        ("2", "10"),
    ],
)
def test_versions_are_ordered(older: str, newer: str) -> None:
    assert age(older) < age(newer)


def test_the_newest_that_fits_is_chosen_from_the_first_source_that_has_one() -> None:
    groups = [[One("1.0"), One("1.2")], [One("3.0"), One("1.1")]]
    assert choose(groups, "") == One("1.2")
    assert choose(groups, "3.0") == One("3.0")
    assert choose(groups, "1.x") == One("1.2")
    assert choose(groups, "2.x") is None
    assert known(groups) == ["1.0", "1.1", "1.2", "3.0"]
