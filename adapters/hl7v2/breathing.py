"""Going through the parts of large messages without keeping everybody else waiting.

A message may have ten thousand results; between slices of them other messages and requests get
their turn. Called by what stores messages.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TypeVar

T = TypeVar("T")

SLICE = 128


async def slices(items: Sequence[T]) -> AsyncIterator[Sequence[T]]:
    """The items in slices; before each but the first others get their turn."""
    for start in range(0, len(items), SLICE):
        if start:
            await asyncio.sleep(0)
        yield items[start : start + SLICE]


async def breath(number: int) -> None:
    """Now and then others get their turn; for every item of many, with its number from 1."""
    if not number % SLICE:
        await asyncio.sleep(0)
