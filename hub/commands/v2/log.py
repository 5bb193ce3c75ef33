"""What the commands about the log share: the desk for its messages, beside a running hub."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.commands.running import record

if TYPE_CHECKING:
    from adapters.hl7v2.message_desk import MessageDesk
    from hub.context import Context

Json = Annotated[bool, typer.Option("--json", help="For programs: a JSON object per line.")]
Out = Annotated[bool, typer.Option("--out", help="Messages out instead of messages in.")]


@asynccontextmanager
async def message_desk(data: Path) -> AsyncIterator[tuple[MessageDesk, Context]]:
    """The desk for the messages of a data folder; works beside a running hub.

    Args:
        data: Data folder.

    Raises:
        typer.Exit: There is no store.
        SettingsError: A site file cannot be used.
        StoreUnavailable: The store cannot be opened.
    """
    from adapters.hl7v2.message_desk import MessageDesk
    from adapters.hl7v2.service import sites_of
    from hub.settings import from_environment

    async with record(data) as (door, context):
        yield MessageDesk(door.store, sites_of(from_environment(data=data))), context
