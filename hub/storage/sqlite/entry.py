"""A resource's index rows, packed: every string a number, every shared value once.

The packed entry is kept per resource (table `entry`). The rows of all other index tables follow
from it (`hub.storage.sqlite.index_tables`), so that replacing or deleting a resource's rows needs
no search for them, and criteria that no table answers well can be tested on it
(`hub.storage.sqlite.functions`).
Called by `hub.storage.sqlite.index`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
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
    UriRow,
)
from hub.storage.sqlite.interner import (
    CODE,
    CONTENT,
    IDENTIFIER,
    NARRATIVE,
    NO_TYPE,
    OF_TYPE,
    TEXT,
    TEXT_ONLY,
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


# What follows a row's key, by how much it is; quicker than a slice.
_ONE, _TWO, _FOUR = itemgetter(1), itemgetter(1, 2), itemgetter(1, 2, 3, 4)
_EIGHT = itemgetter(*range(1, 9))

encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Entry).decode


Packed = dict[Any, list[Any]]
"""References and dates that are packed already, by type and rows."""

_Quantities = dict[tuple[Any, ...], tuple[Any, ...]]
"""Quantities of a resource that are packed already, by their fields."""


def pack(
    interner: Interner, tenant: int, type: int, rows: IndexRows, packed: Packed | None = None
) -> Entry:
    """Pack index rows; strings that have no number get one.

    Args:
        interner: Gives the numbers.
        tenant: Tenant key.
        type: Number of the resource type.
        rows: What extraction found.
        packed: Of other resources of the same commit: results of a report have much in common.
    """
    groups = interner.groups
    packed = {} if packed is None else packed
    dates = packed.get((type, rows.dates))
    if dates is None:
        dates = packed[type, rows.dates] = _dates(interner, type, rows)
    references = packed.get((type, rows.references))
    if references is None:
        references = packed[type, rows.references] = _references(interner, tenant, type, rows)
    numbers: list[float] = []
    for (first, last), keys in _shared(rows.numbers, _TWO):
        for group in groups(type, CODE, keys):
            numbers += (group, _compact(first), _compact(last))
    quantities: list[Any] = []
    known: _Quantities = {}
    for value, keys in _shared(rows.quantities, _EIGHT):
        fields = known[value] = _quantity(interner, *value)
        for group in groups(type, CODE, keys):
            quantities += (group, *fields)
    strings: list[Any] = []
    for (folded, exact), keys in _shared(rows.strings, _TWO):
        other = None if folded == fold(exact) else folded
        for group in groups(type, CODE, keys):
            strings += (group, exact, other)
    positions: list[float] = []
    for (latitude, longitude), keys in _shared(rows.positions, _TWO):
        for group in groups(type, CODE, keys):
            positions += (group, latitude, longitude)
    return Entry(
        _tokens(interner, type, rows),
        references,
        dates,
        numbers,
        quantities,
        strings,
        positions,
        _composites(interner, tenant, type, rows.composites, known),
    )


def _dates(interner: Interner, type: int, rows: IndexRows) -> list[int]:
    dates: list[int] = []
    for (low, high), keys in _shared(rows.dates, _TWO):
        for group in interner.groups(type, CODE, keys):
            dates += (group, low, span_of(low, high))
    return dates


def _tokens(interner: Interner, type: int, rows: IndexRows) -> list[int]:
    groups = interner.groups
    tokens: list[int] = []
    for (system, value, text, kind), keys in _shared(rows.tokens, _FOUR):
        words = interner.term(TEXT, text) if text else NO_TERM
        if value or system or not text or kind != "code":
            flavour, term = FLAVOURS[kind], interner.code(system, value)
            if words:
                interner.pair("token_text", words, term)
        else:
            flavour, term = TEXT_ONLY, words
        for group in groups(type, flavour, keys):
            tokens += (group, term, words)
    for uri, keys in _shared(rows.uris, _ONE):
        term = interner.term(URI, uri)
        for group in groups(type, URI_VALUE, keys):
            tokens += (group, term, NO_TERM)
    for flavour, text in ((NARRATIVE, rows.text), (CONTENT, rows.content)):
        if text:
            for group in groups(type, flavour, ()):
                tokens += (group, interner.words(text), NO_TERM)
    return tokens


def _references(interner: Interner, tenant: int, type: int, rows: IndexRows) -> list[Any]:
    groups = interner.groups
    references: list[Any] = []
    for (kind, id, url, version), keys in _shared(rows.references, _FOUR):
        target = _target(interner, tenant, kind, id, url)
        for group in groups(type, CODE, keys):
            references += (group, target, version)
    return references


def _shared(
    rows: Sequence[Any], value_of: Callable[[Any], Any]
) -> Iterable[tuple[Any, tuple[int, ...]]]:
    """Each distinct value (all fields but the key) with the keys that have it."""
    if not rows:
        return ()
    if len(rows) == 1:
        return ((value_of(rows[0]), (rows[0][0],)),)
    keys: dict[Any, tuple[int, ...]] = {}
    for row in rows:
        value = value_of(row)
        known = keys.get(value)
        keys[value] = (row[0],) if known is None else (*known, row[0])
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
    same = not canonical_unit or (canonical_low == low and canonical_high == high)
    coded, raw, stored = interner.units(system, code, unit, canonical_unit)
    return (
        _compact(low),
        None if high == low else _compact(high),
        coded,
        raw,
        None if same else _compact(canonical_low),
        None if same or canonical_high == canonical_low else _compact(canonical_high),
        stored,
    )


def _composites(
    interner: Interner,
    tenant: int,
    type: int,
    rows: tuple[CompositeRow, ...],
    known: _Quantities,
) -> list[Any]:
    if not rows:
        return []
    alike: dict[tuple[Component, ...], tuple[int, ...]] = {}
    for key, parts in rows:
        alike[parts] = (*alike.get(parts, ()), key)
    shared: dict[tuple[Any, ...], tuple[int, ...]] = {}
    for parts, keys in alike.items():
        packed = tuple([_part(interner, tenant, part, known) for part in parts])
        shared[packed] = (*shared.get(packed, ()), *keys)
    return [
        field
        for packed, keys in shared.items()
        for group in interner.groups(type, CODE, keys)
        for field in (group, packed)
    ]


def _part(interner: Interner, tenant: int, part: Component, known: _Quantities) -> tuple[Any, ...]:
    if part.__class__ is QuantityRow and (fields := known.get(_EIGHT(part))) is not None:
        return QUANTITY_PART, *fields
    return _PARTS[type(part)](interner, tenant, part)


def _token_part(interner: Interner, _tenant: int, part: Any) -> tuple[Any, ...]:
    _, system, code, text, kind = part
    words = interner.term(TEXT, text) if text else NO_TERM
    if text and kind == "code" and not (system or code):
        return TOKEN_PART, words, words, TEXT_ONLY
    return TOKEN_PART, interner.code(system, code), words, FLAVOURS[kind]


def _reference_part(interner: Interner, tenant: int, part: Any) -> tuple[Any, ...]:
    _, kind, id, url, version = part
    return REFERENCE_PART, _target(interner, tenant, kind, id, url), version


def _quantity_part(interner: Interner, _tenant: int, part: Any) -> tuple[Any, ...]:
    return QUANTITY_PART, *_quantity(interner, *_EIGHT(part))


def _date_part(_interner: Interner, _tenant: int, part: Any) -> tuple[Any, ...]:
    return DATE_PART, part.low, span_of(part.low, part.high)


def _number_part(_interner: Interner, _tenant: int, part: Any) -> tuple[Any, ...]:
    return NUMBER_PART, _compact(part.low), _compact(part.high)


def _string_part(_interner: Interner, _tenant: int, part: Any) -> tuple[Any, ...]:
    _, folded, exact = part
    return STRING_PART, exact, None if folded == fold(exact) else folded


def _uri_part(interner: Interner, _tenant: int, part: Any) -> tuple[Any, ...]:
    return URI_PART, interner.term(URI, part.uri)


_PARTS: Mapping[type[Any], Callable[[Interner, int, Any], tuple[Any, ...]]] = {
    TokenRow: _token_part,
    ReferenceRow: _reference_part,
    QuantityRow: _quantity_part,
    DateRow: _date_part,
    NumberRow: _number_part,
    StringRow: _string_part,
    UriRow: _uri_part,
}
