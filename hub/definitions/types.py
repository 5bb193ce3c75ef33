"""The R4 types by name (https://hl7.org/fhir/R4/resourcelist.html, datatypes.html).

Each type is one blob of `tables/types.zst`, decoded on first use and kept. Called by every
layer through `hub.definitions`.
"""

from __future__ import annotations

from functools import cache, lru_cache

import msgspec

from hub.definitions.pack import open_pack
from hub.definitions.shapes import TypeDefinition


@lru_cache(maxsize=1)
def _rows() -> dict[str, tuple[int, str, bool, str | None]]:
    """Type name to blob number, kind, abstract, base."""
    index = open_pack("types").index
    return {name: (n, kind, abstract, base) for n, (name, kind, abstract, base) in enumerate(index)}


@lru_cache(maxsize=1)
def type_names() -> frozenset[str]:
    """All types: resources, complex, primitive and abstract ones."""
    return frozenset(_rows())


@lru_cache(maxsize=1)
def resource_types() -> tuple[str, ...]:
    """The 146 concrete resource types, sorted."""
    return tuple(
        name
        for name, (_, kind, abstract, _base) in _rows().items()
        if kind == "resource" and not abstract
    )


@lru_cache(maxsize=1)
def _resource_type_set() -> frozenset[str]:
    return frozenset(resource_types())


def is_resource_type(name: str) -> bool:
    """Whether `name` is a concrete resource type."""
    return name in _resource_type_set()


def type_kind(name: str) -> str:
    """`resource`, `complex-type` or `primitive-type`, without decoding the type.

    Raises:
        KeyError: R4 has no such type.
    """
    return _rows()[name][1]


@cache
def type_definition(name: str) -> TypeDefinition:
    """The definition of a type.

    Args:
        name: `Patient`, `HumanName`, `dateTime`, `Element`.

    Raises:
        KeyError: R4 has no such type.
    """
    number = _rows()[name][0]
    return msgspec.msgpack.decode(open_pack("types").blob(number), type=TypeDefinition)


@cache
def ancestors(name: str) -> tuple[str, ...]:
    """The type itself and the types it specialises, nearest first.

    Args:
        name: As `Patient`: ("Patient", "DomainResource", "Resource").

    Raises:
        KeyError: R4 has no such type.
    """
    base = _rows()[name][3]
    return (name,) if base is None else (name, *ancestors(base))
