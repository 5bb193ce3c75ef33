"""Conditional references of a transaction: `Practitioner?identifier=...` to `Practitioner/id`.

They are resolved against the record as the transaction leaves it: what its entries write is
found, what they replace or delete is not. Called by `hub.interactions.transaction_plan`.
Spec: https://hl7.org/fhir/R4/http.html#transaction ("Conditional References")
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hub.context import Context
from hub.errors import HubError, PreconditionFailed, Unprocessable, fault
from hub.interactions.bundle_references import LinkTable, rewrite
from hub.interactions.chained_references import settled, through
from hub.interactions.conditional import Condition, find, read_condition
from hub.interactions.entries import within
from hub.interactions.linked_queries import with_targets
from hub.interactions.url import parameters
from hub.model import reference
from hub.model.element_names import fhirpath_of
from hub.search.extract import extract
from hub.search.query import Criterion, Query
from hub.search.values import IndexRows
from hub.storage.port import Stored

if TYPE_CHECKING:
    from hub.interactions.door import Interactions
    from hub.interactions.transaction_plan import Step


MOST_UNRESOLVED = 200


async def resolve_references(
    door: Interactions, ctx: Context, steps: Sequence[Step], table: LinkTable
) -> None:
    """Add what each conditional reference stands for to the table.

    Raises:
        HubError: Those that find nothing (422) or several (412), each once, with the first one's
            status; or there are too many different ones (422).
    """
    after = _After(door, ctx, steps, table)
    most, resolved = door.settings.bundle_entries, 0
    problems: list[HubError] = []
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
                search = with_targets(parameters(query), table.targets)
                condition = await read_condition(door, ctx, type, search)
                found = await _resolved(condition, after)
                table.targets[text] = f"{type}/{_single(type, found)}"
            except HubError as error:
                located = within(_at(error, step, text), step.entry.location, "resource")
                if len(problems) == MOST_UNRESOLVED:
                    raise _all(problems) from None
                problems.append(located)
                table.targets.setdefault(text, "")
    if problems:
        raise _all(problems)


def _all(problems: Sequence[HubError]) -> HubError:
    """One error with all issues, of the first one's status."""
    issues = [issue for problem in problems for issue in problem.issues]
    return HubError(issues, problems[0].status)


@dataclass(slots=True)
class Pending:
    """What a transaction does to resources of one type.

    Attributes:
        written: What it writes, with index rows.
        touched: Logical ids it writes or deletes.
    """

    written: list[tuple[Stored, IndexRows]]
    touched: set[str]


@dataclass(slots=True)
class _After:
    """Finds resources in the record as the transaction leaves it.

    Attributes:
        door: The record.
        ctx: Who asks.
        steps: What the transaction does.
        table: What its links become, as far as that is known.
    """

    door: Interactions
    ctx: Context
    steps: Sequence[Step]
    table: LinkTable
    _pending: dict[str, Pending] = field(default_factory=dict)

    async def pending(self, type: str) -> Pending:
        """What the transaction does to a type."""
        if type not in self._pending:
            self._pending[type] = await self._gathered(type)
        return self._pending[type]

    async def find(self, type: str, criterion: Criterion, most: int) -> list[str]:
        """Logical ids of a type that meet a criterion, at most `most` of those not written."""
        pending = await self.pending(type)
        condition = Condition(type, Query((type,), criterion))
        stored = await find(self.door, self.ctx, condition, most + len(pending.touched))
        found = [one.id for one in stored if one.id not in pending.touched]
        if pending.written:
            query = replace(condition.query, count=most)
            found.extend(_among(query, self.ctx.tenant.key, pending.written))
        return found

    async def _gathered(self, type: str) -> Pending:
        made = Pending([], set())
        registry = (await self.door.registry.of(self.ctx.tenant.key)).registry
        zone, base = self.ctx.tenant.zone, self.ctx.base
        links = LinkTable(base, False, self.table.targets)
        for step in self.steps:
            for change in step.changes or ():
                if change.type != type:
                    continue
                made.touched.add(change.id)
                if change.resource is None:
                    continue
                if step.links is not None:
                    rewrite(step.links, links)
                rows = extract(registry, change.resource, zone=zone, base=base)
                stored = Stored(type, change.id, 1, 0, 0, change.method, b"")
                made.written.append((stored, rows))
        return made


async def _resolved(condition: Condition, after: _After) -> list[str]:
    """What a condition finds, at most two; chains are followed where the transaction writes."""
    criterion = condition.query.criterion
    between = through(criterion)
    if between:
        own = await after.pending(condition.type)
        touched = [bool((await after.pending(type)).touched) for type in sorted(between)]
        if own.touched or any(touched):
            criterion = await settled(criterion, after.find)
    return (await after.find(condition.type, criterion, 2))[:2]


def _among(query: Query, tenant: int, written: Sequence[tuple[Stored, IndexRows]]) -> list[str]:
    """Ids that a query finds among resources that are not stored yet."""
    # Few transactions refer by condition to what they write themselves; the others need no
    # memory store.
    from hub.storage.memory import search
    from hub.storage.memory.record import Record, Row

    record = Record()
    for number, (stored, rows) in enumerate(written, 1):
        record.rows[tenant, stored.type, stored.id] = Row(number, stored, rows)
    found, *_ = search.search(record, tenant, query)
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
            issues = [replace(issue, location=fhirpath_of(path)) for issue in error.issues]
            return HubError(issues, error.status)
    return error
