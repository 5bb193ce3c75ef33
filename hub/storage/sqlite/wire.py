"""Requests and answers between processes as MessagePack.

The bulk of a commit (bodies, index rows) is typed and goes through msgspec in C; what msgspec
cannot tell apart by shape (search criteria) goes as `{"c": class name, "f": fields}`, and only
the classes in `CLASSES` can come out. Components of composites go as they are, with a string
that has a letter for the kind of each. Called by `writer_socket` and `remote_writer`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any, get_args

import msgspec
from msgspec import structs

from hub.definitions.shapes import SearchParameter, SearchParameterComponent
from hub.errors import HubError, Issue
from hub.search import query as queries
from hub.search import values
from hub.storage import message_log, port
from hub.storage.ledger import Record
from hub.storage.port import AuditRecord, Commit, OutboxRow, Reindexed, Write
from hub.storage.sqlite import ledger

CLASSES: dict[str, Any] = {
    found.__name__: found
    for found in (
        *get_args(queries.Value),
        *get_args(queries.Criterion),
        *get_args(values.Component),
        *get_args(port.Precondition),
        queries.Query,
        queries.SortKey,
        queries.Position,
        values.CompositeRow,
        SearchParameter,
        SearchParameterComponent,
        port.AuditRecord,
        port.RuntimeParameter,
        port.Committed,
        port.Written,
        ledger.Change,
        Record,
        message_log.Arrival,
        message_log.Receipt,
        message_log.Settled,
        message_log.Mark,
        message_log.Departure,
    )
}

REFUSALS: dict[str, Any] = {
    "VersionConflict": (port.VersionConflict, ("index", "type", "id", "current")),
    "PreconditionChanged": (port.PreconditionChanged, ("index", "ids")),
    "TargetMissing": (port.TargetMissing, ("type", "id", "location")),
    "StillReferenced": (port.StillReferenced, ("type", "id", "by", "count")),
    "GenerationMoved": (port.GenerationMoved, ("current",)),
    "AlreadySettled": (port.AlreadySettled, ()),
    "BlobMissing": (port.BlobMissing, ("sha256",)),
    "StoreUnavailable": (port.StoreUnavailable, ("reason", "uncertain", "trouble")),
    "DeadlineExceeded": (port.DeadlineExceeded, ()),
}
"""Exceptions that cross the socket, with the attributes that make them again."""

HUB_ERRORS = {found.__name__: found for found in HubError.__subclasses__()}
"""These cross with their issues: a search may be refused on the writer's side."""


KINDS: dict[str, Any] = {
    "s": values.StringRow,
    "t": values.TokenRow,
    "r": values.ReferenceRow,
    "d": values.DateRow,
    "n": values.NumberRow,
    "q": values.QuantityRow,
    "u": values.UriRow,
}
"""Components of composites, and the letters that stand for them."""

LETTERS = {kind: letter for letter, kind in KINDS.items()}


class Rows(msgspec.Struct, frozen=True, array_like=True):
    """`IndexRows` without the composites' types: `kinds` has a letter for each component."""

    strings: tuple[values.StringRow, ...]
    tokens: tuple[values.TokenRow, ...]
    references: tuple[values.ReferenceRow, ...]
    dates: tuple[values.DateRow, ...]
    numbers: tuple[values.NumberRow, ...]
    quantities: tuple[values.QuantityRow, ...]
    uris: tuple[values.UriRow, ...]
    positions: tuple[values.PositionRow, ...]
    composites: tuple[Any, ...]
    kinds: str
    date: int
    text: str
    content: str


class WireWrite(msgspec.Struct, frozen=True, array_like=True):
    """`Write` with `Rows`."""

    method: port.Method
    type: str
    id: str
    tail: bytes
    rows: Rows | None
    expected: int
    blobs: tuple[str, ...]


class WireCommit(msgspec.Struct, frozen=True, array_like=True):
    """`Commit` with its preconditions in plain shape; `Exists`, by far the most, as a list."""

    tenant: int
    writes: tuple[WireWrite, ...]
    audit: AuditRecord
    clock: int
    preconditions: list[Any]
    outbox: tuple[OutboxRow, ...]
    idempotency_key: str
    generation: int | None
    message: message_log.Settled | None


class WireReindexed(msgspec.Struct, frozen=True, array_like=True):
    """`Reindexed` with `Rows`."""

    type: str
    id: str
    version: int
    rows: Rows


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode
_decode_commit = msgspec.msgpack.Decoder(WireCommit).decode
_decode_committed = msgspec.msgpack.Decoder(port.Committed).decode
_decode_reindexed = msgspec.msgpack.Decoder(tuple[WireReindexed, ...]).decode
_ROW_FIELDS = tuple(field.name for field in structs.fields(Rows))
assert tuple(field.name for field in structs.fields(values.IndexRows)) == (
    *_ROW_FIELDS[:9],
    *_ROW_FIELDS[10:],
)


def encode(value: object) -> bytes:
    """Any value of `CLASSES` and plain types."""
    return _encode(plain(value))


def decode(data: bytes | bytearray) -> Any:
    """The opposite of `encode`.

    Raises:
        msgspec.DecodeError, KeyError, TypeError: The data is not what `encode` makes.
    """
    return rich(_decode(data))


def encode_commit(commit: Commit) -> bytes:
    """A commit as bytes."""
    return _encode(
        WireCommit(
            commit.tenant,
            tuple(
                [
                    WireWrite(
                        w.method, w.type, w.id, w.tail, _wire_rows(w.rows), w.expected, w.blobs
                    )
                    for w in commit.writes
                ]
            ),
            commit.audit,
            commit.clock,
            [
                [one.type, one.id, one.location] if type(one) is port.Exists else plain(one)
                for one in commit.preconditions
            ],
            commit.outbox,
            commit.idempotency_key,
            commit.generation,
            commit.message,
        )
    )


