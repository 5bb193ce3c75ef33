"""What the commands share: the data option, opening the record, ending with a clear message."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

Data = Annotated[
    Path,
    typer.Option(
        "--data",
        help="Folder of the store. Commands work beside a running hub: they hand it their writes.",
        envvar="HUB_DATA",
        show_default=True,
    ),
]
DEFAULT_DATA = Path("data")
T = TypeVar("T")


def fail(message: str, code: int = 2) -> typer.Exit:
    """Print a message to standard error; raise what this returns.

    Args:
        message: What is wrong and what to do.
        code: Exit code: 1 something was found or refused, 2 the command could not run.
    """
    typer.secho(message, fg=typer.colors.RED, err=True)
    return typer.Exit(code)


def run(main: Callable[[], Awaitable[T]]) -> T:
    """Run a command's coroutine; what the hub refuses ends in words, not in a traceback."""
    from hub.errors import HubError
    from hub.messages import render
    from hub.settings import SettingsError
    from hub.storage.port import StoreUnavailable

    async def entry() -> T:
        return await main()

    # Work on many resources makes no cycles to collect; looking for them costs a tenth.
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)

    try:
        return asyncio.run(entry())
    except HubError as error:
        lines = [render(issue.message, issue.arguments) for issue in error.issues]
        raise fail("\n".join(lines)) from None
    except (SettingsError, FileNotFoundError, FileExistsError, StoreUnavailable) as error:
        raise fail(str(error)) from None
    except KeyboardInterrupt:
        raise fail("Stopped. What was stored stays; run the same command to go on.", 130) from None
