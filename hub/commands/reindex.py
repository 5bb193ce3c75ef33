"""`fhir-hub reindex`: make the index rows of stored resources anew."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.commands.running import DEFAULT_DATA, Data, fail, run


def reindex(
    types: Annotated[
        list[str] | None,
        typer.Option("--type", "-t", help="Only this resource type; may be repeated."),
    ] = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Index every stored resource again, while the hub runs.

    Needed after an upgrade that says so, after a change of the zone, or when `check` finds an
    index row that disagrees.
    """
    from hub.app import open_door
    from hub.context import Context
    from hub.definitions import resource_types
    from hub.interactions.indexing import reindex_all
    from hub.loading.progress import count_progress
    from hub.settings import from_environment

    wanted = tuple(types or ())
    for name in wanted:
        if name not in resource_types():
            raise fail(f"{name} is not an R4 resource type.")

    async def main() -> int:
        async with open_door(from_environment(data=data)) as door:
            context = Context()
            counts = (await door.store.info(context.tenant.key)).resources
            total = sum(count for name, count in counts.items() if not wanted or name in wanted)
            with count_progress("Indexing", total) as advance:
                return await reindex_all(door, context, wanted, advance)

    typer.echo(f"{run(main)} resources indexed")
