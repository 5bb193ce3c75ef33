"""Stores items: plain ones in groups, each group one transaction of updates.

A group costs a third of as many single updates, and its members may refer to each other. What
a group is refused for is taken out and judged alone; what refers to something that is not there
yet waits. Nothing is stored for content that is there already. Called by `loader`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from hub.context import Context
from hub.errors import HubError, Issue, Unavailable, Unprocessable, fault
from hub.interactions import Interactions
from hub.interactions.answer import BundleAnswer
from hub.interactions.missing_targets import targets_of
from hub.interactions.unavailable import STOPS
from hub.loading import large_binary
from hub.loading.item import Item, Key
from hub.loading.sources import opened
from hub.model import body, reference
from hub.search.extract import extract
from hub.search.registry import ParameterRegistry

TARGET_MISSING = "reference-target-missing"
UNRESOLVED = "reference-unresolved"
WAITS_FOR_OTHERS = frozenset({TARGET_MISSING, "conditional-reference-no-match"})

_ENTRY = re.compile(r"Bundle\.entry\[(\d+)\]")
_WITHIN = re.compile(r"Bundle\.entry\[\d+\](?:\.resource|\.request)?")


class Counts(NamedTuple):
    """How many resources an item created, updated or found as they should be."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0


Result = Counts | HubError


def waits(error: HubError) -> bool:
    """Whether it may pass when other things are stored."""
    return any(issue.message in WAITS_FOR_OTHERS for issue in error.issues)


async def store_one(door: Interactions, context: Context, item: Item) -> Result:
    """Store a transaction, or a plain item alone.

    Args:
        door: The record.
        context: Who loads.
        item: Not refused already.

    Returns:
        What was done, or why it is refused: with locations in the item.

    Raises:
        Unavailable: The store does not answer.
    """
    try:
        if item.content is not None:
            return await _store_large(door, context, item)
        if item.transaction:
            return _counts(await door.bundle(context, item.fresh(), keep_equal=True))
        return _counts(await door.bundle(context, _group([item]), keep_equal=True))
    except HubError as error:
        _reraise_unavailable(error)
        if item.transaction or item.content is not None:
            return error
        if all(issue.message == UNRESOLVED for issue in error.issues):
            return await _store_by_update(door, context, item)
        return _own(error, item)


async def _store_by_update(door: Interactions, context: Context, item: Item) -> Result:
    """Store a resource that refers to urns: only a transaction insists on knowing them.

    A document's entries refer to each other so.
    """
    ((type_, id_),) = item.keys
    resource = item.fresh()
    current = await door.store.read(context.tenant.key, type_, id_)
    if current is not None and not current.deleted and current.tail == body.split(resource):
        return Counts(unchanged=1)
    try:
        changed = await door.update(context, type_, id_, resource)
    except HubError as error:
        _reraise_unavailable(error)
        return error
    return Counts(created=1) if changed.status == 201 else Counts(updated=1)


def _reraise_unavailable(error: HubError) -> None:
    """A store that does not answer is no property of what was to be stored.

    Raises:
        Unavailable: It is that, perhaps told within a bundle.
    """
    if error.status in STOPS:
        raise Unavailable(error.issues, error.status) from error


async def _store_large(door: Interactions, context: Context, item: Item) -> Counts:
    with opened(item.place.path) as (stream, _):
        changed = await large_binary.store(door, context, item, stream)
    if changed is None:
        return Counts(unchanged=1)
    return Counts(created=1) if changed.status == 201 else Counts(updated=1)


async def store_group(door: Interactions, context: Context, items: Sequence[Item]) -> list[Result]:
    """Store plain items.

    Args:
        door: The record.
        context: Who loads.
        items: With different keys, none refused already.

    Returns:
        One result an item, in order.

    Raises:
        Unavailable: The store does not answer.
    """
    results: dict[int, Result] = {}
    left = list(range(len(items)))
    while len(left) > 1:
        try:
            answer = await door.bundle(
                context, _group([items[index] for index in left]), keep_equal=True
            )
        except HubError as error:
            _reraise_unavailable(error)
            found = await _culprits(door, context, [items[index] for index in left], error)
            for position, known in found.items():
                index = left[position]
                results[index] = known or await store_one(door, context, items[index])
            left = [index for position, index in enumerate(left) if position not in found]
            continue
        for index, entry in zip(left, answer.entries, strict=True):
            results[index] = _counts(BundleAnswer("", (entry,)))
        left = []
    for index in left:
        results[index] = await store_one(door, context, items[index])
    return [results[index] for index in range(len(items))]


