"""Searches the audit chain: events as resources, newest first.

The chain is read backwards; rows that cannot hold a match are passed over by their keys and
times (`criteria`), what is left is rendered and matched as any resource is, by its index rows.
A page that takes longer than it may ends where it has come to: the next one goes on from there.
Called by `hub.interactions.trail`, which merges what is found with stored resources.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import NamedTuple

from hub.audit.criteria import Narrowed
from hub.audit.provenance import targets
from hub.audit.rendered import (
    EVENT,
    Found,
    Place,
    event_at,
    events_of,
    for_each,
    place_of,
    render,
)
from hub.storage.audit_keys import keys_of
from hub.storage.port import AuditQuery, AuditRecord, AuditRow, DeadlineExceeded, Store, Stored

Matcher = Callable[[Stored], Awaitable[bool]]
"""Whether a resource meets the criteria."""

_BREATH = 16
"""Rendered resources after which other requests get their turn."""


class Match(NamedTuple):
    """An event that matches, and the resource it is."""

    found: Found
    stored: Stored


class Matches(NamedTuple):
    """What was found.

    Attributes:
        matches: Newest first; none are kept while all are counted.
        seen: How many there were.
        reached: Down to this place (inclusive) everything was looked at; None: to the end.
    """

    matches: list[Match]
    seen: int
    reached: Place | None


class Trail(NamedTuple):
    """The audit chain of a tenant, as one type of resources.

    Attributes:
        store: Where it is.
        tenant: Tenant key.
        type: `AuditEvent` or `Provenance`.
        base: The hub's own base URL.
        for_each: Events about several patients are told for each of them.
    """

    store: Store
    tenant: int
    type: str
    base: str
    for_each: bool = False

    async def find(
        self,
        narrow: Narrowed,
        matches: Matcher,
        *,
        after: Place | None,
        count: int | None,
        until: float,
    ) -> Matches:
        """Matches after a place, newest first.

        Args:
            narrow: What they have, from `hub.audit.criteria`.
            matches: Tells a match.
            after: Only what is older than the event at this place; None: from the newest on.
            count: Most of them; None: as many as there are, counted and not kept.
            until: `time.monotonic()` at which to end.

        Raises:
            DeadlineExceeded: The time was over before anything was found, or all were wanted.
        """
        found: list[Match] = []
        looked = number = 0
        async for place, one in self._candidates(narrow, after):
            if one is not None:
                stored = render(self.type, one, self.base)
                if await matches(stored):
                    number += 1
                    if count is not None:
                        found.append(Match(one, stored))
                        if number >= count:
                            return Matches(found, number, place)
                looked += 1
            if one is None or not looked % _BREATH:
                await asyncio.sleep(0)
                if time.monotonic() > until:
                    if count is None or not found:
                        raise DeadlineExceeded
                    return Matches(found, number, place)
        return Matches(found, number, None)

    def _candidates(
        self, narrow: Narrowed, after: Place | None
    ) -> AsyncIterator[tuple[Place, Found | None]]:
        """Events that may match, with their places; None now and then, when there are none."""
        return self._in_chain(narrow, after) if narrow.ids is None else self._named(narrow, after)

    async def _named(
        self, narrow: Narrowed, after: Place | None
    ) -> AsyncIterator[tuple[Place, Found | None]]:
        """Those with certain ids."""
        places = {place_of(self.type, id) for id in narrow.ids or ()} - {None}
        for place in sorted((one for one in places if one is not None), reverse=True):
            if after is None or place < after:
                yield place, await event_at(self.store, self.tenant, self.type, place)

    async def _in_chain(
        self, narrow: Narrowed, after: Place | None
    ) -> AsyncIterator[tuple[Place, Found | None]]:
        """Those of the rows that the store does not pass over."""
        groups = [frozenset(group) for group in narrow.groups]
        before = None if after is None else after.row + (after[1:] > (0, 0))
        while True:
            page = await self.store.audit_rows(
                self.tenant,
                AuditQuery(before, narrow.low, narrow.high, tuple(narrow.groups)),
            )
            for row in page.rows:
                for one in self._events(row):
                    older = after is None or one.place < after
                    if older and _may_match(one.record, narrow, groups):
                        yield one.place, one
            if page.next is None:
                return
            before = page.next
            yield Place(before, 0), None

    def _events(self, row: AuditRow) -> Iterator[Found]:
        """The events of a row, newest first."""
        for one in events_of(self.type, row):
            if not self.for_each:
                yield one
                continue
            for part in for_each(one):
                if self.type == EVENT or targets(part.record):
                    yield part


def _may_match(record: AuditRecord, narrow: Narrowed, groups: list[frozenset[int]]) -> bool:
    if narrow.high is not None and record.time >= narrow.high:
        return False
    if narrow.since is not None and record.time < narrow.since:
        return False
    if not groups:
        return True
    keys = keys_of(record)
    return all(not keys.isdisjoint(group) for group in groups)
