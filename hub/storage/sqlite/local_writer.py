"""The port's writes in the process that owns the store: each becomes an action of the writer.

Called by `store` and, for other processes, by `writer_socket`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hub.context import Clock
from hub.storage.ledger import Record
from hub.storage.message_log import Arrival, Departure, DepartureState, Receipt, Settled
from hub.storage.port import (
    ANY_VERSION,
    AuditRecord,
    Commit,
    Committed,
    Reindexed,
    RuntimeParameter,
)
from hub.storage.sqlite import blob, ledger, message_writes, upkeep
from hub.storage.sqlite.commit import apply, checks_late
from hub.storage.sqlite.ledger import Change
from hub.storage.sqlite.readers import Readers
from hub.storage.sqlite.writer import Action, T, Writer


class LocalWriter:
    """Writes through the `Writer` of this process."""

    def __init__(self, folder: Path, writer: Writer, readers: Readers, clock: Clock) -> None:
        self._folder, self._writer, self._readers, self._clock = folder, writer, readers, clock

    @property
    def queued(self) -> int:
        """Requests waiting."""
        return self._writer.queued

    def submit(self, action: Action[T], weight: int, careful: bool) -> asyncio.Future[T]:
        """Queue any action; see `Writer.submit`."""
        return self._writer.submit(action, weight, careful)

    async def commit(self, commit: Commit) -> Committed:
        """Apply a transaction."""
        action = partial(apply, commit=commit)
        return await self._writer.submit(action, len(commit.writes), checks_late(commit))

    async def reindex(self, tenant: int, rows: Sequence[Reindexed]) -> int:
        """Replace index rows."""
        action = partial(upkeep.reindex, tenant=tenant, rows=rows)
        return await self._writer.submit(action, len(rows))

    async def expunge(
        self,
        tenant: int,
        type: str,
        id: str,
        audit: AuditRecord,
        clock: int,
        expected: int = ANY_VERSION,
    ) -> int:
        """Remove physically, then the files that nothing needs any more."""
        action = partial(
            upkeep.expunge,
            tenant=tenant,
            type=type,
            id=id,
            audit=audit,
            clock=clock,
            expected=expected,
        )
        versions, hashes = await self._writer.submit(action)
        await self._remove_files(hashes)
        return versions

    async def append_audit(self, tenant: int, packed: bytes, clock: int, once: str = "") -> int:
        """Add a block to the audit chain."""
        action = partial(upkeep.append_audit, tenant=tenant, packed=packed, clock=clock, once=once)
        return await self._writer.submit(action)

    async def put_parameter(
        self, tenant: int, parameter: RuntimeParameter | None, url: str
    ) -> RuntimeParameter | None:
        """Add, change or remove a parameter."""
        action = partial(upkeep.put_parameter, tenant=tenant, parameter=parameter, url=url)
        return await self._writer.submit(action)

    async def delivered(self, tenant: int, rows: Sequence[int]) -> None:
        """Take rows out of the outbox."""
        await self._writer.submit(partial(upkeep.delivered, tenant=tenant, rows=rows))

    async def sweep(self, clock: int, grace: int) -> int:
        """Remove what nothing uses: rows, then their files and files without a row."""
        hashes = await self._writer.submit(partial(upkeep.sweep, clock=clock, grace=grace))
        await self._remove_files(hashes)
        await self._remove_files(
            await self._readers.run(blob.strays, self._folder, (clock - grace) / 1000)
        )
        return len(hashes)

    async def register_blob(self, tenant: int, name: str, sha256: str, size: int) -> None:
        """Keep an uploaded file."""
        clock = int(self._clock().timestamp() * 1000)
        action = partial(
            blob.register, tenant=tenant, name=name, sha256=sha256, size=size, clock=clock
        )
        await self._writer.submit(action)

    async def change_ledger(self, change: Change) -> Record | None:
        """Change a record of the ledger."""
        return await self._writer.submit(partial(ledger.make, change=change))

    async def expire_ledger(self, tenant: int, now: int) -> int:
        """Remove what has expired."""
        return await self._writer.submit(partial(ledger.expire, now=now, tenant=tenant))

    async def receive(self, tenant: int, arrival: Arrival, once: str = "") -> Receipt:
        """Keep an arrival."""
        action = partial(message_writes.receive, tenant=tenant, arrival=arrival)
        return await self._once(tenant, once, Receipt, action)

    async def settle(self, tenant: int, settled: Settled, once: str = "") -> None:
        """End the work on an arrival."""
        action = partial(message_writes.settle, tenant=tenant, settled=settled)
        await self._once(tenant, once, None, action)

    async def reopen(self, tenant: int, row: int, time: int, once: str = "") -> bool:
        """Let an arrival wait again."""
        action = partial(message_writes.reopen, tenant=tenant, row=row, time=time)
        return await self._once(tenant, once, bool, action)

    async def depart(
        self,
        tenant: int,
        departures: Sequence[Departure],
        outbox: Sequence[int],
        once: str = "",
    ) -> list[int]:
        """Queue messages."""
        action = partial(message_writes.depart, tenant=tenant, departures=departures, outbox=outbox)
        return await self._once(tenant, once, list[int], action)

    async def attempted(
        self,
        tenant: int,
        row: int,
        state: DepartureState,
        due: int,
        answer: bytes,
        reason: str,
        once: str = "",
    ) -> bool:
        """Note an attempt."""
        action = partial(
            message_writes.attempted,
            tenant=tenant,
            row=row,
            state=state,
            due=due,
            answer=answer,
            reason=reason,
        )
        return await self._once(tenant, once, bool, action)

    async def close(self) -> None:
        """Finish what is queued and close the write connection."""
        await asyncio.get_running_loop().run_in_executor(None, self._writer.close)

    async def _once(self, tenant: int, key: str, type: Any, action: Action[T]) -> T:
        if key:
            action = partial(message_writes.once, tenant=tenant, key=key, type=type, action=action)
        return await self._writer.submit(action)

    async def _remove_files(self, hashes: Sequence[str]) -> None:
        if hashes:
            await self._writer.submit(partial(blob.remove_files, hashes=hashes))
