"""A resource's index rows, packed: every string a number, every shared value once.

The packed entry is kept per resource (table `entry`). The rows of all other index tables follow
from it (`index_tables`), so that replacing or deleting a resource's rows needs no search for
them, and criteria that no table answers well can be tested on it (`hub.storage.sqlite.functions`).
Called by `hub.storage.sqlite.index`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import astuple

from hub.search.folding import fold, suffixes
from hub.search.values import (
    Component,
    CompositeRow,
    DateRow,
    IndexRows,
    NumberRow,
    QuantityRow,
    ReferenceRow,
    StringRow,
    TokenRow,
)
from hub.storage.sqlite.interner import (
    CANONICAL_UNIT,
    CODE,
    CONTENT,
    IDENTIFIER,
    NARRATIVE,
    NO_TYPE,
    OF_TYPE,
    TEXT,
    TEXT_ONLY,
    UNIT,
    URI,
    URI_VALUE,
    Interner,
)

NO_TERM: Final = 0
LONGEST_SPAN: Final = 2**63 - 1

# Kinds of a composite's parts.
TOKEN_PART: Final = 0
REFERENCE_PART: Final = 1
URI_PART: Final = 2
QUANTITY_PART: Final = 3
NUMBER_PART: Final = 4
DATE_PART: Final = 5
STRING_PART: Final = 6

FLAVOURS = {"code": CODE, "identifier": IDENTIFIER, "of-type": OF_TYPE}


class Entry(msgspec.Struct, array_like=True):
    """Packed index rows. Each list is flat; a value that repeats has one entry per group.

    Attributes:
        tokens: group, term, text term. Of flavour text-only the term is the text's, of a uri
            its own, of narrative and content the number of the word list.
        references: group, target row id, version.
        dates: group, low, span.
        numbers: group, low, high.
        quantities: group, then the seven fields of `_quantity`.
        strings: group, as written, folded (None: what folding makes of it).
        positions: group, latitude, longitude.
        composites: group, list of parts; a part starts with its kind.
    """

    tokens: list[int]
    references: list[Any]
    dates: list[int]
    numbers: list[float]
    quantities: list[Any]
    strings: list[Any]
    positions: list[float]
    composites: list[Any]


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Entry).decode


def pack(interner: Interner, tenant: int, type: int, rows: IndexRows) -> Entry:
    """Pack index rows; strings that have no number get one.

    Args:
        interner: Gives the numbers.
        tenant: Tenant key.
        type: Number of the resource type.
        rows: What extraction found.
    """
    groups = interner.groups
    references: list[Any] = []
    for value, keys in _shared(rows.references):
        target = _target(interner, tenant, *value[:3])
        for group in groups(type, CODE, keys):
            references += (group, target, value[3])
    dates: list[int] = []
    for (low, high), keys in _shared(rows.dates):
        for group in groups(type, CODE, keys):
            dates += (group, low, span_of(low, high))
    return Entry(
        _tokens(interner, type, rows),
        references,
        dates,
        [
            field
            for (low, high), keys in _shared(rows.numbers)
            for group in groups(type, CODE, keys)
            for field in (group, _compact(low), _compact(high))
        ],
        [
            field
            for value, keys in _shared(rows.quantities)
            for group in groups(type, CODE, keys)
            for field in (group, *_quantity(interner, *value))
        ],
        [
            field
            for (folded, exact), keys in _shared(rows.strings)
            for group in groups(type, CODE, keys)
            for field in (group, exact, None if folded == fold(exact) else folded)
        ],
        [
            field
            for (latitude, longitude), keys in _shared(rows.positions)
            for group in groups(type, CODE, keys)
            for field in (group, latitude, longitude)
        ],
        _composites(interner, tenant, type, rows.composites),
    )


def _tokens(interner: Interner, type: int, rows: IndexRows) -> list[int]:
    groups = interner.groups
    tokens: list[int] = []
    for (system, value, text, kind), keys in _shared(rows.tokens):
        words = interner.term(TEXT, text) if text else NO_TERM
        if value or system or not text or kind != "code":
            flavour, term = FLAVOURS[kind], interner.code(system, value)
            if words:
                interner.pair("token_text", words, term)
        else:
            flavour, term = TEXT_ONLY, words
        for group in groups(type, flavour, keys):
            tokens += (group, term, words)
    for (uri,), keys in _shared(rows.uris):
        term = interner.term(URI, uri)
        for group in groups(type, URI_VALUE, keys):
            tokens += (group, term, NO_TERM)
    for flavour, text in ((NARRATIVE, rows.text), (CONTENT, rows.content)):
        if text:
            for group in groups(type, flavour, ()):
                tokens += (group, interner.words(text), NO_TERM)
    return tokens


def _shared(rows: Iterable[Any]) -> Iterable[tuple[Any, tuple[int, ...]]]:
    """Each distinct value (all fields but the key) with the keys that have it."""
    if not rows:
        return ()
    keys: dict[Any, tuple[int, ...]] = {}
    for row in rows:
        value = row[1:]
        keys[value] = (*keys[value], row[0]) if value in keys else (row[0],)
    return keys.items()


def span_of(low: int, high: int) -> int:
    """Width of a date range; that of all time, a little too wide to store, as one less."""
    return min(high - low, LONGEST_SPAN)


def high_of(low: int, span: int) -> int:
    """End of a date range."""
    return low + span + (span == LONGEST_SPAN)


def _target(interner: Interner, tenant: int, type: str, id: str, url: str) -> int:
    number = interner.types.get(type, NO_TYPE)
    if url or number == NO_TYPE:
        return interner.target(tenant, NO_TYPE, url or f"{type}/{id}")
    return interner.target(tenant, number, id)


def _compact(number: float) -> float:
    """A whole number as an integer, which packs in fewer bytes."""
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _quantity(
    interner: Interner,
    low: float,
    high: float,
    system: str,
    code: str,
    unit: str,
    canonical_low: float,
    canonical_high: float,
    canonical_unit: str,
) -> tuple[Any, ...]:
    """low, high, code, unit, canonical low, high, unit; None where a field repeats another."""
    plain = not canonical_unit
    same = (canonical_low, canonical_high) == (low, high)
    numbers = (
        _compact(low),
        None if high == low else _compact(high),
        interner.code(system, code),
        NO_TERM if unit == code else interner.term(UNIT, unit),
        None if plain or same else _compact(canonical_low),
        None if plain or same or canonical_high == canonical_low else _compact(canonical_high),
        NO_TERM if plain else interner.term(CANONICAL_UNIT, canonical_unit),
    )
    interner.pair("unit_pair", numbers[2], numbers[3], numbers[6] or numbers[2])
    return numbers


def _composites(
    interner: Interner, tenant: int, type: int, rows: tuple[CompositeRow, ...]
) -> list[Any]:
    shared: dict[tuple[Any, ...], tuple[int, ...]] = {}
    for key, parts in rows:
        packed = tuple([_part(interner, tenant, part) for part in parts])
        shared[packed] = (*shared.get(packed, ()), key)
    return [
        field
        for packed, keys in shared.items()
        for group in interner.groups(type, CODE, keys)
        for field in (group, packed)
    ]


def _part(interner: Interner, tenant: int, part: Component) -> tuple[Any, ...]:
    match part:
        case TokenRow(_, system, code, text, kind):
            words = interner.term(TEXT, text) if text else NO_TERM
            return TOKEN_PART, interner.code(system, code), words, FLAVOURS[kind]
        case ReferenceRow(_, type, id, url, version):
            return REFERENCE_PART, _target(interner, tenant, type, id, url), version
        case QuantityRow():
            return QUANTITY_PART, *_quantity(interner, *part[1:])
        case DateRow(_, low, high):
            return DATE_PART, low, span_of(low, high)
        case NumberRow(_, low, high):
            return NUMBER_PART, _compact(low), _compact(high)
        case StringRow(_, folded, exact):
            return STRING_PART, exact, None if folded == fold(exact) else folded
        case _:
            return URI_PART, interner.term(URI, part.uri)


# --- the other tables' rows -----------------------------------------------------------------

MISSING_DATE: Final = -(2**47)
"""Stands for no principal date: before all others."""

SHORT: Final = 32 * 24 * 3600 * 1_000_000
"""Date ranges up to this long (microseconds) are found by where they start."""

LONGEST_KEY = 160
"""Characters of a folded string that the index holds."""

LONGEST_SUFFIX = 16
"""Characters of a suffix within a folded string that the index holds."""


def clustering_date(date: int) -> int:
    """A principal date as the index holds it: milliseconds, or `MISSING_DATE`.

    Args:
        date: `IndexRows.date`.
    """
    return max(1 - 2**47, min(date // 1000, 2**47 - 1)) if date else MISSING_DATE


def groups_of(entry: Entry) -> list[int]:
    """The groups of all rows, repeats included."""
    return [
        *entry.tokens[::3],
        *entry.references[::3],
        *entry.dates[::3],
        *entry.numbers[::3],
        *entry.quantities[::8],
        *entry.strings[::3],
        *entry.positions[::3],
        *entry.composites[::2],
    ]


def differing(one: Entry, other: Entry) -> tuple[Entry, Entry]:
    """Two entries without the kinds of rows in which they agree."""
    left, right = astuple(one), astuple(other)
    return (
        Entry(*([] if mine == theirs else mine for mine, theirs in zip(left, right, strict=True))),
        Entry(*([] if mine == theirs else mine for mine, theirs in zip(right, left, strict=True))),
    )


Rows = dict[str, list[tuple[Any, ...]]]


def index_tables(entry: Entry, tenant: int, rid: int, date: int) -> Rows:
    """Rows of the index tables by table name.

    Args:
        entry: Packed index rows.
        tenant: Tenant key.
        rid: Row id of the resource.
        date: Its `clustering_date`.
    """
    found: Rows = {}
    if tokens := entry.tokens:
        pairs = zip(tokens[::3], tokens[1::3], strict=True)
        found["token"] = [(tenant, group, term, date, rid) for group, term in pairs]
    if references := entry.references:
        triples = zip(references[::3], references[1::3], references[2::3], strict=True)
        found["reference"] = [(tenant, target, group, date, rid, v) for group, target, v in triples]
    if dates := entry.dates:
        triples = zip(dates[::3], dates[1::3], dates[2::3], strict=True)
        found["date"] = [(tenant, group, low, rid, span) for group, low, span in triples]
        if max(dates[2::3]) > SHORT:
            found["long_date"] = [
                (tenant, group, low + span, rid, low)
                for _, group, low, _, span in found["date"]
                if span > SHORT
            ]
    if entry.numbers or entry.quantities:
        _add_numbers(found, entry, tenant, rid)
    if strings := entry.strings:
        found["string"] = rows = []
        for group, exact, folded in zip(strings[::3], strings[1::3], strings[2::3], strict=True):
            whole, *inner = suffixes(fold(exact) if folded is None else folded)
            rows.append((tenant, group, 0, whole[:LONGEST_KEY], rid))
            rows += [(tenant, group, 1, suffix[:LONGEST_SUFFIX], rid) for suffix in inner]
    if positions := entry.positions:
        triples = zip(positions[::3], positions[1::3], positions[2::3], strict=True)
        found["position"] = [(tenant, *triple, rid) for triple in triples]
    if composites := entry.composites:
        found["composite"] = [
            (tenant, group, *_composite_columns(parts, date, rid, number))
            for number, (group, parts) in enumerate(
                zip(composites[::2], composites[1::2], strict=True)
            )
        ]
    return found


def _add_numbers(found: Rows, entry: Entry, tenant: int, rid: int) -> None:
    ranges = [
        (group, NO_TERM, low, high)
        for group, low, high in zip(*(entry.numbers[place::3] for place in range(3)), strict=True)
    ]
    quantities = entry.quantities
    ranges += [
        (quantities[place], *stored_range(quantities[place + 1 : place + 8]))
        for place in range(0, len(quantities), 8)
    ]
    points = [(tenant, group, unit, low, rid) for group, unit, low, high in ranges if low == high]
    wide = [
        (tenant, group, unit, low, high, rid) for group, unit, low, high in ranges if low != high
    ]
    if points:
        found["number"] = points
    if wide:
        found["wide_number"] = wide


def raw_range(quantity: Sequence[Any]) -> tuple[float, float]:
    """The range of a packed quantity as written."""
    low, high = quantity[:2]
    return low, low if high is None else high


def stored_range(quantity: Sequence[Any]) -> tuple[int, float, float]:
    """Unit, low and high of a packed quantity as the index holds it: canonical if it can be."""
    _, _, code, _, low, high, unit = quantity
    if not unit:
        return (code, *raw_range(quantity))
    if low is None:
        return (unit, *raw_range(quantity))
    return unit, low, low if high is None else high


def _composite_columns(parts: list[Any], date: int, rid: int, number: int) -> tuple[Any, ...]:
    """value, date, rid, number, unit, low, high; from the first part and the second."""
    value, unit, low, high = 0, 0, None, None
    if parts:
        value = composite_key(parts[0])
    if len(parts) > 1:
        unit, low, high = composite_range(parts[1])
    return value, date, rid, number, unit, low, None if high == low else high


def composite_key(part: Sequence[Any]) -> int:
    """What stands for a composite's first part: term, or less than 0 a target; 0 if neither."""
    match part[0]:
        case 0:
            return int(part[1]) if part[3] == CODE else 0
        case 1:
            return -int(part[1])
        case 2:
            return int(part[1])
        case _:
            return 0


def composite_range(part: Sequence[Any]) -> tuple[int, Any, Any]:
    """Unit, low and high of a composite's second part; less than 0 the unit tells its kind."""
    kind = -1 - part[0]
    match part[0]:
        case 0 | 1 | 2:
            key = composite_key(part) or None
            return kind, key, key
        case 3:
            return stored_range(part[1:])
        case 4:
            return kind, part[1], part[2]
        case 5:
            return kind, part[1], part[1] + part[2]
        case _:
            return kind, None, None
