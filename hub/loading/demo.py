"""The demo set into the record; called by `demo` and by `serve --demo` on an empty store."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

from hub.context import Context
from hub.demo.generate import generate
from hub.interactions import Interactions
from hub.model import body

AT_ONCE = 64


async def load_demo(
    door: Interactions, patients: int, seed: int, advance: Callable[[int], None]
) -> int:
    """Store the demo set; what is stored already and equal is left alone.

    Args:
        door: The way into the record.
        patients: Number of residents.
        seed: Seed of the set.
        advance: Called with the number of resources dealt with since the last call.

    Returns:
        Resources of the set.
    """
    context = Context()
    stored = 0
    stream = generate(patients, seed)
    while batch := list(islice(stream, AT_ONCE)):
        await _batch(door, context, batch)
        stored += len(batch)
        advance(len(batch))
    return stored


async def _batch(door: Interactions, context: Context, batch: list[dict[str, Any]]) -> None:
    """One transaction for resources that may refer to each other."""
    entries = []
    for resource in batch:
        type_, id_ = str(resource["resourceType"]), str(resource["id"])
        current = await door.store.read(context.tenant.key, type_, id_)
        if current is not None and current.tail == body.split(resource):
            continue
        request = {"method": "PUT", "url": f"{type_}/{id_}"}
        entries.append({"resource": resource, "request": request})
    if entries:
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        await door.bundle(context, bundle)
