"""Short ways to make commits for the contract suite."""

from __future__ import annotations

from typing import Any

from hub.search.query import Criterion, Ids, Query
from hub.search.values import LINK_KEY, IndexRows, ReferenceRow
from hub.storage.port import AuditRecord, Commit, Matches, Method, Store, Write, Written

TENANT = 1
CLOCK = 1_700_000_000_000
AUDIT = AuditRecord("C", "create", "local", "request-1")


def tail(text: str) -> bytes:
    """A stored body that says `text`."""
    return b'},"note":"' + text.encode() + b'"}'


def refers_to(*targets: str) -> IndexRows:
    """Index rows of a resource with these literal references (`Patient/a`)."""
    rows = tuple(ReferenceRow(LINK_KEY, *target.split("/")) for target in targets)
    return IndexRows(references=rows)


def put(
    target: str,
    text: str = "x",
    method: Method = "PUT",
    rows: IndexRows | None = None,
    **fields: Any,
) -> Write:
    """A write that stores type/id."""
    type, id = target.split("/")
    return Write(method, type, id, tail(text), rows or IndexRows(), **fields)


def delete(target: str, **fields: Any) -> Write:
    """A write that deletes type/id."""
    type, id = target.split("/")
    return Write("DELETE", type, id, **fields)


def commit_of(*writes: Write, tenant: int = TENANT, **fields: Any) -> Commit:
    """A commit of these writes."""
    return Commit(tenant, writes, **{"audit": AUDIT, "clock": CLOCK, **fields})


async def store_one(store: Store, write: Write, **fields: Any) -> Written:
    """Commit one write and give its result."""
    return (await store.commit(commit_of(write, **fields))).results[0]


def matches(type: str, *ids: str, criterion: Criterion | None = None) -> Matches:
    """A search by ids (or another criterion) that has to find exactly these ids."""
    query = Query((type,), criterion or Ids(ids), count=2)
    return Matches(query, frozenset(ids))
