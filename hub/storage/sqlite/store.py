"""`SqliteStore`: the port over one SQLite file, and `open_store`, the way to get one.

The owner process writes with a thread of its own (`writer.Writer`); every other process sends
its writes there over a Unix socket (`remote_writer.RemoteWriter`). Reading is the same in
both. Called by the composition root and the command line.
"""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import apsw

from hub.context import Clock, utc_now
from hub.search.query import Query
from hub.search.values import IndexRows
from hub.storage.ledger import Record
from hub.storage.port import (
    ANY_VERSION,
    HOUR,
    AuditHead,
    AuditPage,
    AuditQuery,
    AuditRecord,
    Commit,
    Committed,
    DeadlineExceeded,
    Finding,
    HistoryPage,
    HistoryQuery,
    OutboxRow,
    Page,
    Reindexed,
    RuntimeParameter,
    Stored,
    StoreInfo,
    StoreLocked,
    StoreUnavailable,
)
from hub.storage.sqlite import (
    audit,
    audit_chain,
    audit_pack,
    audit_search,
    backup,
    blob,
    history,
    index,
    message_log,
    record,
    upkeep,
    verify,
)
from hub.storage.sqlite.connect import (
    DATABASE,
    FAULTS,
    PARTIAL,
    OwnerLock,
    make_folder,
    unavailable,
)
from hub.storage.sqlite.frames import SOCKET
from hub.storage.sqlite.ledger import Change, SqliteLedger
from hub.storage.sqlite.local_writer import LocalWriter
from hub.storage.sqlite.readers import Readers
from hub.storage.sqlite.record import Reader
from hub.storage.sqlite.remote_writer import RemoteWriter
from hub.storage.sqlite.writer import Writer
from hub.storage.sqlite.writer_socket import WriterServer

Role = Literal["owner", "reader", "auto"]

SEARCH_THREADS = 2
INLINE_SECONDS = 0.001
INLINE_ROWS = 200
INLINE_BYTES = 1_000_000
"""A search is first tried on the event loop for so long; its rows are read there up to so many,
and so many bytes of their bodies."""

DEADLINE = 5.0
"""Seconds a history may take."""

COUNTS = "SELECT type, live, versions FROM statistics WHERE tenant = ?"
SEQUENCE = "SELECT sequence FROM state"
OUTBOX = (
    "SELECT row, topic, body, sequence FROM outbox "
    "WHERE tenant = ? AND row > ? ORDER BY row LIMIT ?"
)
SIZE = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
PROGRESS_STEPS = 2_000


class Writing(message_log.Writing, Protocol):
    """What `LocalWriter` and `RemoteWriter` both do; each method as in the port."""

    def commit(self, commit: Commit) -> Awaitable[Committed]:
        """Apply a transaction."""

    def reindex(self, tenant: int, rows: Sequence[Reindexed]) -> Awaitable[int]:
        """Replace index rows."""

    def expunge(
        self, tenant: int, type: str, id: str, audit: AuditRecord, clock: int, expected: int
    ) -> Awaitable[int]:
        """Remove physically."""

    def append_audit(self, tenant: int, packed: bytes, clock: int) -> Awaitable[int]:
        """Add a block to the audit chain."""

    def put_parameter(
        self, tenant: int, parameter: RuntimeParameter | None, url: str
    ) -> Awaitable[RuntimeParameter | None]:
        """Add, change or remove a parameter."""

    def delivered(self, tenant: int, rows: Sequence[int]) -> Awaitable[None]:
        """Take rows out of the outbox."""

    def sweep(self, clock: int, grace: int) -> Awaitable[int]:
        """Remove what nothing uses."""

    def register_blob(self, tenant: int, name: str, sha256: str, size: int) -> Awaitable[None]:
        """Keep an uploaded file."""

    def change_ledger(self, change: Change) -> Awaitable[Record | None]:
        """Change a record of the ledger."""

    def expire_ledger(self, tenant: int, now: int) -> Awaitable[int]:
        """Remove what has expired."""

    @property
    def queued(self) -> int:
        """Requests waiting."""

    async def close(self) -> None:
        """Finish what is queued."""


