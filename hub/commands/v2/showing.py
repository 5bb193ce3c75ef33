"""`fhir-hub v2 show`: one message with what became of it."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from hub.commands.running import DEFAULT_DATA, Data, fail, run
from hub.commands.v2.listing import line_of
from hub.commands.v2.log import Out, message_log


def show(
    row: Annotated[int, typer.Argument(metavar="ROW", help="As `list` shows.", show_default=False)],
    out: Out = False,
    raw: Annotated[
        bool, typer.Option("--raw", help="Only the bytes, as they came or go, for a file.")
    ] = False,
    data: Data = DEFAULT_DATA,
) -> None:
    """Show a message, a segment a line, with its answer and why it stands where it stands.

    It holds a patient's data: who looked is noted in the audit.

    Example: fhir-hub v2 show 12
    """

    async def main() -> tuple[dict[str, Any], bytes, list[str]]:
        from adapters.hl7v2.told import arrival_told, departure_told, readable

        async with message_log(data) as log:
            told: dict[str, Any]
            if out:
                sent = await log.departure(row)
                if sent is None:
                    raise fail(f"There is no message out in row {row}.", 1)
                told, content = departure_told(sent, log.context.language), sent.departure.raw
                answer = sent.answer
            else:
                came = await log.messages.arrival(log.tenant, row)
                if came is None:
                    raise fail(f"There is no message in row {row}.", 1)
                told, content = arrival_told(came, log.context.language), came.arrival.raw
                answer = came.arrival.answer
            await log.note("R", "v2-show", f"message-{'out' if out else 'in'}/{row}")
            return told, content, [readable(part, log.sites) for part in (content, answer) if part]

    told, content, texts = run(main)
    if raw:
        sys.stdout.buffer.write(content)
        return
    typer.echo(line_of(told))
    for reason in told["reasons"]:
        typer.echo(f"      {reason}")
    for text in texts:
        typer.echo("")
        typer.echo(text)
