"""Which references lead nowhere: all of them, each where it stands.

The store refuses a commit by the first target that is missing; a person wants to know them all.
Called by `hub.interactions.commit` when that has happened, and by `$validate`.
Spec: https://hl7.org/fhir/R4/http.html#create ("referential integrity")
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hub.context import Context
from hub.errors import Issue, fault
from hub.interactions import sight
from hub.model import reference
from hub.model.element_names import fhirpath_of
from hub.search.values import COMPARTMENT_KEY, IndexRows
from hub.storage.port import HOLDERS

if TYPE_CHECKING:
    from hub.interactions.door import Interactions

Target = tuple[str, str]
_BREATH = 128


def targets_of(type: str, rows: IndexRows) -> dict[Target, None]:
    """The local resources that must exist for a resource with these rows, each once.

    A Bundle has none: what it can be found by are resources within it.
    """
    if type in HOLDERS:
        return {}
    return {
        (row.type, row.id): None
        for row in rows.references
        if row.id and row.type and row.key != COMPARTMENT_KEY
    }


async def missing_targets(
    door: Interactions,
    ctx: Context,
    resources: Sequence[Mapping[str, Any]],
    written: Collection[Target] = (),
    deleted: Collection[Target] = (),
) -> list[tuple[int, Issue]]:
    """What the references of resources lack.

    Args:
        door: The record.
        ctx: Tenant and base.
        resources: Sound resources; a Bundle refers to nothing.
        written: Type and id of what is written along with them.
        deleted: Type and id of what is deleted along with them.

    Returns:
        Position of the resource and the issue, in order.
    """
    places: list[tuple[int, str, Target]] = []
    for index, resource in enumerate(resources):
        if not index % _BREATH:
            await asyncio.sleep(0)
        if resource.get("resourceType") in HOLDERS:
            continue
        for path, element in reference.walk(dict(resource)):
            parts = reference.parse(element["reference"], ctx.base)
            if parts.kind == "relative":
                places.append((index, path, (parts.type, parts.id)))
    wanted = dict.fromkeys(target for *_, target in places)
    unknown = [target for target in wanted if target not in written and target not in deleted]
    found = await sight.existing(door, ctx, unknown) if unknown else set()
    return [
        (
            index,
            fault("not-found", "reference-target-missing", fhirpath_of(path), target="/".join(t)),
        )
        for index, path, t in places
        if t not in found and t not in written
    ]
