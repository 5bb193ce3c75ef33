"""Date criteria, and lastUpdated.

A range is found by where it starts. Where a condition speaks of its end alone, short ranges
are found by a start not long before that, long ones by their end in a table of their own.
Spec: https://hl7.org/fhir/R4/search.html#date
"""

from __future__ import annotations

from collections.abc import Sequence

from hub.search.query import DateValue
from hub.search.ranges import Alternatives, Condition, date_conditions
from hub.storage.sqlite.compile.fragments import (
    EVERYWHERE,
    MOST_PLACES,
    NOTHING,
    Leaf,
    Row,
    Source,
    Sql,
    both,
    either,
    one_of_known,
)
from hub.storage.sqlite.compile.planner import Planner
from hub.storage.sqlite.compile.range_tests import range_test
from hub.storage.sqlite.entry import Entry
from hub.storage.sqlite.index_tables import SHORT
from hub.storage.sqlite.interner import CODE

Types = tuple[int, ...]


def dates(planner: Planner, key: int, values: Sequence[DateValue], types: Types) -> Leaf:
    """The parameter has a date or period that one of the values allows.

    Args:
        planner: The compilation.
        key: Key of the parameter.
        values: Dates with prefixes.
        types: Numbers of the types searched, empty for all.
    """
    groups = planner.lexicon.groups_of(key, CODE, types)
    if not groups or not values:
        return NOTHING
    known = frozenset(groups)
    alternatives = tuple(group for value in values for group in date_conditions(value))

    meets = range_test(alternatives)

    def has_date(entry: Entry) -> bool:
        flat = entry.dates
        for place in range(0, len(flat), 3):
            low = flat[place + 1]
            if flat[place] in known and meets(low, low + flat[place + 2]):
                return True
        return False

    def probe(row: Row) -> Sql:
        return planner.test(has_date, row)

    if len(alternatives) > MOST_PLACES:
        sources = [_by_start(planner, groups, ())]
        sources = [source.checked(probe(source.row)) for source in sources]
    else:
        sources = [_by_start(planner, groups, group) for group in alternatives]
        sources += [
            _by_end(planner, groups, group) for group in alternatives if not _starts_after(group)
        ]
    return Leaf("date", probe, tuple(sources))


def _stored(bound: float) -> int:
    """A bound as SQLite can compare it."""
    return max(-(2**63), min(int(bound), 2**63 - 1))


def _starts_after(group: tuple[Condition, ...]) -> bool:
    """Whether a condition bounds where the range starts, or none bounds its end from below."""
    return any(condition.operator[0] == ">" and condition.side == "low" for condition in group) or (
        not any(condition.operator[0] == ">" for condition in group)
    )


def _by_start(planner: Planner, groups: tuple[int, ...], group: tuple[Condition, ...]) -> Source:
    table = planner.alias()
    low, high = f"{table}.low", f"{table}.low + {table}.span"
    where = [
        Sql(f"{table}.tenant = ?", (planner.tenant,)),
        Sql(one_of_known(f"{table}.grp", groups)),
    ]
    check: list[Sql] = []
    for side, operator, bound in group:
        if side == "low":
            where.append(Sql(f"{low} {operator} ?", (_stored(bound),)))
            continue
        check.append(Sql(f"{high} {operator} ?", (_stored(bound),)))
        # No range starts after it ends; a short one starts not long before.
        if operator[0] == "<":
            where.append(Sql(f"{low} {operator} ?", (_stored(bound),)))
        elif not _starts_after(group):
            where.append(Sql(f"{low} >= ?", (_stored(bound - SHORT),)))
    return Source(Sql(f"date AS {table}"), both(*where), f"{table}.rid", check=both(*check))


def _by_end(planner: Planner, groups: tuple[int, ...], group: tuple[Condition, ...]) -> Source:
    table = planner.alias()
    where = [
        Sql(f"{table}.tenant = ?", (planner.tenant,)),
        Sql(one_of_known(f"{table}.grp", groups)),
    ]
    check: list[Sql] = []
    for side, operator, bound in group:
        condition = Sql(f"{table}.{side} {operator} ?", (_stored(bound),))
        (where if side == "high" else check).append(condition)
    return Source(Sql(f"long_date AS {table}"), both(*where), f"{table}.rid", check=both(*check))


# --- lastUpdated ----------------------------------------------------------------------------


def last_updated(planner: Planner, values: Sequence[DateValue], types: Types) -> Leaf:
    """meta.lastUpdated, which is exact to the millisecond, meets one of the values."""
    if not values:
        return NOTHING
    alternatives = tuple(group for value in values for group in date_conditions(value))

    def probe(row: Row) -> Sql:
        table = planner.alias()
        condition = _updated(f"{table}.updated", alternatives)
        return Sql(
            f"+EXISTS (SELECT 1 FROM resource AS {table} WHERE {table}.rid = {row.rid}"
            f" AND {condition.text})",
            condition.values,
        )

    sources = []
    for group in alternatives if len(alternatives) <= MOST_PLACES else ((),):
        for type in types or tuple(planner.lexicon.types.names):
            table = planner.alias()
            where = both(
                Sql(f"{table}.tenant = ? AND {table}.type = {type}", (planner.tenant,)),
                _updated(f"{table}.updated", (group,)) if group else EVERYWHERE,
            )
            check = Sql(f"{table}.deleted = 0")
            if not group:
                check = both(check, _updated(f"{table}.updated", alternatives))
            sources.append(Source(Sql(f"resource AS {table}"), where, f"{table}.rid", check=check))
    return Leaf("_lastUpdated", probe, tuple(sources))


def _updated(column: str, alternatives: Alternatives) -> Sql:
    """Conditions on a time in milliseconds, which covers as many microseconds."""
    return either(
        [
            both(*(_updated_condition(column, condition) for condition in group))
            for group in alternatives
        ]
    )


def _updated_condition(column: str, condition: Condition) -> Sql:
    side, operator, bound = condition
    bound = _stored(bound)
    # low = 1000 t and high = 1000 (t + 1), turned into conditions on t so that the key answers.
    shift = 0 if side == "low" else 1
    match operator:
        case ">=":
            return Sql(f"{column} >= ?", (-(-bound // 1000) - shift,))
        case ">":
            return Sql(f"{column} > ?", (bound // 1000 - shift,))
        case "<=":
            return Sql(f"{column} <= ?", (bound // 1000 - shift,))
        case _:
            return Sql(f"{column} < ?", (-(-bound // 1000) - shift,))
