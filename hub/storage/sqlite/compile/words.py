"""Full text: `_text` and `_content` by the words of distinct texts.

Spec: https://hl7.org/fhir/R4/search.html#text
"""

from __future__ import annotations

from hub.search.query import Words
from hub.storage.sqlite.compile.fragments import (
    NOTHING,
    Leaf,
    Row,
    Source,
    Sql,
    both,
    one_of_known,
)
from hub.storage.sqlite.compile.planner import Planner
from hub.storage.sqlite.compile.tokens import terms_leaf
from hub.storage.sqlite.entry import Entry
from hub.storage.sqlite.interner import CONTENT, NARRATIVE
from hub.storage.sqlite.lexicon import Terms

Types = tuple[int, ...]

NO_LIST = 0
"""No word list has this number. NULL would not do: FTS5 takes `rowid = NULL` as no condition."""


def words(planner: Planner, criterion: Words, types: Types) -> Leaf:
    """Every word occurs in the narrative, or anywhere."""
    flavour = NARRATIVE if criterion.field == "text" else CONTENT
    groups = planner.lexicon.groups_of(0, flavour, types)
    if not groups or not criterion.words:
        return NOTHING
    sought = " ".join(f'"{_quoted(word)}"' for word in criterion.words)
    listed = planner.rows(
        Sql(
            "SELECT rowid FROM word_index WHERE word_index MATCH ? LIMIT ?",
            (sought, planner.limits.early + 1),
        )
    )
    if len(listed) <= planner.limits.early:
        lists = Terms(tuple(number for (number,) in listed))
        return terms_leaf(planner, "words", groups, lists)
    known = frozenset(groups)

    def word_list(entry: Entry) -> int:
        flat = entry.tokens
        for place in range(0, len(flat), 3):
            if flat[place] in known:
                return flat[place + 1]
        return NO_LIST

    def probe(row: Row) -> Sql:
        return Sql(
            "+EXISTS (SELECT 1 FROM word_index WHERE word_index MATCH ?"
            f" AND rowid = hub_value(?, {row.packed}))",
            (sought, planner.functions.add(word_list)),
        )

    table = planner.alias()
    source = Source(
        Sql(f"token AS {table}"),
        both(
            Sql(f"{table}.tenant = ?", (planner.tenant,)),
            Sql(one_of_known(f"{table}.grp", groups)),
            Sql(
                f"{table}.value IN (SELECT rowid FROM word_index WHERE word_index MATCH ?)",
                (sought,),
            ),
        ),
        f"{table}.rid",
        f"{table}.date",
    )
    return Leaf("words", probe, (source,))


def _quoted(word: str) -> str:
    return word.replace('"', '""')
