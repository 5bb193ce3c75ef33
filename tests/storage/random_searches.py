"""Random index rows and random queries, from vocabularies so small that they meet."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from msgspec import structs

from hub.definitions.shapes import SearchParameter
from hub.search import principal_date
from hub.search.folding import fold, words
from hub.search.query import (
    And,
    Chain,
    CompositeValue,
    DateValue,
    Has,
    Ids,
    InCompartment,
    LastUpdated,
    ListMembers,
    Match,
    NearValue,
    Not,
    NumberValue,
    OfType,
    Or,
    Present,
    QuantityValue,
    Query,
    ReferenceValue,
    SortKey,
    StringValue,
    TokenValue,
    UriValue,
    Words,
)
from hub.search.values import (
    COMPARTMENT_KEY,
    CompositeRow,
    DateRow,
    IndexRows,
    NumberRow,
    PositionRow,
    QuantityRow,
    ReferenceRow,
    StringRow,
    TokenRow,
    UriRow,
)

TYPES = ("Patient", "Encounter", "Observation", "List")
IDS = ("a", "b", "c")
LIST_ITEM = 9000  # replaced by the key of the definitions, see `list_item`

EXACT = (
    "Smith",
    "smith",
    "Smithers",
    "Müller",
    "张小明",
    "小明",
    "上海市浦东新区张江路五百号张小明收",
    "Anna 张",
    "x" * 159,
    "x" * 160,
    "x" * 161 + "y",
    "x" * 170 + "张小",
    "",
    "100%_a",
    "ünïcode \U0001f600 end",
)
SYSTEMS = ("http://loinc.org", "http://a", "")
CODES = ("8480-6", "x", "X", "male", "dabfdec7-929a-3269-fd84-ab7e6ecaa245", "")
URIS = (
    "http://a",
    "http://a/",
    "http://a/b",
    "http://a/b/c",
    "http://ab",
    "urn:oid:1.2.3",
    "dabfdec7-929a-3269-fd84-ab7e6ecaa245",
)
VERSIONS = ("", "1", "1.2", "12")
DAY = 86_400_000_000
MOMENTS = (-(2**62), -5 * DAY, -1, 1, 500, 1500, DAY, 2 * DAY, 40 * DAY, 400 * DAY, 2**62)
NUMBERS = (-1.0, 0.0, 0.5, 1.0, 5.0, 5.4, 100.0, 1e300)
UNITS = (
    ("http://unitsofmeasure.org", "mg", "mg", 0.001, "g"),
    ("http://unitsofmeasure.org", "g", "gram", 1.0, "g"),
    ("http://unitsofmeasure.org", "cm", "cm", 0.01, "m"),
    ("", "", "tablets", 0.0, ""),
    ("http://a", "tbl", "tbl", 0.0, ""),
    ("", "", "", 0.0, ""),
)
TEXTS = ("body height", "headache left side", "头痛三天", "the quick brown fox", "头")
PLACES = ((31.2, 121.5), (31.3, 121.6), (0.0, 180.0), (0.0, -180.0), (90.0, 0.0), (-90.0, 50.0))


def parameter(key: int, code: str, type: str, expression: str = "") -> SearchParameter:
    return SearchParameter(key, f"urn:p:{key}", code, type, TYPES, expression)


PRINCIPAL = parameter(
    301, "date", "date", "Observation.effective | Encounter.period | List.date | Patient.x"
)
PARAMETERS: dict[str, list[SearchParameter]] = {
    "string": [parameter(101, "name", "string"), parameter(102, "family", "string")],
    "token": [parameter(201, "code", "token"), parameter(202, "status", "token")],
    "date": [PRINCIPAL, parameter(302, "issued", "date")],
    "reference": [parameter(401, "subject", "reference"), parameter(402, "patient", "reference")],
    "number": [parameter(501, "probability", "number")],
    "quantity": [parameter(601, "value-quantity", "quantity"), parameter(602, "q", "quantity")],
    "uri": [parameter(701, "url", "uri"), parameter(702, "_profile", "uri")],
    "composite": [parameter(key, f"c{key}", "composite") for key in range(801, 809)],
    "special": [parameter(901, "near", "special")],
}
BY_ID = parameter(1, "_id", "token")
BY_UPDATED = parameter(2, "_lastUpdated", "date")


def keys(kind: str) -> st.SearchStrategy[int]:
    return st.sampled_from([one.key for one in PARAMETERS[kind]])


def several(rows: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(rows, max_size=most).map(tuple)


# --- index rows -----------------------------------------------------------------------------

string_rows = st.builds(
    lambda key, exact: StringRow(key, fold(exact), exact), keys("string"), st.sampled_from(EXACT)
)
token_rows = st.builds(
    TokenRow,
    keys("token"),
    st.sampled_from(SYSTEMS),
    st.sampled_from(CODES),
    st.sampled_from(("", *map(fold, TEXTS))),
    st.sampled_from(("code", "code", "code", "of-type")),
)
of_reference_rows = st.builds(
    TokenRow,
    keys("reference"),
    st.sampled_from(SYSTEMS),
    st.sampled_from(CODES),
    st.just(""),
    st.just("identifier"),
)
reference_rows = st.one_of(
    st.builds(
        ReferenceRow,
        st.one_of(keys("reference"), st.just(COMPARTMENT_KEY), st.just(0)),
        st.sampled_from(TYPES),
        st.sampled_from((*IDS, "elsewhere")),
        st.just(""),
        st.sampled_from(VERSIONS),
    ),
    st.builds(
        ReferenceRow,
        keys("reference"),
        st.just(""),
        st.just(""),
        st.sampled_from(URIS),
        st.sampled_from(VERSIONS),
    ),
)
ranges = st.tuples(st.sampled_from(MOMENTS), st.sampled_from((*MOMENTS, 0))).map(
    lambda ends: (min(ends), max(ends))
)
date_rows = st.builds(lambda key, ends: DateRow(key, *ends), keys("date"), ranges)
spans = st.one_of(
    st.sampled_from(NUMBERS).map(lambda number: (number, number)),
    st.tuples(
        st.sampled_from((*NUMBERS, float("-inf"))), st.sampled_from((*NUMBERS, float("inf")))
    ).map(lambda ends: (min(ends), max(ends))),
)
number_rows = st.builds(lambda key, ends: NumberRow(key, *ends), keys("number"), spans)


def quantity_row(key: int, ends: tuple[float, float], unit: Any) -> QuantityRow:
    system, code, text, factor, canonical = unit
    exact = (ends[0] * factor, ends[1] * factor, canonical) if canonical else (0.0, 0.0, "")
    return QuantityRow(key, *ends, system, code, text, *exact)


quantity_rows = st.builds(quantity_row, keys("quantity"), spans, st.sampled_from(UNITS))
uri_rows = st.builds(UriRow, keys("uri"), st.sampled_from(URIS))
position_rows = st.builds(
    lambda key, place: PositionRow(key, *place), keys("special"), st.sampled_from(PLACES)
)
COMPOSITES = {
    801: (token_rows, quantity_rows),
    802: (token_rows, token_rows),
    803: (reference_rows, token_rows),
    804: (token_rows, date_rows),
    805: (token_rows, string_rows),
    806: (uri_rows, number_rows),
    807: (number_rows, number_rows),
    808: (token_rows, reference_rows, uri_rows),
}


@st.composite
def composite_row(draw: st.DrawFn) -> CompositeRow:
    key = draw(st.sampled_from(sorted(COMPOSITES)))
    parts = [draw(kind)._replace(key=place) for place, kind in enumerate(COMPOSITES[key])]
    return CompositeRow(key, tuple(parts))


composite_rows = composite_row()
texts = st.sampled_from(("", *TEXTS)).map(lambda text: " ".join(words(text)))

index_rows = st.builds(
    IndexRows,
    several(string_rows),
    st.tuples(several(token_rows), several(of_reference_rows, 1)).map(lambda two: two[0] + two[1]),
    several(reference_rows),
    several(date_rows),
    several(number_rows, 2),
    several(quantity_rows, 2),
    several(uri_rows, 2),
    several(position_rows, 1),
    several(composite_rows, 2),
    st.sampled_from((0, 0, *MOMENTS, 1500)),
    texts,
    texts,
)

# --- values ---------------------------------------------------------------------------------

PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
string_values = st.sampled_from(
    (*EXACT, "smi", "小", "张小", "张江路五百号张小明收", "x" * 165, "mueller", "mull", "明", "%")
).map(lambda text: StringValue(text, fold(text)))
token_values = st.builds(
    TokenValue, st.sampled_from((None, *SYSTEMS)), st.sampled_from((None, *CODES, "nowhere"))
)
reference_values = st.one_of(
    st.builds(
        ReferenceValue,
        st.sampled_from(("", *TYPES)),
        st.sampled_from((*IDS, "elsewhere", "nowhere")),
        st.just(""),
        st.sampled_from(VERSIONS),
    ),
    st.builds(
        ReferenceValue,
        st.just(""),
        st.just(""),
        st.sampled_from(URIS),
        st.sampled_from(VERSIONS),
    ),
)
date_values = st.builds(
    lambda prefix, ends: DateValue(prefix, *ends), st.sampled_from(PREFIXES), ranges
)


def number_ends(prefix: str, value: float) -> tuple[Decimal, Decimal, Decimal]:
    exact = Decimal(value)
    width = {"eq": Decimal("0.5"), "ne": Decimal("0.5"), "ap": abs(exact) / 10}.get(prefix)
    return exact, exact - (width or 0), exact + (width or 0)


number_values = st.builds(
    lambda prefix, value: NumberValue(prefix, *number_ends(prefix, value)),
    st.sampled_from(PREFIXES),
    st.sampled_from(NUMBERS),
)


def quantity_value(prefix: Any, value: float, unit: Any, any_system: bool) -> QuantityValue:
    system, code, _, factor, canonical = unit
    ends = number_ends(prefix, value)
    if any_system or not canonical:
        return QuantityValue(prefix, *ends, None if any_system else system, code)
    exact = tuple(Decimal(float(end) * factor) for end in ends)
    return QuantityValue(prefix, *ends, system, code, *exact, canonical)


quantity_values = st.builds(
    quantity_value,
    st.sampled_from(PREFIXES),
    st.sampled_from(NUMBERS),
    st.sampled_from((*UNITS, ("", "tablets", "", 0.0, ""), ("http://x", "mile", "", 0.0, ""))),
    st.booleans(),
)
uri_values = st.sampled_from((*URIS, "http://a/b/c/d", "http://nowhere", "http:")).map(UriValue)
near_values = st.builds(
    lambda place, reach: NearValue(*place, reach),
    st.sampled_from(PLACES),
    st.sampled_from((0.0, 10.0, 20_000.0, 2e7, 3e7)),
)
VALUES = {
    801: (token_values, quantity_values),
    802: (token_values, token_values),
    803: (reference_values, token_values),
    804: (token_values, date_values),
    805: (token_values, string_values),
    806: (uri_values, number_values),
    807: (number_values, number_values),
    808: (token_values, reference_values, uri_values),
}


@st.composite
def composite_match(draw: st.DrawFn) -> Match:
    one = draw(st.sampled_from(PARAMETERS["composite"]))
    values = [
        CompositeValue(tuple(draw(kind) for kind in VALUES[one.key]))
        for _ in range(draw(st.integers(1, 2)))
    ]
    return Match(one, tuple(values))


# --- criteria -------------------------------------------------------------------------------


def match(kind: str, values: st.SearchStrategy[Any], *modifiers: str) -> st.SearchStrategy[Match]:
    return st.builds(
        Match,
        st.sampled_from(PARAMETERS[kind]),
        st.lists(values, min_size=1, max_size=3).map(tuple),
        st.sampled_from(("", *modifiers)),
    )


list_ids = st.sampled_from(IDS)
parameters = st.sampled_from([one for several in PARAMETERS.values() for one in several])
matches = st.one_of(
    match("string", string_values, "exact", "contains", "equals", "ends"),
    match("token", token_values),
    st.builds(
        Match,
        st.sampled_from(PARAMETERS["token"]),
        st.lists(
            st.builds(TokenValue, st.none(), st.sampled_from(CODES)), min_size=1, max_size=2
        ).map(tuple),
        st.just("of-type"),
    ),
    st.builds(
        Match,
        st.sampled_from(PARAMETERS["token"]),
        st.lists(
            st.sampled_from((*TEXTS, "body", "三天", "side", "头")).map(
                lambda text: StringValue(text, fold(text))
            ),
            min_size=1,
            max_size=2,
        ).map(tuple),
        st.just("text"),
    ),
    st.builds(
        Match,
        st.sampled_from(PARAMETERS["reference"]),
        st.lists(token_values, min_size=1, max_size=2).map(tuple),
        st.just("identifier"),
    ),
    match("reference", reference_values, "below"),
    match("date", date_values),
    match("number", number_values),
    match("quantity", quantity_values),
    match("uri", uri_values, "below", "above"),
    match("special", near_values),
    composite_match(),
    composite_match(),
)
updated_values = st.builds(
    lambda prefix, low, wide: DateValue(prefix, low, low + wide),
    st.sampled_from(PREFIXES),
    st.integers(0, 12_000),
    st.sampled_from((1, 1000, 2000)),
)
simple = st.one_of(
    matches,
    st.builds(Present, parameters),
    st.builds(Ids, st.lists(st.sampled_from((*IDS, "nowhere")), max_size=2).map(tuple)),
    st.builds(LastUpdated, st.lists(updated_values, min_size=1, max_size=2).map(tuple)),
    st.builds(InCompartment, st.sampled_from(TYPES), st.sampled_from(IDS)),
    st.builds(OfType, st.lists(st.sampled_from(TYPES), max_size=2).map(tuple)),
    st.builds(
        Words,
        st.sampled_from(("text", "content")),
        st.lists(
            st.sampled_from(("body", "height", "头痛", "头", "fox", "nowhere")),
            min_size=1,
            max_size=2,
        ).map(tuple),
    ),
    st.builds(ListMembers, list_ids),
)
references_parameters = st.sampled_from(PARAMETERS["reference"])
BY_KEY = {one.key: one for several in PARAMETERS.values() for one in several}


@st.composite
def match_of(draw: st.DrawFn, rows: list[Any]) -> Match:
    """A criterion that some row meets, or nearly."""
    row = draw(st.sampled_from(rows))
    one = BY_KEY[row.key]
    modifier = ""
    match row:
        case TokenRow(kind="of-type"):
            return Match(one, (TokenValue(None, row.code),), "of-type")
        case TokenRow(kind="identifier"):
            return Match(one, (TokenValue(row.system, row.code),), "identifier")
        case TokenRow() if row.text and draw(st.booleans()):
            return Match(one, (StringValue(row.text, row.text[: draw(st.integers(1, 9))]),), "text")
        case StringRow():
            modifier = draw(st.sampled_from(("", "", "exact", "contains", "equals", "ends")))
        case ReferenceRow():
            modifier = draw(st.sampled_from(("", "below")))
        case UriRow():
            modifier = draw(st.sampled_from(("", "below", "above")))
    values = draw(st.lists(value_of(row), min_size=1, max_size=2))
    return Match(one, tuple(values), modifier)


@st.composite
def value_of(draw: st.DrawFn, row: Any) -> Any:
    prefix: Any = draw(st.sampled_from(PREFIXES))
    match row:
        case StringRow():
            start = draw(st.integers(0, min(3, len(row.exact))))
            text = row.exact[start : draw(st.integers(start, len(row.exact)))]
            return (
                StringValue(text, fold(text)) if draw(st.booleans()) else StringValue(*row[:0:-1])
            )
        case TokenRow():
            system = draw(st.sampled_from((row.system, None)))
            return TokenValue(system, draw(st.sampled_from((row.code, row.code, None))))
        case ReferenceRow():
            version = draw(st.sampled_from(("", row.version)))
            return ReferenceValue(draw(st.sampled_from((row.type, ""))), row.id, row.url, version)
        case DateRow():
            low, high = row.low, row.high
            near = draw(st.sampled_from(((low, high), (low, low), (high, high), (low, low + 1))))
            return DateValue(prefix, *near)
        case NumberRow():
            return NumberValue(prefix, *number_ends(prefix, min(max(row.low, -1e300), 1e300)))
        case QuantityRow():
            unit = next(unit for unit in UNITS if unit[:3] == row[3:6])
            value = min(max(row.low, -1e300), 1e300)
            return quantity_value(prefix, value, unit, draw(st.booleans()))
        case UriRow():
            return UriValue(draw(st.sampled_from((row.uri, row.uri + "/x", row.uri[:9]))))
        case PositionRow():
            return NearValue(row.latitude, row.longitude, draw(st.sampled_from((0.0, 5e4, 2e7))))
        case CompositeRow():
            return CompositeValue(tuple(draw(value_of(part)) for part in row.parts))
    raise TypeError(row)


def criteria_on(rows: list[Any]) -> st.SearchStrategy[Any]:
    near = st.one_of(match_of(rows), match_of(rows), simple) if rows else simple
    return st.recursive(
        near,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3).map(lambda many: And(tuple(many))),
            st.lists(inner, max_size=3).map(lambda many: Or(tuple(many))),
            st.builds(Not, inner),
            st.builds(Chain, references_parameters, st.sampled_from(TYPES), inside(inner)),
            st.builds(Has, st.sampled_from(TYPES), references_parameters, inside(inner)),
        ),
        max_leaves=4,
    )


def inside(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Inner criteria that are met often enough to tell."""
    return st.one_of(inner, inner.map(Not), st.just(And()))


