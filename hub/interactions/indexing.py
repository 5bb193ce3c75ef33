"""Indexing in the background: what was stored before a search parameter was registered.

One job a process: it takes the parameters that are not complete, scans the resources of their
types in row order, writes their index rows anew in small batches, and notes after each batch
how far it is, so that it goes on there after a restart. Writes that happen meanwhile use the
new registry already: the store refuses commits made with an older one. `completed` is set only
when every resource of the types has been seen and as many were indexed as are there.
Called by `hub.background` (one process) and the `reindex` command.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from msgspec import structs

from hub.context import Context
from hub.errors import DamagedStorage, HubError
from hub.interactions import index_state, search_parameters
from hub.interactions.answer import resource_of
from hub.interactions.registry import Definitions
from hub.interactions.search_parameters import types_of
from hub.search.extract import extract
from hub.search.query import Query
from hub.storage.port import BodyDamaged, Reindexed, RuntimeParameter, Stored, StoreUnavailable

if TYPE_CHECKING:
    from hub.interactions.door import Interactions

BATCH = 50
LOOK_EVERY = 1.0
"""Seconds after which it looks whether another process has registered a parameter."""
RECONCILE_EVERY = 600.0
"""Seconds after which it looks for SearchParameters that another process could not register."""
PUT_OFF = 5.0
"""Seconds after which it tries again what could not be done."""
_RECOUNTS = 3
_RECOUNT_BATCH = 500

_log = logging.getLogger(__name__)


async def run(door: Interactions, context: Context) -> None:
    """Index what is to be indexed, now and whenever it becomes so; never returns.

    Args:
        door: The record.
        context: Tenant and zone.
    """
    renewed, due = False, 0.0
    while True:
        door.registry.moved.clear()
        wait = LOOK_EVERY
        try:
            if door.registry.behind or time.monotonic() >= due:
                door.registry.behind = False
                due = time.monotonic()  # Again at once, should it fail.
                await search_parameters.reconcile(door, context.tenant.key)
                due += RECONCILE_EVERY
            if not renewed:
                await renew(door, context)
                renewed = True
            await catch_up(door, context)
        except (StoreUnavailable, HubError) as error:
            wait = PUT_OFF
            named = isinstance(error, BodyDamaged)  # its text names a resource
            _log.warning("indexing is put off: %s", type(error).__name__ if named else error)
        # The job is for all parameters: what nobody foresaw of one must not end it.
        except Exception:  # noqa: BLE001
            wait = PUT_OFF
            _log.exception("indexing is put off")
        try:
            await asyncio.wait_for(door.registry.moved.wait(), wait)
        except TimeoutError:
            continue


async def catch_up(door: Interactions, context: Context) -> None:
    """Complete the index of every parameter that is not complete.

    Args:
        door: The record.
        context: Tenant and zone.
    """
    tenant = context.tenant.key
    tried: set[int] = set()
    while True:
        known = await door.store.parameters(tenant)
        waiting = [one for one in known if not _complete(one) and one.key not in tried]
        if not waiting:
            return
        for parameter in waiting:
            tried.add(parameter.key)
            await _index(door, context, parameter)


def _complete(parameter: RuntimeParameter) -> bool:
    return parameter.status == "completed"


async def _index(door: Interactions, context: Context, parameter: RuntimeParameter) -> None:
    """Index one parameter from where it stopped, unless it is changed meanwhile."""
    tenant = context.tenant.key
    definitions = await door.registry.of(tenant)
    defined = definitions.registry.runtime.get(parameter.key)
    if defined is None:
        # Its resource is gone or broken: there is nothing to be indexed.
        await door.store.put_parameter(tenant, None, parameter.url)
        return
    types = types_of(defined.base)
    progress = replace(parameter, counted=await count(door, tenant, types))
    while True:
        page, after, damaged = await _scan(door, tenant, types, progress.after, BATCH)
        seen = progress.indexed + len(page) + damaged
        progress = replace(progress, indexed=seen, after=after)
        if page:
            await _rows(door, context, definitions, page)
            if progress.indexed > progress.counted:
                progress = replace(progress, counted=await count(door, tenant, types))
        else:
            progress = await _settled(door, tenant, types, progress)
        if not await _still(door, tenant, parameter):
            return
        await door.store.put_parameter(tenant, progress, parameter.url)
        if not page:
            if _complete(progress):
                _log.info("search parameter %d is indexed: %d", parameter.key, progress.indexed)
            else:
                _log.warning("search parameter %d is indexed again: not all seen", parameter.key)
            return
        await asyncio.sleep(0)


async def _settled(
    door: Interactions, tenant: int, types: tuple[str, ...], progress: RuntimeParameter
) -> RuntimeParameter:
    """A finished scan: completed when as many are indexed as are there, else to be begun again.

    What was deleted after it was indexed, or came after the scan, makes the numbers differ:
    both are counted anew then. Each resource of a recount is indexed, by the scan or by its own
    write; in a record that never rests the recount itself is what is known.
    """
    for _ in range(_RECOUNTS):
        sequence = (await door.store.info(tenant)).sequence
        total = await count(door, tenant, types)
        if progress.indexed == total:
            return replace(progress, status="completed", counted=total)
        seen = await _seen(door, tenant, types)
        progress = replace(progress, indexed=seen, counted=total)
    if (await door.store.info(tenant)).sequence != sequence:
        return replace(progress, status="completed", counted=progress.indexed)
    return replace(progress, indexed=0, after=0)


async def _seen(door: Interactions, tenant: int, types: tuple[str, ...]) -> int:
    """How many resources a scan finds."""
    found = after = 0
    while True:
        page, after, damaged = await _scan(door, tenant, types, after, _RECOUNT_BATCH)
        found += len(page) + damaged
        if not page:
            return found
        await asyncio.sleep(0)


async def _scan(
    door: Interactions, tenant: int, types: tuple[str, ...], after: int, most: int
) -> tuple[list[Stored], int, int]:
    """The next page of a scan, where it ends, and how many it passes over as damaged.

    They count as dealt with: `check` names them, and all others are to be found.
    """
    damaged = 0
    while True:
        try:
            page, after = await door.store.scan(tenant, types, after, most)
        except BodyDamaged as error:
            after, damaged = error.after, damaged + 1
            continue
        return page, after, damaged


async def _still(door: Interactions, tenant: int, parameter: RuntimeParameter) -> bool:
    """Whether the parameter is registered under the same key."""
    known = await door.store.parameters(tenant)
    return any(one.key == parameter.key and one.url == parameter.url for one in known)


async def _rows(
    door: Interactions, context: Context, definitions: Definitions, page: Sequence[Stored]
) -> int:
    rows: list[Reindexed] = []
    for stored in page:
        try:
            resource = resource_of(stored)
        except DamagedStorage:
            _log.error("a stored %s is no JSON any more: it is not indexed", stored.type)
            continue
        found = extract(definitions.registry, resource, zone=context.tenant.zone, base=context.base)
        rows.append(Reindexed(stored.type, stored.id, stored.version, found))
    return await door.store.reindex(context.tenant.key, rows)


async def count(door: Interactions, tenant: int, types: tuple[str, ...]) -> int:
    """How many current resources of some types there are, exactly."""
    page = await door.store.search(tenant, Query(types, count=0, total="accurate"))
    return page.total or 0


async def reindex_all(
    door: Interactions, context: Context, types: tuple[str, ...], step: Callable[[int], None]
) -> int:
    """Make the index rows of all stored resources anew.

    Args:
        door: The record.
        context: Tenant, zone and base.
        types: Resource types; empty: all.
        step: Called with the number of resources dealt with since the last call.

    Returns:
        How many resources were indexed; one that changed meanwhile was indexed by its write.
    """
    after = done = 0
    while True:
        after, count = await _page(door, context, types, after)
        if not count:
            break
        done += count
        step(count)
    if not types:
        await index_state.note_current(door.store, context)
    return done


async def _page(
    door: Interactions, context: Context, types: tuple[str, ...], after: int
) -> tuple[int, int]:
    """Make the rows of some resources anew: the position after them, and how many they were."""
    definitions = await door.registry.of(context.tenant.key)
    page, after, _ = await _scan(door, context.tenant.key, types, after, BATCH)
    if page:
        await _rows(door, context, definitions, page)
        await asyncio.sleep(0)
    return after, len(page)


async def renew(door: Interactions, context: Context) -> None:
    """Make all rows anew if an older release, or one in another zone, made them.

    Args:
        door: The record.
        context: Tenant, zone and base.
    """
    state = await index_state.renewal_of(door.store, context)
    if state is None:
        return
    _log.warning(
        "the index is of version %d and zone %s, it becomes version %d and zone %s: it is made"
        " anew in the background, and searches may miss resources until then",
        state.version,
        state.zone,
        state.new_version,
        state.new_zone,
    )
    while True:
        after, count = await _page(door, context, (), state.after)
        if not count:
            break
        state = structs.replace(state, after=after)
        await index_state.put(door.store, context, state)
    await index_state.note_current(door.store, context)
    _log.warning("the index is made anew")
