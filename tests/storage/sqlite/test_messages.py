"""Messages on disk: damage is found, copies hold them, and a million of them slow nothing down."""

from __future__ import annotations

import re
from pathlib import Path

import apsw
import pytest

from hub.storage.message_log import Arrival, Departure, Mark, MessageQuery, Settled
from hub.storage.port import Finding
from hub.storage.sqlite import message_rows
from hub.storage.sqlite.backup import restore
from hub.storage.sqlite.connect import DATABASE
from hub.storage.sqlite.store import SqliteStore, open_store

SECRET = b"MSH|^~\\&|HIS||||||ADT^A28|1\rPID|||42^^^HIS||Zhang^San"


async def fill(folder: Path) -> SqliteStore:
    """Two messages in, one of them stored and repeated; one out."""
    store = open_store(folder)
    log = store.messages
    for number in range(2):
        await log.receive(
            1, Arrival("HIS|C", str(number), "ADT^A28", "c", SECRET + b"%d" % number, ("k",), 5)
        )
    await log.settle(1, Settled(1, "stored", b"AA", 6, marks=(Mark("Patient/a", b"m"),)))
    await log.receive(1, Arrival("HIS|C", "0", "ADT^A28", "c", SECRET + b"0", ("k",), 7))
    await log.depart(1, [Departure("lab", "o", "REF^I12", b"MSH|", 8, names=("ref",))], [])
    assert await findings(store) == []
    return store


async def findings(store: SqliteStore) -> list[Finding]:
    return [finding async for finding in store.verify(1)]


DAMAGE: dict[str, tuple[str, str]] = {
    "bytes are missing": ("DELETE FROM arrival_raw WHERE row = 2", "bytes are missing or were"),
    "bytes were changed": ("UPDATE arrival_raw SET raw = x'00'", "bytes are missing or were"),
    "a message is missing": ("DELETE FROM arrival WHERE row = 2", "bytes belong to no message"),
    "a message is missing with its bytes": (
        "DELETE FROM arrival WHERE row = 2; DELETE FROM arrival_raw WHERE row = 2",
        "received is not what is there",
    ),
    "a state that is none": ("UPDATE arrival SET state = 9 WHERE row = 1", "is impossible"),
    "a message waits that was stored": (
        "UPDATE arrival SET state = 0 WHERE row = 1",
        "the numbers of messages by state are wrong",
    ),
    "a repeat that was not": ("UPDATE arrival SET repeats = 5 WHERE row = 2", "was repeated"),
    "keys are damaged": ("UPDATE arrival SET keys = x'c1'", "messages cannot be read to the end"),
    "bytes to send are missing": ("DELETE FROM departure_raw", "its bytes are missing"),
    "a message to send is missing": ("DELETE FROM departure", "bytes belong to no message"),
    "a name is missing": ("DELETE FROM departure_name", "not found by its names"),
    "a name too many": ("INSERT INTO departure_name VALUES (1, 'x', 1)", "or by others"),
    "a count is wrong": (
        "UPDATE message_count SET messages = 7 WHERE state = 'queued'",
        "the numbers of messages by state are wrong",
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
async def test_damage_is_found_and_named(tmp_path: Path, name: str) -> None:
    damage, told = DAMAGE[name]
    await (await fill(tmp_path)).close()
    connection = apsw.Connection(str(tmp_path / DATABASE))
    connection.execute(damage)
    connection.close()
    store = open_store(tmp_path)
    found = await findings(store)
    assert any(told in finding.what for finding in found), found
    assert not any("Zhang" in f"{finding.where} {finding.what}" for finding in found)
    await store.close()


async def test_a_backup_holds_the_messages(tmp_path: Path) -> None:
    store = await fill(tmp_path / "data")
    await store.backup(tmp_path / "copy")
    await store.close()
    restore(tmp_path / "copy", tmp_path / "restored")
    before, after = open_store(tmp_path / "data"), open_store(tmp_path / "restored")
    for ask in (
        lambda log: log.arrivals(1, MessageQuery()),
        lambda log: log.departures(1, MessageQuery()),
        lambda log: log.counts(1),
        lambda log: log.marks(1, ["Patient/a"]),
    ):
        assert await ask(before.messages) == await ask(after.messages) != []
    await before.close()
    await after.close()


@pytest.mark.parametrize(
    ("sql", "bindings"),
    [
        (message_rows.ARRIVALS_WAITING, (1, 0, 9)),
        (message_rows.ARRIVAL, (1, 1)),
        (message_rows.DUE, (1, "lab", 9)),
        (message_rows.NEWEST_NAMED, (1, "ref")),
        (message_rows.COUNTS, (1,)),
        (message_rows.MARK, (1, "Patient/a")),
    ],
)
async def test_what_is_asked_often_is_looked_up(
    tmp_path: Path, sql: str, bindings: tuple[object, ...]
) -> None:
    """No plan scans a table or sorts: a million messages cost no more than ten."""
    await (await fill(tmp_path)).close()
    connection = apsw.Connection(str(tmp_path / DATABASE))
    plan = [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", bindings)]
    connection.close()
    assert not [line for line in plan if re.match(r"SCAN (?!\(subquery)|USE TEMP", line)], plan
