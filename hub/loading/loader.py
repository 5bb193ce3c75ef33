"""Stores items through the interactions, many at a time, so that commits are grouped.

Loading is idempotent: a resource is an update by its id (one without an id gets an id made
from its content), skipped when the stored one says the same; a transaction carries its
content's hash as idempotency key. What fails for a missing reference target waits and is
tried again when everything else has been read, so the order of files does not matter.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from hub.context import Context
from hub.definitions import is_resource_type
from hub.errors import HubError, Unavailable, Unprocessable, fault
from hub.interactions import Interactions
from hub.loading.checkpoint import Checkpoint
from hub.loading.report import Report
from hub.loading.sources import Item, Mark, files, items
from hub.loading.waiting import Waiting
from hub.model import body

AT_ONCE = 64
SAVE_EVERY = 2_000
NAMESPACE = uuid.UUID("5be0a3d7-9d0b-45ad-9b1f-0d6f0a2e6a4f")
WAITS_FOR_OTHERS = frozenset({"reference-target-missing", "conditional-reference-no-match"})


@dataclass(slots=True)
class Tally:
    """What became of the items; `waiting` are left for another round."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    waiting: Waiting = field(default_factory=Waiting)

    @property
    def stored(self) -> int:
        """Resources that are in the record now."""
        return self.created + self.updated + self.unchanged


Advance = Callable[[Path, int], None]


async def load(
    door: Interactions,
    context: Context,
    paths: Iterable[Path],
    report: Report,
    checkpoint: Checkpoint,
    advance: Advance,
) -> Tally:
    """Load files and folders.

    Args:
        door: The way into the record.
        context: Who loads.
        paths: Files and folders.
        report: Takes what is rejected.
        checkpoint: Where an interrupted load goes on.
        advance: Called with a file and the bytes of it that have been dealt with.

    Returns:
        Counts; nothing is waiting any more.
    """
    tally = Tally()
    for path in files(paths):
        await _file(door, context, path, report, checkpoint, advance, tally)
    await _waiting(door, context, report, tally)
    checkpoint.forget()
    return tally


async def _file(
    door: Interactions,
    context: Context,
    path: Path,
    report: Report,
    checkpoint: Checkpoint,
    advance: Advance,
    tally: Tally,
) -> None:
    start = checkpoint.mark(path)
    batch: list[Item] = []
    since_save = 0
    for item in items(path, door.settings.body_limit, start):
        batch.append(item)
        if len(batch) >= AT_ONCE:
            await _batch(door, context, batch, report, tally)
            advance(path, item.mark.offset)
            since_save += len(batch)
            batch = []
            if since_save >= SAVE_EVERY and not tally.waiting:
                since_save = 0
                if item.where.startswith("line"):
                    checkpoint.set(path, item.mark)
                    checkpoint.save()
    if batch:
        await _batch(door, context, batch, report, tally)
    size = path.stat().st_size
    advance(path, size)
    if not tally.waiting:
        checkpoint.set(path, Mark(size, 0))


async def _batch(
    door: Interactions, context: Context, batch: list[Item], report: Report, tally: Tally
) -> None:
    """Store items side by side; those with the same id one after the other."""
    lanes: dict[object, list[Item]] = {}
    for index, item in enumerate(batch):
        resource = item.resource or {}
        key = (resource.get("resourceType"), resource.get("id")) if "id" in resource else index
        lanes.setdefault(key, []).append(item)

    async def lane(queue: list[Item]) -> None:
        for item in queue:
            await _item(door, context, item, report, tally)

    async with asyncio.TaskGroup() as group:
        for queue in lanes.values():
            group.create_task(lane(queue))


async def _item(
    door: Interactions, context: Context, item: Item, report: Report, tally: Tally
) -> None:
    try:
        if item.error is not None:
            raise item.error
        assert item.resource is not None
        if item.resource.get("resourceType") == "Bundle" and item.resource.get("type") in (
            "transaction",
        ):
            await _transaction(door, context, item, tally)
        else:
            await _resource(door, context, item, tally)
    except Unavailable:
        raise
    except HubError as error:
        if any(issue.message in WAITS_FOR_OTHERS for issue in error.issues):
            tally.waiting.add(item, error)
            return
        tally.rejected += 1
        report.reject(item, error)


async def _transaction(door: Interactions, context: Context, item: Item, tally: Tally) -> None:
    assert item.resource is not None
    answer = await door.bundle(context, item.resource, idempotency_key=f"load:{item.digest}")
    for entry in answer.entries:
        status = entry.response.status if entry.response is not None else ""
        if status.startswith("201"):
            tally.created += 1
        elif status.startswith("200"):
            tally.updated += 1


async def _resource(door: Interactions, context: Context, item: Item, tally: Tally) -> None:
    assert item.resource is not None
    resource = item.resource
    type_ = resource.get("resourceType")
    if not isinstance(type_, str) or not is_resource_type(type_):
        raise Unprocessable(fault("structure", "load-no-id", location="resourceType"))
    if "id" not in resource:
        resource["id"] = str(uuid.uuid5(NAMESPACE, item.digest))
    current = await door.store.read(context.tenant.key, type_, str(resource["id"]))
    if current is not None and not current.deleted and current.tail == body.split(resource):
        tally.unchanged += 1
        return
    changed = await door.update(context, type_, str(resource["id"]), resource)
    if changed.status == 201:
        tally.created += 1
    else:
        tally.updated += 1


async def _waiting(door: Interactions, context: Context, report: Report, tally: Tally) -> None:
    """Try what waited until a round stores nothing more; the rest is rejected."""
    while tally.waiting:
        waiting, tally.waiting = tally.waiting, Waiting()
        before = tally.stored
        batch: list[Item] = []
        for item, _ in waiting.drain():
            batch.append(item)
            if len(batch) == AT_ONCE:
                await _batch(door, context, batch, report, tally)
                batch = []
        await _batch(door, context, batch, report, tally)
        if tally.stored == before:
            left, tally.waiting = tally.waiting, Waiting()
            for item, error in left.drain():
                tally.rejected += 1
                report.reject(item, error)
