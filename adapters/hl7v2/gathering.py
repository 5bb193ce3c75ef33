"""What a message needs of the record: a resource, and what it refers to, some steps far.

Reads as the hub itself: what a destination may get is for its site file to say. Called by
`adapters.hl7v2.outbox`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hub.context import Context
from hub.interactions import Interactions, sight
from hub.interactions.answer import resource_of
from hub.interactions.binary import whole
from hub.model import reference
from hub.storage.port import Stored

Resource = dict[str, Any]

STEPS = 3
MOST = 5_000
"""Resources of one message."""

_FOLLOWED = frozenset(
    (
        "Binary",
        "Condition",
        "DiagnosticReport",
        "DocumentReference",
        "Encounter",
        "Location",
        "Observation",
        "Organization",
        "Patient",
        "Practitioner",
        "PractitionerRole",
        "RelatedPerson",
        "ServiceRequest",
    )
)


async def current(door: Interactions, ctx: Context, type: str, id: str) -> Resource | None:
    """A resource as it is now, None when it is not there."""
    return _content(await sight.read(door, ctx, type, id))


async def version_of(
    door: Interactions, ctx: Context, type: str, id: str, sequence: int
) -> tuple[Resource | None, Resource | None]:
    """A resource as a commit left it, and as it was before that.

    Args:
        door: The record.
        ctx: The hub itself.
        type: Resource type.
        id: Logical id.
        sequence: Of the commit.

    Returns:
        None for the first when the commit wrote no version that is still here, or deleted it;
        None for the second when there was none, or it was deleted.
    """
    newest = await sight.read(door, ctx, type, id)
    found = newest
    if newest is not None and newest.sequence != sequence:
        found = await _search(door, ctx, newest, sequence)
    if found is None:
        return None, None
    before = await sight.vread(door, ctx, type, id, found.version - 1)
    return _content(found), _content(before)


async def _search(door: Interactions, ctx: Context, newest: Stored, sequence: int) -> Stored | None:
    """The version of a sequence: sequences rise with versions."""
    low, high = 1, newest.version - 1
    while low <= high:
        middle = (low + high) // 2
        found = await sight.vread(door, ctx, newest.type, newest.id, middle)
        if found is None:
            return None
        if found.sequence == sequence:
            return found
        if found.sequence < sequence:
            low = middle + 1
        else:
            high = middle - 1
    return None


def _content(stored: Stored | None) -> Resource | None:
    return None if stored is None or stored.deleted else resource_of(stored)


async def around(door: Interactions, ctx: Context, focus: Resource) -> dict[str, Resource]:
    """A resource and what it refers to, by `Type/id`, as it is now.

    Args:
        door: The record.
        ctx: The hub itself.
        focus: As it is to be told.

    Raises:
        TooLarge: A document is over the body limit.
    """
    found = {f"{focus['resourceType']}/{focus['id']}": focus}
    wave = [focus]
    for _ in range(STEPS):
        targets = [
            one for one in dict.fromkeys(_targets(wave, ctx.base)) if _name(one) not in found
        ]
        if not targets or len(found) > MOST:
            break
        stored = await sight.read_many(door, ctx, targets[:MOST])
        wave = [await whole(door, ctx, one) for one in stored.values()]
        found.update((f"{one['resourceType']}/{one['id']}", one) for one in wave)
    return found


def _name(target: tuple[str, str]) -> str:
    return "/".join(target)


def _targets(resources: Iterable[Resource], base: str) -> Iterable[tuple[str, str]]:
    for resource in resources:
        given = [holder["reference"] for _, holder in reference.walk(resource)]
        for text in [*given, *_documents(resource)]:
            parts = reference.parse(text, base)
            if parts.kind == "relative" and parts.type in _FOLLOWED and parts.id:
                yield parts.type, parts.id


def _documents(resource: Resource) -> Iterable[str]:
    """URLs of the documents that a resource is about."""
    held = [one.get("attachment") for one in resource.get("content", ()) if isinstance(one, dict)]
    for attachment in [*held, *resource.get("presentedForm", ())]:
        if isinstance(attachment, dict) and isinstance(attachment.get("url"), str):
            yield attachment["url"]
