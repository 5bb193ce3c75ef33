"""Filtering and projection: where, select, repeat, ofType.

http://hl7.org/fhirpath/N1/#filtering-and-projection.
"""

from __future__ import annotations

from typing import Any

from hub.fhirpath.code import EMPTY, Code, described, focus, many
from hub.fhirpath.equality import identity
from hub.fhirpath.functions.types import of_type
from hub.fhirpath.site import Body, Function, Site


def _where(site: Site) -> Code:
    source = site.source
    if source.empty:
        return EMPTY
    body = site.body(0)
    test = site.truth(body.code)
    run = source.run
    if source.single and not body.indexed:

        def one(node: Any, context: Any) -> Any:
            found = run(node, context)
            return None if found is None or not test(found, context) else found

        return Code(one, True, source.types, source.raw)
    sequence = many(source)
    if body.indexed:
        judged = body.over(test)

        def indexed(node: Any, context: Any) -> Any:
            nodes = sequence(node, context)
            kept = judged(nodes, context)
            return [item for item, keep in zip(nodes, kept, strict=True) if keep]

        return Code(indexed, False, source.types, source.raw, source.ordered)

    def filtered(node: Any, context: Any) -> Any:
        nodes = run(node, context)
        if not nodes:
            return ()
        return [item for item in nodes if test(item, context)]

    return Code(filtered, False, source.types, source.raw, source.ordered)


def _select(site: Site) -> Code:
    source = site.source
    if source.empty:
        return EMPTY
    body = site.body(0)
    code = body.code
    if code.empty:
        return EMPTY
    inner = code.run
    if source.single and code.single and not body.indexed:
        run = source.run

        def one(node: Any, context: Any) -> Any:
            found = run(node, context)
            return None if found is None else inner(found, context)

        return Code(one, True, code.types, code.raw)
    if site.compiler.guarded:
        return _counted_select(site, body)
    sequence = many(source)
    each = body.over(inner)

    def projected(node: Any, context: Any) -> Any:
        found = each(sequence(node, context), context)
        if code.single:
            return [item for item in found if item is not None]
        return [item for items in found for item in items]

    return Code(projected, False, code.types, code.raw, source.ordered)


def _counted_select(site: Site, body: Body) -> Code:
    """select() that refuses too many items while they arrive."""
    source, code = site.source, body.code
    sequence, inner = many(source), many(code)

    def projected(node: Any, context: Any) -> Any:
        outer = context.index
        found: list[Any] = []
        for index, item in enumerate(sequence(node, context)):
            context.index = index
            results = inner(item, context)
            found.extend(results)
            context.hold(len(found), len(results))
        context.index = outer
        return found

    return Code(projected, False, code.types, code.raw, source.ordered)


def _repetition(site: Site, unique: bool) -> Code:
    """repeat() and repeatAll(): the results, their results, and so on."""
    source = described(site.source)
    # What comes out is fed in again, so nothing static is known of the focus.
    body = site.guard(site.body(0, focus(None, None)).code)
    project = described(body)
    site.compiler.need_context()

    def run(node: Any, context: Any) -> Any:
        found: list[Any] = []
        seen: set[Any] = set()
        level = source(node, context)
        while level:
            below: list[Any] = []
            for item in level:
                for result in project(item, context):
                    if unique:
                        key = identity(result)
                        if key in seen:
                            continue
                        seen.add(key)
                    below.append(result)
            found.extend(below)
            context.hold(len(found), len(below))
            level = below
        return found

    return Code(run, False, None)


def _repeat(site: Site) -> Code:
    return _repetition(site, unique=True)


def _repeat_all(site: Site) -> Code:
    return _repetition(site, unique=False)


def _of_type(site: Site) -> Code:
    return of_type(site)


FUNCTIONS = {
    "where": Function(_where, 1, 1),
    "select": Function(_select, 1, 1),
    "repeat": Function(_repeat, 1, 1, loops=True),
    "repeatAll": Function(_repeat_all, 1, 1, loops=True),
    "ofType": Function(_of_type, 1, 1),
}
