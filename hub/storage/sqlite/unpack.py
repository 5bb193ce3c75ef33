"""From a packed entry back to index rows, taking only what the index tables really hold.

For `check`, which compares them with what extraction makes of the stored resource. Called by
`hub.storage.sqlite.index`. Not a hot path.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import apsw
import msgspec

from hub.search.folding import fold
from hub.search.values import (
    Component,
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
from hub.storage.sqlite.entry import (
    DATE_PART,
    NO_TERM,
    NUMBER_PART,
    QUANTITY_PART,
    REFERENCE_PART,
    STRING_PART,
    TOKEN_PART,
    Entry,
    high_of,
)
from hub.storage.sqlite.index_tables import Rows, index_tables, raw_range
from hub.storage.sqlite.interner import (
    CODE,
    CONTENT,
    IDENTIFIER,
    NARRATIVE,
    NO_SYSTEM,
    NO_TYPE,
    TEXT_ONLY,
    URI_VALUE,
    expand_words,
)
from hub.storage.sqlite.lexicon import Lexicon

_KINDS = {CODE: "code", IDENTIFIER: "identifier"}
_WIDTHS = {
    "tokens": 3,
    "references": 3,
    "dates": 3,
    "numbers": 3,
    "quantities": 8,
    "strings": 3,
    "positions": 3,
    "composites": 2,
}


def split(entry: Entry) -> Iterator[tuple[str, list[Any]]]:
    """The items of an entry one by one, with the name of their list."""
    for name, width in _WIDTHS.items():
        flat = getattr(entry, name)
        for place in range(0, len(flat), width):
            yield name, flat[place : place + width]


def only(name: str, item: list[Any]) -> Entry:
    """An entry that holds one item."""
    return msgspec.structs.replace(Entry([], [], [], [], [], [], [], []), **{name: item})


class Unpacker:
    """Turns items of packed entries into index rows."""

    def __init__(self, connection: apsw.Connection, lexicon: Lexicon) -> None:
        """Use a lexicon that was just refreshed."""
        self._connection = connection
        self._lexicon = lexicon

    def rows(self, entry: Entry, date: int, missing: Rows, key: tuple[int, int, int]) -> IndexRows:
        """Index rows of the items of an entry that have all their table rows.

        Args:
            entry: The packed rows.
            date: The exact principal date in microseconds.
            missing: Table rows that should be there and are not.
            key: tenant, row id and clustering date.
        """
        found: dict[str, set[Any]] = {}
        words = {NARRATIVE: "", CONTENT: ""}
        tenant, rid, clustering = key
        for name, item in split(entry):
            if missing:
                rows = index_tables(only(name, item), tenant, rid, clustering)
                # A composite's row holds its place in the entry, which is lost here.
                width = 5 if name == "composites" else 9
                if any(
                    row[:width] == lost[:width]
                    for table, made in rows.items()
                    for row in made
                    for lost in missing.get(table, ())
                ):
                    continue
            group = self._lexicon.groups.get(item[0])
            if group is None:
                continue
            if name == "tokens" and group.flavour in words:
                words[group.flavour] = self._word_list(item[1])
                continue
            kind, value = self._value(name, item, group.flavour)
            found.setdefault(kind, set()).update(value._replace(key=key) for key in group.keys)
        ordered = {kind: tuple(sorted(rows)) for kind, rows in found.items()}
        return IndexRows(**ordered, date=date, text=words[NARRATIVE], content=words[CONTENT])

    def _word_list(self, number: int) -> str:
        stored: Any = self._connection.execute(
            "SELECT words FROM word_list WHERE id = ?", (number,)
        ).get
        return "" if stored is None else expand_words(stored)

    def _value(self, name: str, item: list[Any], flavour: int) -> tuple[str, Any]:
        match name:
            case "tokens" if flavour == URI_VALUE:
                return "uris", UriRow(0, self._lexicon.text(item[1]))
            case "tokens":
                return name, self._token(item[1], item[2], flavour)
            case "references":
                return name, self._reference(item[1], item[2])
            case "dates":
                return name, DateRow(0, item[1], high_of(item[1], item[2]))
            case "numbers":
                return name, NumberRow(0, float(item[1]), float(item[2]))
            case "quantities":
                return name, self._quantity(item[1:])
            case "strings":
                return name, _string(item[1], item[2])
            case "positions":
                return name, PositionRow(0, item[1], item[2])
            case _:
                return name, self._composite(item[1])

    def _token(self, term: int, words: int, flavour: int) -> TokenRow:
        text = self._lexicon.text(words) if words else ""
        if flavour == TEXT_ONLY:
            return TokenRow(0, "", "", text)
        space = self._lexicon.space(term)
        system = "" if space == NO_SYSTEM else self._lexicon.text(space)
        kind = _KINDS.get(flavour, "of-type")
        return TokenRow(0, system, self._lexicon.text(term), text, kind)

    def _reference(self, target: int, version: str) -> ReferenceRow:
        type, id = self._lexicon.target(target)
        if type == NO_TYPE:
            return ReferenceRow(0, "", "", id, version)
        return ReferenceRow(0, self._lexicon.types.names[type], id, "", version)

    def _quantity(self, fields: Sequence[Any]) -> QuantityRow:
        low, high = raw_range(fields)
        _, _, term, unit, canonical_low, canonical_high, canonical_unit = fields
        code = self._token(term, NO_TERM, CODE)
        text = self._lexicon.text(unit) if unit else code.code
        if not canonical_unit:
            exact = (0.0, 0.0, "")
        else:
            if canonical_low is None:
                canonical_low, canonical_high = low, high
            elif canonical_high is None:
                canonical_high = canonical_low
            exact = float(canonical_low), float(canonical_high), self._lexicon.text(canonical_unit)
        return QuantityRow(0, float(low), float(high), code.system, code.code, text, *exact)

    def _composite(self, parts: list[list[Any]]) -> CompositeRow:
        made = [self._part(part)._replace(key=place) for place, part in enumerate(parts)]
        return CompositeRow(0, tuple(made))

    def _part(self, part: list[Any]) -> Component:
        match part[0]:
            case kind if kind == TOKEN_PART:
                return self._token(*part[1:])
            case kind if kind == REFERENCE_PART:
                return self._reference(*part[1:])
            case kind if kind == QUANTITY_PART:
                return self._quantity(part[1:])
            case kind if kind == DATE_PART:
                return DateRow(0, part[1], high_of(part[1], part[2]))
            case kind if kind == NUMBER_PART:
                return NumberRow(0, float(part[1]), float(part[2]))
            case kind if kind == STRING_PART:
                return _string(part[1], part[2])
            case _:
                return UriRow(0, self._lexicon.text(part[1]))


def _string(exact: str, folded: str | None) -> StringRow:
    return StringRow(0, fold(exact) if folded is None else folded, exact)
