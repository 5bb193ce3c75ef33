"""AuditEvent and Provenance: what the audit chain tells, merged with what clients have stored.

Searches of these types go through here. Stored resources come from the store's search, the
others from `hub.audit.search`; both newest first, merged by time. A cursor holds the place in
each, so that pages stay as they are while rows are added. Limits of what may be seen are part
of the criteria and hold for both. Called by `search` and `include`.
Spec: https://hl7.org/fhir/R4/search.html
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from hub.audit.criteria import Narrowed, backwards, narrowed
from hub.audit.rendered import TYPES, Place
from hub.audit.search import Match, Matcher, Matches, Trail
from hub.context import Context
from hub.errors import Issue, fault
from hub.interactions import sight
from hub.interactions.answer import resource_of
from hub.model import dates
from hub.search.query import Position, Query
from hub.storage.port import Page, Stored

if TYPE_CHECKING:
    from hub.interactions.door import Interactions

_SORTS = frozenset(("date", "recorded", "_lastUpdated"))
_FRESH, _AFTER, _ENDED = 0, 1, 2
"""Of the stored resources: none was shown yet, some were, all were."""


class Cursor(NamedTuple):
    """Where a page ends: in the chain and among the stored resources."""

    place: Place | None = None
    state: int = _FRESH
    stored: Position | None = None

    @classmethod
    def read(cls, position: Position | None) -> Cursor:
        """From a search's position."""
        if position is None:
            return cls()
        row, number, patient, state, *values = position.values
        place = None if row is None else Place(int(row), int(number or 0), int(patient or 0))
        return cls(place, int(state or 0), Position(tuple(values)) if values else None)

    def position(self) -> Position:
        """As a search's position."""
        place = (None, None, None) if self.place is None else self.place
        values = () if self.stored is None else self.stored.values
        return Position((*place, self.state, *values))


async def page(door: Interactions, ctx: Context, query: Query, deadline: float) -> Page:
    """A page of matches of any search.

    Args:
        door: The record.
        ctx: Who asks.
        query: As the rewrite rules leave it.
        deadline: Seconds it may take.

    Raises:
        DeadlineExceeded: It would take longer.
    """
    if len(query.types) != 1 or query.types[0] not in TYPES or left_out(query) is not None:
        return await door.store.search(ctx.tenant.key, query, deadline)
    until = time.monotonic() + deadline
    cursor = Cursor.read(query.after)
    if cursor.place is None:  # what is added from now on is on no page
        head = await door.store.audit_head(ctx.tenant.key)
        cursor = cursor._replace(place=Place(head.row + 1, 0))
    stored = Page(())
    # No page of stored ones ends early: those of the chain are merged up to its last.
    own = replace(query, after=cursor.stored, room=None)
    if cursor.state != _ENDED or query.total != "none":
        stored = await door.store.search(ctx.tenant.key, own, deadline)
    if cursor.state == _ENDED:
        stored = Page((), None, stored.total)
    trail = Trail(
        door.store,
        ctx.tenant.key,
        query.types[0],
        ctx.base,
        not sight.sees_all(ctx, query.types[0]),
    )
    narrow = narrowed(query.criterion)
    matches = await _matcher(door, ctx, query)
    found = Matches([], 0, None)
    if query.count:
        found = await trail.find(
            narrow, matches, after=cursor.place, count=query.count + 1, until=until
        )
    shown, cut = _merged(query, stored.matches, found)
    following = await _next(door, ctx, query, cursor, stored, found, shown, cut)
    total = stored.total
    if total is not None:
        is_whole = query.count and query.after is None and found.reached is None
        whole = found if is_whole else None
        total += await _total(query, trail, narrow, matches, whole, until)
    return Page(
        tuple(one.stored if isinstance(one, Match) else one for one in shown),
        following,
        total,
        query.total == "estimate",
        stored.damaged,
    )


def left_out(query: Query) -> Issue | None:
    """Why a search gives stored resources only, without what the chain tells; None: it does not.

    The chain is read newest first, and nothing refers to what it tells.

    Args:
        query: As the rewrite rules leave it.
    """
    if len(query.types) != 1 or query.types[0] not in TYPES:
        return None
    type = query.types[0]
    for key in query.sort:
        if len(query.sort) > 1 or not key.descending or key.parameter.code not in _SORTS:
            return fault("incomplete", "audit-sort", "", "warning", type=type)
    if backwards(query.criterion):
        return fault("incomplete", "audit-backwards", "", "warning", type=type)
    return None


async def _matcher(door: Interactions, ctx: Context, query: Query) -> Matcher:
    look = await sight.looking(door, ctx)

    async def matches(stored: Stored) -> bool:
        return await look.meets(look.candidate(stored), query.criterion)

    return matches


def _merged(
    query: Query, stored: Sequence[Stored], found: Matches
) -> tuple[list[Match | Stored], bool]:
    """The page in order, and whether something was left over."""
    by_update = bool(query.sort) and query.sort[0].parameter.code == "_lastUpdated"
    waiting = [(_time(one, by_update), one) for one in stored]
    shown: list[Match | Stored] = []
    place = 0
    for match in found.matches:
        at = match.found.written if by_update else match.found.record.time
        while place < len(waiting) and waiting[place][0] > at:
            shown.append(waiting[place][1])
            place += 1
        shown.append(match)
    if found.reached is None or len(found.matches) > query.count:
        shown += [one for _, one in waiting[place:]]
    return shown[: query.count], len(shown) > query.count or place < len(waiting)


def _time(stored: Stored, by_update: bool) -> int:
    """When a stored resource says that it happened; milliseconds."""
    if by_update:
        return stored.updated
    try:
        return dates.parse(str(resource_of(stored).get("recorded")), "UTC")[0] // 1000
    except ValueError:
        return stored.updated


async def _next(
    door: Interactions,
    ctx: Context,
    query: Query,
    cursor: Cursor,
    stored: Page,
    found: Matches,
    shown: Sequence[Match | Stored],
    cut: bool,
) -> Position | None:
    """Where the next page starts, None when this is the last one."""
    if not query.count or not (cut or found.reached is not None or stored.next is not None):
        return None
    events = [one for one in shown if isinstance(one, Match)]
    place = cursor.place
    if len(events) == len(found.matches) and found.reached is not None:
        place = found.reached
    elif events:
        place = events[-1].found.place
    used = len(shown) - len(events)
    state, position = cursor.state, cursor.stored
    if used == len(stored.matches):
        state, position = (_ENDED, None) if stored.next is None else (_AFTER, stored.next)
    elif used:
        own = replace(query, after=cursor.stored, count=used, total="none")
        again = await door.store.search(ctx.tenant.key, own)
        state, position = _AFTER, again.next
    return Cursor(place, state, position).position()


async def _total(
    query: Query,
    trail: Trail,
    narrow: Narrowed,
    matches: Matcher,
    whole: Matches | None,
    until: float,
) -> int:
    """Matches in the chain; as an estimate the number of its rows, where they are not known."""
    if whole is not None:
        return whole.seen
    if query.total == "estimate":
        return (await trail.store.audit_head(trail.tenant)).row
    return (await trail.find(narrow, matches, after=None, count=None, until=until)).seen
