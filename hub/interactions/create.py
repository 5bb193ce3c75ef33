"""create and conditional create (https://hl7.org/fhir/R4/http.html#create, #ccreate)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hub.context import Context
from hub.interactions import binary, search_parameters, sight
from hub.interactions.accompanying import NOTHING, Accompanying, fresh_id
from hub.interactions.answer import Changed
from hub.interactions.commit import NEW, Change, Purpose, retried, store_changes
from hub.interactions.conditional import Condition, find_one, read_condition
from hub.interactions.url import query_of
from hub.interactions.validated import same_type, validated

if TYPE_CHECKING:
    from hub.interactions.door import Interactions

PURPOSE = Purpose("C", "create")


async def create(
    door: Interactions,
    ctx: Context,
    type: str,
    resource: dict[str, Any],
    if_none_exist: str | None = None,
    accompanying: Accompanying = NOTHING,
) -> Changed:
    """Store a new resource under an id that the server makes.

    Args:
        door: The record.
        ctx: Who creates.
        type: Resource type of the URL.
        resource: The content; an id, versionId and lastUpdated in it are replaced.
        if_none_exist: Search parameters as in a URL's query; None: unconditional.
        accompanying: What goes with the commit; also when nothing is created.

    Returns:
        Status 201, or 200 with `written` False when one resource meets the condition.

    Raises:
        BadRequest: The type differs from the URL's, or the condition is malformed.
        PreconditionFailed: Several resources meet the condition.
        Unprocessable: Not valid, or it refers to what does not exist.
    """
    same_type(resource, type)
    sight.require(ctx, "c", type)
    resource["id"] = fresh_id(accompanying.idempotency_key)
    issues = await validated(door, ctx, resource)
    if type == "SearchParameter":
        issues += await search_parameters.check(door, ctx, resource)
    condition = None
    if if_none_exist is not None:
        condition = await read_condition(door, ctx, type, query_of(if_none_exist))
    blobs = await binary.spill(door, ctx, resource) if type == "Binary" else ()
    change = Change("POST", type, resource["id"], resource, NEW, blobs=blobs)
    if condition is None:
        made = (await store_changes(door, ctx, (change,), PURPOSE, (), accompanying))[0]
        return Changed(made.stored, 201, issues)
    return await retried(
        lambda: _if_none_exists(door, ctx, change, condition, issues, accompanying)
    )


async def _if_none_exists(
    door: Interactions,
    ctx: Context,
    change: Change,
    condition: Condition,
    issues: Any,
    accompanying: Accompanying,
) -> Changed:
    found = await find_one(door, ctx, condition)
    if found is not None:
        if accompanying.matters:
            matches = (condition.matches((found.id,)),)
            await store_changes(door, ctx, (), PURPOSE, matches, accompanying)
        return Changed(found, 200, written=False)
    matches = (condition.matches(),)
    made = (await store_changes(door, ctx, (change,), PURPOSE, matches, accompanying))[0]
    return Changed(made.stored, 201, issues)
