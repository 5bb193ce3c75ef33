"""`fhir-hub v2 list`, `quarantine` and `counts`: which messages, and all of them?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from hub.commands.running import DEFAULT_DATA, Data, fail, run
from hub.commands.v2.log import Json, Out, message_desk, say

_COUNTED = ("received", "stored", "repeat", "quarantined", "waiting")
_SENT = ("made", "queued", "accepted", "done", "refused")

State = Annotated[
    str,
    typer.Option(
        metavar="STATE",
        help="In: waiting, stored, quarantined. Out: queued, accepted, done, refused.",
        show_default=False,
    ),
]
Peer = Annotated[
    str,
    typer.Option("--site", metavar="NAME", help="Of this site or destination.", show_default=False),
]
Kind = Annotated[str, typer.Option(metavar="TYPE", help="ADT, or ADT^A01.", show_default=False)]
ControlId = Annotated[
    str,
    typer.Option("--id", metavar="ID", help="With this control id (MSH-10).", show_default=False),
]
Count = Annotated[int, typer.Option("--count", "-n", min=1, max=1000, help="Most messages.")]
Before = Annotated[
    int | None,
    typer.Option(metavar="ROW", help="Only older ones: the last row shown.", show_default=False),
]


def list_(
    out: Out = False,
    state: State = "",
    site: Peer = "",
    kind: Kind = "",
    control_id: ControlId = "",
    count: Count = 50,
    before: Before = None,
    as_json: Json = False,
    data: Data = DEFAULT_DATA,
) -> None:
    """List messages, the newest first. What they say is shown by `show` only, and remarks on them.

    x2 behind a message: it came again twice, or was sent so often.

    Example: fhir-hub v2 list --state quarantined --kind ORU
    """
    _list(out, state, site, kind, control_id, count, before, as_json, data)


def quarantine(
    site: Peer = "",
    kind: Kind = "",
    count: Count = 50,
    before: Before = None,
    as_json: Json = False,
    data: Data = DEFAULT_DATA,
) -> None:
    """List what could not be stored, and why. `show ROW` shows it, `replay ROW` tries again.

    Example: fhir-hub v2 quarantine
    """
    _list(False, "quarantined", site, kind, "", count, before, as_json, data)


def counts(as_json: Json = False, data: Data = DEFAULT_DATA) -> None:
    """Count messages per site: received = stored + repeat + quarantined + waiting.

    Exit code 1 when a sum is wrong.

    Example: fhir-hub v2 counts
    """

    async def main() -> list[dict[str, Any]]:
        async with message_desk(data) as (desk, context):
            return await desk.counts(context)

    rows = run(main)
    if as_json:
        _print_json(rows)
    else:
        for direction, columns in (("in", _COUNTED), ("out", _SENT)):
            for row in rows:
                if row["direction"] == direction:
                    numbers = "  ".join(f"{name} {row[name]}" for name in columns)
                    typer.echo(f"{direction:<4}{row['peer']}: {numbers}")
        if not rows:
            typer.echo("No message has come in or gone out yet.")
    wrong = [row["peer"] for row in rows if row["direction"] == "in" and not row["reconciles"]]
    if wrong:
        raise fail(f"The sum is wrong for {', '.join(wrong)}: see fhir-hub check.", 1)


def _list(
    out: bool,
    state: str,
    peer: str,
    kind: str,
    control_id: str,
    count: int,
    before: int | None,
    as_json: bool,
    data: Any,
) -> None:
    async def main() -> list[dict[str, Any]]:
        from adapters.hl7v2.told import STATES
        from hub.storage.message_log import MessageQuery

        known = STATES["out" if out else "in"]
        if state and state not in known:
            raise fail(f"--state is one of {', '.join(known)}.")
        query = MessageQuery(before, count, state, peer, kind, control_id)
        async with message_desk(data) as (desk, context):
            return await desk.messages(context, "out" if out else "in", query)

    rows = run(main)
    if as_json:
        _print_json(rows)
        return
    for row in rows:
        say(line_of(row))
        for reason in () if row["state"] == "stored" else row["reasons"]:
            say(f"      {reason}")
    if len(rows) == count:
        typer.echo(f"Older ones: --before {rows[-1]['row']}")
    if not rows:
        typer.echo("None.")


def line_of(row: Mapping[str, Any]) -> str:
    """One message in one line.

    Args:
        row: As `adapters.hl7v2.told` tells it.
    """
    times = row["repeats"] if row["direction"] == "in" else row["attempts"]
    more = f"  x{times}" if times > (row["direction"] == "out") else ""
    if row["state"] == "stored" and row["reasons"]:
        more += f"  (remarks: {len(row['reasons'])})"
    return (
        f"{row['row']:>6}  {row['time']}  {row['state']:<11}  {row['kind'] or '?':<8}"
        f"  {row['peer']:<12}  {row['controlId']}{more}"
    )


def _print_json(rows: list[dict[str, Any]]) -> None:
    from hub.model import json

    for row in rows:
        typer.echo(json.encode(row).decode())
