"""The `fhir-hub` command: mounts one module of `hub.commands` per command.

A command's module imports what it runs with inside the function, so that `--help` is quick
and `serve` loads only what it serves with.
"""

from __future__ import annotations

import typer

from hub.commands import backup, check, demo, explain, export, load, reindex, serve

app = typer.Typer(
    name="fhir-hub",
    help="""A FHIR R4 hub for clinics: one command, one folder of data.

    Start with [bold]fhir-hub serve --demo[/bold] and open http://127.0.0.1:8080/ in a browser.
    Every setting is also an environment variable (docs/settings.md).""",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("serve")(serve.serve)
app.command("load")(load.load)
app.command("export")(export.export)
app.command("demo")(demo.demo)
app.command("explain")(explain.explain)
app.command("reindex")(reindex.reindex)
app.command("check")(check.check)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)


def main() -> None:
    """Run the command line."""
    app()
