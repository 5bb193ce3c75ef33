"""`fhir-hub v2 destinations`, `pause` and `resume`: where messages go out to."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hub.commands.running import DEFAULT_DATA, Data, fail, run
from hub.commands.v2.log import Json, Log, message_log

Name = Annotated[str, typer.Argument(metavar="NAME", help="Of its site.", show_default=False)]


def destinations(as_json: Json = False, data: Data = DEFAULT_DATA) -> None:
    """Show where messages go out to, how many wait, and what holds them up.

    Example: fhir-hub v2 destinations
    """

    async def main() -> list[dict[str, Any]]:
        from adapters.hl7v2.steering import destinations_told

        async with message_log(data) as log:
            return await destinations_told(
                log.store, log.tenant, log.sites, log.now, log.context.language
            )

    found = run(main)
    if not found:
        typer.echo("No site has a [destination]; see docs/hl7v2/connect-a-hospital.md.")
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
    _steer(name, data, "pause")
    typer.echo(f"Messages to {name} wait until: fhir-hub v2 resume {name}")


def resume(name: Name, data: Data = DEFAULT_DATA) -> None:
    """Send again, at once, also when the destination could not be reached before.

    Example: fhir-hub v2 resume central
    """
    _steer(name, data, "resume")
    typer.echo(f"Messages to {name} are sent.")


def _steer(name: str, data: Any, word: str) -> None:
    async def main() -> None:
        from adapters.hl7v2.destinations import Destinations

        async with message_log(data) as log:
            _check(name, log)
            states = Destinations(log.store.ledger, log.tenant)
            change = states.pause if word == "pause" else states.resume
            await change(name, log.context.principal.name, log.now)
            await log.note("E", f"v2-{word}", f"destination/{name}")

    run(main)


def _check(name: str, log: Log) -> None:
    known = [site.name for site in log.sites.named.values() if site.destination is not None]
    if name not in known:
        raise fail(
            f"No destination {name}; there are: {', '.join(known)}."
            if known
            else "No site has a [destination]."
        )
