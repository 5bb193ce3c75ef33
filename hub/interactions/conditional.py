"""Conditions of conditional interactions: read strictly, resolved by search, guarded by commit.

A condition is resolved to ids by a search; the commit then checks inside its transaction that
the search still finds exactly these (`Matches`), so that two clients with the same condition
never both create. Called by create, update, patch, delete, transaction and batch.
Spec: https://hl7.org/fhir/R4/http.html#ccreate, #cond-update, #cdelete
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hub.context import Context
from hub.errors import PreconditionFailed, TooCostly, fault
from hub.interactions import sight
from hub.interactions.registry import Definitions
from hub.interactions.rewriting import context_of
from hub.interactions.unavailable import damaged
from hub.interactions.validated import known_type
from hub.search.parse import criteria_of
from hub.search.query import Query
from hub.search.rewrite import apply
from hub.storage.port import DeadlineExceeded, Matches, Stored

if TYPE_CHECKING:
    from hub.interactions.door import Interactions


@dataclass(frozen=True, slots=True)
class Condition:
    """A parsed condition on one type."""

    type: str
    query: Query

    def matches(self, ids: Iterable[str] = ()) -> Matches:
        """The precondition that it finds exactly these logical ids.

        Args:
            ids: None for If-None-Exist.
        """
        found = frozenset(ids)
        return Matches(replace(self.query, count=len(found) + 1), found)


async def read_condition(
    door: Interactions,
    ctx: Context,
    type: str,
    search: Sequence[tuple[str, str]],
    definitions: Definitions | None = None,
) -> Condition:
    """Read the parameters of a condition; unknown ones are refused, as is an empty condition.

    Args:
        door: The record.
        ctx: Who asks.
        type: Resource type.
        search: Names and values, decoded.
        definitions: The search parameters in force, for who reads several conditions at once.

    Raises:
        NotFound: No such type.
        BadRequest: A parameter is unknown or malformed.
        PreconditionFailed: Nothing limits it: it would stand for every resource of the type.
    """
    known_type(type)
    sight.require(ctx, sight.SEARCH, type)
    if definitions is None:
        definitions = await door.registry.of(ctx.tenant.key)
    criteria = [(name, value) for name, value in search if name not in ("_format", "_pretty")]
    if not any(value for _, value in criteria):
        raise PreconditionFailed(fault("invalid", "condition-empty", type=type))
    query = criteria_of(
        definitions.registry,
        type,
        criteria,
        zone=ctx.tenant.zone,
        base=ctx.base,
        clock=ctx.clock,
    )
    return Condition(type, await apply(query, context_of(door, ctx, definitions)))


async def find(door: Interactions, ctx: Context, condition: Condition, limit: int) -> list[Stored]:
    """What a condition finds, at most `limit` resources.

    Raises:
        TooCostly: The search takes longer than its deadline.
        DamagedStorage: One of them cannot be read.
    """
    query = replace(condition.query, count=limit)
    try:
        page = await door.store.search(ctx.tenant.key, query, door.settings.search_deadline)
    except DeadlineExceeded as error:
        raise TooCostly(fault("too-costly", "search-too-costly")) from error
    for type, id in page.damaged:
        # Left out as in a search, what is there would pass for absent and be made once more.
        raise damaged(type, id)
    return list(page.matches)


async def find_one(door: Interactions, ctx: Context, condition: Condition) -> Stored | None:
    """The one resource that a condition finds, None if there is none.

    Raises:
        PreconditionFailed: It finds several (412).
    """
    found = await find(door, ctx, condition, 2)
    if len(found) > 1:
        raise several(condition.type)
    return found[0] if found else None


def several(type: str) -> PreconditionFailed:
    """The error for a condition that is not selective enough."""
    return PreconditionFailed(fault("multiple-matches", "condition-several", type=type))
