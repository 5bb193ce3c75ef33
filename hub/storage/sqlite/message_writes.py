"""What changes the log of messages: actions on the writer's thread (see `writer`).

Each counts what it does in the transaction, so that the numbers of messages need no counting.
One that comes from another process carries a key under which its result is remembered (table
`idempotency`): sent again after a lost connection, it is answered and not done twice.
Called by `local_writer`; `check` and `end` by `commit`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from hub.storage.message_log import (
    AlreadySettled,
    Arrival,
    Departure,
    DepartureState,
    Receipt,
    Settled,
    check_settled,
)
from hub.storage.refusals import PreconditionChanged
from hub.storage.sqlite.message_schema import (
    ARRIVAL_NUMBER,
    ARRIVAL_STATES,
    DEPARTURE_NUMBER,
    DEPARTURE_STATES,
    QUARANTINED,
    QUEUED,
    WAITING,
)
from hub.storage.sqlite.transaction import Transaction

T = TypeVar("T")

MADE = "SELECT result FROM idempotency WHERE tenant = ? AND key = ?"
REMEMBER = "INSERT INTO idempotency VALUES (?, ?, ?, ?)"
_PREFIX = "message "

SAME = (
    "SELECT row, state, answer FROM arrival"
    " WHERE tenant = ? AND control_id = ? AND sender = ? AND digest = ?"
)
NAMED = "SELECT 1 FROM arrival WHERE tenant = ? AND control_id = ? AND sender = ? LIMIT 1"
COUNT_REPEAT = "UPDATE arrival SET repeats = repeats + 1 WHERE row = ?"
ARRIVE = (
    "INSERT INTO arrival (tenant, sender, control_id, kind, site, keys, time, address, digest,"
    " repeats, state, settled, answer, reason)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?)"
)
KEEP_ARRIVED = "INSERT INTO arrival_raw VALUES (?, ?)"
STATE = "SELECT state, site FROM arrival WHERE row = ? AND tenant = ?"
SETTLE = "UPDATE arrival SET state = ?, settled = ?, answer = ?, reason = ? WHERE row = ?"
MARKED = "SELECT value FROM mark WHERE tenant = ? AND key = ?"
MARK = "INSERT OR REPLACE INTO mark VALUES (?, ?, ?)"
UNMARK = "DELETE FROM mark WHERE tenant = ? AND key = ?"

DEPARTED = "SELECT row FROM departure WHERE tenant = ? AND control_id = ?"
DEPART = (
    "INSERT INTO departure (tenant, destination, control_id, kind, time, focus, names, state,"
    " attempts, due, answer, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, x'', '')"
)
KEEP_DEPARTED = "INSERT INTO departure_raw VALUES (?, ?)"
NAME = "INSERT OR IGNORE INTO departure_name VALUES (?, ?, ?)"
TAKE_OUT = "DELETE FROM outbox WHERE tenant = ? AND row = ?"
ATTEMPTS = "SELECT destination, state, answer FROM departure WHERE row = ? AND tenant = ?"
ATTEMPTED = (
    "UPDATE departure SET state = ?, attempts = attempts + ?, due = ?, answer = ?, reason = ?"
    " WHERE row = ?"
)

_encode = msgspec.msgpack.Encoder().encode


def digest_of(raw: bytes) -> bytes:
    """What tells the bytes of one message from those of another."""
    return hashlib.sha256(raw).digest()


def once(
    work: Transaction, tenant: int, key: str, type: Any, action: Callable[[Transaction], T]
) -> T:
    """Do something, unless it was done under this key.

    Args:
        work: The writer's transaction.
        tenant: Tenant key.
        key: Made for this request only.
        type: Of the result, for msgspec.
        action: What to do.
    """
    made: Any = work.connection.execute(MADE, (tenant, _PREFIX + key)).get
    if made is not None:
        found: T = msgspec.msgpack.decode(made, type=type)
        return found
    result = action(work)
    bindings = (tenant, _PREFIX + key, work.updated, _encode(result))
    work.connection.execute(REMEMBER, bindings)
    return result


def receive(work: Transaction, tenant: int, arrival: Arrival) -> Receipt:
    """Keep an arrival, or count a repeat."""
    connection = work.connection
    named = (tenant, arrival.control_id, arrival.sender)
    digest = digest_of(arrival.raw)
    same: Any = connection.execute(SAME, (*named, digest)).fetchone()
    if same is not None:
        row, state, answer = same
        connection.execute(COUNT_REPEAT, (row,))
        work.count_messages(tenant, "in", arrival.site, "repeat", 1)
        receipt = Receipt(row, True, ARRIVAL_STATES[state], answer, False)
    else:
        reused = bool(arrival.control_id) and connection.execute(NAMED, named).get is not None
        connection.execute(
            ARRIVE,
            (
                tenant,
                arrival.sender,
                arrival.control_id,
                arrival.kind,
                arrival.site,
                _encode(arrival.keys),
                arrival.time,
                arrival.address,
                digest,
                ARRIVAL_NUMBER[arrival.state],
                0 if arrival.state == "waiting" else arrival.time,
                arrival.answer,
                arrival.reason,
            ),
        )
        row = connection.last_insert_rowid()
        connection.execute(KEEP_ARRIVED, (row, arrival.raw))
        work.count_messages(tenant, "in", arrival.site, arrival.state, 1)
        receipt = Receipt(row, False, arrival.state, arrival.answer, reused)
    work.count_messages(tenant, "in", arrival.site, "received", 1)
    return receipt


def check(work: Transaction, tenant: int, settled: Settled) -> str:
    """Whether an arrival can be settled so; gives its site.

    Raises:
        AlreadySettled: It does not wait.
        PreconditionChanged: A mark has changed.
        ValueError: See `check_settled`.
    """
    check_settled(settled)
    found: Any = work.connection.execute(STATE, (settled.row, tenant)).fetchone()
    if found is None or found[0] != WAITING:
        raise AlreadySettled
    for key, _, before in settled.marks:
        if before is not None:
            marked: Any = work.connection.execute(MARKED, (tenant, key)).get
            if (marked or b"") != before:
                raise PreconditionChanged(-1, ())
    site: str = found[1]
    return site


def end(work: Transaction, tenant: int, site: str, settled: Settled) -> None:
    """End the work on an arrival of a site, once checked."""
    bindings = (
        ARRIVAL_NUMBER[settled.state],
        settled.time,
        settled.answer,
        settled.reason,
        settled.row,
    )
    work.connection.execute(SETTLE, bindings)
    work.connection.executemany(MARK, [(tenant, *mark[:2]) for mark in settled.marks])
    work.count_messages(tenant, "in", site, "waiting", -1)
    work.count_messages(tenant, "in", site, settled.state, 1)


def settle(work: Transaction, tenant: int, settled: Settled) -> None:
    """End the work on an arrival that writes nothing to the record."""
    end(work, tenant, check(work, tenant, settled), settled)


def reopen(work: Transaction, tenant: int, row: int, time: int) -> bool:
    """Let a quarantined arrival wait again."""
    found: Any = work.connection.execute(STATE, (row, tenant)).fetchone()
    if found is None or found[0] != QUARANTINED:
        return False
    work.connection.execute(SETTLE, (WAITING, time, b"", "", row))
    work.count_messages(tenant, "in", found[1], "quarantined", -1)
    work.count_messages(tenant, "in", found[1], "waiting", 1)
    return True


def depart(
    work: Transaction, tenant: int, departures: Sequence[Departure], outbox: Sequence[int]
) -> list[int]:
    """Queue messages and take what they were made from out of the outbox."""
    connection = work.connection
    rows: list[int] = []
    for one in departures:
        found: Any = connection.execute(DEPARTED, (tenant, one.control_id)).get
        if found is not None:
            rows.append(found)
            continue
        names = _encode(one.names)
        about = (one.destination, one.control_id, one.kind, one.time, one.focus, names)
        connection.execute(DEPART, (tenant, *about, QUEUED))
        row = connection.last_insert_rowid()
        connection.execute(KEEP_DEPARTED, (row, one.raw))
        for name in one.names:
            connection.execute(NAME, (tenant, name, row))
        work.count_messages(tenant, "out", one.destination, "queued", 1)
        rows.append(row)
    for number in outbox:
        connection.execute(TAKE_OUT, (tenant, number))
    return rows


def attempted(
    work: Transaction,
    tenant: int,
    row: int,
    state: DepartureState,
    due: int,
    answer: bytes,
    reason: str,
) -> bool:
    """Note what came of an attempt or an answer."""
    found: Any = work.connection.execute(ATTEMPTS, (row, tenant)).fetchone()
    if found is None:
        return False
    destination, before, last = found
    bindings = (DEPARTURE_NUMBER[state], before == QUEUED, due, answer or last, reason, row)
    work.connection.execute(ATTEMPTED, bindings)
    work.count_messages(tenant, "out", destination, DEPARTURE_STATES[before], -1)
    work.count_messages(tenant, "out", destination, state, 1)
    return True


def forget_mark(work: Transaction, tenant: int, type: str, id: str) -> None:
    """Remove the mark of a resource that is expunged."""
    work.connection.execute(UNMARK, (tenant, f"{type}/{id}"))
