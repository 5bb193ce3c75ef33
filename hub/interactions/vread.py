"""vread: one version of a resource (https://hl7.org/fhir/R4/http.html#vread)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.context import Context
from hub.errors import NotFound, fault
from hub.interactions import sight
from hub.interactions.absence import absent, gone
from hub.model.identity import valid_id, version_number
from hub.storage.port import Stored

if TYPE_CHECKING:
    from hub.interactions.door import Interactions


async def vread(door: Interactions, ctx: Context, type: str, id: str, version: str) -> Stored:
    """That version.

    Args:
        door: The record.
        ctx: Who asks.
        type: Resource type.
        id: Logical id.
        version: Version id as in the URL.

    Raises:
        NotFound: No such resource or version, or none that may be seen.
        Gone: That version is a deletion.
    """
    number = version_number(version)
    stored = await sight.vread(door, ctx, type, id, number) if number else None
    if stored is None:
        if await sight.read(door, ctx, type, id) is None:
            raise absent(type, id)
        shown = version if valid_id(version) else "?"
        raise NotFound(fault("not-found", "version-not-found", type=type, id=id, version=shown))
    if stored.deleted:
        raise gone(stored)
    return stored
