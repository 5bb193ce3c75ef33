"""Index rows of a resource: the hot path of every write.

Called by interactions before each commit, by `reindex` and by `check`.
Spec: https://hl7.org/fhir/R4/search.html#ptypes
"""

from __future__ import annotations

from typing import Any, TypeVar

from hub.definitions import SearchParameter
from hub.search.extraction.found import Found
from hub.search.extraction.texts import joined_words, markup_text
from hub.search.principal_date import principal_date
from hub.search.registry import ParameterRegistry
from hub.search.values import IndexRows, ReferenceRow

Row = TypeVar("Row")
_FEW = 2


def extract(
    registry: ParameterRegistry, resource: dict[str, Any], *, zone: str, base: str
) -> IndexRows:
    """Everything a resource is found by.

    Args:
        registry: The parameters to index.
        resource: A valid resource with its `id`, which puts a Patient into its compartment.
        zone: IANA zone of dates without an offset.
        base: The hub's own base URL without a trailing slash; references below it are local.
    """
    found = Found(resource, zone, base)
    registry.plan(resource["resourceType"])(resource, found)
    narrative = found.narrative
    if narrative:
        text = markup_text(narrative)
        found.texts[text] = None
        narrative = joined_words((text,))
    return IndexRows(
        _once(found.strings) if found.strings else (),
        _once(found.tokens) if found.tokens else (),
        _once(found.references) if found.references else (),
        _once(found.dates) if found.dates else (),
        _once(found.numbers) if found.numbers else (),
        _once(found.quantities) if found.quantities else (),
        _once(found.uris) if found.uris else (),
        _once(found.positions) if found.positions else (),
        _once(found.composites) if found.composites else (),
        principal_date(resource, zone),
        narrative,
        joined_words(found.texts),
    )


def _once(rows: list[Row]) -> tuple[Row, ...]:
    """The rows in order, without duplicates."""
    if len(rows) > _FEW:
        return tuple(dict.fromkeys(rows))
    if len(rows) == _FEW and rows[0] == rows[1]:
        return (rows[0],)
    return tuple(rows)


def references_of(
    registry: ParameterRegistry,
    parameter: SearchParameter,
    resource: dict[str, Any],
    *,
    base: str,
    zone: str = "UTC",
) -> list[ReferenceRow]:
    """Where one reference parameter of a resource points, for includes.

    Args:
        registry: The parameters that are known.
        parameter: One that applies to the resource's type.
        resource: A resource.
        base: The hub's own base URL without a trailing slash.
        zone: IANA zone; references have no need of it.
    """
    found = Found(resource, zone, base)
    registry.rows_of(resource["resourceType"], parameter)(resource, found)
    # A reference that this parameter does not index is noted as a link.
    return list(dict.fromkeys(row for row in found.references if row.key == parameter.key))
