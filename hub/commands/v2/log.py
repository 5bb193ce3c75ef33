"""What the commands about the log share: the log beside a running hub, and who looked into it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.commands.running import record

if TYPE_CHECKING:
    from adapters.hl7v2.sites import Sites
    from hub.context import Context
    from hub.storage.message_log import DepartureRow, MessageLog
    from hub.storage.port import Store

Json = Annotated[bool, typer.Option("--json", help="For programs: a JSON object per line.")]
Out = Annotated[bool, typer.Option("--out", help="Messages out instead of messages in.")]


@dataclass(frozen=True, slots=True)
class Log:
    """The log of a data folder.

    Attributes:
        messages: The log.
        store: Whose it is.
        context: Tenant, language and clock.
        sites: Those of the folder.
    """

    messages: MessageLog
    store: Store
    context: Context
    sites: Sites

    @property
    def tenant(self) -> int:
        """Tenant key."""
        return self.context.tenant.key

    @property
    def now(self) -> int:
        """Milliseconds since the epoch."""
        return int(self.context.clock().timestamp() * 1000)

    async def departure(self, row: int) -> DepartureRow | None:
        """The message out in a row."""
        from hub.storage.message_log import MessageQuery

        found = await self.messages.departures(self.tenant, MessageQuery(row + 1, 1))
        return found[0] if found and found[0].row == row else None

    async def note(self, action: str, what: str, *targets: str) -> None:
        """Write into the audit chain that somebody looked at messages, or set them going.

        Args:
            action: R or E.
            what: `v2-show`, `v2-replay` ...
            targets: `message-in/12`, `destination/central` ...
        """
        from hub.storage.port import AuditRecord, Commit

        row = AuditRecord(
            action, what, self.context.principal.name, self.context.request_id, entities=targets
        )
        await self.store.commit(Commit(self.tenant, (), row, self.now))


@asynccontextmanager
async def message_log(data: Path) -> AsyncIterator[Log]:
    """The log of a data folder; works beside a running hub.

    Args:
        data: Data folder.

    Raises:
        typer.Exit: There is no store.
        SettingsError: A site file cannot be used.
        StoreUnavailable: The store cannot be opened.
    """
    from adapters.hl7v2.service import sites_of
    from hub.settings import from_environment

    async with record(data) as (door, context):
        sites = sites_of(from_environment(data=data))
        yield Log(door.store.messages, door.store, context, sites)
