"""Which version of a code system or value set is meant.

A wanted version is "" (the newest), exact, or a pattern whose parts may be `x`, `X` or `*`
(`1.0.x`). An incomplete one (`1`) is exact, and so usually not there. Called wherever content
is chosen. Spec: https://hl7.org/fhir/R4/references.html#canonical
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Protocol, TypeVar

_WILD = frozenset(("x", "X", "*"))
_PARTS = re.compile(r"\d+|[^\W\d_]+")


class Versioned(Protocol):
    """What has a version."""

    @property
    def version(self) -> str:
        """Its version, "" without."""


V = TypeVar("V", bound=Versioned)


def is_pattern(wanted: str) -> bool:
    """Whether a wanted version stands for several."""
    return any(part in _WILD for part in wanted.split("."))


def fits(wanted: str, version: str) -> bool:
    """Whether a version is one that is wanted.

    Args:
        wanted: Exact or a pattern; "" fits all.
        version: A version that is there.
    """
    if not wanted or wanted == version:
        return True
    if not is_pattern(wanted):
        return False
    asked, given = wanted.split("."), version.split(".")
    if len(given) < len(asked) or (len(given) > len(asked) and asked[-1] not in _WILD):
        return False
    return all(one in _WILD or one == other for one, other in zip(asked, given, strict=False))


@lru_cache(maxsize=1024)
def age(version: str) -> tuple[tuple[int, int, str], ...]:
    """What versions are ordered by: numbers as numbers, dates so too, words before numbers."""
    return tuple(
        (1, int(part), "") if part.isdecimal() else (0, 0, part) for part in _PARTS.findall(version)
    )


def choose(groups: Iterable[Sequence[V]], wanted: str) -> V | None:
    """The newest of those that fit, from the first source that has one.

    Args:
        groups: By source, those of the request first.
        wanted: See `fits`.
    """
    for group in groups:
        fitting = [one for one in group if fits(wanted, one.version)]
        if fitting:
            return max(fitting, key=lambda one: age(one.version))
    return None


def known(groups: Iterable[Sequence[V]]) -> list[str]:
    """The versions that are there, oldest first, each once."""
    found = {one.version for group in groups for one in group if one.version}
    return sorted(found, key=age)