sort_keys = st.lists(
    st.builds(
        SortKey,
        st.sampled_from(
            [PRINCIPAL, PRINCIPAL, BY_ID, BY_UPDATED]
            + [one for several in PARAMETERS.values() for one in several]
        ),
        st.booleans(),
    ),
    max_size=2,
).map(tuple)


def queries_on(changes: list[Any]) -> st.SearchStrategy[Query]:
    """Queries that the rows of these changes meet, or nearly."""
    rows = [
        row
        for _, _, held in changes
        if held is not None
        for kind in structs.astuple(held)[:9]
        for row in kind
        if row.key in BY_KEY
    ]
    return st.builds(
        Query,
        st.lists(st.sampled_from(TYPES), max_size=2, unique=True).map(tuple),
        criteria_on(rows),
        sort_keys,
        st.sampled_from((1, 2, 3, 20)),
        st.none(),
        st.just("accurate"),
    )


# --- what a store goes through --------------------------------------------------------------

changed = st.one_of(index_rows, index_rows, index_rows, st.none())
Changed = tuple[str, str, IndexRows | None]


def _as_extracted(change: Changed) -> Changed:
    """A Patient has no principal date, whatever was drawn; stores may rely on that."""
    type, id, rows = change
    dated = rows is not None and type in principal_date.table()
    return type, id, rows if rows is None or dated else structs.replace(rows, date=0)


changes = st.lists(
    st.tuples(st.sampled_from(TYPES), st.sampled_from(IDS), changed).map(_as_extracted),
    min_size=4,
    max_size=14,
)
