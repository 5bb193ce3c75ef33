"""`fhir-hub demo`: the invented family-doctor centre, into the record or a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub.commands.running import DEFAULT_DATA, GO_ON, Data, fail, record, run
from hub.demo.generate import DEFAULT_PATIENTS, DEFAULT_SEED
from hub.errors import words_of


def demo(
    patients: Annotated[
        int, typer.Option(min=0, metavar="N", help="Number of residents, about 20 resources each.")
    ] = DEFAULT_PATIENTS,
    seed: Annotated[
        int, typer.Option(metavar="N", help="The same seed gives the same data, byte for byte.")
    ] = DEFAULT_SEED,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write ndjson to this file (- for standard output), not the record.",
        ),
    ] = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Make synthetic data: a Chinese family-doctor centre with three branches and a hospital.

    Nobody in it exists: resident numbers use a division that was never assigned. Making the
    same set again changes nothing.

    Example: fhir-hub demo --patients 1000 --seed 7
    """
    if out is not None:
        try:
            _write(out, patients, seed)
        except BrokenPipeError:  # Whoever reads has seen enough; the command line ends quietly.
            raise
        except OSError as error:
            raise fail(words_of(error)) from None
        return
    from hub.loading.demo import load_demo
    from hub.loading.progress import count_progress

    async def main() -> int:
        async with record(data, make=True) as (door, context):
            with count_progress("Demo residents", patients) as advance:
                return await load_demo(door, patients, seed, advance, context)

    typer.echo(f"{run(main, GO_ON)} resources in {data}")


def _write(out: Path, patients: int, seed: int) -> None:
    import sys
    from contextlib import nullcontext

    from hub.demo.generate import generate
    from hub.loading.progress import count_progress
    from hub.model import json

    piped = str(out) == "-"
    stream = sys.stdout.buffer if piped else out.open("wb")
    bar = nullcontext(_silent) if piped else count_progress("Demo residents", patients)
    with stream, bar as advance:
        for resource in generate(patients, seed):
            stream.write(json.encode(resource) + b"\n")
            advance(resource["resourceType"] == "Patient")


def _silent(count: int) -> None:
    """No progress: the terminal shows the resources themselves."""
