"""`fhir-hub load`: files, folders, ndjson and bundles into the record."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub.commands.running import DEFAULT_DATA, Data, fail, run


def load(
    paths: Annotated[
        list[Path],
        typer.Argument(
            help="Files (.json, .ndjson, .xml, each also .gz) or folders of them.",
            show_default=False,
        ),
    ],
    data: Data = DEFAULT_DATA,
    report: Annotated[
        Path, typer.Option(help="Where rejected resources are listed, with the reasons.")
    ] = Path("load.report.ndjson"),
    language: Annotated[str, typer.Option(help="Language of the reasons: en or zh.")] = "en",
) -> None:
    """Load resources, bundles and ndjson files.

    Loading again changes nothing: a resource that is stored already is skipped, a transaction
    that was applied is not applied twice. An interrupted load goes on where it stopped. The
    order of files does not matter.

    Exit code 0: everything is stored. 1: something was rejected; the report says what and why.

    Example: fhir-hub load synthea/ patients.ndjson.gz
    """
    from contextlib import closing

    from hub.app import open_door
    from hub.context import Context, Tenant
    from hub.loading.checkpoint import Checkpoint, LoadRunsError, State
    from hub.loading.loader import Loader
    from hub.loading.progress import file_progress
    from hub.loading.report import Report
    from hub.loading.sources import files
    from hub.settings import from_environment

    try:
        found = files(paths)
    except FileNotFoundError as error:
        raise fail(f"{error}: no such file or folder.") from None
    except ValueError as error:
        raise fail(str(error)) from None
    if not found:
        raise fail("No .json, .ndjson or .xml file in there.")

    async def main() -> State:
        settings = from_environment(data=data)
        async with open_door(settings) as door:
            with closing(Checkpoint(data, paths, found)) as checkpoint:
                if checkpoint.resumed:
                    typer.echo("Going on where the last load of these files stopped.", err=True)
                context = Context(Tenant(zone=settings.zone), language=language)
                with (
                    closing(Report(report, language, checkpoint.state.report)) as rejected,
                    file_progress("Loading", found) as progress,
                ):
                    loader = Loader(door, context, checkpoint, rejected, progress)
                    return await loader.load(found)

    try:
        state = run(main)
    except LoadRunsError:
        raise fail("These files are being loaded by another process.") from None
    typer.echo(
        f"{state.created} created, {state.updated} updated, {state.unchanged} unchanged, "
        f"{state.rejected} rejected"
    )
    if state.rejected:
        raise fail(f"The reasons are in {report}.", 1)
