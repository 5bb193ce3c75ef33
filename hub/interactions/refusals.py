"""Why a commit was refused, in the words of whoever asked for it: which entry, which element.

Called by `hub.interactions.commit`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hub.context import Context
from hub.errors import Conflict, HubError, Issue, Unprocessable, fault
from hub.interactions import allowed_changes
from hub.interactions.entries import within
from hub.interactions.missing_targets import missing_targets
from hub.model import reference
from hub.model.element_names import fhirpath_of
from hub.storage.port import BlobMissing, StillReferenced, TargetMissing

if TYPE_CHECKING:
    from hub.interactions.commit import Change
    from hub.interactions.door import Interactions

MOST_MISSING = 200

_CONDITIONAL = re.compile(r"[A-Z][A-Za-z]+\?")


def refusal(
    ctx: Context, refused: StillReferenced | BlobMissing, changes: Sequence[Change]
) -> HubError:
    """The error for what is still referred to, or for content that was never uploaded."""
    if isinstance(refused, StillReferenced):
        issue = allowed_changes.still_referenced(ctx, refused)
        for change in changes:
            if (change.type, change.id) == (refused.type, refused.id):
                return located(Conflict(issue), change, "request")
        return Conflict(issue)
    return Unprocessable(fault("not-found", "blob-missing"))


async def missing(
    door: Interactions, ctx: Context, refused: TargetMissing, changes: Sequence[Change]
) -> HubError:
    """Name all elements that refer to what does not exist."""
    keys = [(change.type, change.id) for change in changes]
    kept = [change.resource is not None for change in changes]
    found = await missing_targets(
        door,
        ctx,
        [change.resource or {} for change in changes],
        {key for key, stays in zip(keys, kept, strict=True) if stays},
        {key for key, stays in zip(keys, kept, strict=True) if not stays},
    )
    issues: list[Issue] = []
    for index, issue in found[:MOST_MISSING]:
        issues.extend(located(Unprocessable(issue), changes[index]).issues)
    target = f"{refused.type}/{refused.id}"
    return Unprocessable(
        issues or fault("not-found", "reference-target-missing", refused.location, target=target)
    )


def located(error: HubError, change: Change, default: str = "resource") -> HubError:
    """The error, with the entry of the bundle that a change came in."""
    return within(error, change.location, default) if change.location else error


def refuse_conditional(change: Change, base: str) -> None:
    """Refuse references such as `Patient?identifier=...`: only a transaction resolves them."""
    issues = [
        fault("not-supported", "reference-conditional", fhirpath_of(path))
        for path, element in reference.walk(change.resource or {})
        if _CONDITIONAL.match(element["reference"].removeprefix(f"{base}/"))
    ]
    if issues:
        raise located(Unprocessable(issues), change)
