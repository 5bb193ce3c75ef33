"""Criteria on the resource itself: its id, its type, the parameters it has any value for.

Spec: https://hl7.org/fhir/R4/search.html#all and #list, #missing
"""

from __future__ import annotations

from collections.abc import Iterable

from hub.definitions import search_parameters_of
from hub.search.query import Ids
from hub.storage.sqlite.compile.fragments import (
    NOTHING,
    NOWHERE,
    Leaf,
    Row,
    Source,
    Sql,
    both,
    either,
    one_of,
    one_of_known,
)
from hub.storage.sqlite.compile.planner import Planner
from hub.storage.sqlite.entry import Entry, decode
from hub.storage.sqlite.index_tables import groups_of
from hub.storage.sqlite.interner import CODE, NO_SHAPE

Types = tuple[int, ...]

CURRENT = "SELECT rid FROM resource WHERE tenant = ? AND type = ? AND id = ? AND deleted = 0"


def ids(planner: Planner, criterion: Ids, types: Types) -> Leaf:
    """The logical id is one of these."""
    found: dict[int, None] = {}
    for type in types or tuple(planner.lexicon.types.names):
        for id in criterion.ids:
            rid = planner.one(CURRENT, planner.tenant, type, id)
            if rid is not None:
                found[rid] = None
    return rids_leaf(planner, "_id", found)


def list_members(planner: Planner, list_id: str, types: Types) -> Leaf:
    """Referenced by an entry of a List (https://hl7.org/fhir/R4/search.html#list)."""
    lexicon = planner.lexicon
    number = lexicon.types.numbers["List"]
    key = search_parameters_of("List")["item"].key
    groups = frozenset(lexicon.groups_of(key, CODE, (number,)))
    found: dict[int, None] = {}
    for rid in lexicon.targets(planner.tenant, (number,), list_id):
        found.update(dict.fromkeys(targets_at(planner, rid, groups)))
    return rids_leaf(planner, "_list", found, types)


def targets_of(entry: Entry, groups: frozenset[int]) -> list[int]:
    """Row ids that references of these groups hold."""
    flat = entry.references
    return [flat[place + 1] for place in range(0, len(flat), 3) if flat[place] in groups]


def targets_at(planner: Planner, rid: int, groups: frozenset[int]) -> list[int]:
    """Row ids that a resource's references of these groups hold."""
    packed = planner.one("SELECT packed FROM entry WHERE rid = ?", rid)
    return [] if packed is None else targets_of(decode(packed), groups)


def rids_leaf(planner: Planner, label: str, found: Iterable[int], types: Types = ()) -> Leaf:
    """These rows, if they are current resources of the types.

    Args:
        planner: The compilation.
        label: For people.
        found: Row ids.
        types: Numbers of types; empty when the row ids are known to be of the right ones.
    """
    rids = tuple(found)
    if not rids:
        return NOTHING

    def probe(row: Row) -> Sql:
        listed = one_of(row.rid, rids)
        return both(listed, type_condition(planner, row.rid, types)) if types else listed

    table = planner.alias()
    source = Source(
        Sql(f"entry AS {table}"),
        one_of(f"{table}.rid", rids),
        f"{table}.rid",
        f"{table}.date",
        f"{table}.shape",
        f"{table}.packed",
        is_unique=True,
    )
    if types:
        source = source.checked(type_condition(planner, source.rid, types))
    return Leaf(label, probe, (source,))


def type_condition(planner: Planner, rid: str, types: Types) -> Sql:
    """The row is a current resource of one of the types."""
    if not types:
        return NOWHERE
    table = planner.alias()
    return Sql(
        f"+EXISTS (SELECT 1 FROM resource AS {table} WHERE {table}.rid = {rid}"
        f" AND {table}.deleted = 0 AND {one_of_known(f'{table}.type', types)})"
    )


def of_type(planner: Planner, types: Types) -> Leaf:
    """The resource is of one of the types."""
    if not types:
        return NOTHING
    return Leaf("_type", lambda row: type_condition(planner, row.rid, types), walk(planner, types))


def walk(planner: Planner, types: Types) -> tuple[Source, ...]:
    """All current resources of the types, in order of date."""
    sources = []
    for type in types or planner.lexicon.types_held:
        table = planner.alias()
        sources.append(
            Source(
                Sql(f"by_date AS {table}"),
                Sql(f"{table}.tenant = ? AND {table}.type = {type}", (planner.tenant,)),
                f"{table}.rid",
                f"{table}.date",
                f"{table}.shape",
                is_ordered=True,
                is_unique=True,
            )
        )
    return tuple(sources)


def present(planner: Planner, key: int, types: Types) -> Leaf:
    """The parameter has any value."""
    shapes = planner.lexicon.shapes_of(key, types)
    known = frozenset(id for id, group in planner.lexicon.groups.items() if key in group.keys)

    def has_any(entry: Entry) -> bool:
        return not known.isdisjoint(groups_of(entry))

    def probe(row: Row) -> Sql:
        unknown = both(Sql(f"{row.shape} = {NO_SHAPE}"), planner.test(has_any, row))
        return either([one_of(row.shape, shapes), unknown]) if shapes else unknown

    return Leaf("present", probe)
