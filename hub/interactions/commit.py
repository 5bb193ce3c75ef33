"""From changed resources to one commit of the store: encode, extract, guard, commit.

Every write of every interaction ends here, so that integrity, audit, blobs and the registration
of search parameters are in one place. Called by create, update, patch, delete and transaction.
Spec: https://hl7.org/fhir/R4/http.html#transactional-integrity
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from hub.context import Context
from hub.errors import (
    Conflict,
    TooCostly,
    TooLarge,
    fault,
)
from hub.interactions import allowed_changes, search_parameters
from hub.interactions.accompanying import NOTHING, Accompanying
from hub.interactions.audited import audit_record, check_not_told, patients_of
from hub.interactions.missing_targets import targets_of
from hub.interactions.preconditions import FREE, Expected, exists, failed
from hub.interactions.refusals import located, missing, refusal, refuse_conditional
from hub.interactions.registry import Definitions
from hub.interactions.unavailable import unavailable
from hub.model import body, reference
from hub.search.extract import extract
from hub.storage.port import (
    ABSENT,
    BlobMissing,
    Commit,
    Committed,
    DeadlineExceeded,
    Exists,
    GenerationMoved,
    Matches,
    Method,
    Precondition,
    PreconditionChanged,
    StillReferenced,
    Stored,
    StoreUnavailable,
    TargetMissing,
    Unreferenced,
    VersionConflict,
    Write,
    Written,
)

if TYPE_CHECKING:
    from hub.interactions.door import Interactions

ATTEMPTS = 10

PATIENCE = 10.0
"""Seconds after which whoever keeps losing a race for a resource is told so."""

BREATH = 128
"""Resources after which other requests get their turn."""

T = TypeVar("T")
Target = tuple[str, str]

NEW = Expected(ABSENT, True)


@dataclass(slots=True)
class Change:
    """One resource to write.

    Attributes:
        method: What is done; decides the audit and the history's method.
        type: Resource type.
        id: Logical id.
        resource: The new content, None for a delete. Its references are made relative.
        expected: Version that must be current.
        location: `Bundle.entry[3]` when it came in a bundle, for errors.
        blobs: Hashes of blobs it points to.
        keep_equal: Write nothing when the current version has this content already.
    """

    method: Method
    type: str
    id: str
    resource: dict[str, Any] | None = None
    expected: Expected = FREE
    location: str = ""
    blobs: tuple[str, ...] = ()
    keep_equal: bool = False


class Made(NamedTuple):
    """What became of a change.

    Attributes:
        stored: The version that is current now, None if there never was one.
        created: There was no current version before.
        written: False for a delete of what was not there, and for equal content that was kept.
    """

    stored: Stored | None
    created: bool
    written: bool


class Purpose(NamedTuple):
    """What a commit is for, as the audit names it: AuditEvent.action and the interaction."""

    action: str
    interaction: str


async def store_changes(
    door: Interactions,
    ctx: Context,
    changes: Sequence[Change],
    purpose: Purpose,
    matches: Sequence[Matches] = (),
    accompanying: Accompanying = NOTHING,
) -> list[Made]:
    """Commit changes together.

    Args:
        door: Store, registry, settings.
        ctx: Who and when.
        changes: One per resource, already validated.
        purpose: For the audit.
        matches: What conditional interactions found, checked inside the commit.
        accompanying: What goes with them; also when none of them changes anything.

    Returns:
        One result per change, in order.

    Raises:
        AlreadySettled: The message that goes with them was settled before; nothing was stored.
        PreconditionChanged: A match no longer holds; resolve again (`retried`).
        VersionConflict: A version that was read, not named by the client, is no longer current.
        HubError: Refused for good: version, integrity, a condition that takes too long to
            check, or the store is unavailable.
    """
    check_not_told([(change.type, change.id) for change in changes])
    currents = await allowed_changes.check_replaced(door, ctx, changes)
    for _ in range(ATTEMPTS):
        definitions = await door.registry.of(ctx.tenant.key)
        writes = await _writes(changes, definitions, ctx, door.settings.body_limit)
        await _check_content(door, ctx, changes, writes, currents)
        kept = await _equal(door, ctx, changes, writes)
        if kept:
            writes = tuple([one for index, one in enumerate(writes) if index not in kept])
            if not writes and not accompanying.matters:
                return [Made(kept[index], False, False) for index in range(len(changes))]
        outbox = accompanying.outbox
        if door.announce is not None and writes:
            outbox = (*outbox, *await door.announce(ctx, _unkept(changes, kept)))
        commit = Commit(
            ctx.tenant.key,
            writes,
            audit_record(ctx, *purpose, await patients_of(door, ctx, writes)),
            ctx.now,
            (*matches, *_integrity(writes, _unkept(changes, kept), ctx.base))
            if door.settings.integrity
            else tuple(matches),
            outbox,
            accompanying.idempotency_key,
            definitions.generation,
            accompanying.message,
        )
        try:
            committed = await _commit(door, ctx, commit, _unkept(changes, kept))
        except GenerationMoved:
            continue
        made = await _made(door, ctx, writes, committed.sequence, committed.results)
        await search_parameters.after_commit(door, ctx, made)
        if not kept:
            return made
        rest = iter(made)
        return [
            Made(kept[index], False, False) if index in kept else next(rest)
            for index in range(len(changes))
        ]
    raise contended()


async def _commit(
    door: Interactions, ctx: Context, commit: Commit, changes: Sequence[Change]
) -> Committed:
    """Hand a commit to the store; what it refuses is told as it is to clients.

    Args:
        door: The record.
        ctx: Who writes.
        commit: The commit.
        changes: What its writes come from, one each.

    Raises:
        CommitRefused: See `store_changes`; also GenerationMoved.
        HubError: Refused for good.
    """
    try:
        return await door.store.commit(commit)
    except VersionConflict as refused:
        change = changes[refused.index]
        if not change.expected.fixed:
            raise
        told = (
            exists(change.type, change.id)
            if change.expected.version == ABSENT
            else failed(change.type, refused.current)
        )
        raise located(told, change, "request") from None
    except TargetMissing as refused:
        raise await missing(door, ctx, refused, changes) from refused
    except (StillReferenced, BlobMissing) as refused:
        raise refusal(ctx, refused, changes) from refused
    except StoreUnavailable as error:
        raise unavailable(error) from error
    except DeadlineExceeded as error:
        raise TooCostly(fault("too-costly", "search-too-costly")) from error


async def _check_content(
    door: Interactions,
    ctx: Context,
    changes: Sequence[Change],
    writes: Sequence[Write],
    currents: allowed_changes.Currents | None,
) -> None:
    """Refuse content that whoever writes may not write, told as any other refusal."""
    if currents is None:
        return
    try:
        await allowed_changes.check_content(door, ctx, changes, writes, currents)
    except TargetMissing as refused:
        raise await missing(door, ctx, refused, changes) from refused


async def _equal(
    door: Interactions, ctx: Context, changes: Sequence[Change], writes: Sequence[Write]
) -> dict[int, Stored]:
    """Current versions that say what they are to be replaced by, by the position of the change."""
    asked = [index for index, change in enumerate(changes) if change.keep_equal]
    if not asked:
        return {}
    targets = [(changes[index].type, changes[index].id) for index in asked]
    found = await door.store.read_many(ctx.tenant.key, targets)
    return {
        index: stored
        for index, target in zip(asked, targets, strict=True)
        if (stored := found.get(target)) is not None and stored.tail == writes[index].tail
    }


def _unkept(changes: Sequence[Change], kept: dict[int, Stored]) -> list[Change]:
    return [change for index, change in enumerate(changes) if index not in kept]


async def retried(attempt: Callable[[], Awaitable[T]]) -> T:
    """Run an attempt again while what it had read changes under it, for a bounded time.

    Of n that want the same resource one succeeds each time: a number of attempts would be a
    limit to n.

    Raises:
        Conflict: It changed every time (`contended`).
    """
    now = asyncio.get_running_loop().time
    end = now() + PATIENCE
    number = 0
    while True:
        try:
            return await attempt()
        except (VersionConflict, PreconditionChanged):
            if now() > end:
                raise contended() from None
            if number > 1:  # Let the others finish; jitter keeps two from meeting again.
                await asyncio.sleep(random.random() * min(0.1, 0.002 * 2**number))
            number += 1


def contended() -> Conflict:
    """The error for a resource that others keep changing."""
    return Conflict(fault("lock-error", "contended"))


async def _writes(
    changes: Sequence[Change], definitions: Definitions, ctx: Context, limit: int
) -> tuple[Write, ...]:
    """The writes; between slices of many, other requests get their turn."""
    if len(changes) <= BREATH:
        return tuple([_write(change, definitions, ctx, limit) for change in changes])
    made: list[Write] = []
    for start in range(0, len(changes), BREATH):
        part = changes[start : start + BREATH]
        made += [_write(change, definitions, ctx, limit) for change in part]
        await asyncio.sleep(0)
    return tuple(made)


def _write(change: Change, definitions: Definitions, ctx: Context, limit: int) -> Write:
    resource = change.resource
    if resource is None:
        return Write(change.method, change.type, change.id, expected=change.expected.version)
    tail = body.split(resource)
    if ctx.base.encode() in tail and localise(resource, ctx.base):
        tail = body.split(resource)
    # Small patches, sent again and again, could grow a resource without bound.
    if change.method == "PATCH" and len(tail) > limit:
        raise located(TooLarge(fault("too-long", "patch-over-limit", limit=limit)), change)
    rows = extract(definitions.registry, resource, zone=ctx.tenant.zone, base=ctx.base)
    return Write(
        change.method, change.type, change.id, tail, rows, change.expected.version, change.blobs
    )


def localise(resource: dict[str, Any], base: str) -> bool:
    """Make references below the hub's own base relative.

    Args:
        resource: Changed in place.
        base: The hub's own base without a trailing slash.

    Returns:
        Whether any was changed.
    """
    changed = False
    for _, element in reference.walk(resource):
        text = element["reference"]
        if text.startswith(base + "/") and reference.parse(text, base).kind == "relative":
            element["reference"] = text[len(base) + 1 :]
            changed = True
    return changed


def _integrity(writes: Sequence[Write], changes: Sequence[Change], base: str) -> list[Precondition]:
    """Every literal local target exists, and nothing refers to what is deleted.

    Raises:
        Unprocessable: A conditional reference outside a transaction.
    """
    wanted: dict[Target, None] = {}
    written: set[Target] = set()
    conditions: list[Precondition] = []
    for number, write in enumerate(writes):
        if write.rows is None:
            conditions.append(Unreferenced(write.type, write.id))
            continue
        written.add((write.type, write.id))
        wanted |= targets_of(write.type, write.rows)
        if any("?" in row.url for row in write.rows.references if not row.id):
            refuse_conditional(changes[number], base)
    conditions.extend(Exists(*target) for target in wanted if target not in written)
    return conditions


async def _made(
    door: Interactions,
    ctx: Context,
    writes: tuple[Write, ...],
    sequence: int,
    results: tuple[Written, ...],
) -> list[Made]:
    if len(results) != len(writes):
        return await _reread(door, ctx, writes)
    made = []
    for write, (version, updated, created) in zip(writes, results, strict=True):
        if write.method == "DELETE" and not version:
            made.append(Made(None, False, False))
            continue
        stored = Stored(write.type, write.id, version, updated, sequence, write.method, write.tail)
        made.append(Made(stored, created, True))
    return made


async def _reread(door: Interactions, ctx: Context, writes: tuple[Write, ...]) -> list[Made]:
    """Results of a commit that was applied before, when it held other writes than now.

    A repeat under the same idempotency key may find what its first run created.

    Raises:
        Unavailable: The store fails now; what it has stored before is not denied.
    """
    made = []
    try:
        for write in writes:
            stored = await door.store.read(ctx.tenant.key, write.type, write.id)
            made.append(Made(stored, False, stored is not None))
    except StoreUnavailable as error:
        raise unavailable(StoreUnavailable(error.reason, uncertain=True)) from error
    return made
