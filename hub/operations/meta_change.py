"""What $meta-add and $meta-delete share: an update of the Meta, under the version that was read.

The change is a new version like every other, so that history and audit show it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub.context import Context
from hub.errors import BadRequest, fault
from hub.interactions import Interactions
from hub.interactions.operation import OperationAnswer, OperationRequest
from hub.model import body, json
from hub.operations.meta import LISTS, answer, meta_of
from hub.operations.parameters import one

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
        BadRequest: No Meta was given.
        Conflict: Somebody changed the resource meanwhile.
    """
    given = one(request, "meta")
    if not isinstance(given, dict):
        raise BadRequest(fault("required", "meta-missing"))
    stored = await door.read(context, request.type, request.id)
    whole = body.join(stored.type, stored.id, stored.version, stored.updated, stored.tail)
    resource = json.load(whole)
    meta = resource["meta"]
    for name in LISTS:
        kept = change(name, meta.get(name) or [], given.get(name) or [])
        meta.pop(name, None)
        if kept:
            meta[name] = kept
    if json.encode(resource) == whole:
        return answer(meta)
    changed = await door.update(
        context, request.type, request.id, resource, if_match=f'W/"{stored.version}"'
    )
    assert changed.stored is not None
    return answer(meta_of(changed.stored))
