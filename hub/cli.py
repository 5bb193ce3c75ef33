"""The `fhir-hub` command: mounts one module of `hub.commands` per command.

A command's module imports what it runs with inside the function, so that `--help` is quick
and `serve` loads only what it serves with.
"""

from __future__ import annotations

from typing import Annotated

import typer

from hub.commands import (
    account,
    audit,
    backup,
    check,
    client,
    demo,
    explain,
    export,
    load,
    reindex,
    serve,
    terminology,
    token,
    v2,
)

app = typer.Typer(
    name="fhir-hub",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"fhir-interop-hub {version('fhir-interop-hub')}")
        raise typer.Exit


@app.callback()
def fhir_hub(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """A FHIR R4 hub for clinics: one command, one folder of data.

    Start with **fhir-hub serve --demo** and open http://127.0.0.1:8080/ in a browser.
    **fhir-hub COMMAND -h** tells more. Every setting is also an environment variable
    (docs/settings.md).

    Exit codes: 0 done. 1 something was rejected or found. 2 it could not run. 130 stopped.
    """


app.command("serve")(serve.serve)
app.command("load")(load.load)
app.command("export")(export.export)
app.command("demo")(demo.demo)
app.command("explain")(explain.explain)
app.command("reindex")(reindex.reindex)
app.command("check")(check.check)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.add_typer(account.app, name="account")
app.add_typer(client.app, name="client")
app.add_typer(audit.app, name="audit")
app.add_typer(terminology.app, name="terminology")
app.add_typer(v2.app, name="v2")
app.command("token")(token.token)


def main() -> None:
    """Run the command line."""
    app()
