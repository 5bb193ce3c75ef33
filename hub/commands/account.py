"""`fhir-hub account`: people who log in."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from hub.commands.desk import front_desk
from hub.commands.running import DEFAULT_DATA, Data, run

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="What is typed at login: letters, digits, . _ - @; case does not count.",
        show_default=False,
    ),
]
Generate = Annotated[
    bool,
    typer.Option(
        "--generate", help="Make a password, print it once, and ask for another at the first login."
    ),
]


@app.callback()
def account() -> None:
    """Make and end the accounts of people who log in.

    A change counts at once, also in a hub that runs: who is disabled, removed or given another
    password is logged out everywhere within a second.

    Example: fhir-hub account add li.wei --role doctor --fhir-user Practitioner/42 --generate
    """


@app.command()
def add(
    name: Name,
    role: Annotated[
        list[str],
        typer.Option(
            "--role",
            "-r",
            help="admin, manager, doctor, nurse, patient or relative; may be repeated.",
            show_default=False,
        ),
    ],
    fhir_user: Annotated[
        str,
        typer.Option(
            metavar="TYPE/ID",
            help="Who it is in the record: Practitioner/42, Patient/7, RelatedPerson/3 ...",
            show_default=False,
        ),
    ] = "",
    display: Annotated[
        str, typer.Option(metavar="TEXT", help="Name for people: 李伟.", show_default=False)
    ] = "",
    generate: Generate = False,
    data: Data = DEFAULT_DATA,
) -> None:
    """Make an account. The password is asked for, or read as a line of standard input.

    Example: fhir-hub account add li.wei --role doctor --fhir-user Practitioner/42
    """
    password, made = _password(generate)

    async def main() -> bool:
        async with front_desk(data, make=True) as desk:
            added = await desk.parts.accounts.add(
                name,
                password,
                desk.now,
                roles=role,
                display=display,
                fhir_user=fhir_user,
                must_change=made,
            )
            await desk.note("C", "account-add", f"account/{added.name}")
            return not fhir_user or await desk.is_in_record(fhir_user)

    known = run(main)
    typer.echo(f"Account {name} made: {', '.join(role)}.")
    if made:
        typer.echo(f"password: {password}")
    if not known:
        typer.echo(f"{fhir_user} is not in the record yet.", err=True)


@app.command("list")
def list_accounts(data: Data = DEFAULT_DATA) -> None:
    """List the accounts: name, roles, who it is in the record, state, display name.

    Example: fhir-hub account list
    """

    async def main() -> list[tuple[str, ...]]:
        async with front_desk(data) as desk:
            return [
                (
                    one.name,
                    ",".join(one.roles),
                    one.fhir_user or "-",
                    "disabled" if one.disabled else "new" if one.must_change else "active",
                    one.display,
                )
                async for one in desk.parts.accounts.all(desk.now)
            ]

    for row in run(main):
        typer.echo("\t".join(row).rstrip())


@app.command()
def disable(name: Name, data: Data = DEFAULT_DATA) -> None:
    """Let nobody log in with an account, and end what runs with it.

    Example: fhir-hub account disable li.wei
    """
    typer.echo(f"Account {_change(data, 'disable', name)} is disabled.")


@app.command()
def enable(name: Name, data: Data = DEFAULT_DATA) -> None:
    """Let an account log in again.

    Example: fhir-hub account enable li.wei
    """
    typer.echo(f"Account {_change(data, 'enable', name)} is enabled.")


@app.command()
def remove(name: Name, data: Data = DEFAULT_DATA) -> None:
    """Remove an account, and end what runs with it. What it did stays in the audit.

    Example: fhir-hub account remove li.wei
    """
    typer.echo(f"Account {_change(data, 'remove', name)} is removed.")


@app.command("password")
def set_password(name: Name, generate: Generate = False, data: Data = DEFAULT_DATA) -> None:
    """Give an account another password; whoever is logged in with the old one is not any more.

    It is asked for, or read as a line of standard input.

    Example: fhir-hub account password li.wei --generate
    """
    password, made = _password(generate)

    async def main() -> str:
        async with front_desk(data) as desk:
            found = await desk.parts.accounts.set_password(
                name, password, desk.now, must_change=made
            )
            await desk.note("U", "account-password", f"account/{found.name}")
            return found.name

    typer.echo(f"Account {run(main)} has another password.")
    if made:
        typer.echo(f"password: {password}")


def _change(data: Path, what: Literal["disable", "enable", "remove"], name: str) -> str:
    """Change an account and note it; gives its name as it is written."""

    async def main() -> str:
        async with front_desk(data) as desk:
            accounts = desk.parts.accounts
            change = {
                "disable": accounts.disable,
                "enable": accounts.enable,
                "remove": accounts.remove,
            }[what]
            found = await change(name, desk.now)
            action = "D" if what == "remove" else "U"
            await desk.note(action, f"account-{what}", f"account/{found.name}")
            return found.name

    return run(main)


def _password(generate: bool) -> tuple[str, bool]:
    """A password, and whether it was made here."""
    from hub.access.passwords import new_password

    if generate:
        return new_password(), True
    if sys.stdin.isatty():
        entered: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
        return entered, False
    return sys.stdin.readline().rstrip("\r\n"), False
