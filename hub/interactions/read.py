"""read: the current version of a resource (https://hl7.org/fhir/R4/http.html#read)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.context import Context
from hub.errors import Gone, NotFound, fault
from hub.interactions.published_operation import TYPE, published_operation
from hub.interactions.validated import known_type
from hub.model.identity import valid_id
from hub.storage.port import Stored

if TYPE_CHECKING:
    from hub.interactions.door import Interactions


async def read(door: Interactions, ctx: Context, type: str, id: str) -> Stored:
    """The current version.

    Raises:
        NotFound: No such type or resource.
        Gone: It was deleted.
    """
    stored = await door.store.read(ctx.tenant.key, type, id)
    if stored is not None and stored.method != "DELETE":
        return stored
    published = published_operation(door, ctx, id) if type == TYPE else None
    if published is not None:
        return published
    raise gone(stored) if stored is not None else absent(type, id)


def absent(type: str, id: str) -> NotFound:
    """The error for a resource that never was; an id that can be none is not repeated.

    Raises:
        NotFound: The type is none of R4.
    """
    known_type(type)
    return NotFound(
        fault("not-found", "resource-not-found", type=type, id=id if valid_id(id) else "?")
    )


def gone(stored: Stored) -> Gone:
    """The error for a tombstone."""
    return Gone(fault("deleted", "resource-gone", type=stored.type, id=stored.id))
