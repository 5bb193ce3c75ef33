"""delete and conditional delete, single and multiple (https://hl7.org/fhir/R4/http.html#delete).

A delete writes a tombstone version. Deleting what is not there is no error: the result is the
same (204).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from hub.context import Context
from hub.errors import PreconditionFailed, fault
from hub.interactions import allowed_changes, sight
from hub.interactions.answer import Changed
from hub.interactions.audited import note
from hub.interactions.commit import Change, Purpose, retried, store_changes
from hub.interactions.conditional import Condition, find, read_condition, several
from hub.interactions.preconditions import FREE, expected_version, failed
from hub.interactions.validated import known_type, well_formed
from hub.storage.port import Matches

if TYPE_CHECKING:
    from hub.interactions.door import Interactions

PURPOSE = Purpose("D", "delete")
LONGEST_NOTED = 4000
"""Characters of a condition that found nothing, in the audit."""


async def delete(
    door: Interactions, ctx: Context, type: str, id: str, if_match: str | None = None
) -> Changed:
    """Delete a resource.

    Args:
        door: The record.
        ctx: Who deletes.
        type: Resource type.
        id: Logical id.
        if_match: Header value: the version that must be current.

    Raises:
        Conflict: Something refers to it, and integrity is on.
        PreconditionFailed: If-Match does not hold.
    """
    known_type(type)
    well_formed(id)

    async def attempt() -> Changed:
        if not await has_target(door, ctx, type, id, if_match):
            await note(door, ctx, "D", "delete", entity=f"{type}/{id}")
            return Changed(None, 204, written=False)
        expected = await expected_version(door.store, ctx.tenant.key, type, id, if_match)
        change = Change("DELETE", type, id, expected=expected)
        made = (await store_changes(door, ctx, (change,), PURPOSE))[0]
        return Changed(made.stored, 204, written=made.written, deleted=int(made.written))

    return await retried(attempt)


async def has_target(
    door: Interactions, ctx: Context, type: str, id: str, if_match: str | None
) -> bool:
    """Whether a delete has anything to do, as far as whoever deletes may know.

    Raises:
        Forbidden: It may be seen, but not deleted.
        PreconditionFailed: There is nothing, and If-Match names a version.
    """
    if await allowed_changes.is_open(door, ctx, "d", type, id):
        return True
    if if_match is not None:
        raise failed(type, 0)
    return False


async def conditional_delete(
    door: Interactions, ctx: Context, type: str, search: Sequence[tuple[str, str]]
) -> Changed:
    """Delete what a search finds: one, or several up to `settings.delete_multiple_limit`.

    Args:
        door: The record.
        ctx: Who deletes.
        type: Resource type.
        search: The condition: names and values of the URL's query.

    Returns:
        `stored` is the tombstone when one was deleted, else None; `deleted` counts them.

    Raises:
        Conflict: Something refers to one of them, and integrity is on: none is deleted.
        PreconditionFailed: It finds more than the limit.
    """
    known_type(type)
    sight.require(ctx, "d", type)
    condition = await read_condition(door, ctx, type, search)

    async def attempt() -> Changed:
        ids, matches = await resolve_delete(door, ctx, condition)
        if not ids:
            await note(door, ctx, "D", "delete", urlencode(search)[:LONGEST_NOTED], type)
            return Changed(None, 204, written=False)
        changes = [Change("DELETE", type, id, expected=FREE) for id in ids]
        made = await store_changes(door, ctx, changes, PURPOSE, (matches,))
        return Changed(made[0].stored if len(made) == 1 else None, 204, deleted=len(made))

    return await retried(attempt)


async def resolve_delete(
    door: Interactions, ctx: Context, condition: Condition
) -> tuple[list[str], Matches]:
    """The ids that a conditional delete removes, and the precondition that they stay the ones.

    Raises:
        PreconditionFailed: More than the limit.
    """
    limit = door.settings.delete_multiple_limit
    found = await find(door, ctx, condition, limit + 1)
    if len(found) > limit:
        if limit == 1:
            raise several(condition.type)
        raise PreconditionFailed(
            fault("multiple-matches", "condition-over-limit", type=condition.type, limit=limit)
        )
    ids = [stored.id for stored in found]
    return ids, condition.matches(ids)
