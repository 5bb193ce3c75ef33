"""Uri and position rows (https://hl7.org/fhir/R4/search.html#uri).

Called by `hub.search.extraction.leaves`.
"""

from __future__ import annotations

from typing import Any

from hub.model.reference import split_canonical
from hub.search.extraction.found import Found, Visit
from hub.search.values import PositionRow, UriRow

_new = tuple.__new__


def uri(keys: tuple[int, ...]) -> Visit:
    """The uri as written."""

    def visit(element: str, found: Found) -> None:
        for key in keys:
            found.uris.append(_new(UriRow, (key, element)))

    return visit


def canonical(keys: tuple[int, ...]) -> Visit:
    """The canonical as written, and without its version."""

    def visit(element: str, found: Found) -> None:
        forms = (element, split_canonical(element)[0]) if "|" in element else (element,)
        for form in forms:
            for key in keys:
                found.uris.append(_new(UriRow, (key, form)))

    return visit


def position(keys: tuple[int, ...]) -> Visit:
    """Location.position, for `near`."""

    def visit(element: dict[str, Any], found: Found) -> None:
        latitude, longitude = element.get("latitude"), element.get("longitude")
        if latitude is not None and longitude is not None:
            # SQLite has no negative zero.
            north, east = float(latitude) + 0.0, float(longitude) + 0.0
            for key in keys:
                found.positions.append(_new(PositionRow, (key, north, east)))

    return visit
