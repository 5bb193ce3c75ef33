"""Composite criteria: the components' values belong to one element of the resource.

The table leads with the first component's token, uri or reference and carries the second's
range, so most composites need nothing else; the rest is tested on the packed tuples.
Spec: https://hl7.org/fhir/R4/search.html#composite
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hub.search.folding import fold, matches_string
from hub.search.query import (
    CompositeValue,
    DateValue,
    NumberValue,
    QuantityValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
    Value,
)
from hub.search.ranges import Alternatives, date_conditions, number_conditions
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
from hub.storage.sqlite.compile.keyed import Keys
from hub.storage.sqlite.compile.numbers import condition_on, sought_quantity
from hub.storage.sqlite.compile.planner import Planner
from hub.storage.sqlite.compile.range_tests import range_test
from hub.storage.sqlite.entry import (
    DATE_PART,
    NUMBER_PART,
    QUANTITY_PART,
    REFERENCE_PART,
    STRING_PART,
    TOKEN_PART,
    URI_PART,
    Entry,
)
from hub.storage.sqlite.interner import CODE, URI

Types = tuple[int, ...]
PartTest = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Component:
    """One component's value, compiled.

    Attributes:
        allows: Tests a packed part.
        ids: What the first column may hold; None: cannot be listed.
        condition: Makes the condition on unit, low and high of the second; None: there is none.
    """

    allows: PartTest
    ids: tuple[int, ...] | None = None
    condition: Callable[[str], Sql] | None = None


def composites(planner: Planner, key: int, values: Sequence[CompositeValue], types: Types) -> Leaf:
    """The parameter has a tuple that one of the values allows.

    Args:
        planner: The compilation.
        key: Key of the parameter.
        values: Tuples of values.
        types: Numbers of the types searched, empty for all.
    """
    groups = planner.lexicon.groups_of(key, CODE, types)
    if not groups or not values:
        return NOTHING
    known = frozenset(groups)
    sought = [[_component(planner, part) for part in value.parts] for value in values]

    def has_tuple(entry: Entry) -> bool:
        flat = entry.composites
        return any(
            flat[place] in known and any(_allows(one, flat[place + 1]) for one in sought)
            for place in range(0, len(flat), 2)
        )

    def probe(row: Row) -> Sql:
        return planner.test(has_tuple, row)

    keys = [_keys(planner, groups, one) for one in sought]
    if all(one is not None and one.are_few(planner) for one in keys):

        def probe_table(row: Row) -> Sql:
            return either([one.exists(planner, row) for one in keys if one and not one.is_empty])

        return Leaf(
            "composite",
            probe_table,
            tuple(source for one in keys if one for source in one.sources(planner)),
        )
    sources = [_source(planner, groups, one, probe) for one in sought]
    return Leaf("composite", probe, tuple(sources))


def _allows(components: Sequence[Component], parts: Sequence[Any]) -> bool:
    return len(parts) == len(components) and all(
        component.allows(part) for component, part in zip(components, parts, strict=True)
    )


def _keys(
    planner: Planner, groups: tuple[int, ...], components: Sequence[Component]
) -> Keys | None:
    """What to look up when the table's columns alone tell; None when they do not."""
    if len(components) != 2 or components[0].ids is None or components[1].condition is None:
        return None
    return Keys("composite", "value", groups, components[0].ids, (), components[1].condition)


def _source(
    planner: Planner,
    groups: tuple[int, ...],
    components: Sequence[Component],
    probe: Callable[[Row], Sql],
) -> Source:
    """Rows that may have such a tuple, tested one by one."""
    table = planner.alias()
    where = both(
        Sql(f"{table}.tenant = ?", (planner.tenant,)),
        Sql(one_of_known(f"{table}.grp", groups)),
    )
    first = components[0].ids if components else ()
    if first is not None:
        where = both(where, one_of(f"{table}.value", first) if first else NOWHERE)
    source = Source(Sql(f"composite AS {table}"), where, f"{table}.rid", f"{table}.date")
    return source.checked(probe(source.row))


