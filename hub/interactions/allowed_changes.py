"""What whoever asks may change: tested on what is there and on what is to be.

Every write of every interaction is tested here, by `hub.interactions.commit`, whatever was
tested before: the permission, the version that is replaced, the new content (whom it is about,
whose it becomes) and what it refers to. A version that was tested becomes the one the commit
expects, so that nothing slips in between. What is hidden is as absent: nobody learns of it by
writing over it, deleting it or referring to it. Who does not see all of a type cannot choose
ids: whether one is taken would tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hub.access.policy import BINARY, Decision, decide
from hub.context import Context
from hub.errors import Forbidden, HubError, Issue, fault
from hub.interactions import sight
from hub.interactions.absence import absent
from hub.interactions.entries import within
from hub.interactions.missing_targets import targets_of
from hub.interactions.preconditions import FREE, Expected
from hub.search.matching import Candidate
from hub.search.values import COMPARTMENT_KEY, IndexRows
from hub.storage.port import ABSENT, StillReferenced, Stored, TargetMissing, Write

if TYPE_CHECKING:
    from hub.interactions.commit import Change
    from hub.interactions.door import Interactions

LETTERS = {"POST": "c", "PUT": "u", "PATCH": "u", "DELETE": "d"}

Currents = Mapping[int, Stored]
"""The versions that changes replace, by the position of the change."""


async def current(
    door: Interactions, ctx: Context, letter: str, type: str, id: str
) -> Stored | None:
    """The newest version of what is to be changed; None when it is not there or hidden.

    Args:
        door: The record.
        ctx: Who changes it.
        letter: `u` or `d`.
        type: Resource type.
        id: Logical id.

    Raises:
        Forbidden: It may be seen, but not changed so.
    """
    stored = await door.store.read(ctx.tenant.key, type, id)
    decision = decide(ctx.principal)
    if decision.unlimited:
        return stored
    sight.require(ctx, letter, type)
    if stored is None:
        return None
    if await sight.shows(door, ctx, stored, decision.limit(type, letter)):
        await _check_subjects(door, ctx, decision, letter, stored)
        return stored
    for seeing in (sight.READ, sight.SEARCH):
        limit = decision.limit(type, seeing)
        if decision.permits(seeing, type) and await sight.shows(door, ctx, stored, limit):
            raise sight.denied(letter, type)
    return None


async def _check_subjects(
    door: Interactions, ctx: Context, decision: Decision, letter: str, stored: Stored
) -> None:
    """Refuse to change what is about others too, for whoever is confined to some patients.

    Who wrote an answer about somebody else is in its compartment by that, but not its owner.

    Raises:
        Forbidden: It is.
    """
    if not stored.deleted and decision.subjects(stored.type, letter) is not None:
        look = await sight.looking(door, ctx)
        rows = look.candidate(stored).rows
        if not _names_only(decision.subjects(stored.type, letter), rows):
            raise sight.denied(letter, stored.type)


def _names_only(subjects: frozenset[str] | None, rows: IndexRows) -> bool:
    """Whether the patients in whose compartment something is are among some."""
    return subjects is None or not any(
        row.key == COMPARTMENT_KEY and row.type == "Patient" and row.id not in subjects
        for row in rows.references
    )


async def is_open(door: Interactions, ctx: Context, letter: str, type: str, id: str) -> bool:
    """Whether a change of type/id may go on; False when there is nothing that it could change.

    Tested before anything is said about versions. Where nothing is hidden, it may: then an
    update may create, and what is missing is told as to everyone.

    Args:
        door: The record.
        ctx: Who changes it.
        letter: `u` or `d`.
        type: Resource type.
        id: Logical id.

    Raises:
        Forbidden: It may be seen, but not changed so.
    """
    decision = decide(ctx.principal)
    if decision.unlimited:
        return True
    sight.require(ctx, letter, type)
    if not _is_hiding(decision, type, letter):
        return True
    return await current(door, ctx, letter, type, id) is not None


def _is_hiding(decision: Decision, type: str, letter: str) -> bool:
    return any(decision.limit(type, one) is not None for one in {letter, sight.READ})


async def check_replaced(
    door: Interactions, ctx: Context, changes: Sequence[Change]
) -> Currents | None:
    """Refuse changes of what may not be changed, and expect the versions that were looked at.

    Args:
        door: The record.
        ctx: Who changes.
        changes: `expected` is set where it was free.

    Returns:
        What they replace; None for a principal without limits.

    Raises:
        Forbidden: One may not be done.
        NotFound: One is about what is not there or hidden.
    """
    decision = decide(ctx.principal)
    if decision.unlimited:
        return None
    found: dict[int, Stored] = {}
    for index, change in enumerate(changes):
        try:
            stored = await _replaced(door, ctx, decision, change)
        except HubError as error:
            raise _located(error, change) from None
        if stored is not None:
            found[index] = stored
            if change.expected == FREE:
                version = ABSENT if stored.deleted else stored.version
                change.expected = Expected(version, False)
    return found


async def _replaced(
    door: Interactions, ctx: Context, decision: Decision, change: Change
) -> Stored | None:
    letter = LETTERS[change.method]
    sight.require(ctx, letter, change.type)
    if change.method == "POST":
        return None
    stored = await current(door, ctx, letter, change.type, change.id)
    if stored is None:
        if _is_hiding(decision, change.type, letter):
            raise absent(change.type, change.id)
        if change.method != "DELETE":
            sight.require(ctx, "c", change.type)
    return stored


async def check_content(
    door: Interactions,
    ctx: Context,
    changes: Sequence[Change],
    writes: Sequence[Write],
    currents: Currents,
) -> None:
    """Refuse content that would be out of reach, or that refers to what is.

    Args:
        door: The record.
        ctx: Who writes.
        changes: What is written.
        writes: The same, with index rows.
        currents: From `check_replaced`.

    Raises:
        Forbidden: It would be about somebody else, or somebody else's.
        TargetMissing: It refers to what is not there or hidden, and did not before.
    """
    decision = decide(ctx.principal)
    if all(
        change.resource is None or decision.is_free(LETTERS[change.method], change.type)
        for change in changes
    ):
        return
    updated = ctx.now
    pending: dict[sight.Target, Candidate | None] = {
        (write.type, write.id): None
        if write.rows is None
        else Candidate(write.type, write.id, updated, write.rows)
        for write in writes
    }
    look = await sight.looking(door, ctx, pending)
    for index, (change, write) in enumerate(zip(changes, writes, strict=True)):
        if change.resource is None or write.rows is None:
            continue
        if not await _is_within(look, decision, change, write.rows):
            raise _located(
                Forbidden(fault("forbidden", "access-content", type=change.type)), change
            )
        if door.settings.integrity:
            wanted = targets_of(write.type, write.rows)
            stored = currents.get(index)
            if stored is not None and not stored.deleted:
                known = targets_of(write.type, look.candidate(stored).rows)
                wanted = {target: None for target in wanted if target not in known}
            await _check_targets(look, decision, wanted)


async def _is_within(look: sight.Look, decision: Decision, change: Change, rows: IndexRows) -> bool:
    """Whether content is about whom, and is whose, it may be."""
    letter = LETTERS[change.method]
    limit = decision.limit(change.type, letter)
    if change.type == BINARY:
        shown = await sight.context_shows(look.door, look.ctx, change.resource or {}, look.pending)
        return limit is None or shown
    if not _names_only(decision.subjects(change.type, letter), rows):
        return False
    if limit is None:
        return True
    one = look.pending[change.type, change.id]
    return one is not None and await look.meets(one, limit)


async def _check_targets(
    look: sight.Look, decision: Decision, wanted: Mapping[sight.Target, None]
) -> None:
    """Refuse references to what is hidden, as if it were missing.

    Raises:
        TargetMissing: The first of them.
    """
    limited = [
        target
        for target in wanted
        if target not in look.pending and decision.reach(target[0]) is not None
    ]
    if not limited:
        return
    found = await sight.existing(look.door, look.ctx, limited, look.pending)
    for target in limited:
        if target not in found:
            raise TargetMissing(*target)


def still_referenced(ctx: Context, refused: StillReferenced) -> Issue:
    """What is said of a delete that something stands against, which may be hidden itself.

    Args:
        ctx: Who deletes.
        refused: What the store found.
    """
    if not decide(ctx.principal).unlimited:
        return fault("conflict", "still-referenced-somewhere", type=refused.type, id=refused.id)
    return fault(
        "conflict",
        "still-referenced",
        type=refused.type,
        id=refused.id,
        by=refused.by,
        count=refused.count,
    )


def _located(error: HubError, change: Change) -> HubError:
    return within(error, change.location, "request") if change.location else error
