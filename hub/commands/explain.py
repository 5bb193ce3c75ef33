"""`fhir-hub explain`: how a search would be run."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qsl, unquote, urlsplit

import typer

from hub.commands.running import DEFAULT_DATA, Data, fail, record, run


def explain(
    url: Annotated[
        str,
        typer.Argument(
            metavar="SEARCH-URL",
            help="A search: 'Observation?patient=123&code=85354-9', or its whole URL.",
        ),
    ],
    sql: Annotated[bool, typer.Option("--sql", help="Also the SQL and SQLite's own plan.")] = False,
    data: Data = DEFAULT_DATA,
) -> None:
    """Show how a search is understood, rewritten and run, without running it.

    Over HTTP the same is `_explain=true`, or `_explain=sql`.

    Example: fhir-hub explain 'Encounter?patient.name=小明&date=ge2026-01-01'
    """
    parts = urlsplit(url)
    steps = [unquote(step) for step in parts.path.split("/") if step]
    if "fhir" in steps:
        steps = steps[steps.index("fhir") + 1 :]
    if len(steps) not in (0, 1, 3):
        raise fail("Give a search, as Patient?name=... or Patient/1/Observation?code=...")
    kind = steps[-1] if steps else ""
    compartment = (steps[0], steps[1]) if len(steps) == 3 else None
    parameters = [
        *parse_qsl(parts.query, keep_blank_values=True),
        ("_explain", "sql" if sql else "true"),
    ]

    async def main() -> list[str]:
        from hub.messages import render

        async with record(data) as (door, context):
            answer = await door.search(context, kind, parameters, compartment=compartment)
            return [
                render(issue.message, issue.arguments, context.language) for issue in answer.issues
            ]

    for line in run(main):
        typer.echo(line)
