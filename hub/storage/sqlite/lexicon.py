"""Looking up the numbers that stand for strings, for searching.

The reading counterpart of `hub.storage.sqlite.interner`. Groups, shapes and blocks of terms are
remembered and topped up when the database has new ones. Used by `hub.storage.sqlite.search`
and its compiler; one per connection.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import apsw
import msgspec

from hub.storage.sqlite.interner import NO_SYSTEM, NO_TYPE, URI, grow, shrink
from hub.storage.sqlite.schema import TypeNames

_decode_keys = msgspec.msgpack.Decoder(tuple[int, ...]).decode
_NEWEST = (
    "SELECT (SELECT max(id) FROM index_group), (SELECT max(id) FROM index_shape),"
    " (SELECT max(first) FROM term_block), EXISTS (SELECT 1 FROM reserved)"
)
LARGEST_CACHE = 50_000
LOOKED_UP = 4
"""Terms that are gone over in the time in which one is looked up."""


class Group(NamedTuple):
    """Parameters of a type that share values."""

    type: int
    flavour: int
    keys: tuple[int, ...]


class Terms(NamedTuple):
    """A set of terms: single numbers, and closed ranges of numbers."""

    ids: tuple[int, ...] = ()
    ranges: tuple[tuple[int, int], ...] = ()


class Lexicon:
    """What the numbers of a database mean."""

    def __init__(self, connection: apsw.Connection, types: TypeNames) -> None:
        """Know nothing yet.

        `types_held` are the types of which there is, or was, any resource.

        Args:
            connection: Any connection to the database.
            types: Numbers of the resource types.
        """
        self._execute: Any = connection.execute
        self.types = types
        self.groups: dict[int, Group] = {}
        self._groups_by_key: dict[tuple[int, int], list[int]] = {}
        self._shapes: dict[int, tuple[int, frozenset[int]]] = {}
        self._shapes_by_key: dict[int, list[int]] = {}
        self.types_held: dict[int, None] = {}
        self._firsts: list[int] = []
        self._blocks: list[tuple[int, int, int]] = []
        self._newest: Any = (None, None, None, 0)
        self._texts: dict[int, str] = {}
        self._systems: dict[str, int] = {}
        self._has_reserved = False

    def refresh(self) -> None:
        """Learn what is new; call it before each search."""
        newest: Any = self._execute(_NEWEST).get
        if newest == self._newest:
            return
        if newest[0] != self._newest[0]:
            self._load_groups()
        if newest[1] != self._newest[1]:
            self._load_shapes()
        if newest[2] != self._newest[2]:
            blocks: Any = self._execute("SELECT * FROM term_block ORDER BY first").fetchall()
            self._blocks = blocks
            self._firsts = [first for first, _, _ in self._blocks]
            # A purge may have taken the number of a system that had no codes yet.
            self._systems.clear()
        self._has_reserved = bool(newest[3])
        self._newest = newest

    def _load_groups(self) -> None:
        after = max(self.groups, default=0)
        for id, type, flavour, keys in self._execute(
            "SELECT id, type, flavour, keys FROM index_group WHERE id > ?", (after,)
        ):
            self.groups[id] = Group(type, flavour, _decode_keys(keys))
            for key in self.groups[id].keys:
                self._groups_by_key.setdefault((flavour, key), []).append(id)
            if not self.groups[id].keys:
                self._groups_by_key.setdefault((flavour, 0), []).append(id)

    def _load_shapes(self) -> None:
        after = max(self._shapes, default=0)
        for id, type, keys in self._execute(
            "SELECT id, type, keys FROM index_shape WHERE id > ?", (after,)
        ):
            self.types_held.setdefault(type, None)
            self._shapes[id] = type, frozenset(_decode_keys(keys))
            for key in self._shapes[id][1]:
                self._shapes_by_key.setdefault(key, []).append(id)

    # --- parameters ------------------------------------------------------------------------

    def groups_of(self, key: int, flavour: int, types: Sequence[int]) -> tuple[int, ...]:
        """Groups that hold a parameter.

        Args:
            key: Key of the search parameter; 0 for the flavours without parameters.
            flavour: Flavour of the rows.
            types: Numbers of the resource types; empty for all.
        """
        found = self._groups_by_key.get((flavour, key), ())
        if not types:
            return tuple(found)
        return tuple(id for id in found if self.groups[id].type in types)

    def shapes_of(self, key: int, types: Sequence[int]) -> tuple[int, ...]:
        """Shapes that hold a parameter; arguments as for `groups_of`."""
        found = self._shapes_by_key.get(key, ())
        return tuple(id for id in found if not types or self._shapes[id][0] in types)

    # --- terms -----------------------------------------------------------------------------

    def space(self, term: int) -> int:
        """The space a term's number lies in."""
        return self._blocks[bisect_right(self._firsts, term) - 1][2]

    def term(self, space: int, text: str) -> int | None:
        """A term's number, None if it has none."""
        for id in self._ids(shrink(text) if space >= NO_SYSTEM else text):
            if self.space(id) == space:
                return id
        return None

    def codes(self, system: str | None, code: str | None) -> Terms:
        """Codes as a token value names them.

        Args:
            system: None for any system, "" for none.
            code: None for any code.
        """
        if system is None:
            if code is not None:
                found = self._ids(shrink(code))
                return Terms(tuple(id for id in found if self.space(id) >= NO_SYSTEM))
            return self._all(lambda space: space >= NO_SYSTEM)
        number = NO_SYSTEM if not system else self._system(system)
        if number is None:
            return Terms()
        if code is None:
            return self._all(lambda space: space == number)
        id = self.term(number, code)
        return Terms() if id is None else Terms((id,))

    def codes_among(self, system: str, codes: Sequence[str]) -> list[int]:
        """Numbers of those codes of a system that have one, in no order.

        Each is looked up; when they are many more than the system has here, as those of a whole
        code system are, the system's own are gone over instead.

        Args:
            system: "" for none.
            codes: The codes.
        """
        number = NO_SYSTEM if not system else self._system(system)
        if number is None:
            return []
        blocks = [(first, size) for first, size, space in self._blocks if space == number]
        if LOOKED_UP * len(codes) < sum(size for _, size in blocks):
            found = (self.term(number, code) for code in codes)
            return [id for id in found if id is not None]
        wanted = set(map(shrink, codes))
        return [
            id
            for first, size in blocks
            for id, text in self._execute(
                "SELECT id, text FROM term WHERE id BETWEEN ? AND ?", (first, first + size - 1)
            )
            if text in wanted
        ]

    def _system(self, system: str) -> int | None:
        number = self._systems.get(system)
        if number is None:
            number = self.term(URI, system)
            if number is not None and len(self._systems) < LARGEST_CACHE:
                self._systems[system] = number
        return number

    def _all(self, wanted: Any) -> Terms:
        return Terms(
            (),
            tuple(
                (first, first + size - 1) for first, size, space in self._blocks if wanted(space)
            ),
        )

    def _ids(self, stored: str | bytes) -> list[int]:
        return [id for (id,) in self._execute("SELECT id FROM term WHERE text = ?", (stored,))]

    def starting_with(self, space: int, prefix: str, most: int) -> tuple[list[int], bool]:
        """Terms of a space that start with a prefix.

        Args:
            space: The space.
            prefix: The prefix.
            most: Terms, of any space, to look at.

        Returns:
            Numbers, and whether these are all.
        """
        found = self._execute(
            "SELECT id FROM term WHERE text >= ? AND text < ? LIMIT ?",
            (prefix, after_prefix(prefix), most),
        ).fetchall()
        return [id for (id,) in found if self.space(id) == space], len(found) < most

    def text(self, term: int) -> str:
        """A term's text; "" if it has none."""
        text = self._texts.get(term)
        if text is None:
            stored: Any = self._execute("SELECT text FROM term WHERE id = ?", (term,)).get
            if len(self._texts) >= LARGEST_CACHE:
                self._texts.clear()
            text = self._texts[term] = "" if stored is None else grow(stored)
        return text

    # --- reference targets -----------------------------------------------------------------

    def targets(self, tenant: int, types: Iterable[int], id: str) -> list[int]:
        """Row ids that references to an id of these types hold."""
        return [rid for type in types for rid in self._target(tenant, type, id)]

    def _target(self, tenant: int, type: int, id: str) -> list[int]:
        key = (tenant, type, id)
        if type != NO_TYPE:
            found: Any = self._execute(
                "SELECT rid FROM resource WHERE tenant = ? AND type = ? AND id = ?", key
            ).get
            if found is not None:
                return [found]
        if not self._has_reserved:
            return []
        found = self._execute(
            "SELECT rid FROM reserved WHERE tenant = ? AND type = ? AND id = ?", key
        ).get
        return [] if found is None else [found]

    def url_target(self, tenant: int, url: str) -> list[int]:
        """The row id that references to a url hold."""
        return self._target(tenant, NO_TYPE, url)

    def target(self, rid: int) -> tuple[int, str]:
        """Type number and id that a reference's row id stands for; `NO_TYPE` and the url."""
        found: Any = self._execute(
            "SELECT type, id FROM resource WHERE rid = ?1"
            " UNION ALL SELECT type, id FROM reserved WHERE rid = ?1",
            (rid,),
        ).get
        return found or (NO_TYPE, "")


def after_prefix(prefix: str) -> str:
    """The least string after all that start with the prefix, in order of code points."""
    for place in range(len(prefix) - 1, -1, -1):
        code = ord(prefix[place]) + 1
        if code == 0xD800:
            code = 0xE000
        if code <= 0x10FFFF:
            return prefix[:place] + chr(code)
    return chr(0x10FFFF) * 64
