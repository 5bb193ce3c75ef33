"""Reference criteria and compartments: rows by target.

Row ids of targets lead the table, so that everything that refers to a resource lies together
and the references of one parameter come in order of date.
Spec: https://hl7.org/fhir/R4/search.html#reference
"""

from __future__ import annotations

from collections.abc import Sequence

from hub.definitions.shapes import SearchParameter
from hub.search.query import ReferenceValue
from hub.search.values import COMPARTMENT_KEY
from hub.storage.sqlite.compile.fragments import (
    EVERYWHERE,
    Leaf,
    Node,
    Sql,
    either,
)
from hub.storage.sqlite.compile.keyed import Keys, keyed_leaf
from hub.storage.sqlite.compile.logic import some_of
from hub.storage.sqlite.compile.planner import Planner
from hub.storage.sqlite.entry import Entry
from hub.storage.sqlite.interner import CODE, NO_TYPE

Types = tuple[int, ...]


def references(
    planner: Planner,
    parameter: SearchParameter,
    values: Sequence[ReferenceValue],
    modifier: str,
    types: Types,
) -> Node:
    """The parameter refers to one of the targets."""
    groups = planner.lexicon.groups_of(parameter.key, CODE, types)
    targets: dict[str, dict[int, None]] = {}
    for value in values:
        found = _targets(planner, parameter, value)
        targets.setdefault(value.version, {}).update(dict.fromkeys(found))
    leaves: list[Node] = [
        targets_leaf(planner, "reference", groups, tuple(rids), version, modifier == "below")
        for version, rids in targets.items()
    ]
    return some_of(leaves)


def _targets(planner: Planner, parameter: SearchParameter, value: ReferenceValue) -> list[int]:
    lexicon, tenant = planner.lexicon, planner.tenant
    found = lexicon.url_target(tenant, value.url) if value.url else []
    if value.id:
        names = (value.type,) if value.type else parameter.targets or tuple(lexicon.types.numbers)
        numbers = lexicon.types.numbers
        found += lexicon.targets(tenant, [numbers[n] for n in names if n in numbers], value.id)
    return found


def compartment(planner: Planner, name: str, id: str, types: Types) -> Leaf:
    """Member of a compartment, by the materialised rows.

    Spec: https://hl7.org/fhir/R4/compartmentdefinition.html
    """
    number = planner.lexicon.types.numbers.get(name, NO_TYPE)
    targets = planner.lexicon.targets(planner.tenant, (number,), id) if number else []
    groups = planner.lexicon.groups_of(COMPARTMENT_KEY, CODE, types)
    return targets_leaf(planner, "compartment", groups, tuple(targets))


def targets_leaf(
    planner: Planner,
    label: str,
    groups: tuple[int, ...],
    targets: tuple[int, ...],
    version: str = "",
    is_below: bool = False,
) -> Leaf:
    """Rows of the reference table with one of the targets.

    Args:
        planner: The compilation.
        label: For people.
        groups: Groups that hold the parameter.
        targets: Row ids of the targets.
        version: Only references to this version; "" for any.
        is_below: Versions that start with it and a dot count as well.
    """
    known, wanted = frozenset(groups), frozenset(targets)
    start = f"{version}."

    def has_target(entry: Entry) -> bool:
        flat = entry.references
        for place in range(0, len(flat), 3):
            if flat[place] in known and flat[place + 1] in wanted:
                found = flat[place + 2]
                if not version or found == version or (is_below and found.startswith(start)):
                    return True
        return False

    def of_version(table: str) -> Sql:
        if not version:
            return EVERYWHERE
        same = Sql(f"{table}.version = ?", (version,))
        if not is_below:
            return same
        return either((same, Sql(f"substr({table}.version, 1, ?) = ?", (len(start), start))))

    keys = Keys("reference", "target", groups, targets, condition=of_version)
    return keyed_leaf(planner, label, keys, has_target)
