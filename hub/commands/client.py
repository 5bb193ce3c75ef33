"""`fhir-hub client`: apps and services that are let in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.commands.desk import front_desk
from hub.commands.running import DEFAULT_DATA, Data, fail, run
from hub.errors import words_of

if TYPE_CHECKING:
    from hub.access.clients import Client

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")


@app.callback()
def client() -> None:
    """Register apps and services, and end them.

    An app that people log in through gives its redirect URIs. A service without people
    (SMART Backend Services) gives its public key and --service.

    Example: fhir-hub client add "Growth chart" --redirect-uri https://app.example.org/callback
    """


@app.command()
def add(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="Name for people, as the consent page shows it."),
    ],
    redirect_uri: Annotated[
        list[str] | None,
        typer.Option(
            "--redirect-uri",
            metavar="URI",
            help="Where codes are sent, compared character by character; may be repeated.",
        ),
    ] = None,
    scope: Annotated[
        str,
        typer.Option(
            metavar="SCOPES",
            help="What it may ask for, separated by spaces; without: whatever the person may.",
            show_default=False,
        ),
    ] = "",
    secret: Annotated[
        bool, typer.Option("--secret", help="Make a secret, for an app with a server of its own.")
    ] = False,
    jwks: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Its public keys, as a JWK set.")
    ] = None,
    jwks_uri: Annotated[
        str, typer.Option(metavar="URI", help="Where its public keys are.", show_default=False)
    ] = "",
    service: Annotated[
        bool, typer.Option("--service", help="A service without people; it needs a key.")
    ] = False,
    launch_url: Annotated[
        str,
        typer.Option(metavar="URI", help="Where an EHR launch opens it.", show_default=False),
    ] = "",
    id: Annotated[
        str,
        typer.Option("--id", metavar="ID", help="Its client_id; chosen here without."),
    ] = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """Register a client and print its client_id, and its secret once.

    Without --secret, --jwks or --jwks-uri it is a public client: a browser or phone app.

    Example: fhir-hub client add Laboratory --service --jwks lab.json --scope system/Observation.rs
    """
    from hub.access.clients import Client, ClientType

    if secret and (jwks or jwks_uri):
        raise fail("A client has a secret or keys, not both.")
    kind: ClientType = "public"
    if secret:
        kind = "confidential-symmetric"
    elif jwks or jwks_uri:
        kind = "confidential-asymmetric"
    try:
        keys = jwks.read_text(encoding="utf-8") if jwks else ""
    except OSError as error:
        raise fail(words_of(error)) from None
    except UnicodeDecodeError:
        raise fail(f"{jwks} is no JWK set.") from None
    wanted = Client(
        id=id,
        name=name,
        type=kind,
        redirect_uris=tuple(redirect_uri or ()),
        scope=scope,
        jwks=keys,
        jwks_uri=jwks_uri,
        grant_types=(
            ("client_credentials",) if service else ("authorization_code", "refresh_token")
        ),
        launch_url=launch_url,
        created_by="local",
    )

    async def main() -> tuple[Client, str]:
        async with front_desk(data, make=True) as desk:
            added, shown = await desk.parts.clients.add(wanted, desk.now)
            await desk.note("C", "client-add", f"client/{added.id}")
            return added, shown

    added, shown = run(main)
    typer.echo(f"client_id: {added.id}")
    if shown:
        typer.echo(f"client_secret: {shown}")


@app.command("list")
def list_clients(data: Data = DEFAULT_DATA) -> None:
    """List the clients: id, type, grants, redirect URIs, name.

    Example: fhir-hub client list
    """

    async def main() -> list[tuple[str, ...]]:
        async with front_desk(data) as desk:
            return [
                (
                    one.id,
                    one.type,
                    ",".join(one.grant_types),
                    ",".join(one.redirect_uris) or "-",
                    one.name,
                )
                async for one in desk.parts.clients.all(desk.now)
            ]

    for row in run(main):
        typer.echo("\t".join(row))


@app.command()
def remove(
    id: Annotated[str, typer.Argument(metavar="ID", help="Its client_id.", show_default=False)],
    data: Data = DEFAULT_DATA,
) -> None:
    """Remove a client; its tokens end within a second.

    Example: fhir-hub client remove growth-chart
    """

    async def main() -> str:
        async with front_desk(data) as desk:
            found = await desk.parts.clients.remove(id, desk.now)
            await desk.note("D", "client-remove", f"client/{found.id}")
            return found.id

    typer.echo(f"Client {run(main)} is removed.")
