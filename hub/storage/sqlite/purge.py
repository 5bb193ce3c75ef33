"""Forgets terms, texts and reserved row ids that no resource uses any more.

Deleting or changing a resource leaves its terms behind, for others may share them. After an
expunge they have to go: `due` notes it, and the next sweep looks through all entries and
removes what none of them holds. Called by `hub.storage.sqlite.upkeep`, on the writer's thread.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import apsw

from hub.storage.sqlite.entry import (
    QUANTITY_PART,
    REFERENCE_PART,
    TOKEN_PART,
    URI_PART,
    Entry,
    decode,
)
from hub.storage.sqlite.interner import CONTENT, NARRATIVE, Interner


class Used:
    """Numbers that entries hold."""

    def __init__(self, word_groups: Iterable[int]) -> None:
        """Nothing is used yet.

        Args:
            word_groups: Groups whose rows hold word lists instead of terms.
        """
        self.terms: set[int] = {0}
        self.lists: set[int] = set()
        self.targets: set[int] = set()
        self._word_groups = frozenset(word_groups)

    def add(self, entry: Entry) -> None:
        """Take note of an entry's numbers."""
        flat = entry.tokens
        for place in range(0, len(flat), 3):
            if flat[place] in self._word_groups:
                self.lists.add(flat[place + 1])
            else:
                self.terms.update(flat[place + 1 : place + 3])
        self.targets.update(entry.references[1::3])
        for place in range(0, len(entry.quantities), 8):
            self._add_quantity(entry.quantities[place + 1 : place + 8])
        for parts in entry.composites[1::2]:
            for kind, *fields in parts:
                if kind in (TOKEN_PART, URI_PART):
                    self.terms.update(fields[:2])
                elif kind == REFERENCE_PART:
                    self.targets.add(fields[0])
                elif kind == QUANTITY_PART:
                    self._add_quantity(fields)

    def _add_quantity(self, fields: list[Any]) -> None:
        _, _, code, unit, _, _, canonical = fields
        self.terms.update((code, unit, canonical))


def due(connection: apsw.Connection) -> None:
    """Note that the next sweep has to purge."""
    connection.execute("INSERT OR REPLACE INTO purge_due VALUES (1)")


def purge_if_due(connection: apsw.Connection, interner: Interner) -> int:
    """Purge if an expunge asked for it; gives how many terms and word lists went."""
    return purge(connection, interner) if connection.execute("SELECT * FROM purge_due").get else 0


def purge(connection: apsw.Connection, interner: Interner) -> int:
    """Remove what no entry holds; gives how many terms and word lists went.

    Args:
        connection: The write connection, in a transaction.
        interner: The connection's interner; it forgets everything.
    """
    used = Used(
        number
        for (number,) in connection.execute(
            "SELECT id FROM index_group WHERE flavour IN (?, ?)", (NARRATIVE, CONTENT)
        )
    )
    rows: Any = connection.execute("SELECT packed FROM entry")
    for (packed,) in rows:
        used.add(decode(packed))
    systems: Any = connection.execute("SELECT space FROM term_block")
    used.terms.update(space for (space,) in systems if space > 0)
    gone = _purge_terms(connection, used) + _purge_words(connection, used)
    unused = _unused(connection, "SELECT rid FROM reserved", used.targets)
    connection.executemany("DELETE FROM reserved WHERE rid = ?", unused)
    connection.execute("DELETE FROM purge_due")
    interner.reset()
    return gone


def _unused(connection: apsw.Connection, select: str, used: set[int]) -> list[tuple[int]]:
    rows: Any = connection.execute(select)
    return [row for row in rows if row[0] not in used]


def _purge_terms(connection: apsw.Connection, used: Used) -> int:
    unused = _unused(connection, "SELECT id FROM term WHERE text <> x''", used.terms)
    # The last number of a block shows how far the block is used up, so it stays, blank: it must
    # not be given out again.
    connection.executemany("UPDATE term SET text = x'' WHERE id = ?", unused)
    connection.execute(
        "DELETE FROM term WHERE text = x'' AND id NOT IN (SELECT (SELECT max(t.id) FROM term AS t"
        " WHERE t.id >= b.first AND t.id < b.first + b.size) FROM term_block AS b)"
    )
    for table, columns in (("token_text", "text, term"), ("unit_pair", "code, unit, stored")):
        pairs: Any = connection.execute(f"SELECT {columns} FROM {table}")
        old = [pair for pair in pairs if not used.terms.issuperset(pair)]
        where = " AND ".join(f"{column} = ?" for column in columns.split(", "))
        connection.executemany(f"DELETE FROM {table} WHERE {where}", old)
    return len(unused)


def _purge_words(connection: apsw.Connection, used: Used) -> int:
    unused = _unused(connection, "SELECT id FROM word_list", used.lists)
    if unused:
        connection.executemany("DELETE FROM word_index WHERE rowid = ?", unused)
        connection.executemany("DELETE FROM word_list WHERE id = ?", unused)
        # Deleted words stay in the index's segments until these are merged.
        connection.execute("INSERT INTO word_index (word_index) VALUES ('optimize')")
    return len(unused)
