"""What a hub does beside answering requests: jobs in the background, messages of hospitals.

Called by `hub.app` for a single process and by `hub.supervisor` for the writer of several.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from hub.settings import Settings

if TYPE_CHECKING:
    from hub.context import Context
    from hub.interactions import Interactions
    from hub.rest.metrics import Metrics
    from hub.storage.port import Store

_PUBLISH_EVERY = 2.0
_SWEEP_EVERY = 3600.0


@asynccontextmanager
async def background_jobs(door: Interactions, settings: Settings) -> AsyncIterator[None]:
    """What the owner of the store does beside answering, until the block ends.

    Indexing of search parameters made at run time, and sweeping of blobs nobody refers to.

    Args:
        door: The record, in the process that owns the store.
        settings: For the zone and the base.
    """
    from hub.access import address
    from hub.context import Context, Tenant
    from hub.interactions import indexing

    context = Context(Tenant(zone=settings.zone), base=settings.base)
    now = context.now
    await address.note(door.store.ledger, context.tenant.key, settings.base, now)
    async with running(indexing.run(door, context)), running(_sweep(door, context)):
        yield


async def _sweep(door: Interactions, context: Context) -> None:
    """Remove uploads that were never referred to and what has expired at the door, hourly."""
    from hub.storage.port import StoreUnavailable

    while True:
        await asyncio.sleep(_SWEEP_EVERY)
        try:
            await door.store.sweep(context.now)
        except StoreUnavailable as error:
            logging.getLogger(__name__).warning("sweep is put off: %s", error.reason)


@asynccontextmanager
async def hospital_messages(
    door: Interactions, settings: Settings, metrics: Metrics
) -> AsyncIterator[None]:
    """HL7 v2 messages in and out, until the block ends.

    Nothing comes in while no port is set, nothing goes out while no site has a destination.

    Args:
        door: The record, in the process that owns the store.
        settings: Port, sites, limits.
        metrics: Where the numbers go.

    Raises:
        SettingsError: A site file or a certificate cannot be used.
        OSError: The port is somebody else's.
    """
    if not settings.mllp and door.announce is None:
        yield
        return
    from adapters.hl7v2.service import receiving, sending, sites_of
    from hub.listening import bound

    sites, inbox = sites_of(settings), None
    async with AsyncExitStack() as stack:
        if settings.mllp:
            listening = stack.enter_context(bound(settings.mllp_host, settings.mllp))
            running = await stack.enter_async_context(receiving(door, settings, listening, sites))
            metrics.edges.append(running.numbers)
            inbox = running.inbox
        if door.announce is not None:
            await stack.enter_async_context(sending(door, settings, sites, inbox))
        yield


async def publish(metrics: Metrics, folder: Path, store: Store) -> None:
    """Write this process's numbers for the others, again and again.

    Args:
        metrics: The numbers.
        folder: Where all processes of a hub write theirs.
        store: Asked how many commits wait.
    """
    from hub.rest.metrics import publish as write
    from hub.storage.port import StoreUnavailable

    while True:
        with suppress(StoreUnavailable):
            metrics.queued = (await store.info(1)).queued
        write(folder, metrics.snapshot())
        await asyncio.sleep(_PUBLISH_EVERY)


@asynccontextmanager
async def running(job: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """A job in the background, ended with the block; one that fails before is told at once."""
    task = asyncio.create_task(job)
    task.add_done_callback(_tell_failure)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def _tell_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logging.getLogger(__name__).error("a job in the background ended", exc_info=error)
