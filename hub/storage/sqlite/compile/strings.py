"""String criteria: prefixes of folded strings and of their Han suffixes, and the modifiers.

Spec: https://hl7.org/fhir/R4/search.html#string
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from hub.search.folding import fold, has_han, matches_string
from hub.search.query import StringValue
from hub.storage.sqlite.compile.fragments import (
    EVERYWHERE,
    NOTHING,
    Leaf,
    Row,
    Source,
    Sql,
    both,
    one_of_known,
)
from hub.storage.sqlite.compile.planner import Planner
from hub.storage.sqlite.entry import Entry
from hub.storage.sqlite.index_tables import LONGEST_KEY, LONGEST_SUFFIX
from hub.storage.sqlite.interner import CODE
from hub.storage.sqlite.lexicon import after_prefix

Types = tuple[int, ...]


def string_matches(folded: str, exact: str, value: StringValue, modifier: str) -> bool:
    """Whether an indexed string meets a value.

    Args:
        folded: The indexed string, folded.
        exact: The same as written.
        value: What is sought.
        modifier: "", `exact`, `contains`, `equals` or `ends`.
    """
    match modifier:
        case "exact":
            return exact == value.text
        case "contains":
            return value.folded in folded
        case "equals":
            return folded == value.folded
        case "ends":
            return folded.endswith(value.folded)
        case _:
            return matches_string(folded, value.folded)


def strings(
    planner: Planner, key: int, values: Sequence[StringValue], modifier: str, types: Types
) -> Leaf:
    """The parameter has a string that matches one of the values.

    Args:
        planner: The compilation.
        key: Key of the parameter.
        values: Strings.
        modifier: "", `exact`, `contains`, `equals` or `ends`.
        types: Numbers of the types searched, empty for all.
    """
    groups = planner.lexicon.groups_of(key, CODE, types)
    if not groups or not values:
        return NOTHING
    known = frozenset(groups)

    def has_string(entry: Entry) -> bool:
        flat = entry.strings
        for place in range(0, len(flat), 3):
            if flat[place] in known:
                exact, folded = flat[place + 1], flat[place + 2]
                if folded is None:
                    folded = fold(exact)
                if any(string_matches(folded, exact, value, modifier) for value in values):
                    return True
        return False

    def probe(row: Row) -> Sql:
        return planner.test(has_string, row)

    sources: list[Source] = []
    for value in values:
        found = SOURCES[modifier](value)
        sources += [_source(planner, groups, part, probe) for part in found]
    return Leaf("string", probe, tuple(sources))


class Part(NamedTuple):
    """Rows of the string table that may match a value.

    Attributes:
        inner: 0 for whole strings, 1 for suffixes.
        keys: Condition on the column `text`, which is written `{}`, that the key answers.
        check: Another condition on it, when none of the row's entry is needed.
        needs_entry: Whether the string itself must be looked at, for the key is cut off.
    """

    inner: int
    keys: Sql
    check: Sql = EVERYWHERE
    needs_entry: bool = False


def _starting(value: StringValue) -> list[Part]:
    sought = value.folded
    parts = [Part(0, _prefix(sought, LONGEST_KEY), EVERYWHERE, len(sought) > LONGEST_KEY)]
    if has_han(sought[:1]):
        longest = LONGEST_SUFFIX
        parts.append(Part(1, _prefix(sought, longest), EVERYWHERE, len(sought) > longest))
    return parts


def _prefix(sought: str, longest: int) -> Sql:
    start = sought[:longest]
    return Sql("{} >= ? AND {} < ?", (start, after_prefix(start)))


def _equal(value: StringValue) -> list[Part]:
    cut = value.folded[:LONGEST_KEY]
    return [Part(0, Sql("{} = ?", (cut,)), EVERYWHERE, len(cut) == LONGEST_KEY)]


def _exact(value: StringValue) -> list[Part]:
    return [Part(0, Sql("{} = ?", (value.folded[:LONGEST_KEY],)), EVERYWHERE, True)]


def _containing(value: StringValue) -> list[Part]:
    return _scan(Sql("instr({}, ?)", (value.folded,)))


def _ending(value: StringValue) -> list[Part]:
    if not value.folded:
        return [Part(0, EVERYWHERE)]
    return _scan(Sql("substr({}, ?) = ?", (-len(value.folded), value.folded)))


def _scan(check: Sql) -> list[Part]:
    """All whole strings; those that are cut off are looked at themselves."""
    return [
        Part(0, EVERYWHERE, both(Sql(f"length({{}}) < {LONGEST_KEY}"), check)),
        Part(0, EVERYWHERE, Sql(f"length({{}}) = {LONGEST_KEY}"), True),
    ]


SOURCES: Mapping[str, Callable[[StringValue], list[Part]]] = {
    "": _starting,
    "exact": _exact,
    "equals": _equal,
    "contains": _containing,
    "ends": _ending,
}


def _source(
    planner: Planner, groups: tuple[int, ...], part: Part, probe: Callable[[Row], Sql]
) -> Source:
    table = planner.alias()
    text = f"{table}.text"
    source = Source(
        Sql(f"string AS {table}"),
        both(
            Sql(f"{table}.tenant = ?", (planner.tenant,)),
            Sql(one_of_known(f"{table}.grp", groups)),
            Sql(f"{table}.inner = {part.inner}"),
            Sql(part.keys.text.format(text, text), part.keys.values),
        ),
        f"{table}.rid",
        check=Sql(part.check.text.format(text, text), part.check.values),
    )
    return source.checked(probe(source.row)) if part.needs_entry else source
