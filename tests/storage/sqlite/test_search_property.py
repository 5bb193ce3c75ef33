"""Random index rows and queries give the same pages from SQLite as from the memory store."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from hub.definitions import search_parameters_of
from hub.search.values import IndexRows
from hub.storage.sqlite import index
from hub.storage.sqlite.compile.planner import Limits
from tests.storage import random_searches as random
from tests.storage.sqlite.both import TENANT, Both

LIMITS = (
    Limits(),
    Limits(merged=1, counts=(1, 2)),
    Limits(early=0, scanned=1),
    Limits(
        merged=0, early=0, scanned=1, listed=1, sorted=1, counts=(), listed_first=0, cost_of_test=0
    ),
    Limits(sorted=1, listed=1, listed_first=0, cost_of_test=0),
    Limits(listed_first=0, cost_of_test=0),
)


@lru_cache(maxsize=1)
def _item_key() -> int:
    return search_parameters_of("List")["item"].key


def _with_items(rows: IndexRows) -> IndexRows:
    """References of the first parameter are also entries of a List."""
    items = [
        row._replace(key=_item_key())
        for row in rows.references
        if row.key == random.PARAMETERS["reference"][0].key
    ]
    return structs.replace(rows, references=rows.references + tuple(items))


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(random.changes, st.data(), st.sampled_from(LIMITS))
def test_sqlite_gives_the_pages_that_memory_gives(
    changes: Any, data: st.DataObject, limits: Limits
) -> None:
    both = Both(limits)
    for type, id, rows in changes:
        both.put(type, id, rows and _with_items(rows))
    queries = random.queries_on(changes)
    for _ in range(6):
        query = data.draw(queries)
        from_memory, from_sqlite = both.pages(query)
        assert from_sqlite == from_memory, query


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(random.changes)
def test_index_rows_read_back_as_they_were_written(changes: Any) -> None:
    both = Both()
    for type, id, rows in changes:
        both.put(type, id, rows)
    for row in both.record.rows.values():
        held = index.read(both.connection, TENANT, row.rid, both.searcher.lexicon)
        if row.stored.deleted:
            assert held is None
            continue
        made = {
            name: tuple(sorted(set(value)))
            for name, value in structs.asdict(row.rows).items()
            if isinstance(value, tuple)
        }
        assert held == structs.replace(row.rows, **made)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(random.changes)
def test_nothing_is_left_when_everything_is_deleted(changes: Any) -> None:
    both = Both()
    for type, id, rows in changes:
        both.put(type, id, rows)
    for (_, type, id), row in list(both.record.rows.items()):
        if not row.stored.deleted:
            both.put(type, id, None)
    for table in ("entry", "by_date", *index.KEYS):
        assert both.connection.execute(f"SELECT count(*) FROM {table}").get == 0
