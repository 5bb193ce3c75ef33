"""`fhir-hub terminology`: code systems from files into the record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from hub.commands.running import DEFAULT_DATA, Data, fail, language_of_locale, record, run
from hub.errors import words_of

if TYPE_CHECKING:
    from terminology.loaders.csv import Hierarchy, Options, Table
    from terminology.loaders.problems import Problems
    from terminology.loaders.storing import Loaded, Outcome

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")
load_app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")
app.add_typer(load_app, name="load")

_LARGEST = 512
"""MiB of a file."""

_STOPPED = "Stopped. Unless it had finished, what was there before still answers."


@app.callback()
def terminology() -> None:
    """Load, list and remove code systems; docs/terminology.md tells more.

    Example: fhir-hub terminology list
    """


@load_app.callback()
def load() -> None:
    """Load a code system from a file. A running hub answers with it at once.

    Example: fhir-hub terminology load csv icd.csv --url http://example.org/icd-10 --version 2.0
    """


@load_app.command("csv")
def load_csv(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A table: CSV or TSV, UTF-8 or GB18030.")
    ],
    url: Annotated[
        str, typer.Option("--url", metavar="URL", help="Canonical url of the code system.")
    ],
    version: Annotated[
        str,
        typer.Option(
            "--version", metavar="VERSION", help="Its version; versions stand side by side."
        ),
    ],
    columns: Annotated[
        str,
        typer.Option(
            metavar="MAP",
            help="What columns mean where it is not guessed: code=编码,display=名称,parent=上级,"
            "status=状态,definition=说明,synonym=别名; a language tag (en=英文名) makes "
            "designations, any other word a property, and -=COLUMN leaves one out.",
            show_default=False,
        ),
    ] = "",
    title: Annotated[
        str, typer.Option(metavar="TEXT", help="What people call it.", show_default=False)
    ] = "",
    language: Annotated[
        str,
        typer.Option(metavar="TAG", help="Language of the names; guessed: zh or en."),
    ] = "",
    encoding: Annotated[
        str, typer.Option(metavar="NAME", help="Of the file; found out without.")
    ] = "",
    delimiter: Annotated[
        str, typer.Option(metavar="CHAR", help="Between cells, or tab; found out without.")
    ] = "",
    hierarchy: Annotated[
        str,
        typer.Option(
            metavar="auto|prefix|none",
            help="prefix: the longest code that a code begins with is its parent. auto: by the "
            "parent column, or by prefix when the codes look like ICD's.",
        ),
    ] = "auto",
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Leave bad rows out, and load the others.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be loaded, and load nothing.")
    ] = False,
    data: Data = DEFAULT_DATA,
) -> None:
    """Load a table of codes as one version of a code system.

    All or nothing: when a row is bad, all bad rows are told (the first hundred of them) and
    nothing is loaded. The version that was there answers until the new one is complete.

    Exit code 0: loaded, or there already. 1: bad rows. 2: the file cannot be read.

    Example: fhir-hub terminology load csv icd.csv --url http://example.org/icd-10 --version 2.0
    """
    from terminology.loaders.columns import parse_choice
    from terminology.loaders.csv import Options
    from terminology.loaders.problems import FileRefused, refused
    from terminology.loaders.storing import Naming, check_naming, store_table

    naming = Naming(url, version, title)
    try:
        check_naming(naming)
        if hierarchy not in ("auto", "prefix", "none"):
            raise refused("terminology-hierarchy")
        delimiter = "\t" if delimiter in ("tab", "\\t") else delimiter
        if len(delimiter) > 1:
            raise refused("terminology-delimiter")
        chosen = cast("Hierarchy", hierarchy)
        options = Options(parse_choice(columns), encoding, delimiter, chosen, language, keep_going)
        table = _read(file, options)
    except FileRefused as error:
        _tell(error.problems)
        counted = [one for one in error.problems.found if one.row > 1]
        raise fail("Nothing was loaded.", 1 if counted else 2) from None
    _tell(table.problems)
    _describe(table)
    if dry_run:
        typer.echo("Nothing was loaded: --dry-run.")
        return

    async def main() -> Outcome:
        async with record(data, make=True) as (door, context):
            return await store_table(door, context, table, naming)

    outcome = run(main, _STOPPED)
    typer.echo(
        f"{url}|{version}: {len(table.columns.codes)} concepts {outcome.done} "
        f"(CodeSystem/{outcome.id}, {outcome.bytes / 1024:.0f} KiB)"
    )
    if table.problems.count:
        raise fail(f"{len(table.problems.rows)} bad rows were left out.", 1)


def _read(file: Path, options: Options) -> Table:
    """Read the file behind a progress bar.

    Raises:
        FileRefused: It is not sound.
        typer.Exit: It cannot be read.
    """
    from hub.loading.progress import count_progress
    from terminology.loaders.csv import read_table
    from terminology.loaders.problems import refused

    try:
        if file.stat().st_size > _LARGEST * 1024 * 1024:
            raise refused("terminology-file-large", limit=_LARGEST)
        content = file.read_bytes()
    except OSError as error:
        raise fail(words_of(error)) from None
    rows = content.count(b"\n") + (not content.endswith(b"\n"))
    with count_progress("Reading rows", rows) as progress:
        return read_table(content, options, progress)


def _tell(problems: Problems) -> None:
    """Show what is wrong, row by row."""
    language = language_of_locale()
    for one in problems.in_order():
        typer.secho(one.text(language), fg=typer.colors.RED, err=True)
    more = problems.count - len(problems.found)
    if more:
        typer.secho(f"... and {more} more.", fg=typer.colors.RED, err=True)


def _describe(table: Table) -> None:
    """Say what the columns were taken for: a wrong guess is seen at once."""
    roles = table.roles
    said = [f"code={roles.header[roles.code]}"]
    for name in ("display", "parent", "status", "definition", "synonym"):
        position = getattr(roles, name)
        if position is not None:
            said.append(f"{name}={roles.header[position]}")
    said += [f"above={roles.header[at]}" for at, _ in roles.levels]
    said += [f"{tag}={roles.header[position]}" for tag, position in roles.languages.items()]
    said += [f"{code}={name}" for code, name in table.properties.items()]
    typer.echo(f"Columns: {','.join(said)}", err=True)
    separator = {"\t": "tab"}.get(table.delimiter, table.delimiter)
    typer.echo(
        f"Encoding: {table.encoding}; separator: {separator}; hierarchy: {table.hierarchy}; "
        f"language: {table.language}",
        err=True,
    )


@app.command("list")
def list_systems(data: Data = DEFAULT_DATA) -> None:
    """List the code systems of the record; those of R4 itself are always there.

    Example: fhir-hub terminology list
    """
    from terminology.loaders.storing import listed

    async def main() -> list[Loaded]:
        async with record(data) as (door, context):
            return sorted([one async for one in listed(door, context)])

    for one in run(main):
        title = f"  {one.title}" if one.title else ""
        version = f"|{one.version}" if one.version else ""
        typer.echo(f"{one.url}{version}  {one.concepts} concepts  CodeSystem/{one.id}{title}")


@app.command("remove")
def remove_system(
    url: Annotated[str, typer.Argument(metavar="URL", help="Canonical url of the code system.")],
    version: Annotated[
        str | None,
        typer.Option("--version", metavar="VERSION", help="Only this version.", show_default=False),
    ] = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Remove a code system with its concepts from the record; its history stays.

    Example: fhir-hub terminology remove http://example.org/icd-10-cn --version 2.0
    """
    from terminology.loaders.storing import remove

    async def main() -> list[tuple[str, str]]:
        async with record(data) as (door, context):
            return await remove(door, context, url, version)

    gone = run(main)
    if not gone:
        named = url if version is None else f"{url}|{version}"
        raise fail(f"No code system {named}; `fhir-hub terminology list` shows those there are.", 1)
    for number, id in gone:
        typer.echo(f"{url}{'|' if number else ''}{number}: removed (CodeSystem/{id})")
