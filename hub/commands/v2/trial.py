"""`fhir-hub v2 test`: what the maps of a site make of a message; nothing is stored."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub.commands.running import DEFAULT_DATA, Data, fail, language_of_locale
from hub.commands.v2.log import say


def trial(
    site: Annotated[
        str,
        typer.Argument(
            metavar="SITE",
            help="Name of a site, its file NAME.toml, or default.",
            show_default=False,
        ),
    ],
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="One message or several, as they are sent.", show_default=False
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    data: Data = DEFAULT_DATA,
) -> None:
    """Show what becomes of a message: each element with its segment and field, and remarks.

    Nothing is stored, and no hub need run. `=` stands where the map itself gives the value.

    Example: fhir-hub v2 test central admission.hl7
    """
    from adapters.hl7v2.mapping.library import library
    from adapters.hl7v2.shown import as_data, messages_in, show
    from adapters.hl7v2.sites import SiteError, read_site, read_sites
    from adapters.hl7v2.to_fhir import convert
    from hub.context import utc_now
    from hub.errors import HubError
    from hub.messages import render
    from hub.model import json
    from hub.settings import SettingsError, from_environment

    language = language_of_locale()
    try:
        settings = from_environment(data=data)
        path = Path(site)
        if path.suffix == ".toml":
            known = read_site(path, zone=settings.zone)
        else:
            sites = read_sites(settings).named
            if site not in sites:
                raise fail(f"No site {site}; there are: {', '.join(sorted(sites))}.")
            known = sites[site]
        content = file.read_bytes()
    except (SiteError, SettingsError) as error:
        raise fail(str(error)) from None
    except OSError as error:
        raise fail(f"{file}: {error.strerror}.") from None
    received = int(utc_now().timestamp() * 1000)
    try:
        messages = messages_in(content, known)
        if not messages:
            raise fail(f"{file} has no message: nothing in it begins with MSH.", 1)
        library(known, True).check()  # Also what this message does not need.
        for number, message in enumerate(messages):
            converted = convert(message, known, received, trace=True)
            if as_json:
                told = as_data(converted, message, language)
                typer.echo(json.encode_pretty(told).decode())
                continue
            if number:
                typer.echo("")
            for line in show(converted, message, language):
                say(line)
    except HubError as error:
        for issue in error.issues:
            words = render(issue.message, issue.arguments, language)
            typer.secho(f"{issue.location}: {words}", fg=typer.colors.RED, err=True)
        raise typer.Exit(1) from None
