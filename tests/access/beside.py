"""The ledger of a hub that runs, from beside it, as a command opens it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from hub.access.front_desk import FrontDesk
from hub.commands.desk import front_desk

T = TypeVar("T")


def at_desk(data: Path, do: Callable[[FrontDesk, int], Awaitable[T]]) -> T:
    """Do something with accounts, clients, grants and keys.

    Args:
        data: Data folder.
        do: Gets them, and the time in milliseconds since the epoch.
    """

    async def main() -> T:
        async with front_desk(data, make=True) as desk:
            return await do(desk.parts, desk.now)

    # A test may have an event loop of its own already.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, main()).result()
