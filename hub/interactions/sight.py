"""What whoever asks may see: the one way to single resources and their histories.

Searches are limited by a rewrite rule (`hub.interactions.rewriting`); everything else that reads
a resource reads it here: read, vread, history, what a write replaces, what operations gather. A
version is shown when it meets the principal's limit by its own content, tested in memory on the
rows it would be indexed by; an old version only when the current one is shown too. What is not
shown is None, as if it never was. A principal without limits costs one look into a dict.

A Binary is in no compartment and names no patient: it is shown when the resource that its
`securityContext` names may be read, and one without is shown to the unlimited only. A document
that points to a Binary does not open it: anyone could write such a document.

`tests/interactions/test_architecture.py` sees to it that nobody goes round this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub.access.limits import NOTHING
from hub.access.policy import BINARY, Decision, decide
from hub.audit import rendered
from hub.context import Context
from hub.errors import Forbidden, fault
from hub.interactions.answer import resource_of
from hub.interactions.validated import known_type
from hub.messages import Phrase
from hub.model import reference
from hub.search.extract import extract
from hub.search.matching import Candidate, meets
from hub.search.query import And, Chain, Criterion, Not, Or
from hub.search.registry import ParameterRegistry
from hub.storage.port import HistoryPage, HistoryQuery, Stored

if TYPE_CHECKING:
    from hub.interactions.door import Interactions

Target = tuple[str, str]
Pending = Mapping[Target, Candidate | None]
"""What a commit is about to write, by type and id; None: it deletes that."""

READ, SEARCH = "r", "s"
_NO_PENDING: Pending = {}
_ACTIONS = {"c": "create", "r": "read", "u": "change", "d": "delete", "s": "search"}
_HOLDERS_OF_CONTEXT = frozenset((BINARY,))


# --- permissions ----------------------------------------------------------------------------


def require(ctx: Context, letter: str, *types: str) -> None:
    """Refuse what may not be done with any resource of some types.

    Args:
        ctx: Who asks.
        letter: One of `cruds`, as in SMART scopes.
        types: Resource types, of which one is enough; none: any type.

    Raises:
        Forbidden: It may not.
        NotFound: R4 has no such type.
    """
    decision = decide(ctx.principal)
    if not decision.unlimited:
        _require(decision, letter, types)


def _require(decision: Decision, letter: str, types: Sequence[str]) -> None:
    if any(decision.permits(letter, type) for type in types or ("",)):
        return
    for type in types:
        known_type(type)
    raise denied(letter, types[0] if types else "")


def denied(letter: str, type: str) -> Forbidden:
    """The error for a lacking permission.

    Args:
        letter: One of `cruds`.
        type: Resource type, "" for any.
    """
    action = Phrase(_ACTIONS[letter])
    if not type:
        return Forbidden(fault("forbidden", "access-anything", action=action))
    return Forbidden(fault("forbidden", "access-type", action=action, type=type))


def is_unlimited(ctx: Context) -> bool:
    """Whether nothing is hidden from whoever asks, and nothing forbidden."""
    return decide(ctx.principal).unlimited


def sees_all(ctx: Context, type: str) -> bool:
    """Whether nothing of a type ("" : of any) is hidden from whoever asks."""
    decision = decide(ctx.principal)
    if decision.unlimited:
        return True
    return bool(type) and all(decision.limit(type, letter) is None for letter in (READ, SEARCH))


# --- reading --------------------------------------------------------------------------------


async def read(
    door: Interactions, ctx: Context, type: str, id: str, letter: str = READ
) -> Stored | None:
    """The newest version, a tombstone if it was deleted; None when it is not there or hidden.

    Args:
        door: The record.
        ctx: Who asks.
        type: Resource type.
        id: Logical id.
        letter: What it is read for, one of `cruds`.

    Raises:
        Forbidden: That may not be done with any resource of the type.
    """
    decision = decide(ctx.principal)
    if decision.unlimited:
        return await _newest(door, ctx, type, id)
    _require(decision, letter, (type,))
    stored = await _newest(door, ctx, type, id)
    if stored is None or not await shows(door, ctx, stored, decision.limit(type, letter)):
        return None
    return stored


async def _newest(door: Interactions, ctx: Context, type: str, id: str) -> Stored | None:
    """The newest version in the store, or of what is told from the audit chain."""
    if type in rendered.TYPES:
        alone = not sees_all(ctx, type)
        made = await rendered.read(door.store, ctx.tenant.key, type, id, ctx.base, for_each=alone)
        if made is not None:
            return made
    return await door.store.read(ctx.tenant.key, type, id)


async def vread(
    door: Interactions, ctx: Context, type: str, id: str, version: int
) -> Stored | None:
    """One version, a tombstone included; None when it is not there or hidden.

    Raises:
        Forbidden: Nothing of the type may be read.
    """
    if rendered.place_of(type, id) is not None:
        return await read(door, ctx, type, id) if version == 1 else None
    stored = await door.store.vread(ctx.tenant.key, type, id, version)
    decision = decide(ctx.principal)
    if decision.unlimited:
        return stored
    current = await read(door, ctx, type, id)
    if stored is None or current is None or stored.version == current.version:
        return stored if current is not None else None
    return stored if await shows(door, ctx, stored, decision.limit(type, READ)) else None


async def read_many(
    door: Interactions, ctx: Context, targets: Sequence[Target]
) -> dict[Target, Stored]:
    """Current, undeleted versions of those that are there and may be read."""
    found = await door.store.read_many(ctx.tenant.key, targets)
    decision = decide(ctx.principal)
    if decision.unlimited:
        return found
    return {
        target: stored
        for target, stored in found.items()
        if await shows(door, ctx, stored, decision.limit(stored.type, READ))
    }


async def existing(
    door: Interactions, ctx: Context, targets: Sequence[Target], pending: Pending = _NO_PENDING
) -> set[Target]:
    """Those that are there, as far as a reference may tell (`Decision.reach`).

    Args:
        door: The record.
        ctx: Who refers to them.
        targets: Type and id.
        pending: What the commit writes, which limits may lead through.
    """
    found = await door.store.read_many(ctx.tenant.key, targets)
    decision = decide(ctx.principal)
    if decision.unlimited:
        return set(found)
    return {
        target
        for target, stored in found.items()
        if await shows(door, ctx, stored, decision.reach(stored.type), pending)
    }


async def history(
    door: Interactions, ctx: Context, query: HistoryQuery
) -> tuple[HistoryPage, bool] | None:
    """A page of versions, and whether its total may be told.

    Returns:
        None when the instance is not there or hidden.

    Raises:
        Forbidden: It is the history of a type or the system, not all of which may be seen.
    """
    tenant = ctx.tenant.key
    decision = decide(ctx.principal)
    if not decision.unlimited:
        _require(decision, READ if query.id else SEARCH, (query.type,) if query.type else ())
        if not query.id and not sees_all(ctx, query.type):
            raise Forbidden(fault("forbidden", "access-history"))
    newest = await read(door, ctx, query.type, query.id) if query.id else None
    if query.id and newest is None:
        return None
    if newest is not None and rendered.place_of(query.type, query.id) is not None:
        return HistoryPage((newest,), None, 1), True
    page = await door.store.history(tenant, query)
    limit = decision.limit(query.type, READ) if query.type else None
    if limit is None:
        return page, True
    shown = [one for one in page.versions if await shows(door, ctx, one, limit)]
    return HistoryPage(tuple(shown), page.next, len(shown)), False


async def was_deleted(door: Interactions, ctx: Context, type: str, id: str, version: int) -> bool:
    """Whether a version, next to one that is shown, is a tombstone."""
    stored = await door.store.vread(ctx.tenant.key, type, id, version)
    return stored is not None and stored.deleted


# --- what is shown --------------------------------------------------------------------------


async def shows(
    door: Interactions,
    ctx: Context,
    stored: Stored,
    limit: Criterion | None,
    pending: Pending = _NO_PENDING,
) -> bool:
    """Whether a version meets a limit; a tombstone does when the version before it does.

    Args:
        door: The record.
        ctx: Who asks.
        stored: Any version.
        limit: From a `Decision`.
        pending: See `Pending`.
    """
    if limit is None:
        return True
    if stored.deleted:
        before = await door.store.vread(ctx.tenant.key, stored.type, stored.id, stored.version - 1)
        if before is None or before.deleted:
            return False
        stored = before
    resource = resource_of(stored)
    if stored.type == BINARY:
        return await context_shows(door, ctx, resource, pending)
    if limit == NOTHING:
        return False
    look = await looking(door, ctx, pending)
    return await look.meets(look.candidate(stored, resource), limit)


async def context_shows(
    door: Interactions, ctx: Context, resource: Mapping[str, Any], pending: Pending = _NO_PENDING
) -> bool:
    """Whether the resource that a Binary's securityContext names may be read.

    Args:
        door: The record.
        ctx: Who asks.
        resource: A Binary.
        pending: See `Pending`.
    """
    element = resource.get("securityContext")
    text = element.get("reference") if isinstance(element, dict) else None
    parts = reference.parse(text if isinstance(text, str) else "", ctx.base)
    if parts.kind != "relative" or parts.type in _HOLDERS_OF_CONTEXT:
        return False
    decision = decide(ctx.principal)
    if not decision.permits(READ, parts.type):
        return False
    limit = decision.limit(parts.type, READ)
    own = pending.get((parts.type, parts.id))
    if own is not None:
        look = await looking(door, ctx, pending)
        return limit is None or await look.meets(own, limit)
    stored = await door.store.read(ctx.tenant.key, parts.type, parts.id)
    return stored is not None and await shows(door, ctx, stored, limit, pending)


@dataclass(frozen=True, slots=True)
class Look:
    """Tests resources against limits; follows the chains of a limit through the whole record.

    Attributes:
        door: The record.
        ctx: Who asks.
        registry: Search parameters in force.
        pending: See `Pending`.
    """

    door: Interactions
    ctx: Context
    registry: ParameterRegistry
    pending: Pending

    def candidate(self, stored: Stored, resource: dict[str, Any] | None = None) -> Candidate:
        """A version with the rows it would be indexed by; `resource` is its content if known."""
        rows = extract(
            self.registry,
            resource_of(stored) if resource is None else resource,
            zone=self.ctx.tenant.zone,
            base=self.ctx.base,
        )
        return Candidate(stored.type, stored.id, stored.updated, rows)

    async def meets(self, one: Candidate, criterion: Criterion) -> bool:
        """Whether a resource meets a limit."""
        if isinstance(criterion, And):
            return await self._all(one, criterion.criteria)
        if isinstance(criterion, Or):
            for part in criterion.criteria:
                if await self.meets(one, part):
                    return True
            return False
        if isinstance(criterion, Not):
            return not await self.meets(one, criterion.criterion)
        if isinstance(criterion, Chain):
            return await self._chain(one, criterion)
        return meets(one, criterion)

    async def _all(self, one: Candidate, criteria: Iterable[Criterion]) -> bool:
        for part in criteria:
            if not await self.meets(one, part):
                return False
        return True

    async def _chain(self, one: Candidate, chain: Chain) -> bool:
        key, type = chain.parameter.key, chain.target
        for row in one.rows.references:
            if row.key == key and row.type == type and not row.url:
                target = await self._target(type, row.id)
                if target is not None and await self.meets(target, chain.criterion):
                    return True
        return False

    async def _target(self, type: str, id: str) -> Candidate | None:
        if (type, id) in self.pending:
            return self.pending[type, id]
        stored = await self.door.store.read(self.ctx.tenant.key, type, id)
        return None if stored is None or stored.deleted else self.candidate(stored)


async def looking(door: Interactions, ctx: Context, pending: Pending = _NO_PENDING) -> Look:
    """What tests resources for whoever asks."""
    definitions = await door.registry.of(ctx.tenant.key)
    return Look(door, ctx, definitions.registry, pending)
