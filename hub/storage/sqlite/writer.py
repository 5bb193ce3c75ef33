"""The one thread that writes: takes requests from a queue and commits them in groups.

Each request is an action on the `Transaction`. A group is committed once (one fsync) and its
results go back to the event loop in one call. A request that fails is undone alone: one that
has written nothing needs no undoing; should another fail, the group is undone and applied
again with a savepoint for each. (A savepoint always costs a fifth of a create: SQLite copies
every page it touches.) So an action must do the same when it is run again. One that meets a
damaged page spoils the whole transaction for SQLite: then each has one to itself. Called by
`store` and `writer_socket`.

When a commit itself fails, SQLite has undone it, but its frames may lie in the log and could
come back after a power cut. So the writer then commits a fence (one counter), which overwrites
them: if that succeeds, nothing of the group was stored; if not, it is uncertain and callers
are told so. The same counter, written by every group, tells whether the commit did succeed.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import apsw

from hub.storage.port import StoreUnavailable
from hub.storage.sqlite import migrations, schema
from hub.storage.sqlite.checkpoint import Checkpointer
from hub.storage.sqlite.codec import Codec
from hub.storage.sqlite.connect import DAMAGE, FAULTS, IO_ERRORS, open_writer, unavailable
from hub.storage.sqlite.interner import Interner
from hub.storage.sqlite.search import Searcher
from hub.storage.sqlite.transaction import Transaction

T = TypeVar("T")
Action = Callable[[Transaction], T]

GROUP = 64
GROUP_WEIGHT = 512
"""A group ends at so many requests, or writes."""

QUEUE_LIMIT = 4096
FENCE = "UPDATE state SET fence = ?"

FAILURES = (apsw.Error, *DAMAGE)
"""What leaves the transaction in a state that nobody knows."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Job:
    """A request in the queue: what to do, who waits for it, and as for `Writer.submit`."""

    action: Action[Any]
    future: asyncio.Future[Any]
    weight: int
    careful: bool
    result: Any = None
    error: Exception | None = None


class _Torn(Exception):
    """A request failed after it had written something."""


class _Spoilt(Exception):
    """A request met a damaged page: SQLite writes nothing more in this transaction."""


