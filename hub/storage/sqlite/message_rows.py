"""Reading the log of messages: rows of arrivals and departures. Called by `message_log`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import apsw
import msgspec

from hub.storage.message_log import Arrival, ArrivalRow, Departure, DepartureRow, MessageQuery
from hub.storage.sqlite.message_schema import (
    ARRIVAL_NUMBER,
    ARRIVAL_STATES,
    DEPARTURE_NUMBER,
    DEPARTURE_STATES,
    QUEUED,
    WAITING,
)
from hub.storage.sqlite.record import Reader, snapshot

_ARRIVALS = (
    "SELECT arrival.row, repeats, settled, sender, control_id, kind, site, {raw}, length(raw),"
    " keys, time, state, answer, reason, address"
    " FROM arrival {index} CROSS JOIN arrival_raw USING (row) WHERE tenant = ?"
)
_ONE_ARRIVAL = _ARRIVALS + " AND arrival.row = ?"
ARRIVAL = _ONE_ARRIVAL.format(raw="raw", index="")
ARRIVAL_TOLD = _ONE_ARRIVAL.format(raw="x''", index="")
ARRIVALS_WAITING = (
    _ARRIVALS.format(raw="raw", index="INDEXED BY arrival_open")
    + f" AND state <> 1 AND state = {WAITING}"
    " AND arrival.row > ? ORDER BY arrival.row LIMIT ?"
)
_DEPARTURES = (
    "SELECT departure.row, destination, control_id, kind, {raw}, time, focus, names, state,"
    " attempts, due, answer, reason, length(raw)"
    " FROM departure {index} CROSS JOIN departure_raw USING (row) WHERE tenant = ?"
)
_ONE_DEPARTURE = _DEPARTURES + " AND departure.row = ?"
DEPARTURE = _ONE_DEPARTURE.format(raw="raw", index="")
DEPARTURE_TOLD = _ONE_DEPARTURE.format(raw="x''", index="")
DUE = (
    _DEPARTURES.format(raw="raw", index="INDEXED BY departure_open")
    + f" AND state <> 2 AND state = {QUEUED}"
    " AND destination = ? ORDER BY departure.row LIMIT ?"
)
NEWEST_NAMED = (
    "SELECT max(row) FROM (SELECT row FROM departure WHERE tenant = ?1 AND control_id = ?2"
    " UNION ALL SELECT row FROM departure_name WHERE tenant = ?1 AND name = ?2)"
)
COUNTS = (
    "SELECT direction, peer, state, messages FROM message_count"
    " WHERE tenant = ? AND messages <> 0 ORDER BY direction, peer, state"
)
MARK = "SELECT key, value FROM mark WHERE tenant = ? AND key = ?"
MARKS = "SELECT key, value FROM mark WHERE tenant = ? AND key IN (SELECT value FROM json_each(?))"

texts = msgspec.msgpack.Decoder(tuple[str, ...]).decode


def arrivals(found: Iterable[Any]) -> Iterator[ArrivalRow]:
    """Rows of `ARRIVAL` and the like, each read when it is asked for."""
    for row, repeats, settled, sender, name, kind, site, raw, size, keys, time, *ending in found:
        state, answer, reason, address = ending
        yield ArrivalRow(
            row,
            Arrival(
                sender,
                name,
                kind,
                site,
                raw,
                texts(keys),
                time,
                ARRIVAL_STATES[state],
                answer,
                reason,
                address,
            ),
            repeats,
            settled,
            size,
        )


def departures(found: Iterable[Any]) -> Iterator[DepartureRow]:
    """Rows of `DEPARTURE` and the like, each read when it is asked for."""
    for row, destination, name, kind, raw, time, focus, names, state, *progress in found:
        made = Departure(destination, name, kind, raw, time, focus, texts(names))
        yield DepartureRow(row, made, DEPARTURE_STATES[state], *progress)


def find_arrivals(reader: Reader, tenant: int, query: MessageQuery) -> list[ArrivalRow]:
    """Arrivals, newest first; on a reading thread."""
    execute = reader.connection.execute
    sql = ARRIVAL if query.whole else ARRIVAL_TOLD
    with snapshot(reader.connection):
        rows = _find(reader.connection, tenant, query, "arrival", "site", ARRIVAL_NUMBER, "stored")
        return list(arrivals(row for at in rows for row in execute(sql, (tenant, at))))


def find_departures(reader: Reader, tenant: int, query: MessageQuery) -> list[DepartureRow]:
    """Departures, newest first; on a reading thread."""
    execute = reader.connection.execute
    sql = DEPARTURE if query.whole else DEPARTURE_TOLD
    with snapshot(reader.connection):
        rows = _find(
            reader.connection, tenant, query, "departure", "destination", DEPARTURE_NUMBER, "done"
        )
        return list(departures(row for at in rows for row in execute(sql, (tenant, at))))


def _find(
    connection: apsw.Connection,
    tenant: int,
    query: MessageQuery,
    table: str,
    peer: str,
    numbers: dict[Any, int],
    usual: str,
) -> list[int]:
    """Numbers of the rows that a query is for, by the index that lists fewest.

    Args:
        connection: A reading one.
        tenant: Tenant key.
        query: What is asked.
        table: `arrival` or `departure`.
        peer: Its column with the site or destination.
        numbers: Of the states.
        usual: The state that is in no index.
    """
    if query.state and query.state not in numbers:
        return []
    wheres: list[str] = []
    bindings: list[Any] = [tenant]
    index = ""
    if query.peer:
        wheres.append(f"{peer} = ?")
        bindings.append(query.peer)
        index = f"{table}_{peer}"
    if query.state:
        wheres.append(f"state = {numbers[query.state]}")
        if query.state != usual:
            wheres.append(f"state <> {numbers[usual]}")
            index = f"{table}_open"
    if query.control_id:
        wheres.append("control_id = ?")
        bindings.append(query.control_id)
        index = f"{table}_control_id"
    if query.kind:
        wheres.append("(kind = ? OR kind >= ? AND kind < ?)")
        bindings += (query.kind, f"{query.kind}^", f"{query.kind}_")
    if query.before is not None:
        wheres.append("row < ?")
        bindings.append(query.before)
    choice = f"INDEXED BY {index}" if index else "NOT INDEXED"
    conditions = "".join(f" AND {where}" for where in wheres)
    sql = f"SELECT row FROM {table} {choice} WHERE tenant = ?{conditions} ORDER BY row DESC LIMIT ?"
    found: list[Any] = connection.execute(sql, (*bindings, query.count)).fetchall()
    return [row for (row,) in found]
