"""`fhir-hub load`: files, folders, ndjson and bundles into the record."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from hub.commands.running import (
    DEFAULT_DATA,
    GO_ON,
    Data,
    fail,
    language_of_locale,
    record,
    run,
)
from hub.errors import words_of


def load(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATHS",
            help="Files (.json, .ndjson, .xml, each also .gz) or folders of them.",
            show_default=False,
        ),
    ],
    data: Data = DEFAULT_DATA,
    report: Annotated[
        Path,
        typer.Option(metavar="FILE", help="Where rejected resources are listed, with the reasons."),
    ] = Path("load.report.ndjson"),
    language: Annotated[
        str | None,
        typer.Option(
            metavar="en|zh", help="Language of the reasons. Default: that of the terminal."
        ),
    ] = None,
) -> None:
    """Load resources, bundles and ndjson files of any size.

    Transactions are stored whole or not at all; collections, batches, searchsets and ndjson one
    by one; documents and messages as the Bundles they are. The order of files does not matter:
    what refers to something that comes later waits for it.

    Loading again changes nothing, and an interrupted load goes on where it stopped: run the
    same command. A resource without an id gets one made from its content.

    Exit code 0: everything is stored. 1: something was rejected; the report has a line for each,
    with file, place and reasons.

    Example: fhir-hub load synthea/ patients.ndjson.gz
    """
    from contextlib import closing

    from hub.errors import Unavailable
    from hub.loading.checkpoint import Checkpoint, LoadRunsError, State
    from hub.loading.loader import Loader
    from hub.loading.progress import file_progress
    from hub.loading.report import Report
    from hub.storage.port import StoreUnavailable

    language = language or language_of_locale()
    if language not in ("en", "zh"):
        raise fail("--language takes en or zh.")
    found = _files(paths)
    if not os.access(report.parent, os.W_OK):
        raise fail(f"{report.parent}: the report cannot be written there; name it with --report.")

    async def main() -> State:
        async with record(data, make=True, language=language) as (door, context):
            with closing(Checkpoint(data, paths, found)) as checkpoint:
                if checkpoint.resumed:
                    typer.echo("Going on where the last load of these files stopped.", err=True)
                length = checkpoint.state.report
                with (
                    closing(Report(report, language, length)) as rejected,
                    file_progress("Loading", found) as progress,
                ):
                    try:
                        return await Loader(door, context, checkpoint, rejected, progress).load(
                            found
                        )
                    except (Unavailable, StoreUnavailable):
                        typer.echo("Run the same command to go on where it stopped.", err=True)
                        raise

    try:
        state = run(main, GO_ON)
    except LoadRunsError:
        raise fail("These files are being loaded by another process.") from None
    typer.echo(
        f"{state.created} created, {state.updated} updated, {state.unchanged} unchanged, "
        f"{state.rejected} rejected"
    )
    if state.rejected:
        raise fail(f"The reasons are in {report}.", 1)


def _files(paths: list[Path]) -> list[Path]:
    """The files that are named, and those in the folders that are.

    Raises:
        typer.Exit: There is none, or one cannot be loaded.
    """
    from hub.loading.sources import files

    for path in map(str, paths):
        if path.startswith(("http:/", "https:/")):
            raise fail("load takes files and folders; save a URL's answer first: curl -o FILE URL")
    try:
        found = files(paths)
    except FileNotFoundError as error:
        raise fail(f"{error}: no such file or folder.") from None
    except ValueError as error:
        raise fail(str(error)) from None
    except OSError as error:
        raise fail(words_of(error)) from None
    if not found:
        raise fail("No .json, .ndjson or .xml file in there.")
    return found
