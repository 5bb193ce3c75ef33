"""`fhir-hub export`: the record as ndjson, one file per resource type."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from hub.commands.running import DEFAULT_DATA, Data, fail, run

if TYPE_CHECKING:
    from hub.interactions import Interactions

PAGE = 1000


def export(
    out: Annotated[Path, typer.Argument(help="Folder to write to; made if it is not there.")],
    types: Annotated[
        list[str] | None,
        typer.Option("--type", "-t", help="Only this resource type; may be repeated."),
    ] = None,
    compress: Annotated[
        bool, typer.Option("--gzip/--plain", help="Write TYPE.ndjson.gz or TYPE.ndjson.")
    ] = False,
    data: Data = DEFAULT_DATA,
) -> None:
    """Export the current resources as ndjson, one file per type, ready for `load`.

    Example: fhir-hub export backup-2026-11 --type Patient --type Observation --gzip
    """
    from hub.app import open_door
    from hub.context import Tenant
    from hub.definitions import resource_types
    from hub.loading.progress import count_progress
    from hub.settings import from_environment

    wanted = tuple(types or ())
    for name in wanted:
        if name not in resource_types():
            raise fail(f"{name} is not an R4 resource type.")
    out.mkdir(parents=True, exist_ok=True)

    async def main() -> dict[str, int]:
        async with open_door(from_environment(data=data)) as door:
            tenant = Tenant().key
            counts = (await door.store.info(tenant)).resources
            chosen = {name: counts[name] for name in counts if name in wanted or not wanted}
            written: dict[str, int] = {}
            with count_progress("Exporting", sum(chosen.values())) as advance:
                for name in sorted(chosen):
                    path = out / f"{name}.ndjson{'.gz' if compress else ''}"
                    with _open(path) as stream:
                        written[name] = await _type(door, tenant, name, stream, advance)
            return written

    written = run(main)
    for name, count in written.items():
        typer.echo(f"{count:>9} {name}")
    typer.echo(f"{sum(written.values()):>9} in {out}")


def _open(path: Path) -> IO[bytes]:
    if path.suffix == ".gz":
        return gzip.open(path, "wb", compresslevel=6)  # type: ignore[return-value]
    return path.open("wb")


async def _type(
    door: Interactions, tenant: int, name: str, stream: IO[bytes], advance: object
) -> int:
    from hub.model import body

    assert callable(advance)
    after = count = 0
    while True:
        page, after = await door.store.scan(tenant, (name,), after, PAGE)
        if not page:
            return count
        for one in page:
            stream.write(body.join(one.type, one.id, one.version, one.updated, one.tail) + b"\n")
        count += len(page)
        advance(len(page))
