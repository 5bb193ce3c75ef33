"""A code system with what its supplements add: words, properties, extensions.

Supplements are used only when they are asked for, by `useSupplement` or by a value set's
extension. Spec: https://hl7.org/fhir/R4/codesystem.html#supplements
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from terminology.core.shapes import CodeSystem, Columns, objects


def supplemented(base: CodeSystem, supplements: Sequence[CodeSystem]) -> CodeSystem:
    """The code system with what supplements add; concepts of theirs that it lacks are left out.

    Args:
        base: Not changed.
        supplements: In order; none: the base itself.
    """
    if not supplements:
        return base
    columns = Columns(
        base.columns.codes,
        base.columns.displays,
        base.columns.definitions,
        dict(base.columns.designations),
        dict(base.columns.properties),
        base.columns.parents,
        dict(base.columns.extensions),
    )
    declared = objects(base.resource.get("property"))
    for one in supplements:
        declared += objects(one.resource.get("property"))
        _add(base, columns, one)
    return CodeSystem({**base.resource, "property": declared}, columns)


def _add(base: CodeSystem, columns: Columns, one: CodeSystem) -> None:
    for ordinal, code in enumerate(one.columns.codes):
        place = base.find(code)
        if place is None:
            continue
        words = [
            msgspec.structs.replace(word, source=one.canonical)
            for word in one.designations(ordinal)
        ]
        _extend(columns.designations, place, words)
        _extend(columns.properties, place, one.properties(ordinal))
        _extend(columns.extensions, place, one.extensions(ordinal))


def _extend(column: dict[int, list[Any]], place: int, more: Iterable[Any]) -> None:
    added = list(more)
    if added:
        column[place] = [*column.get(place, ()), *added]
