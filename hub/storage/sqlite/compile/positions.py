"""`near`: a belt of latitudes from the table, then the distance itself.

Spec: https://hl7.org/fhir/R4/location.html#positional
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from hub.search.distance import EARTH_RADIUS, metres
from hub.search.query import NearValue
from hub.storage.sqlite.compile.fragments import (
    MOST_PLACES,
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
from hub.storage.sqlite.interner import CODE

Types = tuple[int, ...]


def positions(planner: Planner, key: int, values: Sequence[NearValue], types: Types) -> Leaf:
    """The parameter has a position within the distance of one of the places.

    Args:
        planner: The compilation.
        key: Key of the parameter.
        values: Places and distances.
        types: Numbers of the types searched, empty for all.
    """
    groups = planner.lexicon.groups_of(key, CODE, types)
    if not groups or not values:
        return NOTHING
    known = frozenset(groups)

    def is_near(entry: Entry) -> bool:
        flat = entry.positions
        return any(
            flat[place] in known
            and metres(flat[place + 1], flat[place + 2], value.latitude, value.longitude)
            <= value.metres
            for place in range(0, len(flat), 3)
            for value in values
        )

    def probe(row: Row) -> Sql:
        return planner.test(is_near, row)

    if len(values) > MOST_PLACES:
        return Leaf("near", probe)
    return Leaf("near", probe, tuple(_belt(planner, groups, value) for value in values))


def _belt(planner: Planner, groups: tuple[int, ...], value: NearValue) -> Source:
    table = planner.alias()
    # A little wider than need be, for rounding.
    reach = math.degrees(value.metres / EARTH_RADIUS) * 1.001 + 1e-6
    return Source(
        Sql(f"position AS {table}"),
        both(
            Sql(f"{table}.tenant = ?", (planner.tenant,)),
            Sql(one_of_known(f"{table}.grp", groups)),
            Sql(
                f"{table}.latitude BETWEEN ? AND ?",
                (value.latitude - reach, value.latitude + reach),
            ),
        ),
        f"{table}.rid",
        check=Sql(
            f"hub_metres({table}.latitude, {table}.longitude, ?, ?) <= ?",
            (value.latitude, value.longitude, value.metres),
        ),
    )
