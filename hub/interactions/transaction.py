"""transaction: all entries or none, in one commit of the store.

Order: DELETE, POST, PUT and PATCH, then GET, which sees the state after the writes. Whatever
fails before the commit fails the whole; a conflict with another client is resolved by trying
again. Spec: https://hl7.org/fhir/R4/http.html#transaction
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hub.context import Context
from hub.errors import HubError, NotFound, fault
from hub.interactions import sight, vread
from hub.interactions.accompanying import NOTHING, Accompanying
from hub.interactions.allowance import Allowance
from hub.interactions.answer import BundleAnswer, Entry, Prefer
from hub.interactions.batch import prepare_reading, run_or_refuse, run_reading
from hub.interactions.commit import Change, Made, Purpose, retried, store_changes
from hub.interactions.entries import EntryRequest, entries_of, within
from hub.interactions.entry_response import changed_entry
from hub.interactions.linked_queries import with_targets
from hub.interactions.operation import Operations
from hub.interactions.transaction_plan import Step, identify, link, read_steps
from hub.model.identity import new_id
from hub.storage.port import Stored

if TYPE_CHECKING:
    from hub.interactions.door import Interactions

PURPOSE = Purpose("E", "transaction")


async def transaction(
    door: Interactions,
    ctx: Context,
    bundle: dict[str, Any],
    prefer: Prefer,
    operations: Operations,
    accompanying: Accompanying = NOTHING,
    keep_equal: bool = False,
) -> BundleAnswer:
    """Do what the entries of a transaction ask for.

    Args:
        door: The record.
        ctx: Who asks.
        bundle: A Bundle of type transaction; its resources are changed in place.
        prefer: What comes back for each entry.
        operations: Operations that entries may call; only those that change nothing.
        accompanying: What goes with the commit; a repeat under the same idempotency key is
            answered with the first result.
        keep_equal: An update whose content is what is stored already stores no new version.

    Returns:
        A transaction-response with one entry per entry, in the order of the request.

    Raises:
        AlreadySettled: The message that goes with it was settled before; nothing was stored.
        HubError: Nothing was stored; each issue names its entry.
    """
    entries = entries_of(bundle, door.settings.bundle_entries)
    steps, reads = await read_steps(door, ctx, entries, accompanying.idempotency_key)
    for step in steps:
        step.keep_equal = keep_equal and step.entry.interaction == "update"
    for read in reads:
        try:
            await prepare_reading(door, ctx, read, prefer, operations)
        except HubError as error:
            raise within(error, read.location, "request") from None
    answers: dict[int, Entry] = {}
    if steps or accompanying.matters:
        answers = await retried(lambda: _attempt(door, ctx, steps, reads, prefer, accompanying))
    # Once something is stored, a read that fails must not say that the whole did.
    run = run_reading if steps or accompanying.matters else run_or_refuse
    allowance = Allowance(door.settings.body_limit)
    targets = {step.entry.full_url: step.target for step in steps if step.entry.full_url}
    for read in reads:
        if read.search and targets:
            read.search = with_targets(read.search, targets)
        answers[read.index] = await run(door, ctx, read, prefer, operations, allowance)
    ordered = tuple(answers[index] for index in range(len(entries)))
    return BundleAnswer("transaction-response", ordered, id=new_id())


async def _attempt(
    door: Interactions,
    ctx: Context,
    steps: Sequence[Step],
    reads: Sequence[EntryRequest],
    prefer: Prefer,
    accompanying: Accompanying,
) -> dict[int, Entry]:
    await identify(door, ctx, steps)
    await link(door, ctx, steps)
    await _targets_of_reads(door, ctx, steps, reads)
    changes = [change for step in steps for change in step.changes or ()]
    matches = [step.matches for step in steps if step.matches is not None]
    made: list[Made] = []
    if changes or matches or accompanying.matters:
        made = await store_changes(door, ctx, changes, PURPOSE, matches, accompanying)
    return _answers(ctx, steps, changes, made, prefer)


async def _targets_of_reads(
    door: Interactions, ctx: Context, steps: Sequence[Step], reads: Sequence[EntryRequest]
) -> None:
    """What is read by id must be there after the writes: a failing read fails the whole.

    Raises:
        NotFound: It will not be there.
        Gone: It names a version that is a deletion.
    """
    wanted = [read for read in reads if read.interaction == "read"]
    after = {
        (change.type, change.id): change.resource is not None
        for step in steps
        for change in step.changes or ()
    }
    unknown = [(read.type, read.id) for read in wanted if (read.type, read.id) not in after]
    found = await sight.read_many(door, ctx, unknown) if unknown else {}
    for read in wanted:
        key = (read.type, read.id)
        if not after.get(key, key in found):
            location = f"{read.location}.request.url"
            raise NotFound(
                fault("not-found", "resource-not-found", location, type=read.type, id=read.id)
            )
    for read in reads:
        if read.interaction == "vread" and (read.type, read.id) not in after:
            try:
                await vread.vread(door, ctx, read.type, read.id, read.version)
            except HubError as error:
                raise within(error, read.location, "request") from None


def _answers(
    ctx: Context,
    steps: Sequence[Step],
    changes: Sequence[Change],
    made: Sequence[Made],
    prefer: Prefer,
) -> dict[int, Entry]:
    """One answer per step, by the position of its entry."""
    results = iter(made)
    answers: dict[int, Entry] = {}
    created: dict[int, Stored | None] = {}
    stored: Stored | None
    for step in steps:
        own = [next(results) for _ in step.changes or ()]
        written = step.found is None and step.twin is None and all(one.written for one in own)
        if step.twin is not None:  # Creates come in their order: the first one was answered.
            stored, status = created[step.twin.entry.index], 200
        elif step.found is not None:
            stored, status = step.found, 200
        elif step.entry.interaction == "delete":
            stored, status = own[0].stored if len(own) == 1 else None, 204
        else:
            stored, status = own[0].stored, 201 if own[0].created else 200
            created[step.entry.index] = stored
        answers[step.entry.index] = changed_entry(ctx, stored, status, step.issues, prefer, written)
    return answers
