"""Is the hub alive, and can it do its work: `/health/live`, `/health/ready`, `/metrics`.

`ready` reads from the store, sends an empty piece of work through its writer and looks at the
disk. Called by `hub.rest.pages`.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import msgspec

from hub.errors import DamagedStorage
from hub.interactions.answer import resource_of
from hub.rest import metrics
from hub.rest.exchange import Answer, Header
from hub.rest.metrics import Metrics
from hub.settings import Settings
from hub.storage.port import BodyDamaged, Store, StoreUnavailable

_JSON: Header = (b"content-type", b"application/json")
_TIMEOUT = 2.0
_REACHED = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def live() -> Answer:
    """200 while the process answers at all."""
    return _answer(200, {"status": "alive"})


async def ready(store: Store, settings: Settings, tenant: int, details: bool = True) -> Answer:
    """200 when requests can be answered, 503 with what is wrong otherwise.

    Args:
        store: Asked to read and to write nothing.
        settings: `data`, `disk_reserve`.
        tenant: Tenant key.
        details: Say what is wrong, and how much space is left.
    """
    free = shutil.disk_usage(_existing(settings.data)).free
    checks = {
        "store": await _works(store.generation(tenant)),
        # Taking no rows out of the outbox changes nothing, but it is the writer that does it.
        "writer": await _works(store.delivered(tenant, ())),
        "disk": "ok" if free >= settings.disk_reserve else "too little space is left",
    }
    if settings.mllp:
        checks["mllp"] = await _listens(settings.mllp_host, settings.mllp)
    well = all(result == "ok" for result in checks.values())
    status: dict[str, Any] = {"status": "ready" if well else "not ready"}
    if details:
        status |= {"checks": checks, "disk_free_bytes": free}
    return _answer(200 if well else 503, status)


async def _listens(host: str, port: int) -> str:
    """Whether messages can be sent to us, in whichever process they are taken."""
    try:
        async with asyncio.timeout(_TIMEOUT):
            _, writer = await asyncio.open_connection(_REACHED.get(host, host), port)
    except (OSError, TimeoutError):
        return "nobody listens"
    writer.transport.abort()
    return "ok"


async def exposition(store: Store, tenant: int, own: Metrics, folder: Path | None) -> Answer:
    """The Prometheus text of all workers.

    Args:
        store: For its gauges.
        tenant: Tenant key.
        own: This process's numbers.
        folder: Where other workers write theirs; None when there are none.
    """
    gauges = await _store_gauges(store, tenant, own)
    snapshots = [own.snapshot()]
    if folder is not None:
        snapshots += metrics.others(folder)
    body = metrics.exposition(snapshots, gauges)
    return Answer(200, ((b"content-type", metrics.CONTENT_TYPE),), body)


async def _store_gauges(store: Store, tenant: int, own: Metrics) -> dict[str, float]:
    try:
        async with asyncio.timeout(_TIMEOUT):
            info = await store.info(tenant)
            progress = await _progress(store, tenant) | await _messages(store, tenant)
    except (StoreUnavailable, TimeoutError):
        return {"hub_store_up": 0}
    own.queued = info.queued
    gauges: dict[str, float] = {
        "hub_store_up": 1,
        "hub_store_bytes": info.bytes,
        "hub_store_sequence": info.sequence,
        "hub_store_versions": info.versions,
    }
    gauges |= progress
    for type, count in info.resources.items():
        gauges[f'hub_store_resources{{type="{type}"}}'] = count
    return gauges


async def _messages(store: Store, tenant: int) -> dict[str, float]:
    """HL7 v2 messages by site or destination and state; counts that reconcile."""
    gauges: dict[str, float] = {}
    for one in await store.messages.counts(tenant):
        labels = f'direction="{one.direction}",site="{one.peer}",state="{one.state}"'
        gauges[f"hub_hl7v2_messages{{{labels}}}"] = one.messages
    return gauges


async def _progress(store: Store, tenant: int) -> dict[str, float]:
    """How far the index of each search parameter made at run time is."""
    gauges: dict[str, float] = {}
    for one in await store.parameters(tenant):
        try:
            stored = await store.read(tenant, "SearchParameter", one.resource_id)
            code = resource_of(stored).get("code") if stored and not stored.deleted else None
        except (BodyDamaged, DamagedStorage):
            continue
        if code is not None:
            # Code and id are letters, digits, hyphens, underscores and dots: nothing to escape.
            labels = f'code="{code}",id="{one.resource_id}"'
            gauges[f"hub_search_parameter_indexed{{{labels}}}"] = one.indexed
            gauges[f"hub_search_parameter_counted{{{labels}}}"] = one.counted
    return gauges


async def _works(step: Awaitable[Any]) -> str:
    try:
        async with asyncio.timeout(_TIMEOUT):
            await step
    except TimeoutError:
        return "no answer in time"
    except StoreUnavailable as error:
        return error.reason
    return "ok"


def _existing(path: Path) -> Path:
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def _answer(status: int, content: dict[str, Any]) -> Answer:
    return Answer(status, (_JSON,), msgspec.json.encode(content))
