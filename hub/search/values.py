"""Index rows: what a resource can be found by, independent of any store.

`hub.search.extract` makes them from a resource; every store keeps them in its own way.
Spec: https://hl7.org/fhir/R4/search.html#ptypes
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

COMPARTMENT_KEY = 1_000_000
"""Reference rows under this key materialise compartment membership (target = Patient/x ...)."""

INDEX_VERSION = 1
"""Goes up when extraction makes other rows of the same resource: a hub that finds rows of an
older version makes them anew (`hub.interactions.index_state`)."""

LINK_KEY = 0
"""Reference rows under this key are literal references that no search parameter indexes; they
keep deletes of referenced resources honest."""


class StringRow(NamedTuple):
    """A string: `folded` has no case, accents or width; `exact` is as written.

    The default match: the sought folded string starts `folded` or one of
    `hub.search.folding.suffixes(folded)`, which a store may index.
    """

    key: int
    folded: str
    exact: str


class TokenRow(NamedTuple):
    """A token: system "" means that the element has none; text is display or text, for `:text`.

    Text is folded already. Codes of parameters that match without case (Coding, ContactPoint,
    string) are folded already, here and in the query: compare them as they are. A row with
    code "" stands for a text alone (CodeableConcept.text).
    `kind` tells `code` (ordinary) from `identifier` (a Reference.identifier, for `:identifier`)
    and `of-type` (Identifier.type, code holds `type-system|type-code|value`).
    """

    key: int
    system: str
    code: str
    text: str = ""
    kind: str = "code"


class ReferenceRow(NamedTuple):
    """A reference: type and id of a local target, or url of one that lives elsewhere.

    version is set for version-specific references; a canonical's url holds no `|version`.
    """

    key: int
    type: str
    id: str
    url: str = ""
    version: str = ""


class DateRow(NamedTuple):
    """A date range: inclusive low, exclusive high, microseconds since the epoch, UTC."""

    key: int
    low: int
    high: int


class NumberRow(NamedTuple):
    """A number: the closed range [low, high], of no width for a plain number.

    The digits of the search value imply a range, those of the row do not, so that `gt100` does
    not find 100; see `hub.search.ranges`.
    """

    key: int
    low: float
    high: float


class QuantityRow(NamedTuple):
    """A quantity as written, and in canonical UCUM units where it has any.

    low/high are a closed range as in `NumberRow`; a comparator or an open Range gives infinite
    ends. canonical_* are the same converted; canonical_unit is "" when the unit is not UCUM
    (canonical_* are then 0).
    """

    key: int
    low: float
    high: float
    system: str
    code: str
    unit: str
    canonical_low: float
    canonical_high: float
    canonical_unit: str


class UriRow(NamedTuple):
    """A uri, exact and case-sensitive; a canonical `url|version` has a second row for its url."""

    key: int
    uri: str


class PositionRow(NamedTuple):
    """A place on earth in degrees, for `near`."""

    key: int
    latitude: float
    longitude: float


Component = StringRow | TokenRow | ReferenceRow | DateRow | NumberRow | QuantityRow | UriRow


class CompositeRow(NamedTuple):
    """One tuple of a composite: a row per component (their `key` is the component's index)."""

    key: int
    parts: tuple[Component, ...]


class IndexRows(msgspec.Struct, frozen=True):
    """Everything a resource is indexed by.

    Attributes:
        date: The resource's principal date (microseconds), which clusters the index tables:
            effective, period start, authored ... by a data table; 0 when it has none.
        text: Words of the narrative, for `_text`: folded, without duplicates, separated by one
            space, as `hub.search.folding.words` makes them. A store keeps them as they are.
        content: Words of all human text (strings, markdown, narrative), for `_content`.
    """

    strings: tuple[StringRow, ...] = ()
    tokens: tuple[TokenRow, ...] = ()
    references: tuple[ReferenceRow, ...] = ()
    dates: tuple[DateRow, ...] = ()
    numbers: tuple[NumberRow, ...] = ()
    quantities: tuple[QuantityRow, ...] = ()
    uris: tuple[UriRow, ...] = ()
    positions: tuple[PositionRow, ...] = ()
    composites: tuple[CompositeRow, ...] = ()
    date: int = 0
    text: str = ""
    content: str = ""