class SqliteStore:
    """A FHIR record in SQLite; see `hub.storage.port.Store` for what each method promises."""

    def __init__(
        self, folder: Path, readers: Readers, writing: Writing, lock: OwnerLock | None
    ) -> None:
        """Put the parts together; use `open_store`."""
        self.folder = folder
        self._readers, self._writing, self._lock = readers, writing, lock
        self._inline = readers.inline
        self.ledger = SqliteLedger(readers.inline.connection, writing)
        self.messages = message_log.SqliteMessageLog(readers, writing)
        self._server: WriterServer | None = None

    @property
    def owner(self) -> bool:
        """Whether this process owns the write connection."""
        return self._lock is not None

    async def listen(self, socket: Path | None = None) -> None:
        """Take writes of other processes; for the owner.

        Args:
            socket: Where to listen; `writer.sock` in the data directory when None.
        """
        if not isinstance(self._writing, LocalWriter):
            raise StoreUnavailable("only the owner of the store can take writes")
        self._server = await WriterServer.start(self._writing, socket or self.folder / SOCKET)

    # --- reading ----------------------------------------------------------------------------

    async def read(self, tenant: int, type: str, id: str) -> Stored | None:
        """Newest version, a tombstone if deleted."""
        try:
            return record.read(self._inline, tenant, type, id)
        except FAULTS as error:
            raise unavailable(error) from error

    async def read_many(
        self, tenant: int, targets: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], Stored]:
        """Current, undeleted versions."""
        try:
            return record.read_many(self._inline, tenant, targets)
        except FAULTS as error:
            raise unavailable(error) from error

    async def vread(self, tenant: int, type: str, id: str, version: int) -> Stored | None:
        """That version."""
        try:
            return record.vread(self._inline, tenant, type, id, version)
        except FAULTS as error:
            raise unavailable(error) from error

    async def search(self, tenant: int, query: Query, deadline: float | None = None) -> Page:
        """A page of current resources.

        It is tried on the event loop for a moment, which spares a change of threads (30 us,
        and the two fighting for the interpreter's lock); what takes longer, or gives many
        rows, goes to the pool.
        """
        if deadline is None or deadline > INLINE_SECONDS:
            try:
                page = _search_inline(self._inline, tenant, query)
            except DeadlineExceeded:
                page = None
            except FAULTS as error:
                raise unavailable(error) from error
            if page is not None:
                return page
        return await self._readers.run(_search_whole, tenant, query, deadline)

    async def explain(self, tenant: int, query: Query) -> tuple[str, ...]:
        """The plan."""
        return await self._readers.run(_explain, tenant, query)

    async def history(self, tenant: int, query: HistoryQuery) -> HistoryPage:
        """A page of versions, newest first."""
        return await self._readers.run(_history, tenant, query, time.monotonic() + DEADLINE)

    async def scan(
        self, tenant: int, types: tuple[str, ...], after: int, count: int
    ) -> tuple[list[Stored], int]:
        """Current, undeleted resources in row order."""
        return await self._readers.run(record.scan, tenant, types, after, count)

    async def parameters(self, tenant: int) -> tuple[RuntimeParameter, ...]:
        """SearchParameters made at run time."""
        rows: Any = self._all(upkeep.PARAMETERS, (tenant,))
        return tuple(RuntimeParameter(*row) for row in rows)

    async def generation(self, tenant: int) -> int:
        """Counts changes of definitions."""
        rows = self._all(upkeep.GENERATION, (tenant,))
        return int(rows[0][0]) if rows else 0

    async def last_change(self, tenant: int, type: str) -> int:
        """When a resource of the type was written or deleted last."""
        rows = self._all(record.LAST_CHANGE, (tenant, self._inline.types.numbers.get(type)))
        return int(rows[0][0] or 0)

    async def audit_records(
        self, tenant: int, after: int, count: int
    ) -> list[tuple[int, int, AuditRecord]]:
        """Audit rows after a row number, oldest first."""
        return await self._readers.run(_audit_records, tenant, after, count)

    async def audit_rows(self, tenant: int, query: AuditQuery) -> AuditPage:
        """Rows of the audit chain, newest first."""
        return await self._readers.run(audit_search.find, tenant, query)

    async def audit_head(self, tenant: int) -> AuditHead:
        """The newest row of the audit chain."""
        rows = self._all(audit.LAST, (tenant,))
        return AuditHead(*rows[0]) if rows else audit.FIRST

    async def check_audit(self, tenant: int, expected: AuditHead | None = None) -> Finding | None:
        """The first place at which the audit chain does not hold."""
        return await self._readers.run(audit_chain.first_break, self.folder, tenant, expected)

    async def outbox(self, tenant: int, after: int, count: int) -> list[tuple[int, OutboxRow]]:
        """What is not delivered yet."""
        rows = self._all(OUTBOX, (tenant, after, count))
        return [(number, OutboxRow(*content)) for number, *content in rows]

    async def blob_size(self, tenant: int, sha256: str) -> int | None:
        """Size in bytes."""
        try:
            return blob.size(self._inline.connection, tenant, sha256)
        except FAULTS as error:
            raise unavailable(error) from error

    async def open_blob(
        self, tenant: int, sha256: str, start: int = 0, end: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Pieces of a blob."""
        size = await self.blob_size(tenant, sha256)
        if size is None:
            raise KeyError(sha256)
        last = size if end is None else min(end, size)
        return blob.pieces(self.folder, sha256, start, last, self._readers.run_blocking)

    async def info(self, tenant: int) -> StoreInfo:
        """Facts."""
        counts = self._all(COUNTS, (tenant,))
        names = self._inline.types.names
        return StoreInfo(
            "sqlite",
            {names[type]: live for type, live, _ in counts if live},
            self._all(SEQUENCE, ())[0][0],
            self._all(SIZE, ())[0][0],
            versions=sum(versions for _, _, versions in counts),
            queued=self._writing.queued,
        )

    async def indexed_rows(self, tenant: int, type: str, id: str) -> IndexRows | None:
        """What the index holds of a resource."""
        return await self._readers.run(_indexed_rows, tenant, type, id)

    async def verify(self, tenant: int) -> AsyncIterator[Finding]:
        """Check structure, histories, statistics, audit chain and blobs."""
        for check in verify.CHECKS:
            for finding in await self._readers.run(check, self.folder, tenant):
                yield finding

    async def backup(self, target: Path) -> None:
        """Copy the store; cancelled, it leaves nothing."""
        stop = threading.Event()
        try:
            await self._readers.run_blocking(backup.backup, self.folder, target, stop.is_set)
        finally:
            stop.set()

    # --- writing ----------------------------------------------------------------------------

    async def commit(self, commit: Commit) -> Committed:
        """Apply a transaction."""
        return await self._writing.commit(commit)

    async def reindex(self, tenant: int, rows: Sequence[Reindexed]) -> int:
        """Replace index rows of versions that are still current."""
        return await self._writing.reindex(tenant, rows)

    async def expunge(
        self,
        tenant: int,
        type: str,
        id: str,
        audit: AuditRecord,
        clock: int,
        expected: int = ANY_VERSION,
    ) -> int:
        """Physically remove a resource."""
        return await self._writing.expunge(tenant, type, id, audit, clock, expected)

    async def append_audit(self, tenant: int, records: Sequence[AuditRecord], clock: int) -> int:
        """Add one row that holds many events."""
        packed = audit_pack.pack_block(records, clock)
        return await self._writing.append_audit(tenant, packed, clock)

    async def put_parameter(
        self, tenant: int, parameter: RuntimeParameter | None, url: str
    ) -> RuntimeParameter | None:
        """Add, change or remove a parameter."""
        return await self._writing.put_parameter(tenant, parameter, url)

    async def delivered(self, tenant: int, rows: Sequence[int]) -> None:
        """Take rows out of the outbox."""
        await self._writing.delivered(tenant, rows)

    async def sweep(self, clock: int, grace: int = HOUR) -> int:
        """Remove unused blobs, old idempotency keys and expired records of the ledger."""
        return await self._writing.sweep(clock, grace)

    async def new_blob(self, tenant: int) -> blob.FileBlobWriter:
        """Start a blob."""
        return blob.FileBlobWriter(
            self.folder, tenant, self._readers.run_blocking, self._writing.register_blob
        )

    async def close(self) -> None:
        """Finish queued commits and close."""
        if self._server is not None:
            await self._server.close()
        self._readers.close()  # first: the last connection to close removes the log
        await self._writing.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _all(self, sql: str, bindings: tuple[Any, ...]) -> list[Any]:
        try:
            return self._inline.connection.execute(sql, bindings).fetchall()
        except FAULTS as error:
            raise unavailable(error) from error


def open_store(
    path: Path | str,
    *,
    role: Role = "owner",
    socket: Path | None = None,
    search_threads: int = SEARCH_THREADS,
    clock: Clock = utc_now,
    vfs: str | None = None,
) -> SqliteStore:
    """Open the store of a data directory, made when it is missing (by the owner).

    Args:
        path: The data directory: database, blobs, lock and socket lie there.
        role: `owner` takes the write connection; `reader` sends its writes to the owner, which
            listens (`SqliteStore.listen`); `auto` is the owner where there is none yet.
        socket: Where the owner listens; `writer.sock` in the data directory when None.
        search_threads: Threads for searches, histories and scans.
        clock: The time of blobs and sweeps.
        vfs: SQLite VFS, for tests of faults.

    Raises:
        StoreLocked: Another process owns the store.
        StoreNewer: A newer release wrote it.
        StoreUnavailable: It cannot be opened.
        FileNotFoundError: A reader found no store.
    """
    folder = Path(path)
    if role == "auto":
        try:
            return open_store(
                folder, socket=socket, search_threads=search_threads, clock=clock, vfs=vfs
            )
        except StoreLocked:
            role = "reader"
    if role == "reader":
        if not (folder / DATABASE).exists():
            raise FileNotFoundError(f"{folder} holds no store")
        readers = Readers(folder, search_threads, vfs)
        return SqliteStore(folder, readers, RemoteWriter(socket or folder / SOCKET), None)
    make_folder(folder)
    lock = OwnerLock(folder)
    try:
        if (folder / PARTIAL).exists() and not (folder / DATABASE).exists():
            raise StoreUnavailable("a restore into this folder was broken off; run it again")
        (folder / blob.FOLDER / blob.NEW).mkdir(parents=True, exist_ok=True)
        (folder / DATABASE).touch(mode=0o600)  # the log gets the same mode
        writer = Writer(folder, vfs)
        try:
            readers = Readers(folder, search_threads, vfs)
        except BaseException:
            writer.close()
            raise
    except BaseException:
        lock.release()
        raise
    return SqliteStore(folder, readers, LocalWriter(folder, writer, readers, clock), lock)


def _search_inline(reader: Reader, tenant: int, query: Query) -> Page | None:
    """The page, or None when it has too many rows or bytes to be read on the event loop."""
    with record.snapshot(reader.connection):
        found = reader.searcher.search(tenant, query, INLINE_SECONDS)
        if len(found.rids) > INLINE_ROWS:
            return None
        damaged: list[tuple[str, str]] = []
        room = INLINE_BYTES if query.room is None else min(query.room, INLINE_BYTES)
        matches, done = record.by_rids(reader, found.rids, damaged, room)
        if done < len(found.rids):
            return None
        return Page(matches, found.next, found.total, found.estimated, tuple(damaged))


def _search_whole(reader: Reader, tenant: int, query: Query, deadline: float | None) -> Page:
    with record.snapshot(reader.connection):
        found = reader.searcher.search(tenant, query, deadline)
        damaged: list[tuple[str, str]] = []
        matches, done = record.by_rids(reader, found.rids, damaged, query.room)
        following = found.next if done == len(found.rids) else found.after(done - 1)
        return Page(matches, following, found.total, found.estimated, tuple(damaged))


def _explain(reader: Reader, tenant: int, query: Query) -> tuple[str, ...]:
    return reader.searcher.explain(tenant, query)


def _history(reader: Reader, tenant: int, query: HistoryQuery, limit: float) -> HistoryPage:
    connection = reader.connection
    connection.set_progress_handler(lambda: time.monotonic() > limit, PROGRESS_STEPS)
    try:
        return history.history(reader, tenant, query)
    except apsw.InterruptError as error:
        raise DeadlineExceeded from error
    finally:
        connection.set_progress_handler(None)


def _audit_records(
    reader: Reader, tenant: int, after: int, count: int
) -> list[tuple[int, int, AuditRecord]]:
    return [
        (row.row, row.time, record)
        for row in audit.rows(reader.connection, tenant, after, count)
        for record in audit_pack.unpack(row.record, row.time, reader.types).records
    ]


def _indexed_rows(reader: Reader, tenant: int, type: str, id: str) -> IndexRows | None:
    with record.snapshot(reader.connection):
        stored = record.read(reader, tenant, type, id)
        rid = record.rid_of(reader, tenant, type, id)
        if stored is None or stored.deleted or rid is None:
            return None
        return index.read(reader.connection, tenant, rid, reader.searcher.lexicon)
