"""Criteria on other resources: chains and `_has`.

An inner criterion that few resources meet is looked up first, which turns the chain into a
criterion on their row ids. Otherwise it is joined, or tested through the row at hand.
Spec: https://hl7.org/fhir/R4/search.html#chaining and #has
"""

from __future__ import annotations

from collections.abc import Callable

from hub.search.query import Chain, Criterion, Has
from hub.storage.sqlite.compile.fragments import (
    EVERYTHING,
    NOTHING,
    Leaf,
    Node,
    Row,
    Source,
    Sql,
    both,
    one_of_known,
    union,
)
from hub.storage.sqlite.compile.logic import drive, probe
from hub.storage.sqlite.compile.planner import Planner
from hub.storage.sqlite.compile.references import targets_leaf
from hub.storage.sqlite.compile.rows import rids_leaf, targets_at, targets_of, type_condition, walk
from hub.storage.sqlite.entry import Entry
from hub.storage.sqlite.interner import CODE

Types = tuple[int, ...]
Plan = Callable[[Planner, Criterion, Types], Node]


def chain(planner: Planner, criterion: Chain, types: Types, plan: Plan) -> Leaf:
    """A reference points to a resource of a type that meets the inner criterion.

    Args:
        planner: The compilation.
        criterion: The chain.
        types: Numbers of the types searched, empty for all.
        plan: Compiles the inner criterion.
    """
    target = planner.lexicon.types.numbers.get(criterion.target, 0)
    groups = planner.lexicon.groups_of(criterion.parameter.key, CODE, types)
    inner = plan(planner, criterion.criterion, (target,))
    if not groups or inner is NOTHING:
        return NOTHING
    label = f"{criterion.parameter.code}:{criterion.target}"
    sources = drive(planner, inner, (target,))
    if sources == ():
        return NOTHING
    found = None if sources is None else _early(planner, sources)
    if found is not None:
        return targets_leaf(planner, label, groups, tuple(found))
    known = frozenset(groups)

    def targets(entry: Entry) -> list[int]:
        return targets_of(entry, known)

    def through(row: Row) -> Sql:
        values, at = planner.alias(), planner.alias()
        table = planner.values(targets, row, values)
        inside = Row(f"{at}.rid", f"{at}.date", f"{at}.shape", f"{at}.packed")
        where = both(type_condition(planner, inside.rid, (target,)), probe(planner, inner, inside))
        return Sql(
            f"+EXISTS (SELECT 1 FROM {table.text} CROSS JOIN entry AS {at}"
            f" ON {at}.rid = {values}.value WHERE {where.text})",
            table.values + where.values,
        )

    if sources is None:
        sources = tuple(
            source.checked(probe(planner, inner, source.row)) for source in walk(planner, (target,))
        )
    rows = union([source.select(f"{source.rid} AS rid") for source in sources])
    outer, table = planner.alias(), planner.alias()
    joined = Source(
        Sql(f"({rows.text}) AS {outer} CROSS JOIN reference AS {table}", rows.values),
        both(
            Sql(f"{table}.tenant = ? AND {table}.target = {outer}.rid", (planner.tenant,)),
            Sql(one_of_known(f"{table}.grp", groups)),
        ),
        f"{table}.rid",
        f"{table}.date",
        estimate=_estimate(planner, sources),
    )
    return Leaf(label, through, (joined,))


def _early(planner: Planner, sources: tuple[Source, ...]) -> list[int] | None:
    """Row ids of a criterion that few rows meet, None if they are many."""
    limits = planner.limits
    if planner.count(sources, limits.scanned) >= limits.scanned:
        return None
    return planner.rids(sources, limits.early)


def _estimate(planner: Planner, sources: tuple[Source, ...]) -> int:
    """About how many rows the inner criterion's rows lead to: some each."""
    return 4 * planner.count(sources, planner.limits.sorted)


def has(planner: Planner, criterion: Has, types: Types, plan: Plan) -> Leaf:
    """A resource of a type that meets the inner criterion points here; arguments as for `chain`."""
    source_type = planner.lexicon.types.numbers.get(criterion.source, 0)
    groups = planner.lexicon.groups_of(criterion.parameter.key, CODE, (source_type,))
    inner = plan(planner, criterion.criterion, (source_type,))
    if not groups or inner is NOTHING:
        return NOTHING
    label = f"_has:{criterion.source}:{criterion.parameter.code}"
    tenant = planner.tenant
    known = frozenset(groups)

    def targets(entry: Entry) -> list[int]:
        return targets_of(entry, known)

    def back(row: Row) -> Sql:
        table = planner.alias()
        entry = f"FROM entry WHERE rid = {table}.rid)"
        inside = Row(
            f"{table}.rid", f"{table}.date", f"(SELECT shape {entry}", f"(SELECT packed {entry}"
        )
        where = both(
            Sql(f"{table}.tenant = ? AND {table}.target = {row.rid}", (tenant,)),
            Sql(one_of_known(f"{table}.grp", groups)),
            probe(planner, inner, inside),
        )
        return Sql(f"+EXISTS (SELECT 1 FROM reference AS {table} WHERE {where.text})", where.values)

    if inner is EVERYTHING:
        return Leaf(label, back)
    sources = drive(planner, inner, (source_type,))
    if sources == ():
        return NOTHING
    if sources is None:
        return Leaf(label, back)
    rids = _early(planner, sources)
    if rids is not None:
        found: dict[int, None] = {}
        for rid in rids:
            found.update(dict.fromkeys(targets_at(planner, rid, known)))
        return rids_leaf(planner, label, found, types or tuple(planner.lexicon.types.names))
    rows = union([source.select(f"{source.rid} AS rid") for source in sources])
    outer, values = planner.alias(), planner.alias()
    at = Row(f"{outer}.rid", "", "", f"(SELECT packed FROM entry WHERE rid = {outer}.rid)")
    table = planner.values(targets, at, values)
    wanted = types or tuple(planner.lexicon.types.names)
    joined = Source(
        Sql(f"({rows.text}) AS {outer} CROSS JOIN {table.text}", rows.values + table.values),
        Sql("1"),
        f"{values}.value",
        check=type_condition(planner, f"{values}.value", wanted),
        estimate=_estimate(planner, sources),
    )
    return Leaf(label, back, (joined,))