# --- components -----------------------------------------------------------------------------


def _component(planner: Planner, value: Value) -> Component:
    match value:
        case TokenValue():
            return _token(planner, value)
        case ReferenceValue():
            return _reference(planner, value)
        case UriValue(uri):
            term = planner.lexicon.term(URI, uri)
            ids = () if term is None else (term,)
            return Component(
                lambda part: part[0] == URI_PART and part[1] == term,
                ids,
                lambda table: _key(table, URI_PART, ids),
            )
        case QuantityValue():
            return _quantity(planner, value)
        case NumberValue():
            numbers = number_conditions(value)
            meets_number = range_test(numbers)
            return Component(
                lambda part: part[0] == NUMBER_PART and meets_number(part[1], part[2]),
                None,
                lambda table: _range(table, NUMBER_PART, numbers),
            )
        case DateValue():
            dates = date_conditions(value)
            meets_date = range_test(dates)
            return Component(
                lambda part: part[0] == DATE_PART and meets_date(part[1], part[1] + part[2]),
                None,
                lambda table: _range(table, DATE_PART, dates),
            )
        case StringValue(_, folded):
            return Component(
                lambda part: (
                    part[0] == STRING_PART
                    and matches_string(fold(part[1]) if part[2] is None else part[2], folded)
                )
            )
        case _:
            return Component(lambda part: False, ())


def _key(table: str, kind: int, ids: tuple[int, ...]) -> Sql:
    if not ids:
        return NOWHERE
    return both(Sql(f"{table}.unit = {-1 - kind}"), one_of(f"{table}.low", ids))


def _range(table: str, kind: int, alternatives: Alternatives) -> Sql:
    return both(Sql(f"{table}.unit = {-1 - kind}"), _ends(table, alternatives))


def _ends(table: str, alternatives: Alternatives) -> Sql:
    return condition_on(f"{table}.low", f"ifnull({table}.high, {table}.low)", alternatives)


def _token(planner: Planner, value: TokenValue) -> Component:
    ids, ranges = planner.lexicon.codes(value.system, value.code)
    wanted = frozenset(ids)

    def allows(part: Any) -> bool:
        if part[0] != TOKEN_PART or part[3] != CODE:
            return False
        return part[1] in wanted or any(low <= part[1] <= high for low, high in ranges)

    if ranges:
        return Component(allows)
    return Component(allows, ids, lambda table: _key(table, TOKEN_PART, ids))


def _reference(planner: Planner, value: ReferenceValue) -> Component:
    lexicon = planner.lexicon
    found = lexicon.url_target(planner.tenant, value.url) if value.url else []
    if value.id:
        numbers = lexicon.types.numbers
        names = (value.type,) if value.type else tuple(numbers)
        found += lexicon.targets(
            planner.tenant, [numbers[name] for name in names if name in numbers], value.id
        )
    wanted = frozenset(found)

    def allows(part: Any) -> bool:
        return (
            part[0] == REFERENCE_PART
            and part[1] in wanted
            and (not value.version or part[2] == value.version)
        )

    ids = tuple(-rid for rid in found)
    if value.version:
        return Component(allows)
    return Component(allows, ids, lambda table: _key(table, REFERENCE_PART, ids))


def _quantity(planner: Planner, value: QuantityValue) -> Component:
    sought = sought_quantity(planner, value)
    if sought is None:
        return Component(lambda part: False, ())

    def allows(part: Any) -> bool:
        return part[0] == QUANTITY_PART and sought.allows(part[1:])

    unit = sought.canonical
    if unit is None:
        return Component(allows)
    return Component(
        allows,
        None,
        lambda table: both(Sql(f"{table}.unit = ?", (unit,)), _ends(table, sought.alternatives)),
    )
