"""`fhir-hub export`: the record as ndjson, one file per resource type."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path
from typing import Annotated

import typer

from hub.commands.running import DEFAULT_DATA, Data, Types, fail, known_types, record, run

PARTIAL = ".partial"
"""Where files stay until all are written: half an export cannot be taken for a whole one."""


def export(
    out: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Folder to write to; made if it is not there.")
    ],
    types: Types = None,
    compress: Annotated[
        bool, typer.Option("--gzip/--plain", help="Write TYPE.ndjson.gz or TYPE.ndjson.")
    ] = False,
    data: Data = DEFAULT_DATA,
) -> None:
    """Export the current resources as ndjson, one file per type, ready for `load`.

    Works while the hub runs: what is written meanwhile may or may not be in it. History is not
    exported; `backup` copies all. Exit code 1: a stored body is damaged and was left out.

    Example: fhir-hub export monday --type Patient --type Observation --gzip
    """
    from hub.exporting import export_type
    from hub.interactions.audited import note
    from hub.loading.progress import count_progress

    wanted = known_types(types)
    partial = out / PARTIAL
    if out.is_dir() and any(one != partial for one in out.iterdir()):
        raise fail(f"{out} is not empty; name a new folder.")

    damaged: list[str] = []

    async def main() -> dict[str, int]:
        async with record(data) as (door, context):
            await note(door, context, "R", "export", " ".join(wanted))
            counts = (await door.store.info(context.tenant.key)).resources
            chosen = {name: counts[name] for name in counts if name in wanted or not wanted}
            written: dict[str, int] = {}
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            with count_progress("Exporting", sum(chosen.values())) as advance:
                for name in sorted(chosen):
                    path = partial / f"{name}.ndjson{'.gz' if compress else ''}"
                    with gzip.open(path, "wb", 6) if compress else path.open("wb") as stream:
                        count, lost = await export_type(door, context, name, stream, advance)
                    written[name] = count
                    damaged.extend(f"{name}/{id}" for id in lost)
            for file in partial.iterdir():
                file.rename(out / file.name)
            partial.rmdir()
            return written

    written = run(main, "Stopped. Run the same command to begin again.")
    for name, count in written.items():
        typer.echo(f"{count:>9} {name}")
    typer.echo(f"{sum(written.values()):>9} in {out}")
    if damaged:
        raise fail("\n".join(f"{one}: its stored body is damaged." for one in damaged), 1)