async def store_together(
    door: Interactions, context: Context, items: Sequence[Item]
) -> list[Result]:
    """Store plain items that refer to each other in a circle: all or none.

    Args:
        door: The record.
        context: Who loads.
        items: With different keys.

    Raises:
        Unavailable: The store does not answer.
    """
    try:
        answer = await door.bundle(context, _group(items), keep_equal=True)
    except HubError as error:
        _reraise_unavailable(error)
        own: dict[int, list[Issue]] = {}
        for issue in error.issues:
            named = _ENTRY.match(issue.location)
            own.setdefault(int(named[1]) if named else 0, []).append(issue)
        circle = [fault("business-rule", "load-circle")]
        return [
            _own(HubError(own.get(at, circle), error.status), item) for at, item in enumerate(items)
        ]
    return [_counts(BundleAnswer("", (entry,))) for entry in answer.entries]


def _group(items: Sequence[Item]) -> dict[str, Any]:
    entries = []
    for item in items:
        ((type_, id_),) = item.keys
        request = {"method": "PUT", "url": f"{type_}/{id_}"}
        entries.append({"resource": item.fresh(), "request": request})
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _counts(answer: BundleAnswer) -> Counts:
    created = updated = unchanged = 0
    for entry in answer.entries:
        response = entry.response
        if response is None:
            continue
        if not response.written:
            unchanged += 1
        elif response.status.startswith("201"):
            created += 1
        elif response.etag:
            updated += 1
    return Counts(created, updated, unchanged)


def _own(error: HubError, item: Item) -> HubError:
    """The error of a group of one, with locations in the resource itself."""
    ((type_, _),) = item.keys

    def place(issue: Issue) -> Issue:
        return replace(issue, location=_WITHIN.sub(type_, issue.location))

    return HubError([place(issue) for issue in error.issues], error.status)


async def _culprits(
    door: Interactions, context: Context, items: Sequence[Item], error: HubError
) -> dict[int, HubError | None]:
    """What to take out of a group that was refused, by position; all of it when nobody knows.

    Those whose reason is known need not be tried alone.
    """
    found: dict[int, HubError | None] = {}
    if any(issue.message == TARGET_MISSING for issue in error.issues):
        # The store names one missing target; look for all of them, not one an attempt.
        found.update(await _without_targets(door, context, items))
    for issue in error.issues:
        named = _ENTRY.match(issue.location)
        if named is not None:
            found.setdefault(int(named[1]))
    return found or dict.fromkeys(range(len(items)))


async def _without_targets(
    door: Interactions, context: Context, items: Sequence[Item]
) -> dict[int, HubError]:
    """The items that refer to what is neither stored nor in the group."""
    registry = (await door.registry.of(context.tenant.key)).registry
    wanted = [targets(registry, context, item) for item in items]
    every = list({target for one in wanted for target in one})
    there = set(await door.store.read_many(context.tenant.key, every))
    lost: dict[int, HubError] = {}
    while True:
        stored = there.union(*(item.keys for at, item in enumerate(items) if at not in lost))
        more = {
            at: _missing(one.keys() - stored, one)
            for at, one in enumerate(wanted)
            if at not in lost and not one.keys() <= stored
        }
        if not more:
            return lost
        lost.update(more)


def _missing(lacking: Iterable[Key], places: Mapping[Key, str]) -> HubError:
    return Unprocessable(
        [
            fault("not-found", TARGET_MISSING, places[key], target="/".join(key))
            for key in sorted(lacking)
        ]
    )


def targets(registry: ParameterRegistry, context: Context, item: Item) -> dict[Key, str]:
    """The resources that must be there before a plain item, and where it refers to them.

    Args:
        registry: Search parameters in force: integrity is kept for what they find.
        context: Zone and base.
        item: A plain item.
    """
    resource = item.fresh()
    rows = extract(registry, resource, zone=context.tenant.zone, base=context.base)
    found = dict.fromkeys(targets_of(str(resource["resourceType"]), rows), "")
    for path, element in reference.walk(resource):
        parts = reference.parse(element["reference"], context.base)
        if found.get((parts.type, parts.id)) == "":
            found[parts.type, parts.id] = path
    return found
