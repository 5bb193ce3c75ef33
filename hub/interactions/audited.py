"""What a write tells the audit: who, from where, by which app, about which patients.

Called by `commit` and by operations that write past it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from hub.audit.patients import patients_in
from hub.audit.rendered import place_of
from hub.context import Context
from hub.errors import Conflict, fault
from hub.interactions import sight
from hub.search.values import COMPARTMENT_KEY
from hub.storage.port import AuditRecord, Write

if TYPE_CHECKING:
    from hub.interactions.door import Interactions

_PATIENT = "Patient"


def audit_record(
    ctx: Context, action: str, interaction: str, patients: tuple[str, ...] = ()
) -> AuditRecord:
    """The record of a commit.

    Args:
        ctx: Who writes.
        action: AuditEvent.action.
        interaction: As `AuditRecord.interaction`.
        patients: Logical ids of the patients it is about.
    """
    principal = ctx.principal
    return AuditRecord(
        action,
        interaction,
        principal.name,
        ctx.request_id,
        "0",
        (),
        principal.client,
        principal.fhir_user,
        ctx.address,
        "",
        patients,
    )


async def note(
    door: Interactions,
    ctx: Context,
    action: str,
    interaction: str,
    query: str = "",
    entity: str = "",
) -> None:
    """Write an access into the chain at once: where neither a recorder nor a commit tells of it.

    Commands have no recorder; a delete that finds nothing has no commit.

    Args:
        door: The record.
        ctx: Who looks.
        action: AuditEvent.action.
        interaction: As `AuditRecord.interaction`.
        query: What is looked for.
        entity: `Type/id` or `Type` of it.

    Raises:
        StoreUnavailable: It cannot be noted; do not look.
    """
    now = ctx.now
    entities = (entity,) if entity else ()
    record = audit_record(ctx, action, interaction)
    record = replace(record, query=query, entities=entities, time=now)
    await door.store.append_audit(ctx.tenant.key, [record], now)


async def patients_of(door: Interactions, ctx: Context, writes: Sequence[Write]) -> tuple[str, ...]:
    """Logical ids of the patients that some writes are about, each once.

    Those in whose compartment the new content is; for a delete, those that the old names.

    Args:
        door: The record.
        ctx: Who writes.
        writes: With their rows.
    """
    found: dict[str, None] = {}
    for write in writes:
        if write.rows is not None:
            for row in write.rows.references:
                if row.key == COMPARTMENT_KEY and row.type == _PATIENT:
                    found[row.id] = None
            continue
        if write.type == _PATIENT:
            found[write.id] = None
        current = await sight.read(door, ctx, write.type, write.id, "d")
        if current is not None:
            found.update((id.decode(), None) for id in patients_in(current.tail))
    return tuple(found)


def check_not_told(changed: Iterable[tuple[str, str]]) -> None:
    """Refuse to write what the audit chain tells: nobody changes it.

    Args:
        changed: Type and id of what is to be written.

    Raises:
        Conflict: One of them is an event of the chain, or could become one.
    """
    for type, id in changed:
        if place_of(type, id) is not None:
            raise Conflict(fault("business-rule", "audit-append-only", type=type, id=id))