class Writer:
    """Owns the writing connection; see the module."""

    def __init__(self, folder: Path, vfs: str | None = None) -> None:
        """Open the database, bring its schema up and start the thread.

        Args:
            folder: The data directory; the caller holds its lock.
            vfs: SQLite VFS, None for the system's.

        Raises:
            StoreNewer: A newer release wrote the database.
            StoreUnavailable: It cannot be opened.
        """
        self._folder, self._vfs = folder, vfs
        try:
            connection = open_writer(folder, vfs)
            if not migrations.upgrade(connection):
                # into the file at once: one without a schema would pass for a new store
                connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
            self._work = _transaction(connection, folder)
            self._checkpointer = Checkpointer(folder, connection, vfs)
        except FAULTS as error:
            raise unavailable(error) from error
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._closed = self._shared = False
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    @property
    def queued(self) -> int:
        """Requests waiting."""
        return self._queue.qsize()

    def submit(
        self, action: Action[T], weight: int = 1, careful: bool = False
    ) -> asyncio.Future[T]:
        """Queue an action; the future has its result once it is durable.

        Args:
            action: Runs on the writer's thread inside the transaction.
            weight: Roughly how many resources it writes.
            careful: It may well fail after it has written something.

        Raises:
            StoreUnavailable: The writer is closed, or too many requests wait.
        """
        if self._closed:
            raise StoreUnavailable("the store is closed")
        if self._queue.qsize() >= QUEUE_LIMIT:
            raise StoreUnavailable("too many commits are waiting")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.put(Job(action, future, weight, careful))
        return future

    def close(self) -> None:
        """Finish what is queued, copy the log into the database and close. Blocks."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            self._thread.join()
            self._checkpointer.close()
            self._work.connection.close()

    def _run(self) -> None:
        open_ = True
        while open_:
            job = self._queue.get()
            jobs: list[Job] = []
            weight = 0
            while job is not None:
                if not job.future.cancelled():
                    jobs.append(job)
                    weight += job.weight
                if len(jobs) >= GROUP or weight >= GROUP_WEIGHT:
                    break
                try:
                    job = self._queue.get_nowait()
                except Empty:
                    break
            open_ = job is not None
            if jobs:
                try:
                    failure = self._commit_group(jobs)
                except Exception as error:  # a mistake here must not end the thread
                    log.exception("the writer failed")
                    failure = unavailable(error, uncertain=True)
                    self._begin_anew()
                _deliver(jobs, failure)
            if open_:
                self._checkpointer.after_commit()

    def _begin_anew(self) -> None:
        """After damage or a mistake: a clean state, or the next group finds that there is none."""
        try:
            self._recover()
        except Exception:  # whatever it is, those who wait must be told
            log.exception("the writer cannot recover")

    def _commit_group(self, jobs: list[Job]) -> StoreUnavailable | None:
        """Apply and commit; when that fails, why, and the whole group is undone."""
        work = self._work
        self._shared = len(jobs) > 1
        try:
            try:
                work.connection.execute("BEGIN IMMEDIATE")
                for job in jobs:
                    self._apply(job)
            except _Torn:
                self._roll_back()
                work.connection.execute("BEGIN IMMEDIATE")
                for job in jobs:
                    self._apply_in_savepoint(job)
            if all(job.error is not None for job in jobs):
                # Each is undone already: what the writer has learnt need not be learnt again.
                work.connection.execute("ROLLBACK")
                return None
            work.flush()
        except _Spoilt:
            self._begin_anew()
            for job in jobs:
                job.error = self._commit_group([job]) or job.error
            return None
        except FAILURES as error:
            log.error("a group of %d commits was undone: %s", len(jobs), type(error).__name__)
            self._recover()
            return unavailable(error)
        return self._commit()

    def _apply(self, job: Job) -> None:
        work = self._work
        if job.careful:
            self._apply_in_savepoint(job)
            return
        changes = work.connection.total_changes()
        if not self._try(job):
            if work.connection.total_changes() != changes:
                raise _Torn
            work.interner.forget()

    def _apply_in_savepoint(self, job: Job) -> None:
        work = self._work
        mark = work.mark()
        work.connection.execute("SAVEPOINT request")
        if not self._try(job):
            work.connection.execute("ROLLBACK TO request")
            work.back_to(mark)
        work.connection.execute("RELEASE request")

    def _try(self, job: Job) -> bool:
        """Run the action; whether it succeeded."""
        job.result = job.error = None
        try:
            job.result = job.action(self._work)
        except Exception as error:  # whatever it is, whoever asked is told, and nobody else
            spoilt = isinstance(error, DAMAGE)  # what it touched, not what its neighbours touch
            if isinstance(error, IO_ERRORS) and not spoilt:
                raise
            if self._shared and isinstance(error, (apsw.CorruptError, apsw.NotADBError)):
                raise _Spoilt from error
            if not self._work.connection.in_transaction:
                raise apsw.AbortError("the transaction is gone") from error
            if spoilt:
                log.error("a commit met a damaged row or page: %s", type(error).__name__)
            job.error = unavailable(error) if spoilt else error
            return False
        self._work.interner.keep()
        return True

    def _commit(self) -> StoreUnavailable | None:
        """Commit; when that fails, find out whether it did after all."""
        fence = self._work.fence
        try:
            self._work.connection.execute("COMMIT")
        except apsw.Error as error:
            log.error("commit failed: %s", type(error).__name__)
            found = self._recover()
            if found is None:
                # Only writing finds the disk full (a failed sync is an IOError), and the commit
                # mark is what is written last: without it the frames in the log are nothing.
                return unavailable(error, uncertain=not isinstance(error, apsw.FullError))
            return None if found == fence else unavailable(error)
        return None

    def _roll_back(self) -> None:
        if self._work.connection.in_transaction:
            self._work.connection.execute("ROLLBACK")
        self._work.load()

    def _recover(self) -> int | None:
        """After a failure: a clean state and a fence.

        Returns:
            Number of the last group that was committed; None when the disk does not allow it.
        """
        try:
            try:
                self._roll_back()
            except FAILURES:
                self._reopen()
            found = self._work.fence
            self._work.connection.execute(FENCE, (found + 1,))
            self._work.fence = found + 1
        except FAILURES as error:
            log.error("the writer cannot recover yet: %s", type(error).__name__)
            return None
        return found

    def _reopen(self) -> None:
        with suppress(apsw.Error):
            self._work.connection.close(True)
        self._work = _transaction(open_writer(self._folder, self._vfs), self._folder)
        self._checkpointer.watch(self._work.connection)


def _transaction(connection: apsw.Connection, folder: Path) -> Transaction:
    types = schema.load_type_names(connection)
    work = Transaction(
        connection,
        types,
        Interner(connection, types.numbers),
        Searcher(connection, types),
        Codec(),
        folder,
    )
    work.load()
    return work


def _deliver(jobs: list[Job], failure: StoreUnavailable | None) -> None:
    """Hand results, or the group's failure, to the event loops that wait: one call each."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Job]] = {}
    for job in jobs:
        if failure is not None:
            job.error = StoreUnavailable(failure.reason, failure.uncertain, failure.trouble)
        by_loop.setdefault(job.future.get_loop(), []).append(job)
    for loop, group in by_loop.items():
        with suppress(RuntimeError):  # the loop was closed: nobody waits any more
            loop.call_soon_threadsafe(_resolve, group)


def _resolve(jobs: list[Job]) -> None:
    for job in jobs:
        if job.future.cancelled():
            continue
        if job.error is not None:
            job.future.set_exception(job.error)
        else:
            job.future.set_result(job.result)
