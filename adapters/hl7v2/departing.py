"""Everything that sends: the outbox and a sender for each destination, while a block runs.

In the one process that owns the store. Called by `service`.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from adapters.hl7v2.destinations import Destinations
from adapters.hl7v2.following import following
from adapters.hl7v2.outbox import Outbox
from adapters.hl7v2.sending import Pace, Sender, Take
from adapters.hl7v2.sites import Sites
from hub.context import Context
from hub.errors import HubError
from hub.interactions import Interactions
from hub.storage.port import StoreUnavailable

_log = logging.getLogger(__name__)


@asynccontextmanager
async def departing(
    door: Interactions,
    ctx: Context,
    sites: Sites,
    *,
    tls: ssl.SSLContext | None = None,
    pace: Pace | None = None,
    take: Take | None = None,
    context: Callable[[str], Context] | None = None,
) -> AsyncIterator[Sequence[Sender]]:
    """Send until the block ends; nothing is started where no site has a destination.

    Args:
        door: The record.
        ctx: The hub itself: tenant, base and clock.
        sites: Where messages go.
        tls: For destinations with TLS.
        pace: How fast.
        take: Gets what comes instead of an acknowledgement.
        context: Who writes because of what a destination answered, by its name; None: the hub.
    """
    tenant, pace = ctx.tenant.key, pace or Pace()
    states = Destinations(door.store.ledger, tenant)
    follow, outbox = following(door, context or (lambda name: ctx)), Outbox(door, ctx, sites)
    senders = [
        Sender(
            door.store.messages,
            states,
            tenant,
            name,
            site.destination,
            clock=ctx.clock,
            tls=tls,
            pace=pace,
            take=take,
            follow=follow,
            write=outbox.again,
        )
        for name, site in sites.named.items()
        if site.destination is not None
    ]
    tasks = [asyncio.create_task(sender.run()) for sender in senders]
    if senders:
        tasks.append(asyncio.create_task(_outbox(outbox, senders, pace)))
    try:
        yield senders
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


async def _outbox(outbox: Outbox, senders: Sequence[Sender], pace: Pace) -> None:
    while True:
        looked, pause = 0, pace.poll
        try:
            looked = await outbox.turn()
        except StoreUnavailable as error:
            _log.warning("the outbox is put off: %s", error.reason)
        except HubError as error:
            _log.warning("the outbox is put off: %s", error)
        # A mistake of ours must not end the outbox for good.
        except Exception:  # noqa: BLE001
            _log.exception("the outbox is put off")
            pause = pace.first
        if looked:
            for sender in senders:
                sender.wake.set()
        else:
            await asyncio.sleep(pause)
