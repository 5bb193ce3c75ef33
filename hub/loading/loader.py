"""Loads files: reads, stores through the interactions, and deals with what had to wait.

Loading is idempotent: a resource is an update by its id (one without an id gets an id made
from its content), and content that is stored already makes no new version. What fails for a
missing reference target waits and is tried again when everything else has been read, so the
order of files does not matter. Called by the `load` command.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from hub.context import Context
from hub.errors import HubError
from hub.interactions import Interactions
from hub.loading.checkpoint import Checkpoint, State
from hub.loading.item import START, Item, Key
from hub.loading.knots import knots
from hub.loading.report import Report
from hub.loading.sources import items
from hub.loading.storing import Result, store_group, store_one, store_together, waits
from hub.loading.waiting import Waiting
from hub.loading.window import Window

SAVE_EVERY = 2.0
"""Seconds between checkpoints."""


class Progress(Protocol):
    """What is told while a load goes on."""

    def read(self, path: Path, size: int) -> None:
        """So many bytes of a file have been dealt with."""

    def waiting(self, count: int) -> None:
        """All files are read; so many items are tried again now."""


class Loader:
    """One load."""

    def __init__(
        self,
        door: Interactions,
        context: Context,
        checkpoint: Checkpoint,
        report: Report,
        progress: Progress,
    ) -> None:
        """Prepare.

        Args:
            door: The way into the record.
            context: Who loads.
            checkpoint: Where an interrupted load goes on.
            report: Takes what is rejected.
            progress: Is told how far it is.
        """
        self._door, self._context = door, context
        self._checkpoint, self._report, self._progress = checkpoint, report, progress
        self._waiting = checkpoint.waiting
        self._saved = time.monotonic()

    @property
    def state(self) -> State:
        """Counts so far."""
        return self._checkpoint.state

    async def load(self, files: Sequence[Path]) -> State:
        """Load the files that the checkpoint was made for.

        Args:
            files: The files, in order.

        Returns:
            Counts; nothing is waiting any more.

        Raises:
            Unavailable: The store does not answer; what was stored stays.
        """
        window = Window(self._store, self._settle)
        try:
            for index, path in enumerate(files):
                if index < self.state.file:
                    self._progress.read(path, path.stat().st_size)
                    continue
                await self._file(window, path)
                self.state.file, self.state.mark = index + 1, START
                if time.monotonic() - self._saved > SAVE_EVERY:
                    await window.drain()
                    self._save()
            await window.drain()
            self._save()
            await self._try_again(window)
        finally:
            await window.abandon()
        self._checkpoint.forget()
        return self.state

    async def _file(self, window: Window, path: Path) -> None:
        for item in items(path, self._door.settings.body_limit, self.state.mark):
            await window.add(item)
            self._progress.read(path, item.place.read)
            if time.monotonic() - self._saved > SAVE_EVERY and item.place.mark != START:
                await window.drain()
                self.state.mark = item.place.mark
                self._save()
        self._progress.read(path, path.stat().st_size)

    def _save(self) -> None:
        self.state.report = self._report.sync()
        self._checkpoint.save()
        self._saved = time.monotonic()

    async def _store(self, group: Sequence[Item]) -> Sequence[Result]:
        if len(group) == 1:
            return [await store_one(self._door, self._context, group[0])]
        return await store_group(self._door, self._context, group)

    def _settle(self, item: Item, result: Result) -> None:
        if isinstance(result, HubError):
            if waits(result) and item.content is None:
                self._waiting.add(item, result)
            else:
                self._reject(item, result)
            return
        self.state.created += result.created
        self.state.updated += result.updated
        self.state.unchanged += result.unchanged

    def _reject(self, item: Item, error: HubError) -> None:
        self.state.rejected += 1
        self._report.reject(item, error)

    # --- what had to wait -------------------------------------------------------------------

    async def _try_again(self, window: Window) -> None:
        """Try what waited until a round stores nothing more; the rest is rejected."""
        first = self._waiting
        while len(self._waiting):
            self._progress.waiting(len(self._waiting))
            before = self.state.stored
            queue, self._waiting = self._waiting, _scratch()
            for item, _ in queue.read():
                await window.add(item)
            await window.drain()
            if queue is not first:
                queue.close()
            if self.state.stored == before:
                await self._untie()
                if self.state.stored == before:
                    break
        for item, error in self._waiting.read():
            self._reject(item, error)
        if self._waiting is not first:
            self._waiting.close()

    async def _untie(self) -> None:
        """Store what refers to each other in a circle."""
        queue, self._waiting = self._waiting, _scratch()
        single = (item for item, _ in queue.read() if not item.transaction)
        found = await knots(self._door, self._context, single)
        number = {key: index for index, keys in enumerate(found) for key in keys}
        sets: list[dict[frozenset[Key], Item]] = [{} for _ in found]
        for item, error in queue.read():
            place = number.get(next(iter(item.keys), ("", "")))
            if place is None or item.transaction:
                self._waiting.add(item, error)
            else:
                sets[place][item.keys] = item
        for members in sets:
            group = list(members.values())
            for item, result in zip(
                group, await store_together(self._door, self._context, group), strict=True
            ):
                self._settle(item, result)
        queue.close()


def _scratch() -> Waiting:
    return Waiting(tempfile.TemporaryFile())
