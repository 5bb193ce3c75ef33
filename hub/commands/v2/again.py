"""`fhir-hub v2 replay` and `resend`: work on a message, or send it, once more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hub.commands.running import DEFAULT_DATA, Data, fail, run
from hub.commands.v2.listing import Kind, Peer
from hub.commands.v2.log import message_log

if TYPE_CHECKING:
    from hub.commands.v2.log import Log

_PAGE = 200

Rows = Annotated[
    list[int] | None,
    typer.Argument(metavar="ROW...", help="As `list` shows.", show_default=False),
]


def replay(
    rows: Rows = None,
    every: Annotated[
        bool, typer.Option("--all", help="Everything in quarantine (--site, --kind: of these).")
    ] = False,
    site: Peer = "",
    kind: Kind = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """Work on quarantined messages again, for example after the map of their site was mended.

    The running hub takes them up within two seconds, the oldest first; otherwise the next one
    does. Site files are read at start: after a change start the hub again first.

    Example: fhir-hub v2 replay --all --site central
    """

    async def main() -> int:
        async with message_log(data) as log:
            wanted = sorted(rows or ()) or await _quarantined(log, site, kind)
            opened = []
            for row in wanted:
                if await log.messages.reopen(log.tenant, row, log.now):
                    opened.append(row)
                elif rows:
                    typer.echo(f"Row {row} is not in quarantine.", err=True)
            if opened:
                await log.note("E", "v2-replay", *(f"message-in/{row}" for row in opened))
            return len(opened)

    if bool(rows) == every:
        raise fail("Name rows, or --all.")
    opened = run(main)
    typer.echo(f"{opened} messages wait for their work again.")
    if rows and opened < len(set(rows)):
        raise typer.Exit(1)


async def _quarantined(log: Log, site: str, kind: str) -> list[int]:
    """Rows of what is in quarantine, oldest first."""
    from hub.storage.message_log import MessageQuery

    found: list[int] = []
    before: int | None = None
    while True:
        query = MessageQuery(before, _PAGE, "quarantined", site, kind)
        page = [row.row for row in await log.messages.arrivals(log.tenant, query)]
        found += page
        if len(page) < _PAGE:
            return sorted(found)
        before = page[-1]


def resend(rows: Rows = None, data: Data = DEFAULT_DATA) -> None:
    """Send messages out again under the control id they have, before all newer ones.

    For what was refused, and for what the other side has lost; who has it already knows it by
    its control id.

    Example: fhir-hub v2 resend 7 8
    """

    async def main() -> int:
        async with message_log(data) as log:
            queued = []
            for row in sorted(rows or ()):
                found = await log.departure(row)
                if found is None:
                    typer.echo(f"There is no message out in row {row}.", err=True)
                elif not found.departure.raw:
                    typer.echo(
                        f"Row {row} could not be written; there is nothing to send.", err=True
                    )
                elif found.state != "queued" and await log.messages.attempted(
                    log.tenant, row, "queued"
                ):
                    queued.append(row)
                else:
                    typer.echo(f"Row {row} waits to be sent already.", err=True)
            if queued:
                await log.note("E", "v2-resend", *(f"message-out/{row}" for row in queued))
            return len(queued)

    if not rows:
        raise fail("Name rows: fhir-hub v2 list --out shows them.")
    queued = run(main)
    typer.echo(f"{queued} messages wait to be sent.")
    if queued < len(set(rows)):
        raise typer.Exit(1)
