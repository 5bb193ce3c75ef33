"""What runs, and how it is: `/console/status`, for administrators and managers.

Facts of the store, the disk, the processes and the jobs in the background, in one answer; words
for them are the page's. The same checks as `/health/ready`. Called by `hub.web.pages`.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from hub.context import Tenant, utc_now
from hub.interactions import Interactions, index_state
from hub.interactions.answer import resource_of
from hub.settings import Settings
from hub.storage.port import Store, StoreInfo, StoreUnavailable

_PATIENCE = 2.0


class Process(NamedTuple):
    """A process that answers requests.

    Attributes:
        id: Process id.
        memory: Bytes.
        requests: What it answered since it began.
        unexpected: How many of them were errors of the hub itself.
    """

    id: int
    memory: int
    requests: int
    unexpected: int


class Load(NamedTuple):
    """A load that is not finished, with what became of its resources so far.

    Attributes:
        running: A process has it; otherwise it was interrupted.
        changed: When it last noted how far it is, milliseconds since the epoch.
    """

    running: bool
    changed: int
    created: int
    updated: int
    unchanged: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the facts come from.

    Attributes:
        door: The record.
        settings: `data`, `disk_reserve`, `workers`, `auth`, `zone`.
        version: Of the hub.
        processes: Those that live now.
        loads: Those that are not finished; may read files.
        tenant: Tenant.
    """

    door: Interactions
    settings: Settings
    version: str
    processes: Callable[[], Sequence[Process]]
    loads: Callable[[], Sequence[Load]]
    tenant: Tenant


async def status(sources: Sources) -> dict[str, Any]:
    """The facts, as JSON says them.

    Args:
        sources: Where they come from.
    """
    store, settings, tenant = sources.door.store, sources.settings, sources.tenant.key
    free = await asyncio.to_thread(_free_space, settings)
    store_state, info = await _asked(store.info(tenant))
    # Taking no rows out of the outbox changes nothing, but it is the writer that does it.
    writer_state, _ = await _asked(store.delivered(tenant, ()))
    _, jobs = await _asked(_jobs(sources))
    return {
        "time": _instant(int(utc_now().timestamp() * 1000)),
        "version": sources.version,
        "auth": settings.auth,
        "zone": settings.zone,
        "checks": {
            "store": store_state,
            "writer": writer_state,
            "disk": "ok" if free >= settings.disk_reserve else "littleSpace",
        },
        "disk_free": free,
        "store": info and _store(info),
        # Several workers stand before a writer that is a process of its own.
        "wanted": settings.workers + (settings.workers > 1),
        "processes": [one._asdict() for one in sources.processes()],
        "jobs": jobs,
    }


def _store(info: StoreInfo) -> dict[str, Any]:
    return {
        "backend": info.backend,
        "bytes": info.bytes,
        "versions": info.versions,
        "queued": info.queued,
        "resources": info.resources,
    }


async def _jobs(sources: Sources) -> dict[str, Any]:
    store = sources.door.store
    noted = await index_state.read(store, sources.tenant.key, int(utc_now().timestamp() * 1000))
    loads = await asyncio.to_thread(sources.loads)
    return {
        "parameters": await _parameters(store, sources.tenant.key),
        "renewing": noted is not None and noted.new_version > 0,
        "loads": [one._asdict() | {"changed": _instant(one.changed)} for one in loads],
    }


async def _parameters(store: Store, tenant: int) -> list[dict[str, Any]]:
    """How far the index of each search parameter made at run time is."""
    known = await store.parameters(tenant)
    targets = [("SearchParameter", one.resource_id) for one in known]
    found = await store.read_many(tenant, targets) if targets else {}
    shown = []
    for one in known:
        stored = found.get(("SearchParameter", one.resource_id))
        shown.append(
            {
                "code": str(resource_of(stored).get("code", "")) if stored else "",
                "id": one.resource_id,
                "status": one.status,
                "indexed": one.indexed,
                "counted": one.counted,
            }
        )
    return shown


async def _asked(question: Awaitable[Any]) -> tuple[str, Any]:
    """How the answer came, in a word of the page, and the answer."""
    try:
        async with asyncio.timeout(_PATIENCE):
            return "ok", await question
    except TimeoutError:
        return "slow", None
    except StoreUnavailable:
        return "unavailable", None


def _free_space(settings: Settings) -> int:
    place = settings.data
    while not place.exists() and place != place.parent:
        place = place.parent
    return shutil.disk_usage(place).free


def _instant(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")
