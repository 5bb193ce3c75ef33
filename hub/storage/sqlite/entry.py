"""A resource's index rows, packed: every string a number, every shared value once.

The packed entry is kept per resource (table `entry`). The rows of all other index tables follow
from it (`hub.storage.sqlite.index_tables`), so that replacing or deleting a resource's rows needs
no search for them, and criteria that no table answers well can be tested on it
(`hub.storage.sqlite.functions`).
Called by `hub.storage.sqlite.index`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from hub.search.folding import fold
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
            if text and kind == "code" and not (system or code):
                return TOKEN_PART, words, words, TEXT_ONLY
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
