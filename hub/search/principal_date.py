"""A resource's principal date, which clusters the index tables and orders results.

Which element gives it stands in `principal_date.toml`, per type. Called by
`hub.search.extract`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from hub.fhirpath import schema
from hub.model import dates
from hub.search.extraction.dates import period_limits, timing_limits

_TABLE = Path(__file__).parent / "principal_date.toml"

Limits = tuple[int, int] | None
Reader = Callable[[Any, str], Limits]


def _moment(value: Any, zone: str) -> Limits:
    try:
        return dates.parse(value, zone)
    except ValueError:
        return None


_READERS: Mapping[str, Reader] = {
    "date": _moment,
    "dateTime": _moment,
    "instant": _moment,
    "Period": period_limits,
    "Timing": timing_limits,
}


@lru_cache(maxsize=1)
def table() -> Mapping[str, tuple[str, ...]]:
    """Resource type to element paths, in order of preference."""
    rows = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    return {name: tuple(paths) for name, paths in rows.items()}


@cache
def _sources(resource_type: str) -> tuple[tuple[tuple[str, ...], Reader], ...]:
    """JSON keys that lead to each candidate, and what reads it."""
    found: list[tuple[tuple[str, ...], Reader]] = []
    for path in table().get(resource_type, ()):
        *above, name = path.split(".")
        parent = ".".join((resource_type, *above))
        step = schema.steps(parent)[name]
        found.extend(((*above, key), _READERS[kind]) for key, kind in step.keys if kind in _READERS)
    return tuple(found)


def principal_date(resource: dict[str, Any], zone: str) -> int:
    """When the thing happens that a resource records.

    Args:
        resource: Any resource.
        zone: IANA zone of dates without an offset.

    Returns:
        Microseconds since the epoch, UTC; 0 when it has no such date.
    """
    limits = principal_limits(resource, zone)
    if limits is None:
        return 0
    low, high = limits
    return low if low > dates.MIN else high


def principal_limits(resource: dict[str, Any], zone: str) -> Limits:
    """From when to when the thing lasts that a resource records; arguments as `principal_date`.

    Returns:
        First microsecond and the one after the last, None when it has no such date.
    """
    for keys, reader in _sources(resource["resourceType"]):
        value: Any = resource
        for key in keys:
            value = value.get(key)
            if type(value) is list:
                value = value[0]
            if value is None:
                break
        else:
            limits = reader(value, zone)
            if limits is not None:
                return limits
    return None
