"""A search's plan for people: what lists candidates, what tests them, the ways to a page.

Lines that start with a space are details: SQL and SQLite's own plan. No values are shown, for
they may be a patient's. Called by `hub.storage.sqlite.search`.
"""

from __future__ import annotations

from collections.abc import Iterator

from hub.search.explain import name_of
from hub.search.query import And, Query
from hub.storage.sqlite.compile.criteria import plan
from hub.storage.sqlite.compile.fragments import All
from hub.storage.sqlite.compile.logic import choose
from hub.storage.sqlite.compile.planner import Planner
from hub.storage.sqlite.compile.route import Way, Ways

Types = tuple[int, ...]


def explain(planner: Planner, query: Query, types: Types, found: Ways | None) -> Iterator[str]:
    """The plan, line by line.

    Args:
        planner: The compilation.
        query: What was compiled.
        types: Numbers of its types, empty for all.
        found: The ways; None when nothing can match.
    """
    if found is None:
        yield "finds nothing: a value or parameter occurs in no resource"
        return
    lister, tests = _roles(planner, query, types)
    most = planner.limits.sorted
    count = planner.count(found.sources, most)
    more = " or more" if count >= most else ""
    is_ordered = all(source.is_ordered for source in found.sources)
    order = ", in order of date" if is_ordered else ""
    yield f"candidates: {count}{more} by {lister}{order}"
    if tests:
        yield f"each tested by: {', '.join(tests)}"
    for way in found.ways:
        tried = "" if way.seconds is None else f", for {way.seconds * 1000:.0f} ms at most; else"
        yield f"way: {way.label}{tried}"
        yield from _steps(planner, way)


def _roles(planner: Planner, query: Query, types: Types) -> tuple[str, list[str]]:
    """What lists candidates, and what they are tested by; chosen as `logic.drive` does."""
    criterion = query.criterion
    parts = criterion.criteria if isinstance(criterion, And) else (criterion,)
    nodes = [plan(planner, part, types) for part in parts]
    leaves = tuple(
        one for node in nodes for one in (node.nodes if isinstance(node, All) else (node,))
    )
    chosen = choose(planner, leaves)
    everything = f"type ({', '.join(query.types) or 'all'})"
    lister, tests = everything, []
    for part, node in zip(parts, nodes, strict=True):
        if chosen is node or (isinstance(node, All) and chosen in node.nodes):
            lister = name_of(part)
        else:
            tests.append(name_of(part))
    return lister, tests


def _steps(planner: Planner, way: Way) -> Iterator[str]:
    for statement in way.statements:
        yield f"  {statement.text}"
        for _, _, _, detail in planner.connection.execute(
            f"EXPLAIN QUERY PLAN {statement.text}", statement.values
        ):
            yield f"    {detail}"
