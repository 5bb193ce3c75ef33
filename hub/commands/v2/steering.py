"""`fhir-hub v2 destinations`, `pause` and `resume`: where messages go out to."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hub.commands.running import DEFAULT_DATA, Data, fail, run
from hub.commands.v2.log import Json, message_desk

Name = Annotated[str, typer.Argument(metavar="NAME", help="Of its site.", show_default=False)]


def destinations(as_json: Json = False, data: Data = DEFAULT_DATA) -> None:
    """Show where messages go out to, how many wait, and what holds them up.

    Example: fhir-hub v2 destinations
    """

    async def main() -> tuple[list[dict[str, Any]], dict[str, int]]:
        async with message_desk(data) as (desk, context):
            found = await desk.destinations(context)
            known = {one["name"] for one in found}
            counts = [one for one in await desk.counts(context) if one["direction"] == "out"]
            return found, {
                one["peer"]: one["queued"]
                for one in counts
                if one["queued"] and one["peer"] not in known
            }

    found, stranded = run(main)
    if not found:
        typer.echo("No site has a [destination]; see docs/hl7v2/sending.md.")
    for name, queued in stranded.items():
        typer.secho(
            f"{name}: {queued} wait, but no site file {name}.toml has a [destination].",
            fg=typer.colors.RED,
            err=True,
        )
    for one in found:
        if as_json:
            from hub.model import json

            typer.echo(json.encode(one).decode())
            continue
        typer.echo(
            f"{one['name']:<12}  {one['host']}:{one['port']}  {one['state']}"
            f"  queued {one['queued']}  accepted {one['accepted']}  refused {one['refused']}"
        )
        for reason in one["reasons"]:
            typer.echo(f"      {reason}")


def pause(name: Name, data: Data = DEFAULT_DATA) -> None:
    """Send nothing more to a destination; messages wait in their order.

    Example: fhir-hub v2 pause central
    """
    _steer(name, data, pause=True)
    typer.echo(f"Messages to {name} wait until: fhir-hub v2 resume {name}")


def resume(name: Name, data: Data = DEFAULT_DATA) -> None:
    """Send again, at once, also when the destination could not be reached before.

    Example: fhir-hub v2 resume central
    """
    _steer(name, data, pause=False)
    typer.echo(f"Messages to {name} are sent.")


def _steer(name: str, data: Any, *, pause: bool) -> None:
    async def main() -> None:
        async with message_desk(data) as (desk, context):
            if not await desk.steer(context, name, pause=pause):
                known = [one["name"] for one in await desk.destinations(context)]
                told = f"there are: {', '.join(known)}" if known else "no site has a [destination]"
                raise fail(f"No destination {name}; {told}.")

    run(main)
