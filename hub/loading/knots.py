"""Resources that refer to each other in a circle, so that none can be stored before the others.

Called by `loader` for what still waits when everything else is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hub.context import Context
from hub.interactions import Interactions
from hub.loading.item import Item, Key
from hub.loading.storing import targets

CHUNK = 1000


async def knots(
    door: Interactions, context: Context, items: Iterable[Item]
) -> list[frozenset[Key]]:
    """The sets of items that can be stored if each set is stored at once.

    Args:
        door: The record.
        context: Tenant, zone and base.
        items: Plain items that cannot be stored alone.

    Returns:
        Keys of each set, smallest possible.
    """
    registry = (await door.registry.of(context.tenant.key)).registry
    wanted: dict[Key, set[Key]] = {}
    for item in items:
        for key in item.keys:
            wanted[key] = set(targets(registry, context, item))
    elsewhere = list({key for keys in wanted.values() for key in keys if key not in wanted})
    there: set[Key] = set()
    for start in range(0, len(elsewhere), CHUNK):
        chunk = elsewhere[start : start + CHUNK]
        there |= set(await door.store.read_many(context.tenant.key, chunk))
    edges = {key: keys - there for key, keys in wanted.items()}
    _drop_hopeless(edges)
    return _components(edges)


def _drop_hopeless(edges: dict[Key, set[Key]]) -> None:
    """Take out what refers to nothing that will ever be there, and what refers to that."""
    referrers: dict[Key, list[Key]] = {}
    for key, keys in edges.items():
        for target in keys:
            referrers.setdefault(target, []).append(key)
    lost = [target for target in referrers if target not in edges]
    while lost:
        found = [key for key in referrers.get(lost.pop(), ()) if key in edges]
        for key in found:
            del edges[key]
        lost.extend(found)


def _components(edges: Mapping[Key, set[Key]]) -> list[frozenset[Key]]:
    """Strongly connected sets, targets before those that refer to them (Tarjan, no recursion)."""
    order: dict[Key, int] = {}
    low: dict[Key, int] = {}
    stack: list[Key] = []
    on_stack: set[Key] = set()
    found: list[frozenset[Key]] = []
    for root in edges:
        if root in order:
            continue
        work = [(root, iter(edges[root]))]
        while work:
            key, targets_left = work[-1]
            if key not in order:
                order[key] = low[key] = len(order)
                stack.append(key)
                on_stack.add(key)
            for target in targets_left:
                if target not in order:
                    work.append((target, iter(edges[target])))
                    break
                if target in on_stack:
                    low[key] = min(low[key], order[target])
            else:
                work.pop()
                if work:
                    above = work[-1][0]
                    low[above] = min(low[above], low[key])
                if low[key] == order[key]:
                    members = set()
                    while True:
                        member = stack.pop()
                        on_stack.discard(member)
                        members.add(member)
                        if member == key:
                            break
                    found.append(frozenset(members))
    return found
