"""What the commands share: the data option, opening the record, ending with a clear message."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

if TYPE_CHECKING:
    from hub.context import Context
    from hub.interactions import Interactions

Data = Annotated[
    Path,
    typer.Option(
        "--data",
        help="Folder of the store. Commands work beside a running hub: they hand it their writes.",
        envvar="HUB_DATA",
        metavar="DIR",
        show_default=True,
    ),
]
DEFAULT_DATA = Path("data")

Types = Annotated[
    list[str] | None,
    typer.Option("--type", "-t", metavar="TYPE", help="Only this resource type; may be repeated."),
]
T = TypeVar("T")

GO_ON = "Stopped. What was stored stays; run the same command to go on."


def fail(message: str, code: int = 2) -> typer.Exit:
    """Print a message to standard error; raise what this returns.

    Args:
        message: What is wrong and what to do.
        code: Exit code: 1 something was found or refused, 2 the command could not run.
    """
    typer.secho(message, fg=typer.colors.RED, err=True)
    return typer.Exit(code)


def run(main: Callable[[], Awaitable[T]], stopped: str = "Stopped.") -> T:
    """Run a command's coroutine; what the hub refuses ends in words, not in a traceback.

    Args:
        main: The coroutine function.
        stopped: What to say after Ctrl-C.
    """
    from hub.errors import HubError, words_of
    from hub.messages import render
    from hub.settings import SettingsError
    from hub.storage.port import DeadlineExceeded, StoreUnavailable

    async def entry() -> T:
        return await main()

    # What fails is told below, once; only a mistake of ours is worth its traceback.
    handler = logging.StreamHandler()
    handler.addFilter(lambda record: record.exc_info is not None)
    logging.getLogger().addHandler(handler)
    # Work on many resources makes no cycles to collect; looking for them costs a tenth.
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    try:
        return asyncio.run(entry())
    except HubError as error:
        language = language_of_locale()
        lines = [render(issue.message, issue.arguments, language) for issue in error.issues]
        raise fail("\n".join(lines)) from None
    except (SettingsError, StoreUnavailable) as error:
        raise fail(str(error)) from None
    except DeadlineExceeded:
        raise fail("It takes too long; raise HUB_SEARCH_DEADLINE.") from None
    except OSError as error:
        raise fail(words_of(error)) from None
    except KeyboardInterrupt:
        raise fail(stopped, 130) from None


def language_of_locale() -> str:
    """`zh` or `en`, by the locale of who types."""
    found = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return "zh" if found.startswith("zh") else "en"


@asynccontextmanager
async def record(
    data: Path, *, make: bool = False, language: str | None = None
) -> AsyncIterator[tuple[Interactions, Context]]:
    """The record in a data folder, and the context of a command.

    Args:
        data: Data folder.
        make: Make a store where there is none.
        language: For messages, `en` or `zh`; None: by the locale.

    Raises:
        typer.Exit: There is no store, or it lives in the memory of a server.
        StoreUnavailable: It cannot be opened.
    """
    from hub.app import open_door
    from hub.context import Context, Tenant
    from hub.settings import from_environment
    from hub.storage.sqlite.connect import DATABASE

    settings = from_environment(data=data)
    if settings.store != "sqlite":
        raise fail(f"HUB_STORE={settings.store} lives in a server; this command needs sqlite.")
    if not make and not (data / DATABASE).exists():
        raise fail(
            f"{data.absolute()} holds no store. Name the hub's folder with --data; "
            "`load`, `demo` and `serve` make a new one."
        )
    language = language or language_of_locale()
    context = Context(Tenant(zone=settings.zone), language=language, base=settings.base)
    async with open_door(settings) as door:
        yield door, context


def known_types(types: list[str] | None) -> tuple[str, ...]:
    """Resource types from the command line; none given: an empty tuple.

    Raises:
        typer.Exit: One is no R4 resource type.
    """
    from difflib import get_close_matches

    from hub.definitions import is_resource_type, resource_types

    for name in types or ():
        if not is_resource_type(name):
            near = get_close_matches(name, resource_types(), 1, 0.5)
            raise fail(f"{name} is no R4 resource type" + (f"; {near[0]}?" if near else "."))
    return tuple(types or ())
