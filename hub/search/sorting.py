"""What a `_sort` key takes from a resource: one definition for every store.

The specification leaves open which of several values sorts a resource; here it is the least
when ascending and the greatest when descending. Resources without a value come last.
Spec: https://hl7.org/fhir/R4/search.html#_sort
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from hub.definitions.shapes import SearchParameter
from hub.search.values import IndexRows, QuantityRow, ReferenceRow, TokenRow

SORTED_CHARACTERS = 160
"""Characters of a folded string that take part in sorting."""

SortValue = int | float | str | None


@lru_cache(maxsize=4096)
def is_principal(parameter: SearchParameter, resource_type: str) -> bool:
    """Whether a parameter sorts resources of a type by their principal date.

    So does a date parameter on the first element that may give a principal date. Resources
    that have another such element instead are sorted by that; the order is exact to the
    millisecond.

    Args:
        parameter: Any.
        resource_type: The type searched.
    """
    # Here, because it brings the FHIRPath engine, which a reader of the record does not need.
    from hub.search.principal_date import table

    paths = table().get(resource_type, ())
    members = (member.strip() for member in parameter.expression.split("|"))
    return parameter.type == "date" and bool(paths) and f"{resource_type}.{paths[0]}" in members


def sort_value(rows: IndexRows, parameter: SearchParameter, descending: bool) -> SortValue:
    """The value that sorts a resource, None if it has none.

    Args:
        rows: Its index rows.
        parameter: The sort key's parameter.
        descending: Order of the key.
    """
    found = list(_values(rows, parameter))
    pick: Any = max if descending else min
    value: SortValue = pick(found, default=None)
    return value


def _values(rows: IndexRows, parameter: SearchParameter) -> Iterable[Any]:
    key = parameter.key
    match parameter.type:
        case "string":
            return (row.folded[:SORTED_CHARACTERS] for row in rows.strings if row.key == key)
        case "token":
            return (_token(row) for row in rows.tokens if row.key == key and row.kind == "code")
        case "reference":
            return (_reference(row) for row in rows.references if row.key == key)
        case "date":
            return (row.low for row in rows.dates if row.key == key)
        case "number":
            return (finite(row.low) for row in rows.numbers if row.key == key)
        case "quantity":
            return (_quantity(row) for row in rows.quantities if row.key == key)
        case "uri":
            return (row.uri for row in rows.uris if row.key == key)
        case _:
            return ()


def _token(row: TokenRow) -> str:
    return row.code or row.text


def _reference(row: ReferenceRow) -> str:
    return row.url or f"{row.type}/{row.id}"


def _quantity(row: QuantityRow) -> float:
    return finite(row.canonical_low if row.canonical_unit else row.low)


def finite(number: float) -> float:
    """The number, or the greatest or least there is: positions travel as JSON."""
    return max(-sys.float_info.max, min(number, sys.float_info.max))
