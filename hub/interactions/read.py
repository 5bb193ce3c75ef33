"""read: the current version of a resource (https://hl7.org/fhir/R4/http.html#read)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.context import Context
from hub.interactions import sight
from hub.interactions.absence import absent, gone
from hub.interactions.published_operation import TYPE, published_operation
from hub.storage.port import Stored

if TYPE_CHECKING:
    from hub.interactions.door import Interactions


async def read(door: Interactions, ctx: Context, type: str, id: str) -> Stored:
    """The current version.

    Raises:
        NotFound: No such type or resource, or none that may be seen.
        Gone: It was deleted.
        Forbidden: Nothing of the type may be read.
    """
    stored = await sight.read(door, ctx, type, id)
    if stored is not None and stored.method != "DELETE":
        return stored
    published = published_operation(door, ctx, id) if type == TYPE else None
    if published is not None:
        return published
    raise gone(stored) if stored is not None else absent(type, id)
