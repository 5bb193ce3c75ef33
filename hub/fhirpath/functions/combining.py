"""Combining: union, combine, coalesce.

http://hl7.org/fhirpath/N1/#combining; coalesce is of the current build.
"""

from __future__ import annotations

from typing import Any

from hub.fhirpath.code import Code, described
from hub.fhirpath.operators import union
from hub.fhirpath.site import Function, Site


def _types(parts: list[Code]) -> tuple[str, ...] | None:
    found: dict[str, None] = {}
    for part in parts:
        if part.types is None:
            return None
        found.update(dict.fromkeys(part.types))
    return tuple(found)


def _union(site: Site) -> Code:
    return union([site.source, site.argument(0)])


def _combine(site: Site) -> Code:
    other = site.argument(0)
    first, second = described(site.source), described(other)

    def run(node: Any, context: Any) -> Any:
        return [*first(node, context), *second(node, context)]

    return Code(site.holding(run), False, _types([site.source, other]))


def _coalesce(site: Site) -> Code:
    parts = [site.argument(index) for index in range(len(site.arguments))]
    runs = [described(part) for part in parts]

    def run(node: Any, context: Any) -> Any:
        for each in runs:
            found = each(node, context)
            if found:
                return found
        return ()

    return Code(run, False, _types(parts))


FUNCTIONS = {
    "union": Function(_union, 1, 1),
    "combine": Function(_combine, 1, 1, loops=True),
    "coalesce": Function(_coalesce, 1, 16),
}
