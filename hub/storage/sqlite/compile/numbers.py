"""Number and quantity criteria.

Quantities are kept in canonical UCUM units where they have any, so a value with a canonical
unit is a range of the table; any other is compared as written, on rows whose stored unit may
have been written so. Spec: https://hl7.org/fhir/R4/search.html#number and #quantity
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hub.search.query import NumberValue, QuantityValue
from hub.search.ranges import Alternatives, Condition, number_conditions
from hub.storage.sqlite.compile.fragments import (
    MOST_PLACES,
    NOTHING,
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
from hub.storage.sqlite.compile.range_tests import RangeTest, range_test
from hub.storage.sqlite.entry import NO_TERM, Entry
from hub.storage.sqlite.index_tables import raw_range, stored_range
from hub.storage.sqlite.interner import CANONICAL_UNIT, CODE, UNIT

Types = tuple[int, ...]


def numbers(planner: Planner, key: int, values: Sequence[NumberValue], types: Types) -> Leaf:
    """The parameter has a number that one of the values allows.

    Args:
        planner: The compilation.
        key: Key of the parameter.
        values: Numbers with prefixes.
        types: Numbers of the types searched, empty for all.
    """
    groups = planner.lexicon.groups_of(key, CODE, types)
    if not groups or not values:
        return NOTHING
    known = frozenset(groups)
    alternatives = tuple(group for value in values for group in number_conditions(value))

    meets = range_test(alternatives)

    def has_number(entry: Entry) -> bool:
        flat = entry.numbers
        return any(
            flat[place] in known and meets(flat[place + 1], flat[place + 2])
            for place in range(0, len(flat), 3)
        )

    def probe(row: Row) -> Sql:
        return planner.test(has_number, row)

    sources = _ranges(planner, groups, (NO_TERM,), alternatives, probe)
    return Leaf("number", probe, tuple(sources))


# --- quantities -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sought:
    """A quantity value whose units are numbers.

    Attributes:
        alternatives: What low and high must meet.
        meets: The same as a function.
        canonical: The canonical unit; None: compare as written.
        codes: Codes of the unit as written; None: any unit.
        units: Unit texts as written that do as well.
        stored: Stored units that may have been written so; None: any.
    """

    alternatives: Alternatives
    meets: RangeTest
    canonical: int | None = None
    codes: frozenset[int] | None = None
    units: frozenset[int] = frozenset()
    stored: tuple[int, ...] | None = None

    def allows(self, quantity: Sequence[Any]) -> bool:
        """Whether a packed quantity (without its group) is such."""
        if self.canonical is not None:
            unit, low, high = stored_range(quantity)
            return unit == self.canonical and self.meets(low, high)
        if self.codes is not None:
            code, unit = quantity[2], quantity[3]
            if code not in self.codes and unit not in self.units:
                return False
        return self.meets(*raw_range(quantity))


def sought_quantity(planner: Planner, value: QuantityValue) -> Sought | None:
    """Look the units of a value up; None when no row can have them."""
    lexicon = planner.lexicon
    if value.canonical_unit:
        unit = lexicon.term(CANONICAL_UNIT, value.canonical_unit)
        if unit is None:
            return None
        alternatives = number_conditions(value, canonical=True)
        return Sought(alternatives, range_test(alternatives), unit, stored=(unit,))
    alternatives = number_conditions(value)
    if not value.code:
        return Sought(alternatives, range_test(alternatives))
    codes = frozenset(lexicon.codes(value.system, value.code).ids)
    unit = lexicon.term(UNIT, value.code) if value.system is None else None
    units = frozenset(() if unit is None else (unit,))
    if not codes and not units:
        return None
    by_code, by_unit = one_of("code", sorted(codes) or [-1]), one_of("unit", sorted(units) or [-1])
    stored = planner.rows(
        Sql(
            f"SELECT stored FROM unit_pair WHERE {by_code.text} UNION"
            f" SELECT stored FROM unit_pair WHERE {by_unit.text}",
            by_code.values + by_unit.values,
        )
    )
    meets = range_test(alternatives)
    return Sought(alternatives, meets, None, codes, units, tuple(unit for (unit,) in stored))


def quantities(planner: Planner, key: int, values: Sequence[QuantityValue], types: Types) -> Leaf:
    """The parameter has a quantity that one of the values allows; arguments as for `numbers`."""
    groups = planner.lexicon.groups_of(key, CODE, types)
    sought = [found for value in values if (found := sought_quantity(planner, value))]
    if not groups or not sought:
        return NOTHING
    known = frozenset(groups)

    def has_quantity(entry: Entry) -> bool:
        flat = entry.quantities
        for place in range(0, len(flat), 8):
            if flat[place] in known:
                quantity = flat[place + 1 : place + 8]
                if any(one.allows(quantity) for one in sought):
                    return True
        return False

    def probe(row: Row) -> Sql:
        return planner.test(has_quantity, row)

    sources: list[Source] = []
    if len(sought) > MOST_PLACES or any(one.stored is None for one in sought):
        sources = _ranges(planner, groups, None, ((),), probe, needs_probe=True)
    else:
        for one in sought:
            if one.canonical is not None:
                sources += _ranges(planner, groups, (one.canonical,), one.alternatives, probe)
            elif one.stored:
                sources += _ranges(planner, groups, one.stored, ((),), probe, needs_probe=True)
    return Leaf("quantity", probe, tuple(sources))


# --- ranges of the tables -------------------------------------------------------------------


def _ranges(
    planner: Planner,
    groups: tuple[int, ...],
    units: tuple[int, ...] | None,
    alternatives: Alternatives,
    probe: Callable[[Row], Sql],
    needs_probe: bool = False,
) -> list[Source]:
    """Sources for a stored number that meets the conditions, points and wide ranges apart."""
    if len(alternatives) > MOST_PLACES:
        alternatives, needs_probe = ((),), True
    sources = []
    for group in alternatives:
        for table, columns in (
            ("number", {"low": "value", "high": "value"}),
            ("wide_number", {"low": "low", "high": "high"}),
        ):
            alias = planner.alias()
            where = both(
                Sql(f"{alias}.tenant = ?", (planner.tenant,)),
                Sql(one_of_known(f"{alias}.grp", groups)),
                *(() if units is None else (one_of(f"{alias}.unit", units),)),
                *(
                    Sql(f"{alias}.{columns[side]} {operator} ?", (bound,))
                    for side, operator, bound in group
                ),
            )
            source = Source(Sql(f"{table} AS {alias}"), where, f"{alias}.rid")
            sources.append(source.checked(probe(source.row)) if needs_probe else source)
    return sources


def condition_on(low: str, high: str, alternatives: Alternatives) -> Sql:
    """The conditions on two columns.

    Args:
        low: Expression of the low end.
        high: Expression of the high end.
        alternatives: What they must meet.
    """
    columns = {"low": low, "high": high}

    def meets(condition: Condition) -> Sql:
        side, operator, bound = condition
        return Sql(f"{columns[side]} {operator} ?", (bound,))

    return either([both(*map(meets, group)) for group in alternatives])
