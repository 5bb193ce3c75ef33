"""create and conditional create (https://hl7.org/fhir/R4/http.html#create, #ccreate)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hub.context import Context
from hub.interactions import binary, search_parameters, sight
from hub.interactions.answer import Changed
from hub.interactions.commit import NEW, Change, Purpose, retried, store_changes
from hub.interactions.conditional import Condition, find_one, read_condition
from hub.interactions.url import query_of
from hub.interactions.validated import same_type, validated
from hub.model.identity import new_id

if TYPE_CHECKING:
    from hub.interactions.door import Interactions

PURPOSE = Purpose("C", "create")


async def create(
    door: Interactions,
    ctx: Context,
    type: str,
    resource: dict[str, Any],
    if_none_exist: str | None = None,
) -> Changed:
    """Store a new resource under an id that the server makes.

    Args:
        door: The record.
        ctx: Who creates.
        type: Resource type of the URL.
        resource: The content; an id, versionId and lastUpdated in it are replaced.
        if_none_exist: Search parameters as in a URL's query; None: unconditional.

    Returns:
        Status 201, or 200 with `written` False when one resource meets the condition.

    Raises:
        BadRequest: The type differs from the URL's, or the condition is malformed.
        PreconditionFailed: Several resources meet the condition.
        Unprocessable: Not valid, or it refers to what does not exist.
    """
    same_type(resource, type)
    sight.require(ctx, "c", type)
    resource["id"] = new_id()
    issues = await validated(door, ctx, resource)
    if type == "SearchParameter":
        issues += await search_parameters.check(door, ctx, resource)
    condition = None
    if if_none_exist is not None:
        condition = await read_condition(door, ctx, type, query_of(if_none_exist))
    blobs = await binary.spill(door, ctx, resource) if type == "Binary" else ()
    change = Change("POST", type, resource["id"], resource, NEW, blobs=blobs)
    if condition is None:
        made = (await store_changes(door, ctx, (change,), PURPOSE))[0]
        return Changed(made.stored, 201, issues)
    return await retried(lambda: _if_none_exists(door, ctx, change, condition, issues))


async def _if_none_exists(
    door: Interactions, ctx: Context, change: Change, condition: Condition, issues: Any
) -> Changed:
    found = await find_one(door, ctx, condition)
    if found is not None:
        return Changed(found, 200, written=False)
    made = (await store_changes(door, ctx, (change,), PURPOSE, (condition.matches(),)))[0]
    return Changed(made.stored, 201, issues)
