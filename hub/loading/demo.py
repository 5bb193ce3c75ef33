"""The demo set into the record; called by `demo` and by `serve --demo` on an empty store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from hub.context import Context
from hub.demo.generate import generate
from hub.errors import HubError
from hub.interactions import Interactions
from hub.loading.item import Item, Place, plain
from hub.loading.storing import Result, store_group, waits
from hub.loading.window import Window

_NOWHERE = Place(Path("demo"))


async def load_demo(
    door: Interactions,
    patients: int,
    seed: int,
    advance: Callable[[int], None],
    context: Context | None = None,
) -> int:
    """Store the demo set; what is stored already and equal is left alone.

    Args:
        door: The way into the record.
        patients: Number of residents.
        seed: Seed of the set.
        advance: Called with the number of residents stored since the last call.
        context: Who loads; the local principal when None.

    Returns:
        Resources of the set.

    Raises:
        HubError: The record refuses one of them.
    """
    ctx = context or Context()
    stored = 0
    early: list[Item] = []

    async def store(group: Sequence[Item]) -> Sequence[Result]:
        return await store_group(door, ctx, group)

    def settle(item: Item, result: Result) -> None:
        nonlocal stored
        if isinstance(result, HubError):
            if not waits(result):
                raise result
            early.append(item)  # It overtook the group that holds what it refers to.
            return
        stored += 1
        advance(sum(type == "Patient" for type, _ in item.keys))

    window = Window(store, settle)
    try:
        for resource in generate(patients, seed):
            await window.add(plain(_NOWHERE, resource))
        await window.drain()
        while early:
            again, before = list(early), stored
            early.clear()
            for item in again:
                await window.add(item)
            await window.drain()
            assert stored > before, "a demo resource refers to none of the set"
    finally:
        await window.abandon()
    return stored
