"""`fhir-hub reindex`: make the index rows of stored resources anew."""

from __future__ import annotations

import typer

from hub.commands.running import DEFAULT_DATA, Data, Types, known_types, record, run


def reindex(
    types: Types = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Index every stored resource again, while the hub runs.

    Needed when `check` finds an index row that disagrees; after an upgrade or a change of the
    zone the hub does it by itself.

    Example: fhir-hub reindex --type Observation
    """
    from hub.interactions.indexing import reindex_all
    from hub.loading.progress import count_progress

    wanted = known_types(types)

    async def main() -> int:
        async with record(data) as (door, context):
            counts = (await door.store.info(context.tenant.key)).resources
            total = sum(count for name, count in counts.items() if not wanted or name in wanted)
            with count_progress("Indexing", total) as advance:
                return await reindex_all(door, context, wanted, advance)

    typer.echo(f"{run(main, 'Stopped. Run the same command to index the rest.')} resources indexed")
