"""Numbers that stand for the strings of index rows, given out by the one writer.

Index rows hold integers: terms (codes, systems, uris, units, display texts), row ids of
reference targets, groups (the search parameters of a type that share a value) and shapes (the
parameters a resource has any value for). A group or shape number is never used twice, not even
after a rollback, so a reader may remember what it has seen. Used by `hub.storage.sqlite.index`;
readers look numbers up with `hub.storage.sqlite.lexicon`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final

import apsw
import msgspec
import zstandard

# Spaces keep kinds of terms apart: 0 and up are systems of codes (0: none, else the number of
# the system's own term), the negative ones are these.
NO_SYSTEM: Final = 0
URI: Final = -1
TEXT: Final = -2
UNIT: Final = -3
CANONICAL_UNIT: Final = -4

# Flavours keep rows of one table apart that no search may mix up.
CODE: Final = 0
IDENTIFIER: Final = 1
OF_TYPE: Final = 2
URI_VALUE: Final = 3
TEXT_ONLY: Final = 4
NARRATIVE: Final = 5
CONTENT: Final = 6

NO_TYPE: Final = 0
"""Type of a target that is no resource type of this hub: a url."""

NO_SHAPE: Final = 0
"""Stands for any set of parameters, once a type has more sets than are worth numbering."""

FIRST_BLOCK = 64
LARGEST_BLOCK = 1 << 20
MOST_GROUPS = 512
MOST_SHAPES = 10_000
LARGEST_CACHE = 100_000
LONGEST_PLAIN = 128
"""Word lists longer than this are compressed."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch
_encode = msgspec.msgpack.Encoder().encode
_decode_keys = msgspec.msgpack.Decoder(tuple[int, ...]).decode


def shrink(text: str) -> str | bytes:
    """A term as it is stored: a lower-case UUID as its 16 bytes, anything else as it is."""
    if len(text) == 36 and _UUID(text):
        return bytes.fromhex(text.replace("-", ""))
    return text


def grow(stored: str | bytes) -> str:
    """The opposite of `shrink`."""
    if isinstance(stored, str):
        return stored
    digits = stored.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def expand_words(stored: str | bytes) -> str:
    """A word list as it was before it was stored."""
    if isinstance(stored, str):
        return stored
    return zstandard.ZstdDecompressor().decompress(stored).decode()


