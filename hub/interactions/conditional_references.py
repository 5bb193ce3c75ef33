"""Conditional references of a transaction: `Practitioner?identifier=...` to `Practitioner/id`.

They are resolved against the record as the transaction leaves it: what its entries write is
found, what they replace or delete is not. Called by `hub.interactions.transaction_plan`.
Spec: https://hl7.org/fhir/R4/http.html#transaction ("Conditional References")
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hub.context import Context
from hub.errors import HubError, PreconditionFailed, Unprocessable, fault
from hub.interactions.bundle_references import LinkTable
from hub.interactions.conditional import Condition, find, read_condition
from hub.interactions.entries import within
from hub.interactions.url import parameters
from hub.model import reference
from hub.search.extract import extract
from hub.search.query import Query
from hub.search.values import IndexRows
from hub.storage.port import Stored

if TYPE_CHECKING:
    from hub.interactions.door import Interactions
    from hub.interactions.transaction_plan import Step


async def resolve_references(
    door: Interactions, ctx: Context, steps: Sequence[Step], table: LinkTable
) -> None:
    """Add what each conditional reference stands for to the table.

    Raises:
        Unprocessable: One finds nothing, or there are too many different ones.
        PreconditionFailed: One finds several.
    """
    pending: dict[str, Pending] = {}
    most, resolved = door.settings.bundle_entries, 0
    for step in steps:
        if step.links is None or not step.changes:
            continue
        for text, type, query in step.links.conditional(ctx.base):
            if text in table.targets:
                continue
            resolved += 1
            if resolved > most:
                issue = fault("too-costly", "conditional-references-too-many", limit=most)
                raise within(Unprocessable(issue), step.entry.location, "resource")
            try:
                condition = await read_condition(door, ctx, type, parameters(query))
                if type not in pending:
                    pending[type] = await _pending(door, ctx, type, steps)
                found = await _find(door, ctx, condition, pending[type])
                table.targets[text] = f"{type}/{_single(type, found)}"
            except HubError as error:
                raise within(_at(error, step, text), step.entry.location, "resource") from None


@dataclass(slots=True)
class Pending:
    """What a transaction does to resources of one type.

    Attributes:
        written: What it writes, with index rows.
        touched: Logical ids it writes or deletes.
    """

    written: list[tuple[Stored, IndexRows]]
    touched: set[str]


async def _pending(door: Interactions, ctx: Context, type: str, steps: Sequence[Step]) -> Pending:
    made = Pending([], set())
    registry = (await door.registry.of(ctx.tenant.key)).registry
    for step in steps:
        for change in step.changes or ():
            if change.type != type:
                continue
            made.touched.add(change.id)
            if change.resource is not None:
                rows = extract(registry, change.resource, zone=ctx.tenant.zone, base=ctx.base)
                stored = Stored(type, change.id, 1, 0, 0, change.method, b"")
                made.written.append((stored, rows))
    return made


async def _find(
    door: Interactions, ctx: Context, condition: Condition, pending: Pending
) -> list[str]:
    stored = await find(door, ctx, condition, 2 + len(pending.touched))
    found = [one.id for one in stored if one.id not in pending.touched]
    if pending.written:
        found.extend(_among(condition.query, ctx.tenant.key, pending.written))
    return found


def _among(query: Query, tenant: int, written: Sequence[tuple[Stored, IndexRows]]) -> list[str]:
    """Ids that a query finds among resources that are not stored yet, at most two."""
    # Few transactions refer by condition to what they write themselves; the others need no
    # memory store.
    from hub.storage.memory import search
    from hub.storage.memory.record import Record, Row

    record = Record()
    for number, (stored, rows) in enumerate(written, 1):
        record.rows[tenant, stored.type, stored.id] = Row(number, stored, rows)
    found, *_ = search.search(record, tenant, replace(query, count=2))
    return [row.stored.id for row in found]


def _single(type: str, found: list[str]) -> str:
    if not found:
        raise Unprocessable(fault("not-found", "conditional-reference-no-match", type=type))
    if len(found) > 1:
        raise PreconditionFailed(
            fault("multiple-matches", "conditional-reference-several", type=type)
        )
    return found[0]


def _at(error: HubError, step: Step, text: str) -> HubError:
    """The error, located at the element that holds the reference."""
    for path, element in reference.walk(step.resource or {}):
        if element["reference"] == text:
            issues = [replace(issue, location=path) for issue in error.issues]
            return HubError(issues, error.status)
    return error
