"""What `account` and `client` share: the front desk of a data folder, and the audit of a change."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hub.commands.running import fail, record

if TYPE_CHECKING:
    from hub.access.front_desk import FrontDesk
    from hub.context import Context
    from hub.storage.port import Store


@dataclass(frozen=True, slots=True)
class Desk:
    """The front desk with the record it belongs to.

    Attributes:
        parts: Accounts, clients ...
        store: The record.
        context: Tenant and clock.
        now: When the command began, milliseconds since the epoch.
    """

    parts: FrontDesk
    store: Store
    context: Context
    now: int

    async def note(self, action: str, what: str, target: str) -> None:
        """Write a change into the audit chain.

        Args:
            action: C, U or D.
            what: `account-add` ...
            target: `account/NAME` or `client/ID`.
        """
        from hub.storage.port import AuditRecord, Commit

        row = AuditRecord(
            action,
            what,
            self.context.principal.name,
            self.context.request_id,
            entities=(target,),
        )
        await self.store.commit(Commit(self.context.tenant.key, (), row, self.now))

    async def is_in_record(self, reference: str) -> bool:
        """Whether `Type/id` is there."""
        found = await self.store.read(self.context.tenant.key, *reference.split("/"))
        return found is not None and not found.deleted


@asynccontextmanager
async def front_desk(data: Path, *, make: bool = False) -> AsyncIterator[Desk]:
    """The front desk of a data folder; what it refuses ends in words.

    Args:
        data: Data folder.
        make: Make a store where there is none.

    Raises:
        typer.Exit: It refuses, or there is no store.
        StoreUnavailable: The store cannot be opened.
    """
    from hub.access.accounts import AccountRefused
    from hub.access.clients import ClientRefused
    from hub.access.front_desk import open_desk
    from hub.access.passwords import PasswordRefused
    from hub.messages import render

    async with record(data, make=make) as (door, context):
        parts = open_desk(door.store.ledger, context.tenant.key)
        now = context.now
        try:
            yield Desk(parts, door.store, context, now)
        except (AccountRefused, ClientRefused) as error:
            raise fail(render(error.message, error.arguments)) from None
        except PasswordRefused as error:
            raise fail(render(error.message, {})) from None
        finally:
            parts.close()
