"""Search parameters and compartments (https://hl7.org/fhir/R4/searchparameter-registry.html).

Called by search, access and capabilities through `hub.definitions`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache, lru_cache
from types import MappingProxyType

import msgspec

from hub.definitions.pack import open_pack
from hub.definitions.shapes import SearchParameter
from hub.definitions.types import ancestors, is_resource_type

_LEFT_OUT = os.path.join(os.path.dirname(__file__), "left_out.toml")


@lru_cache(maxsize=1)
def search_parameters() -> tuple[SearchParameter, ...]:
    """All SearchParameters of the package, sorted by key."""
    blob = open_pack("search_parameters").blob(0)
    return msgspec.msgpack.decode(blob, type=tuple[SearchParameter, ...])


@lru_cache(maxsize=1)
def _left_out_rows() -> Mapping[str, tuple[str, str]]:
    import tomllib

    with open(_LEFT_OUT, "rb") as file:
        rows = tomllib.load(file)["parameter"]
    return {row["url"]: (row["handling"], row["reason"]) for row in rows}


@lru_cache(maxsize=1)
def left_out_parameters() -> Mapping[str, str]:
    """Canonical of each parameter without an index, to the reason (left_out.toml)."""
    return MappingProxyType({url: reason for url, (_, reason) in _left_out_rows().items()})


@lru_cache(maxsize=1)
def special_parameters() -> frozenset[str]:
    """Canonicals of those left out that search answers in its own way (`_text`, `_filter`)."""
    return frozenset(
        url for url, (handling, _) in _left_out_rows().items() if handling == "special"
    )


@lru_cache(maxsize=1)
def _by_base() -> Mapping[str, tuple[SearchParameter, ...]]:
    found: dict[str, list[SearchParameter]] = {}
    omitted = left_out_parameters().keys() - special_parameters()
    for parameter in search_parameters():
        if parameter.url not in omitted:
            for base in parameter.base:
                found.setdefault(base, []).append(parameter)
    return {base: tuple(rows) for base, rows in found.items()}


@cache
def search_parameters_of(resource_type: str) -> Mapping[str, SearchParameter]:
    """The parameters that apply to a type, by code; those omitted in left_out.toml are absent.

    When several share a code, the one of the nearest base wins (Patient before DomainResource
    before Resource), and among these the lowest key.

    Args:
        resource_type: A resource type, also `Resource` or `DomainResource`.

    Raises:
        KeyError: R4 has no such type.
    """
    found: dict[str, SearchParameter] = {}
    for base in ancestors(resource_type):
        for parameter in _by_base().get(base, ()):
            found.setdefault(parameter.code, parameter)
    return MappingProxyType(dict(sorted(found.items())))


@lru_cache(maxsize=1)
def _compartments() -> Mapping[str, dict[str, tuple[str, ...]]]:
    blob = open_pack("compartments").blob(0)
    return msgspec.msgpack.decode(blob, type=dict[str, dict[str, tuple[str, ...]]])


def compartment_names() -> tuple[str, ...]:
    """The types that have a compartment: Device, Encounter, Patient, ..."""
    return tuple(_compartments())


@cache
def compartment(name: str) -> Mapping[str, tuple[str, ...]]:
    """Resource type to the codes of the parameters that put it into the compartment.

    The compartment's own type leads with "{def}": a resource is in its own compartment. Types
    outside are absent. (https://hl7.org/fhir/R4/compartmentdefinition.html)

    Args:
        name: One of `compartment_names`.

    Raises:
        KeyError: There is no such compartment.
    """
    rows = _compartments()[name]
    return MappingProxyType({kind: codes for kind, codes in rows.items() if is_resource_type(kind)})
