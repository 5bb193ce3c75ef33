"""The Task of a message that somebody asked for, kept up with what becomes of the message.

A referral that the other side has is `received` until its answer comes (RRI^I12, which the inbox
works on); a document that it has worked on is `completed`; what it refuses is `failed`, and says
so. It is written before the message's own state is noted, so that a crash in between repeats it.
Given to `adapters.hl7v2.sending` and `work`.
Spec: https://hl7.org/fhir/R4/task.html#statemachine
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from adapters.hl7v2.reasons import read_reasons
from hub.context import Context
from hub.errors import Gone, HubError, NotFound, PreconditionFailed
from hub.interactions import Interactions
from hub.interactions.answer import resource_of
from hub.storage.message_log import DepartureRow, DepartureState

Follow = Callable[[DepartureRow, DepartureState, str], Awaitable[None]]
"""Told of a message, the state it is about to have, and why."""

_NEXT: dict[tuple[str, DepartureState], str] = {
    ("REF^I12", "accepted"): "received",
    ("REF^I12", "refused"): "failed",
    ("MDM^T02", "accepted"): "received",
    ("MDM^T02", "done"): "completed",
    ("MDM^T02", "refused"): "failed",
}
_FROM = {"received": ("requested", "failed"), "completed": ("requested", "received", "failed"),
         "failed": ("requested", "received")}  # fmt: skip
_ATTEMPTS = 5

_log = logging.getLogger(__name__)


def following(door: Interactions, context: Callable[[str], Context]) -> Follow:
    """What keeps Tasks up.

    Args:
        door: The record.
        context: Who writes because of what a destination answered, by its name.
    """

    async def follow(row: DepartureRow, state: DepartureState, reason: str) -> None:
        departure = row.departure
        status = _NEXT.get((departure.kind, state))
        type, _, id = departure.focus.partition("/")
        if status is None or type != "Task":
            return
        ctx = context(departure.destination)
        for _ in range(_ATTEMPTS):
            try:
                await _change(door, ctx, id, status, reason)
            except PreconditionFailed:
                continue
            except (NotFound, Gone):
                pass
            except HubError as error:  # The message is more important than its Task.
                _log.warning("a Task could not follow its message: %s", error)
            return

    return follow


async def _change(door: Interactions, ctx: Context, id: str, status: str, reason: str) -> None:
    """Set the status of a Task, unless somebody has decided otherwise meanwhile."""
    stored = await door.read(ctx, "Task", id)
    task = resource_of(stored)
    if task.get("status") not in _FROM[status]:
        return
    task["status"] = status
    task["lastModified"] = ctx.clock().isoformat(timespec="milliseconds")
    reasons = read_reasons(reason)
    if status == "failed" and reasons:
        task["statusReason"] = {"text": reasons[0].words()}
    else:
        task.pop("statusReason", None)
    await door.update(ctx, "Task", id, task, if_match=f'W/"{stored.version}"')
