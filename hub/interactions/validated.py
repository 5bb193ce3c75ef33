"""What must hold of a resource before it is written: type, id, validity.

Called by create, update, patch and transaction.
Spec: https://hl7.org/fhir/R4/http.html#create, #update, validation.html
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from hub.context import Context
from hub.definitions import is_resource_type
from hub.errors import BadRequest, Issue, NotFound, Unprocessable, fault
from hub.model.identity import valid_id

if TYPE_CHECKING:
    from hub.interactions.door import Interactions


def known_type(type: str) -> None:
    """Refuse what is no R4 resource type.

    Raises:
        NotFound: It is none.
    """
    if not is_resource_type(type):
        raise NotFound(fault("not-supported", "type-unknown", type=type[:64]))


def same_type(resource: dict[str, Any], type: str) -> None:
    """Refuse a resource of another type than the URL names.

    Raises:
        BadRequest: resourceType is missing or different.
        NotFound: The URL's type is none of R4.
    """
    known_type(type)
    if resource.get("resourceType") != type:
        raise BadRequest(fault("invariant", "type-mismatch", "resourceType", type=type))


def same_id(resource: dict[str, Any], id: str) -> None:
    """Refuse an update whose body has another id than its URL, or none.

    Raises:
        BadRequest: The ids differ, or the URL's is malformed.
    """
    well_formed(id)
    found = resource.get("id")
    if found is None:
        location = f"{resource.get('resourceType')}.id"
        raise BadRequest(fault("required", "id-missing", location))
    if found != id:
        raise BadRequest(fault("invariant", "id-mismatch", f"{resource.get('resourceType')}.id"))


def well_formed(id: str) -> None:
    """Refuse what cannot be a logical id.

    Raises:
        BadRequest: Not 1 to 64 letters, digits, `-` and `.`.
    """
    if not valid_id(id):
        raise BadRequest(fault("value", "id-malformed"))


async def validated(
    door: Interactions, ctx: Context, resource: dict[str, Any]
) -> tuple[Issue, ...]:
    """The warnings of a resource.

    Raises:
        Unprocessable: It is not valid; carries all issues, warnings too.
    """
    issues = await issues_of(door, ctx, resource)
    if not issues:
        return ()
    if any(issue.severity in ("error", "fatal") for issue in issues):
        raise Unprocessable(issues)
    return tuple(issues)


async def issues_of(
    door: Interactions,
    ctx: Context,
    resource: dict[str, Any],
    *,
    mode: Literal["create", "update", "delete"] | None = None,
    warnings: bool = False,
) -> Sequence[Issue]:
    """What the validator says of a resource; a large one is looked at beside the event loop.

    Args:
        door: Its validator.
        ctx: Says whether the resource may be large.
        resource: As the validator takes it.
        mode: As the validator takes it.
        warnings: As the validator takes it.
    """
    validate = door.validator.validate

    async def look() -> Sequence[Issue]:
        if ctx.large and _is_large(resource):
            return await asyncio.to_thread(validate, resource, mode=mode, warnings=warnings)
        return validate(resource, mode=mode, warnings=warnings)

    return await door.terminology.with_answers(ctx.tenant, look)


_LARGE = 20_000
"""Values of a resource that take tens of milliseconds to validate."""


def _is_large(resource: dict[str, Any]) -> bool:
    nodes: list[object] = [resource]
    for node in nodes:  # Grows while it is walked.
        if isinstance(node, dict):
            nodes.extend(node.values())
        elif isinstance(node, list):
            nodes.extend(node)
        elif isinstance(node, str) and len(node) > _LARGE:
            return True
        if len(nodes) > _LARGE:
            return True
    return False
