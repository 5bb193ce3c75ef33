"""Existence: empty, exists, all, count, distinct and the Boolean aggregates.

http://hl7.org/fhirpath/N1/#existence.
"""

from __future__ import annotations

from typing import Any

from hub.fhirpath.code import (
    Code,
    Run,
    absent,
    computed,
    constant,
    described,
    many,
    present,
    to_system,
    values,
)
from hub.fhirpath.equality import distinct, distinct_bare, identity
from hub.fhirpath.functions.tree import children_count
from hub.fhirpath.site import Function, Site
from hub.fhirpath.values import system_type

BOOLEAN = "System.Boolean"


def _empty(site: Site) -> Code:
    if site.source.empty:
        return constant(True, BOOLEAN)
    return computed(absent(site.source), BOOLEAN)


def _exists(site: Site) -> Code:
    if site.source.empty:
        return constant(False, BOOLEAN)
    if not site.arguments:
        return computed(present(site.source), BOOLEAN)
    source, body = many(site.source), site.body(0)
    test = site.truth(body.code)
    if body.indexed:
        judged = body.over(test)
        return computed(
            lambda node, context: True in judged(source(node, context), context), BOOLEAN
        )

    def run(node: Any, context: Any) -> Any:
        for item in source(node, context):  # noqa: SIM110 - any() costs twice as much
            if test(item, context):
                return True
        return False

    return computed(run, BOOLEAN)


def _not(site: Site) -> Code:
    test = site.truth(site.source)

    def run(node: Any, context: Any) -> Any:
        found = test(node, context)
        return None if found is None else not found

    return computed(run, BOOLEAN)


def _all(site: Site) -> Code:
    if site.source.empty:
        return constant(True, BOOLEAN)
    source, body = many(site.source), site.body(0)
    test = site.truth(body.code)
    if body.indexed:
        judged = body.over(test)
        return computed(lambda node, context: all(judged(source(node, context), context)), BOOLEAN)

    def run(node: Any, context: Any) -> Any:
        for item in source(node, context):  # noqa: SIM110 - all() costs twice as much
            if not test(item, context):
                return False
        return True

    return computed(run, BOOLEAN)


def _booleans(site: Site) -> Run:
    """Run to the Booleans of the input; anything else is an error."""
    source, convert = many(site.source), to_system(site.source)

    def run(node: Any, context: Any) -> Any:
        found = []
        for item in source(node, context):
            value = convert(item)
            if value.__class__ is not bool:
                raise site.wrong_input("Booleans", item)
            found.append(value)
        return found

    return run


def _all_true(site: Site) -> Code:
    run = _booleans(site)
    return computed(lambda node, context: all(run(node, context)), BOOLEAN)


def _any_true(site: Site) -> Code:
    run = _booleans(site)
    return computed(lambda node, context: any(run(node, context)), BOOLEAN)


def _all_false(site: Site) -> Code:
    run = _booleans(site)
    return computed(lambda node, context: not any(run(node, context)), BOOLEAN)


def _any_false(site: Site) -> Code:
    run = _booleans(site)
    return computed(lambda node, context: not all(run(node, context)), BOOLEAN)


def _subset(inner: Run, outer: Run) -> Code:
    def run(node: Any, context: Any) -> Any:
        members = {identity(item) for item in outer(node, context)}
        return all(identity(item) in members for item in inner(node, context))

    return computed(run, BOOLEAN)


def _subset_of(site: Site) -> Code:
    return _subset(described(site.source), described(site.argument(0)))


def _superset_of(site: Site) -> Code:
    return _subset(described(site.argument(0)), described(site.source))


def _count(site: Site) -> Code:
    if site.source.empty:
        return constant(0, "System.Integer")
    quick = children_count(site)
    if quick is not None:
        return computed(quick, "System.Integer")
    if site.source.single:
        test = present(site.source)
        return computed(lambda node, context: 1 if test(node, context) else 0, "System.Integer")
    source = site.source.run
    return computed(lambda node, context: len(source(node, context)), "System.Integer")


def _distinct(site: Site) -> Code:
    if site.source.single:
        return site.source
    raw = site.source.raw
    if raw is not None and system_type(raw) is None:
        source = site.source.run
        return Code(lambda node, context: distinct_bare(source(node, context)), False, (raw,), raw)
    run = described(site.source)
    return Code(lambda node, context: distinct(run(node, context)), False, site.source.types)


def _is_distinct(site: Site) -> Code:
    if site.source.raw is not None and system_type(site.source.raw) == "System.String":
        texts = values(site.source)

        def plain(node: Any, context: Any) -> Any:
            found = texts(node, context)
            return len(found) < 2 or len(set(found)) == len(found)

        return computed(plain, BOOLEAN)
    run = described(site.source)

    def judged(node: Any, context: Any) -> Any:
        found = run(node, context)
        return len(found) < 2 or len({identity(item) for item in found}) == len(found)

    return computed(judged, BOOLEAN)


FUNCTIONS = {
    "empty": Function(_empty),
    "exists": Function(_exists, 0, 1),
    "not": Function(_not),
    "all": Function(_all, 1, 1),
    "allTrue": Function(_all_true),
    "anyTrue": Function(_any_true),
    "allFalse": Function(_all_false),
    "anyFalse": Function(_any_false),
    "subsetOf": Function(_subset_of, 1, 1),
    "supersetOf": Function(_superset_of, 1, 1),
    "count": Function(_count),
    "distinct": Function(_distinct),
    "isDistinct": Function(_is_distinct),
}
