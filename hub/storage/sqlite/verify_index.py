"""Do the index tables hold what the entries say, no more, under the right date?

That each entry's rows are there is found by `index.read`, which `check` compares with what
extraction makes; this finds rows too many and entries that belong to no current resource.
Called by `hub.storage.sqlite.verify`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import apsw
import msgspec

from hub.storage.port import Finding
from hub.storage.sqlite.entry import decode
from hub.storage.sqlite.index import KEYS
from hub.storage.sqlite.index_tables import clustering_date, index_tables

_RESOURCES = (
    "SELECT r.rid, n.name, r.id, r.date, e.date, e.packed, b.shape IS e.shape FROM resource AS r"
    " JOIN type_name AS n ON n.type = r.type LEFT JOIN entry AS e ON e.rid = r.rid"
    " LEFT JOIN by_date AS b ON b.tenant = r.tenant AND b.type = r.type AND b.date = e.date"
    " AND b.rid = r.rid WHERE r.tenant = ? AND r.deleted = 0"
)
_STRAY = (
    "SELECT count(*) FROM entry AS e LEFT JOIN resource AS r ON r.rid = e.rid"
    " WHERE r.rid IS NULL OR r.deleted"
)


def findings(connection: apsw.Connection, tenant: int) -> Iterator[Finding]:
    """What is wrong with a tenant's index tables.

    Args:
        connection: Any connection, in one snapshot.
        tenant: Tenant key.
    """
    expected: Counter[str] = Counter()
    rows: Any = connection.execute(_RESOURCES, (tenant,))
    for rid, type, id, date, entered, packed, is_listed in rows:
        where = f"{type}/{id}"
        if packed is None:
            yield Finding(where, "has no index entry")
            continue
        if entered != clustering_date(date):
            yield Finding(where, "is indexed under another date")
        if not is_listed:
            yield Finding(where, "is not in the list by date")
        expected["by_date"] += 1
        try:
            entry = decode(packed)
        except (msgspec.DecodeError, TypeError):
            yield Finding(where, "its index entry is damaged")
            continue
        for table, made in index_tables(entry, tenant, rid, entered).items():
            expected[table] += len({row[: len(KEYS[table])] for row in made})
    for table in ("by_date", *KEYS):
        found: Any = connection.execute(
            f"SELECT count(*) FROM {table} WHERE tenant = ?", (tenant,)
        ).get
        if found != expected[table]:
            yield Finding(table, f"holds {found} rows where {expected[table]} are expected")
    stray: Any = connection.execute(_STRAY).get
    if stray:
        yield Finding("entry", f"{stray} entries belong to no current resource")
