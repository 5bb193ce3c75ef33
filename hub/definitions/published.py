"""The package's conformance resources as published, without narrative.

StructureDefinition, SearchParameter, ValueSet, CodeSystem, OperationDefinition and so on, by
canonical. Called by profile and terminology loaders and operations through `hub.definitions`.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec

from hub.definitions.pack import open_pack

_decode = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode


@lru_cache(maxsize=1)
def _places() -> dict[str, tuple[str, str, int, int, int]]:
    """Canonical url to type, version, frame, offset, length."""
    return {url: (kind, *place) for kind, url, *place in open_pack("conformance").index}


@lru_cache(maxsize=4)
def _frame(number: int) -> bytes:
    return open_pack("conformance").blob(number)


def conformance(canonical: str, version: str | None = None) -> dict[str, Any] | None:
    """A conformance resource of the package, decoded anew for each call.

    Args:
        canonical: Its url, also as `url|version`.
        version: The version it must have; None: any.

    Returns:
        None when the package has none with that url and version.
    """
    url, _, own_version = canonical.partition("|")
    place = _places().get(url)
    if place is None:
        return None
    _, published, frame, offset, length = place
    wanted = version or own_version
    if wanted and wanted != published:
        return None
    return _decode(memoryview(_frame(frame))[offset : offset + length])


@lru_cache(maxsize=16)
def conformance_versions(resource_type: str) -> tuple[tuple[str, str], ...]:
    """Canonical and version of all the package's resources of a type, in the order of their ids.

    Args:
        resource_type: As `CodeSystem`.
    """
    return tuple((url, place[1]) for url, place in _places().items() if place[0] == resource_type)


@lru_cache(maxsize=256)
def conformance_urls(resource_type: str) -> tuple[str, ...]:
    """Canonicals of all the package's resources of a type, in the order of their ids.

    Args:
        resource_type: As `ValueSet`; empty tuple for a type the package has none of.
    """
    return tuple(url for url, place in _places().items() if place[0] == resource_type)
