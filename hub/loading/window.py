"""Keeps several groups of items under way, so that reading, checking and committing overlap.

Items with the same key are stored one after the other, in the order they came. Called by
`loader` and `demo`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from hub.loading.item import Item, Key
from hub.loading.storing import Result

GROUP = 64
GROUP_BYTES = 1024 * 1024
AT_ONCE = 4
"""Groups under way; the writer commits what is queued together."""


Store = Callable[[Sequence[Item]], Coroutine[Any, Any, Sequence[Result]]]
"""Stores a group of plain items, or one transaction; gives one result an item."""


class Window:
    """Takes items, stores them in groups, and tells what became of each."""

    def __init__(self, store: Store, settle: Callable[[Item, Result], None]) -> None:
        """Prepare.

        Args:
            store: Stores a group.
            settle: Called with each item and its result.
        """
        self._store, self._settle = store, settle
        self._group: list[Item] = []
        self._bytes = 0
        self._keys: set[Key] = set()
        self._tasks: dict[asyncio.Task[Sequence[Result]], list[Item]] = {}

    async def add(self, item: Item) -> None:
        """Take an item.

        Raises:
            Unavailable: The store does not answer.
        """
        if item.error is not None:
            self._settle(item, item.error)
            return
        if not self._keys.isdisjoint(item.keys):
            await self.drain()
        self._keys |= item.keys
        if item.alone:
            await self._launch([item])
            return
        self._group.append(item)
        self._bytes += len(item.text)
        if len(self._group) >= GROUP or self._bytes >= GROUP_BYTES:
            await self._launch_group()

    async def drain(self) -> None:
        """Wait until everything that was taken is settled.

        Raises:
            Unavailable: The store does not answer.
        """
        await self._launch_group()
        while self._tasks:
            await self._reap()

    async def abandon(self) -> None:
        """Stop what is under way; what was committed stays."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def _launch_group(self) -> None:
        group, self._group, self._bytes = self._group, [], 0
        if group:
            await self._launch(group)

    async def _launch(self, items: list[Item]) -> None:
        while len(self._tasks) >= AT_ONCE:
            await self._reap()
        self._tasks[asyncio.create_task(self._store(items))] = items

    async def _reap(self) -> None:
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            items = self._tasks.pop(task)
            for item, result in zip(items, task.result(), strict=True):
                self._keys -= item.keys
                self._settle(item, result)
