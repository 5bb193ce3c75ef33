"""Brings a database up to the newest schema, one numbered step at a time.

`STEPS[n]` takes version n + 1 to n + 2; an empty file gets the whole schema at once. Each step
runs in a transaction with its version number, so a crash leaves one version or the other.
Called by `writer` when the owner opens the store. Readers only compare versions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import apsw

from hub.storage.port import StoreNewer, StoreUnavailable
from hub.storage.sqlite import audit_search, index, message_schema, schema

Step = Callable[[apsw.Connection], None]


def _add_ledger(connection: apsw.Connection) -> None:
    connection.execute(schema.LEDGER_DDL)


def _add_audit_segments(connection: apsw.Connection) -> None:
    """The table, and the summaries of the rows that are there."""
    connection.execute(schema.AUDIT_SEGMENT_DDL)
    types = schema.load_type_names(connection)
    ends: list[Any] = connection.execute(
        "SELECT tenant, max(row) FROM audit GROUP BY tenant"
    ).fetchall()
    for tenant, newest in ends:
        segment = audit_search.SEGMENT
        for last in range(segment, newest + 1, segment):
            audit_search.seal(connection, types, tenant, last)


def _add_messages(connection: apsw.Connection) -> None:
    connection.execute(message_schema.DDL)


STEPS: tuple[Step, ...] = (_add_ledger, _add_audit_segments, _add_messages)
"""Add one here, and the schema it makes to `schema` or `index`, in the same commit."""


def version(steps: Sequence[Step] = STEPS) -> int:
    """The newest schema version."""
    return len(steps) + 1


def found_version(connection: apsw.Connection) -> int:
    """The database's schema version, 0 for an empty file.

    Raises:
        StoreUnavailable: It is another application's file.
    """
    application = connection.pragma("application_id")
    if application not in (0, schema.APPLICATION_ID):
        raise StoreUnavailable("the database file belongs to another application")
    found = int(str(connection.pragma("user_version")))
    if not found and connection.execute("SELECT count(*) FROM sqlite_schema").get:
        raise StoreUnavailable("the database file belongs to another application")
    return found


def require_current(connection: apsw.Connection, steps: Sequence[Step] = STEPS) -> None:
    """Refuse a database of any other schema version; for readers.

    Raises:
        StoreNewer: A newer release wrote it.
        StoreUnavailable: The owner has not brought it up yet.
    """
    found = found_version(connection)
    if found > version(steps):
        raise StoreNewer(found, version(steps))
    if found < version(steps):
        raise StoreUnavailable("the owner of the store has not migrated it yet")


def upgrade(connection: apsw.Connection, steps: Sequence[Step] = STEPS) -> int:
    """Bring the schema up.

    Args:
        connection: The writing connection.
        steps: The steps, by version.

    Returns:
        The version it had before; 0 for an empty file.

    Raises:
        StoreNewer: A newer release wrote it; nothing was changed.
    """
    found = found_version(connection)
    if found > version(steps):
        raise StoreNewer(found, version(steps))
    if found == 0:
        with connection:
            connection.execute(schema.DDL + index.DDL)
            schema.add_type_names(connection)
            connection.pragma("application_id", schema.APPLICATION_ID)
            connection.pragma("user_version", version(steps))
        return 0
    for number, step in enumerate(steps[found - 1 :], found + 1):
        with connection:
            step(connection)
            connection.pragma("user_version", number)
    with connection:
        schema.add_type_names(connection)
    return found
