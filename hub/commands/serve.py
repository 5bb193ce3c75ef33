"""`fhir-hub serve`: the hub as a server."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.commands.running import fail
from hub.errors import words_of

if TYPE_CHECKING:
    from hub.settings import Settings

MLLP = 2575
"""The port that HL7 has registered with IANA for MLLP."""


def serve(
    host: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="Address; only loopback while --auth off (127.0.0.1)."
        ),
    ] = None,
    port: Annotated[
        int | None, typer.Option(metavar="PORT", help="TCP port; 0 takes a free one (8080).")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of the store (data).")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Processes that answer requests (1).")
    ] = None,
    auth: Annotated[
        str | None, typer.Option(metavar="on|off", help="off: no login, on loopback only (on).")
    ] = None,
    mllp: Annotated[
        int | None,
        typer.Option(metavar="PORT", help="TCP port for HL7 v2 messages; 0: none (0)."),
    ] = None,
    demo: Annotated[
        bool,
        typer.Option("--demo", help="Load the demo set when the store is empty; make accounts."),
    ] = False,
) -> None:
    """Serve FHIR at http://HOST:PORT/fhir.

    All other settings are environment variables; docs/settings.md lists them.

    Example: fhir-hub serve --demo
    """
    from hub.serve import serve as run_server
    from hub.settings import SettingsError, from_environment, misspelt_variables
    from hub.storage.port import StoreLocked, StoreUnavailable

    for name, meant in misspelt_variables(os.environ).items():
        typer.echo(f"{name} is no setting and does nothing; {meant}?", err=True)
    try:
        registration = True if demo and "HUB_REGISTRATION" not in os.environ else None
        settings = from_environment(
            host=host,
            port=port,
            data=data,
            workers=workers,
            auth=auth,
            registration=registration,
            mllp=mllp,
        )
        if demo and mllp is None and "HUB_MLLP" not in os.environ:
            settings = _with_messages(settings)
        if settings.store == "sqlite":
            _free(settings.data)
        code = run_server(settings, demo=demo)
    except StoreLocked as error:
        raise fail(
            f"{settings.data.absolute()}: {error}, perhaps a hub that runs already. "
            "Stop that, or serve another folder with --data."
        ) from None
    except (SettingsError, StoreUnavailable) as error:
        raise fail(str(error)) from None
    except OSError as error:
        raise fail(words_of(error)) from None
    except KeyboardInterrupt:  # Only before it serves: then it stops by itself.
        raise fail("Stopped before the hub was ready; the next start goes on.", 130) from None
    raise typer.Exit(2 if code else 0)


def _free(data: Path) -> None:
    """See that the store can be taken: said here it is one line, said by a worker it is a log.

    Raises:
        StoreLocked: Another process has it.
        OSError: The folder cannot be made or written to.
    """
    from hub.storage.sqlite.connect import OwnerLock, make_folder

    make_folder(data)
    OwnerLock(data).release()


def _with_messages(settings: Settings) -> Settings:
    """The demo takes HL7 v2 messages on the usual port; without it, it says so and goes on."""
    from hub.listening import is_free

    if is_free(settings.mllp_host, MLLP):
        return replace(settings, mllp=MLLP)
    typer.echo(f"Port {MLLP} is taken: no HL7 v2 messages; --mllp PORT takes another.")
    return settings
