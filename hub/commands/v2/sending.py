"""`fhir-hub v2 send`: be a sender, to try a site out."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated

import typer

from hub.commands.running import fail, run
from hub.commands.serve import MLLP
from hub.commands.v2.log import say

_PLACE = re.compile(r"(?P<host>\[[0-9a-fA-F:]+\]|[^:\s]+):(?P<port>\d{1,5})")
_GOOD = re.compile(rb"[\r\n]MSA.(?:AA|CA)")


def send(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="Messages, framed or with a segment a line.", show_default=False
        ),
    ],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="HOST:PORT",
            help="Where they are taken; else port HUB_MLLP (2575) of this machine.",
            show_default=False,
        ),
    ] = "",
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="For each answer.")] = 30.0,
) -> None:
    """Send messages by MLLP as a hospital system does, one after the other, and show the answers.

    Exit code 1 when one is answered by anything else than AA or CA.

    Example: fhir-hub v2 send admission.hl7
    """
    from adapters.hl7v2.mllp.client import ConnectionLost, connected
    from adapters.hl7v2.shown import raw_messages_in
    from adapters.hl7v2.sites import DEFAULT, Site, Sites
    from adapters.hl7v2.told import readable

    to = to or f"127.0.0.1:{os.environ.get('HUB_MLLP') or MLLP}"
    place = _PLACE.fullmatch(to)
    if place is None:
        raise fail("--to is HOST:PORT, for example 127.0.0.1:2575.")
    try:
        messages = raw_messages_in(file.read_bytes())
    except OSError as error:
        raise fail(f"{file}: {error.strerror}.") from None
    if not messages:
        raise fail(f"{file} has no message: nothing in it begins with MSH.", 1)
    sites = Sites({DEFAULT: Site()})

    async def main() -> bool:
        good = True
        try:
            async with connected(place["host"].strip("[]"), int(place["port"])) as connection:
                for message in messages:
                    answer = await connection.exchange(message, timeout)
                    say(readable(answer, sites))
                    good = good and _GOOD.search(answer) is not None
        except ConnectionLost as error:
            raise fail(f"{to}: {error}.", 1) from None
        return good

    if not run(main):
        raise typer.Exit(1)
