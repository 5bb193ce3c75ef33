"""Subsetting: the indexer, single, first, last, tail, skip, take, intersect, exclude.

http://hl7.org/fhirpath/N1/#subsetting.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub.fhirpath.code import EMPTY, Code, as_described, described, many, one, value
from hub.fhirpath.equality import distinct_bare, frozen, identity
from hub.fhirpath.errors import FHIRPathEvaluationError
from hub.fhirpath.site import Function, Site
from hub.fhirpath.values import system_type

_FEW = 8


def _need_order(site: Site) -> None:
    if site.compiler.strict and not site.source.ordered:
        raise site.misuse("fhirpath-unordered", name=site.name)


def _like(source: Code, run: Any, single: bool = False) -> Code:
    return Code(run, single, source.types, source.raw, source.ordered)


def indexer(source: Code, index: Code, position: int) -> Code:
    """The code of `source[index]`."""
    if source.empty:
        return EMPTY
    sequence, place = many(source), value(index, "[]", position)

    def run(node: Any, context: Any) -> Any:
        at = place(node, context)
        if at.__class__ is not int:
            if at is None:
                return None
            raise FHIRPathEvaluationError(
                "fhirpath-bad-argument", position, name="[]", expected="an integer"
            )
        nodes = sequence(node, context)
        return nodes[at] if 0 <= at < len(nodes) else None

    return _like(source, run, single=True)


def _single(site: Site) -> Code:
    return _like(site.source, one(site.source, site.label, site.position), single=True)


def _first(site: Site) -> Code:
    _need_order(site)
    if site.source.single:
        return site.source
    run = site.source.run

    def first(node: Any, context: Any) -> Any:
        nodes = run(node, context)
        return nodes[0] if nodes else None

    return _like(site.source, first, single=True)


def _last(site: Site) -> Code:
    _need_order(site)
    if site.source.single:
        return site.source
    run = site.source.run

    def last(node: Any, context: Any) -> Any:
        nodes = run(node, context)
        return nodes[-1] if nodes else None

    return _like(site.source, last, single=True)


def _tail(site: Site) -> Code:
    _need_order(site)
    if site.source.single:
        return EMPTY
    run = site.source.run
    return _like(site.source, lambda node, context: run(node, context)[1:])


def _skip(site: Site) -> Code:
    return _cut(site, lambda nodes, count: nodes[max(0, count) :])


def _take(site: Site) -> Code:
    return _cut(site, lambda nodes, count: nodes[: max(0, count)])


def _cut(site: Site, cut: Callable[[Any, int], Any]) -> Code:
    _need_order(site)
    sequence, number = many(site.source), site.integer(0)

    def run(node: Any, context: Any) -> Any:
        count = number(node, context)
        return () if count is None else cut(sequence(node, context), count)

    return _like(site.source, run)


def _bare_pair(site: Site, other: Code) -> bool:
    raw = site.source.raw
    return raw is not None and raw == other.raw and system_type(raw) is None


def _intersect(site: Site) -> Code:
    other = site.argument(0)
    if site.source.empty or other.empty:
        return EMPTY
    if _bare_pair(site, other):
        first, second = many(site.source), many(other)

        def bare(node: Any, context: Any) -> Any:
            nodes = first(node, context)
            members = second(node, context) if nodes else ()
            if len(members) > _FEW:
                keys = {frozen(item) for item in members}
                return distinct_bare([item for item in nodes if frozen(item) in keys])
            return distinct_bare([item for item in nodes if item in members])

        return _like(site.source, site.holding(bare))
    first, second = described(site.source), described(other)

    def run(node: Any, context: Any) -> Any:
        members = {identity(item) for item in second(node, context)}
        found: dict[Any, Any] = {}
        for item in first(node, context):
            key = identity(item)
            if key in members:
                found.setdefault(key, item)
        return list(found.values())

    return _like(as_described(site.source), run)


def _exclude(site: Site) -> Code:
    first, second = described(site.source), described(site.argument(0))

    def run(node: Any, context: Any) -> Any:
        members = {identity(item) for item in second(node, context)}
        return [item for item in first(node, context) if identity(item) not in members]

    return _like(as_described(site.source), run)


FUNCTIONS = {
    "single": Function(_single),
    "first": Function(_first),
    "last": Function(_last),
    "tail": Function(_tail),
    "skip": Function(_skip, 1, 1),
    "take": Function(_take, 1, 1),
    "intersect": Function(_intersect, 1, 1),
    "exclude": Function(_exclude, 1, 1),
}
