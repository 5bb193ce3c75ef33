"""`fhir-hub v2 show`: one message with what became of it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from hub.commands.running import DEFAULT_DATA, Data, fail, run
from hub.commands.v2.listing import line_of
from hub.commands.v2.log import Out, message_desk, say

if TYPE_CHECKING:
    from adapters.hl7v2.message_desk import Shown


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

    async def main() -> Shown:
        async with message_desk(data) as (desk, context):
            found = await desk.show(context, "out" if out else "in", row)
            if found is None:
                raise fail(f"There is no message {'out ' if out else ''}in row {row}.", 1)
            return found

    shown = run(main)
    if raw:
        sys.stdout.buffer.write(shown.raw)
        return
    say(line_of(shown.told))
    for reason in shown.told["reasons"]:
        say(f"      {reason}")
    for text in filter(None, (shown.text, shown.answer)):
        say(f"\n{text}")
