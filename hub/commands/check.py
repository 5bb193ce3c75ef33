"""`fhir-hub check`: is everything that was stored still there, whole and findable."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.commands.running import DEFAULT_DATA, Data, fail, record, run


def check(
    data: Data = DEFAULT_DATA,
    validate: Annotated[
        bool, typer.Option("--validate", help="Validate every resource again, as on write.")
    ] = False,
    most: Annotated[
        int, typer.Option(min=1, metavar="N", help="Print at most so many findings.")
    ] = 50,
) -> None:
    """Check the store: resources parse, index rows agree, histories and audit chain are whole.

    Reads only, beside a running hub if need be. When only index rows differ, `reindex` mends
    them; for anything else, put a backup in place.

    Exit code 0: clean. 1: something was found.

    Example: fhir-hub check --validate
    """
    from hub.checking import check_record
    from hub.loading.progress import count_progress
    from hub.storage.port import StoreUnavailable

    async def main() -> tuple[int, int]:
        found = checked = 0
        async with record(data) as (door, context):
            try:
                total = sum((await door.store.info(context.tenant.key)).resources.values())
            except StoreUnavailable as error:
                if error.trouble != "damaged":
                    raise
                total = 0  # what is damaged is named below
            with count_progress("Checking", total) as advance:

                def step(count: int) -> None:
                    nonlocal checked
                    checked += count
                    advance(count)

                async for finding in check_record(door, context, step, validate=validate):
                    found += 1
                    if found <= most:
                        typer.echo(f"{finding.where}: {finding.what}")
        return found, checked

    found, checked = run(main)
    if found:
        raise fail(f"{found} findings in {checked} resources.", 1)
    typer.echo(f"Clean: {checked} resources, their histories, index rows and the audit chain.")
