"""The search AST: what a search asks, frozen, independent of URL and store.

`hub.search.parse` makes a `SearchRequest` from a URL; the rules of `hub.search.rewrite` turn
its criteria into ones every store understands; `hub.storage.port.Store.search` answers a
`Query`. Spec: https://hl7.org/fhir/R4/search.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from hub.definitions.shapes import SearchParameter

Prefix = Literal["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]
TotalMode = Literal["none", "estimate", "accurate"]
Explained = Literal["", "true", "sql"]


# --- values ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StringValue:
    """A string as written and folded (no case, accents, width)."""

    text: str
    folded: str


@dataclass(frozen=True, slots=True)
class TokenValue:
    """`system|code`: system None: any; "" : none (`|code`); code None: any (`system|`).

    With modifier `of-type` the code holds `type-system|type-code|value`, system is None.
    """

    system: str | None
    code: str | None


@dataclass(frozen=True, slots=True)
class ReferenceValue:
    """A target: type may be "" (any type, `subject=123`); url for one elsewhere or canonical."""

    type: str
    id: str
    url: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class DateValue:
    """prefix and the half-open range [low, high) the value stands for, microseconds UTC.

    With prefix `ap` the range is already widened: a row matches that overlaps it. What each
    prefix means on rows is `hub.search.ranges.date_conditions`.
    """

    prefix: Prefix
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class NumberValue:
    """prefix, the number, and the range [low, high) that its digits imply.

    With prefix `ap` the range is already widened; with gt, lt, ge, le, sa and eb low and high
    are the number itself. See `hub.search.ranges.number_conditions`.
    """

    prefix: Prefix
    value: Decimal
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class QuantityValue:
    """A number with unit; canonical_* are set when the unit is UCUM.

    system None: any system, and code may be the row's code or its unit; code "" : any unit.
    With a canonical unit, a row matches by its canonical columns; else by system and code.
    """

    prefix: Prefix
    value: Decimal
    low: Decimal
    high: Decimal
    system: str | None = None
    code: str = ""
    canonical_value: Decimal | None = None
    canonical_low: Decimal | None = None
    canonical_high: Decimal | None = None
    canonical_unit: str = ""


@dataclass(frozen=True, slots=True)
class UriValue:
    """A uri or a canonical's url."""

    uri: str


@dataclass(frozen=True, slots=True)
class NearValue:
    """`near`: degrees and a distance in metres."""

    latitude: float
    longitude: float
    metres: float


@dataclass(frozen=True, slots=True)
class CompositeValue:
    """One value per component, in order."""

    parts: tuple[Value, ...]


Value = (
    StringValue
    | TokenValue
    | ReferenceValue
    | DateValue
    | NumberValue
    | QuantityValue
    | UriValue
    | NearValue
    | CompositeValue
)


# --- criteria -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Match:
    """A parameter has one of the values (OR). modifier is "" or a name without the colon.

    Modifiers that reach a store:
        string: exact (as written), contains, and from `_filter` equals (folded, whole) and
            ends (folded).
        token: text (StringValue, the default string match on `TokenRow.text`), of-type
            (TokenValue whose code holds `type-system|type-code|value`, as in the row).
        reference: identifier (TokenValue on rows of kind `identifier`); below (url, the row's
            version is the value's or starts with it and a dot).
        uri: below (the row starts with the value), above (the value starts with the row, at a
            `/`, or equals it).
    The modifiers `missing`, `not`, `[type]`, `in` ... never reach a store.
    """

    parameter: SearchParameter
    values: tuple[Value, ...]
    modifier: str = ""


@dataclass(frozen=True, slots=True)
class Present:
    """The parameter has any value (`:missing=false`)."""

    parameter: SearchParameter


@dataclass(frozen=True, slots=True)
class Ids:
    """Logical id is one of these (`_id`)."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LastUpdated:
    """meta.lastUpdated satisfies one of the values."""

    values: tuple[DateValue, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """A reference parameter points to a resource of `target` that meets the criterion."""

    parameter: SearchParameter
    target: str
    criterion: Criterion


@dataclass(frozen=True, slots=True)
class Has:
    """A resource of `source` that meets the criterion points here by `parameter` (`_has`)."""

    source: str
    parameter: SearchParameter
    criterion: Criterion


@dataclass(frozen=True, slots=True)
class InCompartment:
    """Member of the compartment `name`/`id`, by the materialised rows."""

    name: str
    id: str


@dataclass(frozen=True, slots=True)
class OfType:
    """The resource's type is one of these."""

    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """Full text: every word occurs in `field` (text: narrative, content: all strings)."""

    field: Literal["text", "content"]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListMembers:
    """Referenced by List.entry.item of the List with this id (`_list`)."""

    list_id: str


@dataclass(frozen=True, slots=True)
class And:
    """All of them; empty: everything."""

    criteria: tuple[Criterion, ...] = ()


@dataclass(frozen=True, slots=True)
class Or:
    """Any of them; empty: nothing."""

    criteria: tuple[Criterion, ...] = ()


@dataclass(frozen=True, slots=True)
class Not:
    """None of it."""

    criterion: Criterion


Criterion = (
    Match
    | Present
    | Ids
    | LastUpdated
    | Chain
    | Has
    | InCompartment
    | OfType
    | Words
    | ListMembers
    | And
    | Or
    | Not
)


# --- request and query ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SortKey:
    """One `_sort` key; parameter codes `_id` and `_lastUpdated` are the store's own columns."""

    parameter: SearchParameter
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Include:
    """`_include`, or `_revinclude` when reverse.

    Attributes:
        source: Type that holds the reference; "*" is any (only with code "*").
        code: Search parameter code; "*" means every reference parameter.
        target: Restricts to this target type; "" any.
        iterate: Applies to included resources as well.
        reverse: `_revinclude`.
    """

    source: str
    code: str
    target: str = ""
    iterate: bool = False
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page ends: the sort values of its last row and its id. Store-made, opaque above.

    Each value is None (row has none), int, float or str.
    """

    values: tuple[int | float | str | None, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """What a store answers.

    Attributes:
        types: Resource types searched; at least one, or () for all.
        criterion: What a match meets.
        sort: Keys in order; ties are broken by the store's own stable row order. Empty: newest
            principal date first, or whatever order costs least; stable across pages.
        count: Page size; 0 asks for the total only.
        after: Continue after this position.
        total: How exactly to count.
        room: Bytes of bodies after which a page may end early; None: it has `count` matches.
    """

    types: tuple[str, ...]
    criterion: Criterion = field(default_factory=And)
    sort: tuple[SortKey, ...] = ()
    count: int = 20
    after: Position | None = None
    total: TotalMode = "none"
    room: int | None = None


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A parsed search, with everything that shapes the answer.

    Attributes:
        query: What is asked of the store.
        includes: `_include` and `_revinclude` in order.
        summary: `_summary` value, "" if none.
        elements: `_elements`, empty if none.
        self_parameters: The parameters that were honoured, for the self link.
        ignored: Parameters that lenient handling ignored (named in an outcome entry).
        explain: `_explain`: the plan instead of results; `sql` with the store's statements.
        fingerprint: What a page cursor of this search is bound to.
        empty: Parameters without a value, which lenient handling leaves out too.
    """

    query: Query
    includes: tuple[Include, ...] = ()
    summary: str = ""
    elements: tuple[str, ...] = ()
    self_parameters: tuple[tuple[str, str], ...] = ()
    ignored: tuple[str, ...] = ()
    explain: Explained = ""
    fingerprint: str = ""
    empty: tuple[str, ...] = ()
