"""What one pass over a resource has found so far.

Filled by the closures of `hub.search.extraction`, read by `hub.search.extract`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub.search.values import (
    CompositeRow,
    DateRow,
    NumberRow,
    PositionRow,
    QuantityRow,
    ReferenceRow,
    StringRow,
    TokenRow,
    UriRow,
)


class Found:
    """Rows by kind, with what the closures need to make them.

    Attributes:
        resource: The whole resource, for expressions that start from it.
        zone: IANA zone of dates without an offset.
        base: The hub's own base URL without a trailing slash.
        texts: Human text met on the way, without duplicates (`_content`).
        narrative: XHTML of the narrative, or "" (`_text`).
    """

    __slots__ = (
        "base",
        "composites",
        "dates",
        "narrative",
        "numbers",
        "positions",
        "quantities",
        "references",
        "resource",
        "strings",
        "texts",
        "tokens",
        "uris",
        "zone",
    )

    def __init__(self, resource: dict[str, Any], zone: str, base: str) -> None:
        """Start with nothing found."""
        self.resource = resource
        self.zone = zone
        self.base = base
        self.strings: list[StringRow] = []
        self.tokens: list[TokenRow] = []
        self.references: list[ReferenceRow] = []
        self.dates: list[DateRow] = []
        self.numbers: list[NumberRow] = []
        self.quantities: list[QuantityRow] = []
        self.uris: list[UriRow] = []
        self.positions: list[PositionRow] = []
        self.composites: list[CompositeRow] = []
        self.texts: dict[str, None] = {}
        self.narrative = ""


Visit = Callable[[Any, Found], None]
"""Looks at one JSON value and notes what it finds."""
