"""Is everything that was stored still there, whole and in order: the checks behind `check`.

Each check runs on a reading thread inside one snapshot, so it may run beside a busy writer.
It gives at most `MOST` findings. Called by `store` and, for a copy, by `backup`.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import msgspec

from hub.model import json
from hub.storage.port import Finding
from hub.storage.sqlite import (
    audit,
    audit_pack,
    audit_search,
    blob,
    ledger,
    verify_index,
    verify_messages,
)
from hub.storage.sqlite import audit_chain as chain
from hub.storage.sqlite.connect import DAMAGE
from hub.storage.sqlite.patience import ATTEMPTS, LogTooLong, patience
from hub.storage.sqlite.record import RID, UNREADABLE, Reader, snapshot
from hub.storage.sqlite.schema import METHODS

MOST = 1000
DELETE = METHODS.index("DELETE")
PAGE = 1000

RESOURCES = (
    "SELECT rid, type, id, version, updated, sequence, method, deleted, codec, key, body"
    " FROM resource WHERE tenant = ? ORDER BY rid"
)
HISTORY = (
    "SELECT version, updated, until, sequence, method, codec, key, body FROM history"
    " WHERE rid = ? ORDER BY version"
)
HISTORY_SIZE = "SELECT count(*) FROM history WHERE tenant = ?"
SEQUENCE = "SELECT sequence FROM state"
SEQUENCES = (
    "SELECT sequence FROM resource WHERE tenant = ?1"
    " UNION ALL SELECT sequence FROM history WHERE tenant = ?1"
)
STATISTICS = "SELECT type, live, versions FROM statistics WHERE tenant = ?"
VERSION = (
    "SELECT sequence FROM resource WHERE rid = ?1 AND version = ?2"
    " UNION ALL SELECT sequence FROM history WHERE rid = ?1 AND version = ?2"
)
SEGMENTS = "SELECT last, oldest, keys FROM audit_segment WHERE tenant = ?"
BLOBS = "SELECT sha256, size FROM blob WHERE tenant = ?"
USES = "SELECT sha256, rid, version FROM blob_use WHERE tenant = ?"
HAS_BLOB = "SELECT 1 FROM blob WHERE tenant = ? AND sha256 = ?"

Check = Callable[[Reader, Path, int], list[Finding]]


DAMAGED = (*DAMAGE, TypeError, ValueError, LookupError)
"""What reading a damaged page may raise."""


def _check(findings: Callable[[Reader, Path, int], Iterator[Finding]]) -> Check:
    def run(reader: Reader, folder: Path, tenant: int) -> list[Finding]:
        found: list[Finding] = []
        try:
            with snapshot(reader.connection), patience(reader.connection, folder):
                found.extend(islice(findings(reader, folder, tenant), MOST))
        except DAMAGED as error:
            name = _NAMES.get(findings.__name__, "a table")
            what = f"{name} cannot be read to the end: {type(error).__name__}"
            found.append(Finding("database", what))
        return found

    def run_patiently(reader: Reader, folder: Path, tenant: int) -> list[Finding]:
        for _ in range(ATTEMPTS - 1):
            with suppress(LogTooLong):
                return run(reader, folder, tenant)
        return run(reader, folder, tenant)

    return run_patiently


_NAMES = {
    "structure": "a page",
    "versions": "the versions",
    "index_tables": "the index",
    "audit_chain": "the audit chain",
    "audited_versions": "the audit chain",
    "blobs": "the list of blobs",
    "messages": "the messages",
}


@_check
def structure(reader: Reader, folder: Path, tenant: int) -> Iterator[Finding]:
    """The database file: pages, cells, indexes."""
    for (what,) in reader.connection.execute(f"PRAGMA integrity_check({MOST})"):
        for line in str(what).splitlines():
            if line != "ok" and not line.startswith("***"):
                yield Finding("database", line)


@_check
def versions(reader: Reader, folder: Path, tenant: int) -> Iterator[Finding]:
    """Histories are complete and in order, bodies are readable, the counters are right."""
    newest: Any = reader.connection.execute(SEQUENCE).get
    counted: dict[int, list[int]] = {}
    older = 0
    rows: Any = reader.connection.execute(RESOURCES, (tenant,))
    for rid, type, id, version, updated, sequence, method, deleted, *stored in rows:
        where = f"{reader.types.names.get(type, type)}/{id}"
        history: Any = reader.connection.execute(HISTORY, (rid,)).fetchall()
        older += len(history)
        count = counted.setdefault(type, [0, 0])
        count[0] += not deleted
        count[1] += 1 + len(history)
        if [row[0] for row in history] != list(range(1, version)):
            yield Finding(where, "its history has a gap")
        ends = [*(row[1] for row in history[1:]), updated]
        if history and [row[2] for row in history] != ends:
            yield Finding(where, "a version does not end where the next begins")
        order = [(row[1], row[3]) for row in history] + [(updated, sequence)]
        if any(a[0] >= b[0] or a[1] >= b[1] for a, b in pairwise(order)):
            yield Finding(where, "its versions are out of order")
        if sequence > newest:
            yield Finding(where, "its sequence is newer than the newest commit")
        if (method == DELETE) != bool(deleted):
            yield Finding(where, "it is not certain whether it is deleted")
        for number, how, *body in [(version, method, *stored), *((r[0], *r[4:]) for r in history)]:
            if trouble := _unreadable(reader, how, *body):
                yield Finding(f"{where}/_history/{number}", trouble)
    total: Any = reader.connection.execute(HISTORY_SIZE, (tenant,)).get
    if total != older:
        yield Finding("history", f"{total - older} versions belong to no resource")
    kept: Any = reader.connection.execute(STATISTICS, (tenant,))
    expected = {type: (live, all_) for type, live, all_ in kept if all_}
    if expected != {type: tuple(count) for type, count in counted.items()}:
        yield Finding("statistics", "the counters of resources and versions are wrong")


@_check
def audit_chain(reader: Reader, folder: Path, tenant: int) -> Iterator[Finding]:
    """The audit chain holds, its rows can be read, and its summaries tell what is in them."""
    found = chain.broken(reader.connection, tenant)
    if found is not None:
        yield found
    last = 0
    for row in _audit_rows(reader, tenant):
        where = f"audit row {row.row}"
        try:
            unpacked = audit_pack.unpack(row.record, row.time, reader.types)
            keys, _ = audit_pack.stored_keys(row.record, reader.types)
        except audit_pack.DAMAGED:
            yield Finding(where, "it cannot be read")
            continue
        if keys != audit_pack.own_keys(unpacked):
            yield Finding(where, "its keys are not those of its events")
        last = row.row
    yield from _audit_segments(reader, tenant, last)


def _audit_segments(reader: Reader, tenant: int, last: int) -> Iterator[Finding]:
    """Every summary says what a search may pass over."""
    rows: list[Any] = reader.connection.execute(SEGMENTS, (tenant,)).fetchall()
    stored = {end: (oldest, keys) for end, oldest, keys in rows}
    ends = set(range(audit_search.SEGMENT, last + 1, audit_search.SEGMENT))
    for end in sorted(ends | stored.keys()):
        made = audit_search.summary(reader.connection, reader.types, tenant, end)
        if end not in ends or stored.get(end) != made:
            yield Finding(f"audit rows up to {end}", "their summary is missing or wrong")


@_check
def audited_versions(reader: Reader, folder: Path, tenant: int) -> Iterator[Finding]:
    """The audit rows name exactly the versions that are there: no commit is torn."""
    newest: Any = reader.connection.execute(SEQUENCE).get
    unnamed = array("I", bytes(4 * (newest + 1)))
    sequences: Any = reader.connection.execute(SEQUENCES, (tenant,))
    for (sequence,) in sequences:
        unnamed[min(sequence, newest)] += 1
    missing: list[tuple[str, str, int]] = []
    expunged: set[str] = set()
    for row in _audit_rows(reader, tenant):
        try:
            unpacked = audit_pack.unpack(row.record, row.time, reader.types)
        except audit_pack.DAMAGED:
            continue  # told by audit_chain
        if unpacked.block:
            continue
        record = unpacked.records[0]
        for entity in record.entities:
            resource, _, version = entity.partition("/_history/")
            if not version:
                expunged.update([entity] if record.interaction == "expunge" else [])
            elif not _found(reader, tenant, resource, version, row, unnamed):
                missing.append((resource, entity, row.row))
    for resource, entity, number in missing:
        if resource not in expunged:
            yield Finding(entity, f"audit row {number} names it, but it is not there")
    for sequence, count in enumerate(unnamed):
        if count:
            yield Finding(f"sequence {sequence}", f"no audit row names {count} of its versions")


@_check
def blobs(reader: Reader, folder: Path, tenant: int) -> Iterator[Finding]:
    """Every blob's file is there and says what its name says; every use has its blob."""
    connection = reader.connection
    entered: list[Any] = connection.execute(BLOBS, (tenant,)).fetchall()
    for sha256, size in entered:
        name = sha256.hex()
        try:
            with blob.path_of(folder, name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").digest()
                length = file.tell()
        except OSError as error:
            yield Finding(f"blob {name}", f"its file cannot be read: {type(error).__name__}")
            continue
        if found != sha256 or length != size:
            yield Finding(f"blob {name}", "its file was changed")
    uses: list[Any] = connection.execute(USES, (tenant,)).fetchall()
    for sha256, rid, version in uses:
        if connection.execute(HAS_BLOB, (tenant, sha256)).get is None:
            yield Finding(f"blob {sha256.hex()}", "it is used but was removed")
        if connection.execute(VERSION, (rid, version)).get is None:
            yield Finding(f"blob {sha256.hex()}", "what uses it is gone")


@_check
def index_tables(reader: Reader, folder: Path, tenant: int) -> Iterator[Finding]:
    """The index tables hold what the entries say, no more, under the right date."""
    return verify_index.findings(reader.connection, tenant)


@_check
def ledger_records(reader: Reader, folder: Path, tenant: int) -> Iterator[Finding]:
    """The ledger holds what its port can have put there."""
    return ledger.findings(reader.connection, tenant)


@_check
def messages(reader: Reader, folder: Path, tenant: int) -> Iterator[Finding]:
    """Every message's bytes are what came or went, and the numbers of messages are right."""
    return verify_messages.findings(reader.connection, tenant)


CHECKS: tuple[Check, ...] = (
    structure,
    versions,
    index_tables,
    audit_chain,
    audited_versions,
    blobs,
    ledger_records,
    messages,
)


def tenants(reader: Reader) -> list[int]:
    """Every tenant that has versions, audit rows, records in the ledger or messages."""
    rows: Any = reader.connection.execute(
        "SELECT tenant FROM statistics UNION SELECT tenant FROM audit"
        " UNION SELECT tenant FROM ledger UNION SELECT tenant FROM message_count"
    )
    return [tenant for (tenant,) in rows]


def verify_all(reader: Reader, folder: Path) -> Iterable[Finding]:
    """Every check for every tenant."""
    for tenant in tenants(reader) or [1]:
        for check in CHECKS:
            yield from check(reader, folder, tenant)


def _unreadable(reader: Reader, method: int, codec: int, key: int, body: bytes) -> str:
    """What is wrong with a stored body, "" if nothing."""
    if method == DELETE:
        return "a tombstone has a body" if body else ""
    try:
        tail = reader.codec.expand(codec, key, body)
    except UNREADABLE as error:
        return f"its body cannot be expanded: {type(error).__name__}"
    if not tail.startswith((b",", b"}")) or not tail.endswith(b"}"):
        return "its body is damaged"
    try:
        json.load(b'{"":{"":""' + tail)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "its body is damaged"
    return ""


def _audit_rows(reader: Reader, tenant: int) -> Iterator[audit.StoredRow]:
    after = 0
    while page := list(audit.rows(reader.connection, tenant, after, PAGE)):
        yield from page
        after = page[-1].row


def _found(
    reader: Reader,
    tenant: int,
    resource: str,
    version: str,
    row: audit.StoredRow,
    unnamed: array[int],
) -> bool:
    """Whether a version that an audit row names is there; takes it off the unnamed ones."""
    type, _, id = resource.partition("/")
    execute = reader.connection.execute
    rid: Any = execute(RID, (tenant, reader.types.numbers.get(type), id)).get
    sequence: Any = execute(VERSION, (rid, int(version))).get if version.isdigit() else None
    if sequence == row.sequence and unnamed[row.sequence]:
        unnamed[row.sequence] -= 1
    return sequence is not None
