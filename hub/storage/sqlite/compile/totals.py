"""How many match: exactly, or about.

Spec: https://hl7.org/fhir/R4/search.html#total
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hub.storage.sqlite.compile.fragments import Source, Sql, union
from hub.storage.sqlite.compile.planner import Planner

Types = tuple[int, ...]

EXACT: Final = 1000
"""Matches up to which an estimate is exact."""

SAMPLE: Final = 2000
"""Candidates of which the share that matches is taken."""

MOST_COUNTED: Final = 200_000


def live(planner: Planner, types: Types) -> int:
    """Current resources of the types, as the store counts them."""
    chosen = f" AND type IN ({', '.join(map(str, types))})" if types else ""
    statement = f"SELECT ifnull(sum(live), 0) FROM statistics WHERE tenant = ?{chosen}"
    return int(planner.one(statement, planner.tenant))


def exact(
    planner: Planner, sources: Sequence[Source], is_disjoint: bool, most: int | None = None
) -> int:
    """Rows that the sources list, each once; at most so many are counted."""
    is_unique = all(source.is_unique for source in sources) and (is_disjoint or len(sources) == 1)
    rows = union([source.select(f"{source.rid} AS rid") for source in sources])
    distinct = "" if is_unique else "DISTINCT "
    limit = "" if most is None else f" LIMIT {most}"
    statement = f"SELECT count(*) FROM (SELECT {distinct}rid FROM ({rows.text}){limit})"
    return int(planner.one(statement, *rows.values))


def estimate(
    planner: Planner, sources: Sequence[Source], is_disjoint: bool, types: Types
) -> tuple[int, bool]:
    """About how many rows the sources list, and whether that is an estimate."""
    counted = exact(planner, sources, is_disjoint, EXACT + 1)
    if counted <= EXACT:
        return counted, False
    about = 0.0
    for source in sources:
        if source.estimate is not None:
            about += source.estimate
            continue
        candidates = planner.count((source,), MOST_COUNTED)
        about += candidates * _share(planner, source)
    return max(EXACT + 1, min(round(about), live(planner, types))), True


def _share(planner: Planner, source: Source) -> float:
    """The share of a source's first candidates that meet its check."""
    if source.check.text == "1":
        return 1.0
    tables, where, check = source.tables, source.where, source.check
    statement = Sql(
        f"SELECT avg(met) FROM (SELECT ({check.text}) AS met FROM {tables.text}"
        f" WHERE {where.text} LIMIT {SAMPLE})",
        check.values + tables.values + where.values,
    )
    return float(planner.one(*statement[:1], *statement.values) or 0.0)
