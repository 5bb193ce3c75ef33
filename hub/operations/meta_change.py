"""What $meta-add and $meta-delete share: an update of the Meta, under the version that was read.

The change is a new version like every other, so that history and audit show it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub.context import Context
from hub.errors import BadRequest, PreconditionFailed, fault
from hub.interactions import Interactions
from hub.interactions.binary import whole
from hub.interactions.commit import retried
from hub.interactions.operation import OperationAnswer, OperationRequest
from hub.operations.meta import LISTS, answer, meta_of
from hub.operations.parameters import one, only
from hub.storage.port import VersionConflict

Change = Callable[[str, list[Any], list[Any]], list[Any]]


async def change_meta(
    door: Interactions, context: Context, request: OperationRequest, change: Change
) -> OperationAnswer:
    """Apply a change to the lists of an instance's Meta.

    Args:
        door: The record.
        context: Who asks.
        request: Instance level, with parameter `meta`.
        change: From list name, present and given entries to the new list.

    Raises:
        BadRequest: No Meta was given, or its lists are malformed.
        Conflict: Others keep changing the resource.
        Unprocessable: The new Meta is not valid.
    """
    only(request, "meta")
    given = _given(request)

    async def attempt() -> OperationAnswer:
        stored = await door.read(context, request.type, request.id)
        resource = await whole(door, context, stored)
        meta = resource["meta"]
        if not _apply(meta, given, change):
            return answer(meta)
        try:
            changed = await door.update(
                context, request.type, request.id, resource, if_match=f'W/"{stored.version}"'
            )
        except PreconditionFailed:
            raise VersionConflict(0, stored.type, stored.id, 0) from None
        assert changed.stored is not None
        return answer(meta_of(changed.stored))

    return await retried(attempt)


def _given(request: OperationRequest) -> dict[str, list[Any]]:
    """The lists of the parameter `meta`."""
    given = one(request, "meta")
    if not isinstance(given, dict):
        raise BadRequest(fault("required", "meta-missing"))
    found = {}
    for name in LISTS:
        items = given.get(name, [])
        fits = _is_profile if name == "profile" else _is_coding
        if not isinstance(items, list) or not all(map(fits, items)):
            raise BadRequest(fault("structure", "meta-malformed", f"Meta.{name}", name=name))
        found[name] = items
    return found


def _is_profile(item: object) -> bool:
    return isinstance(item, str)


def _is_coding(item: object) -> bool:
    return isinstance(item, dict) and all(
        isinstance(item.get(name, ""), str) for name in ("system", "code")
    )


def _apply(meta: dict[str, Any], given: dict[str, list[Any]], change: Change) -> bool:
    """Change the lists in place; whether any is different now."""
    different = False
    for name in LISTS:
        present = meta.get(name) or []
        kept = change(name, present, given[name])
        if kept == present:
            continue
        different = True
        _keep_extensions(meta, name, present, kept)
        if kept:
            meta[name] = kept
        else:
            del meta[name]
    return different


def _keep_extensions(meta: dict[str, Any], name: str, present: list[Any], kept: list[Any]) -> None:
    """`_profile` runs beside `profile`: what belongs to a profile stays with it."""
    extra = meta.pop(f"_{name}", None)
    if extra:
        beside = dict(zip(present, extra, strict=False))
        moved = [beside.get(item) for item in kept]
        if any(item is not None for item in moved):
            meta[f"_{name}"] = moved
