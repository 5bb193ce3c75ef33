"""patch and conditional patch: JSON Patch and FHIRPath Patch.

The current version is read, patched, validated like any update, and written expecting that
very version; when another write came between, it is read and patched again.
Spec: https://hl7.org/fhir/R4/http.html#patch, fhirpatch.html
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hub.context import Context
from hub.errors import BadRequest, Issue, NotFound, Unprocessable, fault
from hub.interactions import allowed_changes, binary, fhirpath_patch, json_patch, sight
from hub.interactions.absence import absent, gone
from hub.interactions.answer import Changed
from hub.interactions.commit import Change, Purpose, retried, store_changes
from hub.interactions.conditional import find_one, read_condition
from hub.interactions.fhirpath_patch import FhirPathPatch
from hub.interactions.json_patch import JsonPatch
from hub.interactions.preconditions import Expected, failed, parse_tags
from hub.interactions.update import checked
from hub.interactions.validated import known_type, well_formed
from hub.storage.port import Matches, Stored

if TYPE_CHECKING:
    from hub.interactions.door import Interactions

PURPOSE = Purpose("U", "patch")
JSON_PATCH = "application/json-patch+json"

Patch = JsonPatch | FhirPathPatch


async def patch(
    door: Interactions,
    ctx: Context,
    type: str,
    id: str,
    patch: Patch,
    if_match: str | None = None,
) -> Changed:
    """Change parts of a resource.

    Args:
        door: The record.
        ctx: Who patches.
        type: Resource type.
        id: Logical id.
        patch: What to change.
        if_match: Header value: the version that must be current.

    Raises:
        NotFound, Gone: There is nothing to patch.
        PreconditionFailed: If-Match does not hold.
        Unprocessable: The patch cannot be applied, or its result is not valid.
    """
    known_type(type)
    well_formed(id)
    return await retried(lambda: _attempt(door, ctx, type, id, patch, if_match, ()))


async def conditional_patch(
    door: Interactions,
    ctx: Context,
    type: str,
    search: Sequence[tuple[str, str]],
    patch: Patch,
    if_match: str | None = None,
) -> Changed:
    """Change parts of the one resource that a search finds.

    Raises:
        NotFound: It finds none.
        PreconditionFailed: It finds several, or If-Match does not hold.
        Unprocessable: The patch cannot be applied, or its result is not valid.
    """
    condition = await read_condition(door, ctx, type, search)

    async def attempt() -> Changed:
        found = await find_one(door, ctx, condition)
        if found is None:
            raise NotFound(fault("not-found", "condition-no-match", type=type))
        matches = (condition.matches((found.id,)),)
        return await _attempt(door, ctx, type, found.id, patch, if_match, matches)

    return await retried(attempt)


async def _attempt(
    door: Interactions,
    ctx: Context,
    type: str,
    id: str,
    patch: Patch,
    if_match: str | None,
    matches: Sequence[Matches],
) -> Changed:
    stored, expected = await current(door, ctx, type, id, if_match)
    resource = await patched(door, ctx, stored, patch)
    issues: tuple[Issue, ...]
    issues, blobs = await checked(door, ctx, resource)
    change = Change("PATCH", type, id, resource, expected, blobs=blobs)
    made = (await store_changes(door, ctx, (change,), PURPOSE, matches))[0]
    return Changed(made.stored, 200, issues)


async def current(
    door: Interactions, ctx: Context, type: str, id: str, if_match: str | None
) -> tuple[Stored, Expected]:
    """The version to patch, and that it must still be the current one at commit.

    Raises:
        NotFound, Gone: There is none.
        PreconditionFailed: If-Match names another version.
    """
    # What it becomes tells what it was: who patches must be allowed to read.
    sight.require(ctx, sight.READ, type)
    stored = await allowed_changes.current(door, ctx, "u", type, id)
    if stored is None:
        raise absent(type, id)
    # What may be changed need not be what may be read: scopes restrict each by itself.
    if not sight.is_unlimited(ctx) and await sight.read(door, ctx, type, id) is None:
        raise absent(type, id)
    if stored.deleted:
        raise gone(stored)
    if if_match is not None:
        tags = parse_tags(if_match)
        if not tags.any and stored.version not in tags.versions:
            raise failed(type, stored.version)
        return stored, Expected(stored.version, not tags.any)
    return stored, Expected(stored.version, False)


async def patched(door: Interactions, ctx: Context, stored: Stored, patch: Patch) -> dict[str, Any]:
    """The content of a version with a patch applied; its identity cannot change.

    Raises:
        TooLarge: It is a Binary whose content is over the body limit.
        Unprocessable: It cannot be applied, or it changes resourceType or id.
    """
    resource = await binary.whole(door, ctx, stored)
    if isinstance(patch, JsonPatch):
        resource = json_patch.apply(patch, resource)
    else:
        resource = await asyncio.to_thread(fhirpath_patch.apply, patch, resource)
    if resource.get("resourceType") != stored.type or resource.get("id") != stored.id:
        raise Unprocessable(fault("business-rule", "patch-identity", type=stored.type))
    return resource


def patch_of(resource: dict[str, Any]) -> Patch:
    """The patch that a bundle entry's resource holds.

    Args:
        resource: A Binary with a JSON Patch, or a FHIRPath Patch Parameters.

    Raises:
        BadRequest: Neither, or malformed.
    """
    type = resource.get("resourceType")
    if type == "Parameters":
        return fhirpath_patch.parse(resource)
    content_type, data = resource.get("contentType"), resource.get("data")
    if type != "Binary" or content_type != JSON_PATCH or not isinstance(data, str):
        raise BadRequest(fault("not-supported", "patch-format"))
    try:
        return json_patch.parse(base64.b64decode(data, validate=True))
    except (binascii.Error, ValueError) as error:
        raise BadRequest(fault("value", "patch-format")) from error
