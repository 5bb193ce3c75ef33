"""Is every message whole, and do the numbers of messages tell the truth? Called by `verify`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import apsw

from hub.storage.port import Finding
from hub.storage.sqlite.message_rows import texts
from hub.storage.sqlite.message_schema import ARRIVAL_STATES, DEPARTURE_STATES
from hub.storage.sqlite.message_writes import digest_of

ARRIVALS = (
    "SELECT arrival.row, site, state, repeats, settled, keys, digest, raw"
    " FROM arrival LEFT JOIN arrival_raw USING (row) WHERE tenant = ? ORDER BY arrival.row"
)
DEPARTURES = (
    "SELECT departure.row, destination, state, attempts, due, names, raw"
    " FROM departure LEFT JOIN departure_raw USING (row) WHERE tenant = ? ORDER BY departure.row"
)
NAMES = "SELECT name, row FROM departure_name WHERE tenant = ?"
COUNTS = (
    "SELECT direction, peer, state, messages FROM message_count WHERE tenant = ? AND messages <> 0"
)
STRAYS = (
    "SELECT 'arrival', row FROM arrival_raw WHERE row NOT IN (SELECT row FROM arrival)"
    " UNION ALL SELECT 'departure', row FROM departure_raw"
    " WHERE row NOT IN (SELECT row FROM departure)"
)

Place = tuple[str, str, str]


def findings(connection: apsw.Connection, tenant: int) -> Iterator[Finding]:
    """What is wrong with a tenant's messages; bytes without a message are told of any tenant.

    Args:
        connection: A reading one, within a snapshot.
        tenant: Tenant key.
    """
    counted = Counter[Place]()
    repeats = 0
    rows: Any = connection.execute(ARRIVALS, (tenant,))
    for row, site, state, repeated, settled, keys, digest, raw in rows:
        where = f"message in {row}"
        if not 0 <= state < len(ARRIVAL_STATES) or repeated < 0 or settled < 0:
            yield Finding(where, "its state, repeats or time is impossible")
            continue
        if raw is None or digest_of(raw) != digest:
            yield Finding(where, "its bytes are missing or were changed")
        texts(keys)
        counted["in", site, ARRIVAL_STATES[state]] += 1
        repeats += repeated
    named = set[tuple[str, int]]()
    rows = connection.execute(DEPARTURES, (tenant,))
    for row, destination, state, attempts, due, names, raw in rows:
        where = f"message out {row}"
        if not 0 <= state < len(DEPARTURE_STATES) or attempts < 0 or due < 0:
            yield Finding(where, "its state, attempts or time is impossible")
            continue
        if raw is None:
            yield Finding(where, "its bytes are missing")
        named.update((name, row) for name in texts(names))
        counted["out", destination, DEPARTURE_STATES[state]] += 1
    rows = connection.execute(NAMES, (tenant,))
    for _, row in named.symmetric_difference((name, row) for name, row in rows):
        yield Finding(f"message out {row}", "it is not found by its names, or by others")
    yield from _miscounted(connection, tenant, counted, repeats)
    rows = connection.execute(STRAYS)
    for direction, row in rows:
        yield Finding(f"{direction} {row}", "bytes belong to no message")


def _miscounted(
    connection: apsw.Connection, tenant: int, counted: Counter[Place], repeats: int
) -> Iterator[Finding]:
    """Numbers that are not those of the rows, and whether what was received is all there."""
    kept: dict[Place, int] = {}
    taken = {"received": 0, "repeat": 0}
    rows: Any = connection.execute(COUNTS, (tenant,))
    for direction, peer, state, number in rows:
        if direction == "in" and state in taken:
            taken[state] += number
        else:
            kept[direction, peer, state] = number
    if kept != counted:
        yield Finding("messages", "the numbers of messages by state are wrong")
    here = sum(number for (direction, _, _), number in counted.items() if direction == "in")
    if taken["repeat"] != repeats or taken["received"] != here + repeats:
        yield Finding("messages", "received is not what is there and was repeated")
