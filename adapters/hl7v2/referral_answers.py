"""An answer to a message of ours: the referral that it is about gets it.

An RRI comes on its own connection, later. It names our message by control id (MSA-2) or the
referral by its identifier; the log of departures tells what that was about (`Departure.focus`):
a Task or a ServiceRequest, which the answer changes. What matches nothing that was sent to the
same site is quarantined, for a person to look at. Called by `adapters.hl7v2.storing`.
HL7 v2.9 chapter 11, section 11.3.2 (REF/RRI).
"""

from __future__ import annotations

from adapters.hl7v2.converted import Converted, Mapped
from adapters.hl7v2.held import Held, held_by_id
from adapters.hl7v2.provenance import Origin
from hub.context import Context
from hub.errors import NotFound, fault
from hub.interactions import Interactions
from hub.model.body import instant
from hub.storage.message_log import DepartureRow

_ABOUT = ("Task", "ServiceRequest")

_AS_REQUEST = {
    "rejected": "revoked",
    "cancelled": "revoked",
    "failed": "on-hold",
    "on-hold": "on-hold",
    "accepted": "active",
    "in-progress": "active",
    "completed": "completed",
    "entered-in-error": "entered-in-error",
}
"""Task.status as ServiceRequest.status; what is not named goes on as it is."""

_AS_TASK = {
    "revoked": "rejected",
    "completed": "completed",
    "on-hold": "on-hold",
    "active": "accepted",
    "entered-in-error": "entered-in-error",
}
"""ServiceRequest.status as Task.status."""


async def match(
    door: Interactions, ctx: Context, converted: Converted, origin: Origin
) -> DepartureRow | None:
    """The message of ours that one answers; None when it is no answer.

    Args:
        door: The record.
        ctx: The site.
        converted: What it says.
        origin: Which one it is.

    Raises:
        NotFound: It is an answer to nothing that was sent to this site.
    """
    if not converted.answers:
        return None
    for name in converted.answers:
        row = await door.store.messages.departure(ctx.tenant.key, name)
        if row is not None and row.departure.destination == origin.site and row.departure.focus:
            return row
    raise NotFound(fault("not-found", "hl7v2-answer-unmatched", "MSA-2"))


async def focus(
    door: Interactions, ctx: Context, row: DepartureRow, converted: Converted
) -> dict[str, Held]:
    """The referral that our message was about, by the full URL of what the answer says of it.

    Args:
        door: The record.
        ctx: The site.
        row: Our message.
        converted: The answer; what it says of a Task becomes what it says of a ServiceRequest,
            or the other way, when our message was about that.

    Raises:
        NotFound: The referral is not there any more.
    """
    type, _, id = row.departure.focus.partition("/")
    held = await held_by_id(door, ctx, type, id)
    if held is None:
        raise NotFound(fault("not-found", "hl7v2-answer-unmatched", "MSA-2"))
    mapped = next((one for one in converted.resources if one.type == type), None)
    if mapped is None:
        other = next((one for one in converted.resources if one.type in _ABOUT), None)
        if other is None:
            return {}
        mapped = _turned(other, type)
        converted.resources[converted.resources.index(other)] = mapped
    if type == "Task":
        now = ctx.now
        mapped.resource.setdefault("lastModified", instant(now))
    return {mapped.full_url: held}


def _turned(mapped: Mapped, type: str) -> Mapped:
    """What is said of a Task as said of a ServiceRequest, or the other way: its status."""
    table = _AS_TASK if type == "Task" else _AS_REQUEST
    resource = {"resourceType": type}
    status = table.get(str(mapped.resource.get("status")))
    if status:
        resource["status"] = status
    if type == "Task" and "statusReason" in mapped.resource:
        resource["statusReason"] = mapped.resource["statusReason"]
    return Mapped(
        f"{mapped.key}/{type}",
        f"{mapped.full_url}:{type}",
        resource,
        sources=mapped.sources,
        event=mapped.event,
    )
