"""A search's plan for people: the ways to a page, where candidates come from, SQLite's plan.

No values are shown, for they may be a patient's. Called by `hub.storage.sqlite.search`.
"""

from __future__ import annotations

from collections.abc import Iterator

from hub.storage.sqlite.compile.planner import Planner
from hub.storage.sqlite.compile.route import Way, Ways


def explain(planner: Planner, found: Ways | None) -> Iterator[str]:
    """The plan, line by line.

    Args:
        planner: The compilation.
        found: The ways; None when nothing can match.
    """
    if found is None:
        yield "nothing can match: a value or parameter occurs in no resource"
        return
    for source in found.sources:
        most = planner.limits.sorted
        count = planner.count((source,), most)
        more = "or more " if count == most else ""
        order = ", in order of date" if source.is_ordered else ""
        yield f"candidates: {source.tables.text}, {count} {more}rows{order}"
        if source.check.text != "1":
            yield f"tested by: {source.check.text}"
    for way in found.ways:
        tried = "" if way.seconds is None else f", tried for {way.seconds * 1000:.0f} ms"
        yield f"way: {way.label}{tried}"
        yield from _steps(planner, way)


def _steps(planner: Planner, way: Way) -> Iterator[str]:
    for statement in way.statements:
        yield f"statement: {statement.text}"
        for _, _, _, detail in planner.connection.execute(
            f"EXPLAIN QUERY PLAN {statement.text}", statement.values
        ):
            yield f"step: {detail}"
