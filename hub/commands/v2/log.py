"""What the commands about messages share: the desk for the log, and words that are not ours."""

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

_CONTROLS = (*range(9), *range(11, 32), *range(0x7F, 0xA0))
_TURNS = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
_SHOWN = {
    **{code: f"\\x{code:02x}" for code in _CONTROLS},
    **{code: f"\\u{code:04x}" for code in _TURNS},
}


def say(text: str) -> None:
    """Print what a sender wrote; nothing in it may steer the terminal or turn its words round.

    Args:
        text: Its control characters are shown as escapes, but tabs and line ends.
    """
    typer.echo(text.translate(_SHOWN))


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
    from adapters.hl7v2.sites import read_sites
    from hub.settings import from_environment

    async with record(data) as (door, context):
        yield MessageDesk(door.store, read_sites(from_environment(data=data))), context