def decode_commit(data: bytes | bytearray) -> Commit:
    """The opposite of `encode_commit`; raises as `decode` does."""
    wire = _decode_commit(data)
    return Commit(
        wire.tenant,
        tuple(
            [
                Write(w.method, w.type, w.id, w.tail, _index_rows(w.rows), w.expected, w.blobs)
                for w in wire.writes
            ]
        ),
        wire.audit,
        wire.clock,
        tuple(
            [port.Exists(*one) if type(one) is list else rich(one) for one in wire.preconditions]
        ),
        wire.outbox,
        wire.idempotency_key,
        wire.generation,
        wire.message,
    )


def encode_committed(committed: port.Committed) -> bytes:
    """The answer to a commit as bytes."""
    return _encode(committed)


def decode_committed(data: bytes | bytearray) -> port.Committed:
    """The opposite of `encode_committed`; raises as `decode` does."""
    return _decode_committed(data)


def encode_reindexed(rows: Sequence[Reindexed]) -> bytes:
    """Reindexed rows as bytes."""
    return _encode([(*row[:3], _wire_rows(row.rows)) for row in rows])


def decode_reindexed(data: bytes | bytearray) -> list[Reindexed]:
    """The opposite of `encode_reindexed`; raises as `decode` does."""
    found = []
    for row in _decode_reindexed(data):
        rows = _index_rows(row.rows)
        assert rows is not None
        found.append(Reindexed(row.type, row.id, row.version, rows))
    return found


def encode_failure(error: Exception) -> bytes:
    """A refusal or failure as bytes; others are told as a failure of the store."""
    name = type(error).__name__
    if isinstance(error, HubError):
        issues = [_issue_fields(issue) for issue in error.issues]
        return _encode(["HubError", [name, error.status, issues]])
    if name not in REFUSALS:
        if isinstance(error, port.StoreUnavailable):  # one of its kinds
            return encode_failure(
                port.StoreUnavailable(error.reason, error.uncertain, error.trouble)
            )
        return _encode(["StoreUnavailable", [name, False]])
    return _encode([name, [plain(getattr(error, field)) for field in REFUSALS[name][1]]])


def is_expected(error: Exception) -> bool:
    """Whether a failure is an answer rather than a mistake."""
    return isinstance(error, HubError) or type(error).__name__ in REFUSALS


def decode_failure(data: bytes | bytearray) -> Exception:
    """The exception to raise."""
    name, arguments = _decode(data)
    if name == "HubError":
        kind, status, issues = arguments
        return HUB_ERRORS.get(kind, HubError)([Issue(*issue) for issue in issues], status)
    made: Exception = REFUSALS[name][0](*rich(arguments))
    return made


def _issue_fields(issue: Issue) -> list[Any]:
    """An issue's fields; its arguments are words and numbers."""
    arguments = {
        key: value if isinstance(value, (str, int, float)) else str(value)
        for key, value in issue.arguments.items()
    }
    return [issue.severity, issue.code, issue.message, arguments, issue.location]


def plain(value: Any) -> Any:
    """A value in the types that MessagePack has."""
    if value is None or isinstance(value, (str, int, float, bytes)):
        return value
    if isinstance(value, Decimal):
        return {"d": str(value)}
    if isinstance(value, frozenset):
        return {"s": sorted(value)}
    name = type(value).__name__
    if name in CLASSES:
        return {"c": name, "f": [plain(field) for field in _fields(value)]}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    raise TypeError(f"{name} cannot be sent")


def rich(value: Any) -> Any:
    """The opposite of `plain`; lists become tuples."""
    if isinstance(value, list):
        return tuple(rich(item) for item in value)
    if not isinstance(value, dict):
        return value
    if "c" in value:
        return CLASSES[value["c"]](*(rich(field) for field in value["f"]))
    if "d" in value:
        return Decimal(value["d"])
    return frozenset(value["s"])


def _fields(value: Any) -> Sequence[Any]:
    if is_dataclass(value):
        return [getattr(value, field.name) for field in fields(value)]
    if isinstance(value, msgspec.Struct):
        return structs.astuple(value)
    found: tuple[Any, ...] = value
    return found


def _wire_rows(rows: values.IndexRows | None) -> Rows | None:
    if rows is None:
        return None
    kinds = ""
    if rows.composites:
        kinds = "".join([LETTERS[type(part)] for row in rows.composites for part in row.parts])
    return Rows(
        rows.strings,
        rows.tokens,
        rows.references,
        rows.dates,
        rows.numbers,
        rows.quantities,
        rows.uris,
        rows.positions,
        rows.composites,
        kinds,
        rows.date,
        rows.text,
        rows.content,
    )


def _index_rows(rows: Rows | None) -> values.IndexRows | None:
    if rows is None:
        return None
    return values.IndexRows(
        rows.strings,
        rows.tokens,
        rows.references,
        rows.dates,
        rows.numbers,
        rows.quantities,
        rows.uris,
        rows.positions,
        _composites(rows) if rows.composites else (),
        rows.date,
        rows.text,
        rows.content,
    )


def _composites(rows: Rows) -> tuple[values.CompositeRow, ...]:
    kinds = iter(rows.kinds)
    return tuple(
        [
            values.CompositeRow(key, tuple([KINDS[next(kinds)](*part) for part in parts]))
            for key, parts in rows.composites
        ]
    )