class Interner:
    """Gives numbers; lives as long as the write connection, on the writer's thread."""

    def __init__(self, connection: apsw.Connection, types: Mapping[str, int]) -> None:
        """Continue after the numbers the database has given out.

        Args:
            connection: The write connection.
            types: Numbers of the resource types.
        """
        self._connection, self._execute = connection, connection.execute
        self._squeeze = zstandard.ZstdCompressor(write_checksum=False).compress
        self.types = types
        self._next = {"rid": 1, "block": FIRST_BLOCK, "index_group": 1, "index_shape": 1}
        self.reset()

    # --- what a request learnt goes when the request is undone -----------------------------

    def reset(self) -> None:
        """Forget everything; for a transaction that was rolled back as a whole."""
        self._learnt: list[tuple[dict[Any, Any], Any]] = []
        self._has_new_block = False
        self._terms: dict[tuple[int, str], int] = {}
        self._targets: dict[tuple[int, int, str], int] = {}
        self._groups: dict[tuple[int, int, tuple[int, ...]], tuple[int, ...]] = {}
        self._shapes: dict[tuple[int, tuple[int, ...]], int] = {}
        self._shape_of_groups: dict[tuple[int, ...], int] = {}
        self._pairs: dict[tuple[str, tuple[int, ...]], bool] = {}
        self._words: dict[bytes, int] = {}
        self._units: dict[tuple[str, str, str, str], tuple[int, int, int]] = {}
        self._keys: dict[int, tuple[int, ...]] = {}
        self._load_numbers()
        self._load_blocks()

    def keep(self) -> None:
        """The savepoint was released: what was learnt stays."""
        self._learnt.clear()
        self._has_new_block = False
        caches: tuple[dict[Any, Any], ...] = (
            self._terms,
            self._targets,
            self._pairs,
            self._words,
            self._units,
            self._shape_of_groups,
        )
        for cache in caches:
            if len(cache) > LARGEST_CACHE:
                cache.clear()

    def forget(self) -> None:
        """The savepoint was rolled back: what was learnt since the last `keep` goes."""
        if self._has_new_block:
            self.reset()
            return
        for cache, key in self._learnt:
            cache.pop(key, None)
        self._learnt.clear()
        self._shape_of_groups.clear()

    def _load_numbers(self) -> None:
        # What was given out before a rollback stays given out.
        for name, select in (
            (
                "rid",
                "SELECT max(ifnull((SELECT max(rid) FROM resource), 0),"
                " ifnull((SELECT max(rid) FROM reserved), 0))",
            ),
            ("index_group", "SELECT ifnull(max(id), 0) FROM index_group"),
            ("index_shape", "SELECT ifnull(max(id), 0) FROM index_shape"),
        ):
            largest: Any = self._execute(select).get
            self._next[name] = max(self._next[name], largest + 1)
        self._counts: dict[tuple[str, int], int] = {}
        for id, type, flavour, keys in self._execute(
            "SELECT id, type, flavour, keys FROM index_group"
        ):
            self._keys[id] = _decode_keys(keys)
            self._groups[type, flavour, self._keys[id]] = (id,)
            self._counts["index_group", type] = self._counts.get(("index_group", type), 0) + 1
        for id, type, keys in self._execute("SELECT id, type, keys FROM index_shape"):
            self._shapes[type, _decode_keys(keys)] = id
            self._counts["index_shape", type] = self._counts.get(("index_shape", type), 0) + 1
        reserved: Any = self._execute("SELECT count(*) FROM (SELECT 1 FROM reserved LIMIT 1)").get
        self._has_reserved = bool(reserved)

    def _load_blocks(self) -> None:
        self._firsts: list[int] = []
        self._spaces: list[int] = []
        self._free: dict[int, tuple[int, int, int]] = {}
        for first, size, space in self._execute(
            "SELECT first, size, space FROM term_block ORDER BY 1"
        ):
            self._firsts.append(first)
            self._spaces.append(space)
            self._free[space] = (first, first + size, size)
            self._next["block"] = max(self._next["block"], first + size)
        for space, (first, end, size) in self._free.items():
            last: Any = self._execute(
                "SELECT max(id) FROM term WHERE id >= ? AND id < ?", (first, end)
            ).get
            self._free[space] = (first if last is None else last + 1, end, size)

    # --- terms -----------------------------------------------------------------------------

    def term(self, space: int, text: str) -> int:
        """The number of a term; it gets one if it has none."""
        key = (space, text)
        number = self._terms.get(key)
        if number is None:
            stored = shrink(text) if space >= NO_SYSTEM else text
            for (found,) in self._execute("SELECT id FROM term WHERE text = ?", (stored,)):
                if self._spaces[bisect_right(self._firsts, found) - 1] == space:
                    number = found
            if number is None:
                number = self._new_term(space, stored)
            self._terms[key] = number
            self._learnt.append((self._terms, key))
        return number

    def code(self, system: str, code: str) -> int:
        """The number of a code in a system ("": in none)."""
        space = NO_SYSTEM
        if system:
            space = self._terms.get((URI, system)) or self.term(URI, system)
        return self._terms.get((space, code)) or self.term(space, code)

    def units(self, system: str, code: str, unit: str, canonical: str) -> tuple[int, int, int]:
        """The numbers of a quantity's unit: its code, how it is written, its canonical unit.

        Args:
            system: System of the code.
            code: The code.
            unit: As written; 0 stands for it when it is the code.
            canonical: The canonical unit; 0 stands for none.
        """
        key = (system, code, unit, canonical)
        found = self._units.get(key)
        if found is None:
            coded = self.code(system, code)
            raw = 0 if unit == code else self.term(UNIT, unit)
            stored = self.term(CANONICAL_UNIT, canonical) if canonical else 0
            self.pair("unit_pair", coded, raw, stored or coded)
            found = self._units[key] = (coded, raw, stored)
            self._learnt.append((self._units, key))
        return found

    def _new_term(self, space: int, stored: str | bytes) -> int:
        next, end, size = self._free.get(space, (0, 0, FIRST_BLOCK // 4))
        if next == end:
            next, size = self._next["block"], min(size * 4, LARGEST_BLOCK)
            end = self._next["block"] = next + size
            self._execute("INSERT INTO term_block VALUES (?, ?, ?)", (next, size, space))
            self._firsts.append(next)
            self._spaces.append(space)
            self._has_new_block = True
        self._free[space] = (next + 1, end, size)
        self._execute("INSERT INTO term VALUES (?, ?)", (next, stored))
        return next

    def pair(self, table: str, *numbers: int) -> None:
        """Note that numbers occur together, in one of the tables that exist for that."""
        key = (table, numbers)
        if key not in self._pairs:
            places = ", ".join("?" * len(numbers))
            self._execute(f"INSERT OR IGNORE INTO {table} VALUES ({places})", numbers)
            self._pairs[key] = True
            self._learnt.append((self._pairs, key))

    def words(self, text: str) -> int:
        """The number of a word list; it gets one, and enters the full-text index, if new."""
        digest = blake2b(text.encode(), digest_size=16).digest()
        number = self._words.get(digest)
        if number is None:
            # Most that are not remembered are new: told by trying, not by looking.
            stored: str | bytes = text
            if len(text) > LONGEST_PLAIN:
                stored = self._squeeze(text.encode())
            self._execute(
                "INSERT INTO word_list (digest, words) VALUES (?, ?) ON CONFLICT DO NOTHING",
                (digest, stored),
            )
            if self._connection.changes():
                number = self._connection.last_insert_rowid()
                self._execute("INSERT INTO word_index (rowid, words) VALUES (?, ?)", (number, text))
            else:
                number = self._execute("SELECT id FROM word_list WHERE digest = ?", (digest,)).get
            self._words[digest] = number
            self._learnt.append((self._words, digest))
        return number

    # --- reference targets -----------------------------------------------------------------

    def target(self, tenant: int, type: int, id: str) -> int:
        """The row id of a reference's target, reserved if there is no such resource yet.

        Args:
            tenant: Tenant key.
            type: Number of the resource type, `NO_TYPE` for a url.
            id: Logical id, or the url.
        """
        key = (tenant, type, id)
        rid = self._targets.get(key)
        if rid is None:
            if type != NO_TYPE:
                rid = self._execute(
                    "SELECT rid FROM resource WHERE tenant = ? AND type = ? AND id = ?", key
                ).get
            if rid is None and self._has_reserved:
                rid = self._execute(
                    "SELECT rid FROM reserved WHERE tenant = ? AND type = ? AND id = ?", key
                ).get
            if rid is None:
                rid = self._fresh_rid()
                self._execute("INSERT INTO reserved VALUES (?, ?, ?, ?)", (rid, *key))
                self._has_reserved = True
            self._targets[key] = rid
            self._learnt.append((self._targets, key))
        return rid

    def row_id(self, tenant: int, type: int, id: str) -> int:
        """The row id for a resource that has none: the one reserved for it, or a fresh one."""
        key = (tenant, type, id)
        rid: Any = None
        if self._has_reserved:
            rid = self._execute(
                "SELECT rid FROM reserved WHERE tenant = ? AND type = ? AND id = ?", key
            ).get
            if rid is not None:
                self._execute("DELETE FROM reserved WHERE rid = ?", (rid,))
        if rid is None:
            rid = self._fresh_rid()
        self._targets[key] = rid
        self._learnt.append((self._targets, key))
        return int(rid)

    def reserve(self, tenant: int, type: int, id: str, rid: int) -> None:
        """Keep the row id of a resource that is removed for those that refer to it."""
        self._execute("INSERT INTO reserved VALUES (?, ?, ?, ?)", (rid, tenant, type, id))
        self._has_reserved = True

    def release(self, tenant: int, type: int, id: str) -> None:
        """Forget the row id of a resource that is removed and that nothing refers to."""
        self._targets.pop((tenant, type, id), None)

    def _fresh_rid(self) -> int:
        rid = self._next["rid"]
        self._next["rid"] = rid + 1
        return rid

    # --- groups and shapes -----------------------------------------------------------------

    def groups(self, type: int, flavour: int, keys: tuple[int, ...]) -> tuple[int, ...]:
        """The group of the parameters that share a value, in nearly all cases just one.

        A type whose resources mix parameters in too many ways gets a group per parameter.

        Args:
            type: Number of the resource type.
            flavour: One of the flavours.
            keys: Parameter keys; order and repeats do not matter.
        """
        found = self._groups.get((type, flavour, keys))
        if found is None:
            ordered = tuple(sorted(set(keys)))
            found = self._groups.get((type, flavour, ordered))
            if found is None:
                found = self._new_groups(type, flavour, ordered)
            if ordered != keys and len(self._groups) < LARGEST_CACHE:
                self._groups[type, flavour, keys] = found
                self._learnt.append((self._groups, (type, flavour, keys)))
        return found

    def _new_groups(self, type: int, flavour: int, keys: tuple[int, ...]) -> tuple[int, ...]:
        count = self._counts.get(("index_group", type), 0)
        if len(keys) > 1 and count >= MOST_GROUPS:
            return tuple(self.groups(type, flavour, (key,))[0] for key in keys)
        number = self._next["index_group"]
        self._next["index_group"] = number + 1
        self._execute(
            "INSERT INTO index_group VALUES (?, ?, ?, ?)", (number, type, flavour, _encode(keys))
        )
        self._counts["index_group", type] = count + 1
        self._keys[number] = keys
        self._groups[type, flavour, keys] = (number,)
        self._learnt.append((self._groups, (type, flavour, keys)))
        return (number,)

    def shape(self, type: int, groups: Sequence[int]) -> int:
        """The shape of a resource whose rows are in these groups."""
        distinct = tuple(dict.fromkeys(groups))
        number = self._shape_of_groups.get(distinct)
        if number is None:
            keys = tuple(sorted({key for group in distinct for key in self._keys[group]}))
            number = self._shapes.get((type, keys))
            if number is None:
                number = self._new_shape(type, keys)
            self._shape_of_groups[distinct] = number
        return number

    def _new_shape(self, type: int, keys: tuple[int, ...]) -> int:
        count = self._counts.get(("index_shape", type), 0)
        if count >= MOST_SHAPES:
            return NO_SHAPE
        number = self._next["index_shape"]
        self._next["index_shape"] = number + 1
        self._execute("INSERT INTO index_shape VALUES (?, ?, ?)", (number, type, _encode(keys)))
        self._counts["index_shape", type] = count + 1
        self._shapes[type, keys] = number
        self._learnt.append((self._shapes, (type, keys)))
        return number
