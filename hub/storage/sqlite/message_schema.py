"""Tables of the log of messages. Part of the whole schema; called by `migrations`.

Bytes lie apart from what is known of a message, so that lists pass over them quickly.
"""

from __future__ import annotations

from typing import Any, get_args

from hub.storage.message_log import ArrivalState, DepartureState

ARRIVAL_STATES: tuple[Any, ...] = get_args(ArrivalState)
DEPARTURE_STATES: tuple[Any, ...] = get_args(DepartureState)
"""A row holds the place of its state in these: add new ones at the end."""

ARRIVAL_NUMBER = {name: number for number, name in enumerate(ARRIVAL_STATES)}
DEPARTURE_NUMBER = {name: number for number, name in enumerate(DEPARTURE_STATES)}

WAITING = ARRIVAL_NUMBER["waiting"]
QUARANTINED = ARRIVAL_NUMBER["quarantined"]
QUEUED = DEPARTURE_NUMBER["queued"]

DDL = """
-- Messages that came in (see hub/storage/message_log.py); digest is the SHA-256 of the bytes.
CREATE TABLE arrival (
    row INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    sender TEXT NOT NULL,
    control_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    site TEXT NOT NULL,
    keys BLOB NOT NULL,
    time INTEGER NOT NULL,
    address TEXT NOT NULL,
    digest BLOB NOT NULL,
    repeats INTEGER NOT NULL,
    state INTEGER NOT NULL,
    settled INTEGER NOT NULL,
    answer BLOB NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE INDEX arrival_control_id ON arrival (tenant, control_id, sender, digest);
CREATE INDEX arrival_site ON arrival (tenant, site, row);
-- All that is not stored: few.
CREATE INDEX arrival_open ON arrival (tenant, state, row) WHERE state <> 1;
CREATE TABLE arrival_raw (
    row INTEGER PRIMARY KEY,
    raw BLOB NOT NULL
) STRICT;

-- Messages to send.
CREATE TABLE departure (
    row INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    destination TEXT NOT NULL,
    control_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    time INTEGER NOT NULL,
    focus TEXT NOT NULL,
    names BLOB NOT NULL,
    state INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    due INTEGER NOT NULL,
    answer BLOB NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX departure_control_id ON departure (tenant, control_id);
CREATE INDEX departure_destination ON departure (tenant, destination, row);
-- All that is not done: few.
CREATE INDEX departure_open ON departure (tenant, state, destination, row) WHERE state <> 2;
CREATE TABLE departure_raw (
    row INTEGER PRIMARY KEY,
    raw BLOB NOT NULL
) STRICT;
CREATE TABLE departure_name (
    tenant INTEGER NOT NULL,
    name TEXT NOT NULL,
    row INTEGER NOT NULL,
    PRIMARY KEY (tenant, name, row)
) STRICT, WITHOUT ROWID;

-- What the log remembers beside the record.
CREATE TABLE mark (
    tenant INTEGER NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;

-- Messages by direction (in, out), site or destination, and state, `received` or `repeat`.
CREATE TABLE message_count (
    tenant INTEGER NOT NULL,
    direction TEXT NOT NULL,
    peer TEXT NOT NULL,
    state TEXT NOT NULL,
    messages INTEGER NOT NULL,
    PRIMARY KEY (tenant, direction, peer, state)
) STRICT, WITHOUT ROWID;
"""
