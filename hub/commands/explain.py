"""`fhir-hub explain`: how a search would be run."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qsl, unquote, urlsplit

import typer

from hub.commands.running import DEFAULT_DATA, Data, fail, run


def explain(
    url: Annotated[
        str, typer.Argument(help="A search, as in a URL: 'Observation?patient=123&code=8480-6'.")
    ],
    data: Data = DEFAULT_DATA,
) -> None:
    """Show how a search is understood, rewritten and run, without running it.

    Over HTTP the same is `_explain=true`.

    Example: fhir-hub explain 'Encounter?patient.name=小明&date=ge2026-01-01'
    """
    from hub.app import open_door
    from hub.context import Context
    from hub.settings import from_environment

    parts = urlsplit(url)
    steps = [unquote(step) for step in parts.path.split("/") if step and step != "fhir"]
    if len(steps) > 3 or parts.scheme:
        raise fail("Give the search without the server: Patient?name=... or Patient/1/Observation")
    kind = steps[-1] if steps else ""
    compartment = (steps[0], steps[1]) if len(steps) == 3 else None
    parameters = [*parse_qsl(parts.query, keep_blank_values=True), ("_explain", "true")]

    async def main() -> list[str]:
        async with open_door(from_environment(data=data)) as door:
            answer = await door.search(Context(), kind, parameters, compartment=compartment)
            issues = (
                issue
                for entry in answer.to_dict().get("entry", [])
                for issue in entry.get("resource", {}).get("issue", [])
            )
            return [str(one.get("diagnostics") or one["details"]["text"]) for one in issues]

    for line in run(main):
        typer.echo(line)
