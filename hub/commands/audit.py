"""`fhir-hub audit`: is the chain whole, and who did what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.commands.running import DEFAULT_DATA, Data, fail, record, run

if TYPE_CHECKING:
    from hub.context import Context
    from hub.interactions import Interactions
    from hub.storage.port import AuditHead

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")

PAGE = 200


@app.callback()
def audit() -> None:
    """Check the audit chain, and look into it.

    Example: fhir-hub audit show --patient 42
    """


@app.command()
def verify(
    expect: Annotated[
        list[str] | None,
        typer.Option(
            "--expect",
            metavar="ROW:HASH",
            help="A head that was noted earlier: the chain must go through it. May be repeated.",
            show_default=False,
        ),
    ] = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Name the first row of the audit chain that was altered, taken out or put in.

    Prints the chain's head. Note it elsewhere (on paper, in another system): given back with
    --expect it shows a chain that was cut off, or written anew as a whole.

    Exit code 0: the chain holds. 1: it does not.

    Example: fhir-hub audit verify --expect 1042:9f86d081884c7d65...
    """
    heads = [_head(text) for text in expect or ()]

    async def main() -> tuple[str, AuditHead]:
        async with record(data) as (door, context):
            tenant = context.tenant.key
            head = await door.store.audit_head(tenant)
            for expected in heads or (None,):
                found = await door.store.check_audit(tenant, expected)
                if found is not None:
                    return f"{found.where}: {found.what}", head
            return "", head

    trouble, head = run(main)
    if trouble:
        raise fail(trouble, 1)
    typer.echo(f"The audit chain holds: {head.row} rows.")
    typer.echo(f"head: {head.row}:{head.hash.hex()}")


@app.command()
def show(
    patient: Annotated[
        str,
        typer.Option(metavar="ID", help="About this patient (logical id).", show_default=False),
    ] = "",
    who: Annotated[
        str,
        typer.Option(metavar="NAME", help="By this account or client.", show_default=False),
    ] = "",
    entity: Annotated[
        str,
        typer.Option(metavar="TYPE/ID", help="About this resource.", show_default=False),
    ] = "",
    since: Annotated[
        str,
        typer.Option(
            metavar="DATE", help="At or after: 2026-03-01, or with a time.", show_default=False
        ),
    ] = "",
    until: Annotated[str, typer.Option(metavar="DATE", help="Before.", show_default=False)] = "",
    refused: Annotated[
        bool, typer.Option("--refused", help="Only what was refused or failed.")
    ] = False,
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where",
            metavar="PARAMETER=VALUE",
            help="Any search parameter of AuditEvent: action=D, subtype=login ...",
            show_default=False,
        ),
    ] = None,
    most: Annotated[int, typer.Option("-n", min=1, metavar="N", help="At most so many.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="AuditEvents, one on each line.")] = False,
    data: Data = DEFAULT_DATA,
) -> None:
    """Show events of the audit chain, newest first.

    A line each: time, outcome, who (with which app, from where), what, about what, patients, id.
    Looking is noted in the chain as well.

    Example: fhir-hub audit show --patient 42 --since 2026-03-01
    """
    asked = [
        ("patient", patient),
        ("altid", who),
        ("entity", entity),
        ("date", f"ge{since}" if since else ""),
        ("date", f"lt{until}" if until else ""),
        ("outcome:not", "0" if refused else ""),
        *(_pair(text) for text in where or ()),
    ]
    parameters = tuple((name, value) for name, value in asked if value)

    async def main() -> list[dict[str, Any]]:
        from hub.interactions.audited import note
        from hub.interactions.url import write_parameters

        async with record(data) as (door, context):
            await note(door, context, "E", "audit-show", write_parameters(parameters))
            return await _found(door, context, parameters, most)

    import json

    for event in run(main):
        typer.echo(json.dumps(event, ensure_ascii=False) if as_json else line(event))


def line(event: dict[str, Any]) -> str:
    """An AuditEvent for people, its parts separated by tabs."""
    agents = event.get("agent", [])
    names = [one["altId"] for one in agents if "altId" in one]
    address = next(
        (one["network"]["address"] for one in agents if one.get("network", {}).get("type") == "2"),
        "",
    )
    entities = event.get("entity", [])
    people = [one for one in entities if one.get("role", {}).get("code") == "1"]
    others = [one for one in entities if one.get("role", {}).get("code") in ("4", "6", "24")]
    actor = " with ".join(names) or "-"
    return "\t".join(
        (
            event["recorded"],
            "ok" if event.get("outcome") == "0" else event.get("outcomeDesc", "failed"),
            f"{actor} from {address}" if address else actor,
            event.get("subtype", [{}])[0].get("code", ""),
            " ".join(map(_told, others)) or "-",
            " ".join(map(_told, people)) or "-",
            event["id"],
        )
    )


def _told(entity: dict[str, Any]) -> str:
    what = entity.get("what", {})
    value = what.get("identifier", {}).get("value", "")
    return str(what.get("reference") or value or entity.get("description", ""))


async def _found(
    door: Interactions, context: Context, parameters: tuple[tuple[str, str], ...], most: int
) -> list[dict[str, Any]]:
    """The newest events, page by page."""
    from urllib.parse import parse_qsl, urlsplit

    from hub.interactions.answer import resource_of

    found: list[dict[str, Any]] = []
    asked = [*parameters, ("_count", str(min(most, PAGE)))]
    while True:
        answer = await door.search(context, "AuditEvent", asked, strict=True)
        found += [resource_of(one.stored) for one in answer.entries if one.stored is not None]
        following = dict(answer.links).get("next")
        if following is None or len(found) >= most:
            return found[:most]
        asked = parse_qsl(urlsplit(following).query)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise fail(f"{text}: give PARAMETER=VALUE.")
    return name, value


def _head(text: str) -> AuditHead:
    """A head as it was printed."""
    from hub.storage.port import AuditHead

    row, _, digits = text.partition(":")
    try:
        hashed = bytes.fromhex(digits)
    except ValueError:
        hashed = b""
    if not row.isdigit() or len(hashed) != 32:
        raise fail(f"{text}: give ROW:HASH as `audit verify` prints it.")
    return AuditHead(int(row), hashed)
