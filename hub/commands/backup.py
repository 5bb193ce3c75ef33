"""`fhir-hub backup` and `fhir-hub restore`: a verified copy of the store, while the hub runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub.commands.running import DEFAULT_DATA, Data, fail, record, run


def backup(
    target: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Folder for the copy; must not exist yet.")
    ],
    data: Data = DEFAULT_DATA,
) -> None:
    """Copy the store to a folder, consistent and verified, while the hub runs.

    The copy has everything: resources with their histories, the index, the audit chain,
    the blobs and the site files in the data folder. The folder appears under its name when
    the copy is complete.

    Example: fhir-hub backup /mnt/usb/hub-2026-11-22
    """

    async def main() -> None:
        async with record(data) as (door, _):
            await door.store.backup(target)

    from rich.console import Console

    if target.exists():
        raise fail(f"{target} is there already; name a new folder.")
    with Console(stderr=True).status("Copying and verifying ..."):
        run(main, "Stopped. There is no copy.")
    size = sum(file.stat().st_size for file in target.rglob("*") if file.is_file())
    typer.echo(f"{target}: {size / 1024**2:.1f} MB, verified")


def restore(
    source: Annotated[Path, typer.Argument(metavar="BACKUP", help="Folder that `backup` made.")],
    data: Data = DEFAULT_DATA,
) -> None:
    """Put a backup in place as the store of a data folder, after verifying it.

    The data folder must not hold a store: move the old one away first.

    Example: fhir-hub restore /mnt/usb/hub-2026-11-22 --data data
    """
    from rich.console import Console

    from hub.storage.sqlite.backup import restore as restore_store

    async def main() -> None:
        restore_store(source, data)

    with Console(stderr=True).status("Verifying and copying ..."):
        run(main, f"Stopped; {data} holds no store yet.")
    typer.echo(f"{data} holds the store of {source}; start it with: fhir-hub serve --data {data}")
