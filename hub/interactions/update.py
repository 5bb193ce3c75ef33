"""update, create-as-update and conditional update (https://hl7.org/fhir/R4/http.html#update).

The new content replaces the old whole, `meta.tag`, `meta.security` and `meta.profile` included:
who wants to keep a tag sends it again, or uses $meta-add.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hub.context import Context
from hub.errors import BadRequest, Conflict, Issue, PreconditionFailed, fault
from hub.interactions import allowed_changes, binary, search_parameters, sight
from hub.interactions.absence import absent
from hub.interactions.answer import Changed
from hub.interactions.commit import NEW, Change, Made, Purpose, retried, store_changes
from hub.interactions.conditional import Condition, find_one, read_condition
from hub.interactions.preconditions import Expected, expected_version
from hub.interactions.validated import same_id, same_type, validated, well_formed
from hub.model.identity import new_id
from hub.storage.port import Matches, Method

if TYPE_CHECKING:
    from hub.interactions.door import Interactions

PURPOSE = Purpose("U", "update")


async def update(
    door: Interactions,
    ctx: Context,
    type: str,
    id: str,
    resource: dict[str, Any],
    if_match: str | None = None,
    if_none_match: str | None = None,
) -> Changed:
    """Store the next version of a resource, or the first one under the client's id.

    Args:
        door: The record.
        ctx: Who updates.
        type: Resource type of the URL.
        id: Logical id of the URL.
        resource: The whole new content; its id must be the URL's.
        if_match: Header value: the version that must be current.
        if_none_match: Header value: `*` creates only.

    Returns:
        Status 201 when there was no current version before, else 200.

    Raises:
        BadRequest: Type or id differ from the URL's.
        PreconditionFailed: If-Match or If-None-Match does not hold.
        Unprocessable: Not valid, or it refers to what does not exist.
    """
    same_type(resource, type)
    same_id(resource, id)
    sight.require(ctx, "u", type)
    issues, blobs = await checked(door, ctx, resource)

    async def attempt() -> Changed:
        if not await allowed_changes.is_open(door, ctx, "u", type, id):
            raise absent(type, id)
        expected = await expected_version(
            door.store, ctx.tenant.key, type, id, if_match, if_none_match
        )
        change = Change("PUT", type, id, resource, expected, blobs=blobs)
        made = (await store_changes(door, ctx, (change,), PURPOSE))[0]
        return _changed(made, issues)

    return await retried(attempt)


async def checked(
    door: Interactions, ctx: Context, resource: dict[str, Any]
) -> tuple[tuple[Issue, ...], tuple[str, ...]]:
    """Warnings and blobs of content that is about to be written.

    Raises:
        Unprocessable: It is not valid.
    """
    issues = await validated(door, ctx, resource)
    if resource["resourceType"] == "SearchParameter":
        issues += await search_parameters.check(door, ctx, resource)
    if resource["resourceType"] == "Binary":
        return issues, await binary.spill(door, ctx, resource)
    return issues, ()


async def conditional_update(
    door: Interactions,
    ctx: Context,
    type: str,
    search: Sequence[tuple[str, str]],
    resource: dict[str, Any],
    if_match: str | None = None,
    if_none_match: str | None = None,
) -> Changed:
    """Update the one resource that a search finds, or create it.

    Args:
        door: The record.
        ctx: Who updates.
        type: Resource type of the URL.
        search: The condition: names and values of the URL's query.
        resource: The whole new content; an id in it must be that of what is found.
        if_match: Header value: the version that must be current.
        if_none_match: Header value: `*` creates only.

    Returns:
        Status 201 when nothing was found, else 200.

    Raises:
        BadRequest: The id is not that of the resource found.
        Conflict: Nothing was found, and the id belongs to another resource.
        PreconditionFailed: Several are found, or If-Match or If-None-Match does not hold.
        Unprocessable: Not valid.
    """
    same_type(resource, type)
    condition = await read_condition(door, ctx, type, search)
    own_id = resource.get("id")
    if own_id is not None:
        well_formed(own_id)
    spare_id = own_id or new_id()
    resource["id"] = spare_id
    issues, blobs = await checked(door, ctx, resource)

    async def attempt() -> Changed:
        id, expected, matches = await resolve_update(
            door, ctx, condition, own_id, spare_id, if_match, if_none_match
        )
        resource["id"] = id
        method: Method = "PUT" if matches.ids or own_id is not None else "POST"
        change = Change(method, type, id, resource, expected, blobs=blobs)
        made = (await store_changes(door, ctx, (change,), PURPOSE, (matches,)))[0]
        return _changed(made, issues)

    return await retried(attempt)


async def resolve_update(
    door: Interactions,
    ctx: Context,
    condition: Condition,
    own_id: str | None,
    spare_id: str,
    if_match: str | None,
    if_none_match: str | None = None,
) -> tuple[str, Expected, Matches]:
    """Which resource a conditional update writes, and what must hold for it.

    Args:
        door: The record.
        ctx: Who updates.
        condition: What it is found by.
        own_id: Id in the content, None if none.
        spare_id: Id to create with when nothing is found.
        if_match: Header value.
        if_none_match: Header value.

    Returns:
        Logical id, expected version, and the precondition on the search.

    Raises:
        HubError: As `conditional_update`.
    """
    found = await find_one(door, ctx, condition)
    if found is None:
        if if_match is not None:
            raise PreconditionFailed(fault("conflict", "version-none", type=condition.type))
        if own_id is not None:
            current = await allowed_changes.current(door, ctx, "u", condition.type, own_id)
            if current is not None and not current.deleted:
                raise Conflict(fault("conflict", "condition-id-taken", type=condition.type))
        expected = NEW if own_id is None else NEW._replace(fixed=False)
        return spare_id, expected, condition.matches()
    if own_id is not None and own_id != found.id:
        place = f"{condition.type}.id"
        raise BadRequest(fault("invariant", "condition-id-differs", place, type=condition.type))
    expected = await expected_version(
        door.store, ctx.tenant.key, condition.type, found.id, if_match, if_none_match
    )
    return found.id, expected, condition.matches((found.id,))


def _changed(made: Made, issues: tuple[Issue, ...]) -> Changed:
    return Changed(made.stored, 201 if made.created else 200, issues)
