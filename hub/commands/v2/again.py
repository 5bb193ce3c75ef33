"""`fhir-hub v2 replay` and `resend`: work on a message, or send it, once more."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.commands.running import DEFAULT_DATA, Data, fail, run
from hub.commands.v2.listing import Kind, Peer
from hub.commands.v2.log import message_desk

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
        async with message_desk(data) as (desk, context):
            wanted = sorted(set(rows or ())) or await desk.quarantined(context, site, kind)
            opened = await desk.replay(context, wanted)
            _tell(rows, opened, "not in quarantine")
            return len(opened)

    if bool(rows) == every:
        raise fail("Name rows, or --all.")
    opened = run(main)
    typer.echo(f"{opened} messages wait for their work again.")
    if rows and opened < len(set(rows)):
        raise typer.Exit(1)


def _tell(rows: list[int] | None, done: list[int], why: str) -> None:
    """Name the rows that nothing was done for."""
    for row in sorted(set(rows or ()) - set(done)):
        typer.echo(f"Row {row} is {why}.", err=True)


def resend(rows: Rows = None, data: Data = DEFAULT_DATA) -> None:
    """Send messages out again under the control id they have, before all newer ones.

    For what was refused, and for what the other side has lost; who has it already knows it by
    its control id.

    Example: fhir-hub v2 resend 7 8
    """

    async def main() -> int:
        async with message_desk(data) as (desk, context):
            queued = await desk.resend(context, sorted(set(rows or ())))
            _tell(rows, queued, "not there, has nothing to send, or waits to be sent already")
            return len(queued)

    if not rows:
        raise fail("Name rows: fhir-hub v2 list --out shows them.")
    queued = run(main)
    typer.echo(f"{queued} messages wait to be sent.")
    if queued < len(set(rows)):
        raise typer.Exit(1)
