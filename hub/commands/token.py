"""`fhir-hub token`: a token for a script of one's own."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.commands.desk import front_desk
from hub.commands.running import DEFAULT_DATA, Data, fail, run


def token(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Account it acts for.", show_default=False)
    ],
    scope: Annotated[
        str,
        typer.Option(metavar="SCOPES", help="SMART scopes; as they are: whatever the account may."),
    ] = "user/*.cruds",
    minutes: Annotated[int, typer.Option(min=1, max=60, help="How long it is good for.")] = 60,
    data: Data = DEFAULT_DATA,
) -> None:
    """Print an access token that acts for an account, for a script at this machine.

    It does what the account may, for an hour at most, and ends with the account. It is printed
    and not stored. A service that runs all the time has a key of its own instead:
    fhir-hub client add.

    Example: fhir-hub token li.wei --scope "user/Patient.rs" --minutes 15
    """

    async def main() -> str:
        from hub.access import address
        from hub.access.personal_tokens import personal_token
        from hub.access.scopes import ScopeRefused, read
        from hub.messages import render

        async with front_desk(data) as desk:
            try:
                read(scope)
            except ScopeRefused as error:
                raise fail(render(error.message, error.arguments)) from None
            tenant, ledger = desk.context.tenant.key, desk.store.ledger
            base = await address.noted(ledger, tenant, desk.now) or desk.context.base
            made = await personal_token(
                desk.parts, name, base, desk.now, scope=scope, lifetime=minutes * 60
            )
            await desk.note("C", "token", f"account/{name}")
            return made

    typer.echo(run(main))
