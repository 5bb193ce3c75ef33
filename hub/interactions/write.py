"""Several resources that the caller has worked out itself, in one commit: what adapters store.

As a transaction, with less to do: the changes name their resources by id, and references are
resolved. Versions that were read are expected ones; when one has moved on, or a condition has
changed, the caller works it out again (`commit.retried`).
Spec: https://hl7.org/fhir/R4/http.html#transaction
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hub.context import Context
from hub.errors import HubError, Issue
from hub.interactions.accompanying import NOTHING, Accompanying
from hub.interactions.commit import BREATH, Change, Made, Purpose, store_changes
from hub.interactions.refusals import located
from hub.interactions.update import checked
from hub.storage.port import Matches

if TYPE_CHECKING:
    from hub.interactions.door import Interactions

PURPOSE = Purpose("E", "transaction")
MOST_ISSUES = 200


async def write(
    door: Interactions,
    ctx: Context,
    changes: Sequence[Change],
    matches: Sequence[Matches] = (),
    accompanying: Accompanying = NOTHING,
) -> list[Made]:
    """Check changes and commit them together.

    Args:
        door: The record.
        ctx: Who writes.
        changes: One per resource.
        matches: What conditions found, checked inside the commit.
        accompanying: What goes with the commit.

    Returns:
        One result per change, in order.

    Raises:
        CommitRefused: As `store_changes`: work it out again.
        HubError: Nothing was stored; each issue is located below its change's `location`.
    """
    issues: list[Issue] = []
    first: HubError | None = None
    for number, change in enumerate(changes):
        if not number % BREATH:
            await asyncio.sleep(0)
        if change.resource is None:
            continue
        try:
            _, change.blobs = await checked(door, ctx, change.resource)
        except HubError as error:
            told = located(error, change)
            first = first or told
            issues.extend(told.issues)
            if len(issues) > MOST_ISSUES:
                break
    if first is not None:
        raise HubError(issues[:MOST_ISSUES], first.status)
    return await store_changes(door, ctx, changes, PURPOSE, matches, accompanying)
