"""Rows of the index tables, which follow from a resource's packed entry.

What the columns hold is decided here: dates in milliseconds where they cluster, quantities in
canonical units, strings cut off, ranges of dates twice when they are long, composites by their
first component. Called by `hub.storage.sqlite.index`; the compiler of searches uses the same
definitions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from msgspec.structs import astuple

from hub.search.folding import fold, suffixes
from hub.storage.sqlite.entry import NO_TERM, Entry
from hub.storage.sqlite.interner import CODE

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
    pairs = [
        ([], []) if mine == theirs else (mine, theirs)
        for mine, theirs in zip(astuple(one), astuple(other), strict=True)
    ]
    return Entry(*[pair[0] for pair in pairs]), Entry(*[pair[1] for pair in pairs])


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
    points: list[tuple[Any, ...]] = []
    wide: list[tuple[Any, ...]] = []
    numbers, quantities = entry.numbers, entry.quantities
    for group, low, high in zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True):
        if low == high:
            points.append((tenant, group, NO_TERM, low, rid))
        else:
            wide.append((tenant, group, NO_TERM, low, high, rid))
    for place in range(0, len(quantities), 8):
        unit, low, high = stored_range(quantities[place + 1 : place + 8])
        if low == high:
            points.append((tenant, quantities[place], unit, low, rid))
        else:
            wide.append((tenant, quantities[place], unit, low, high, rid))
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
