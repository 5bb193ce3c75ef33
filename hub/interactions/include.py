"""_include and _revinclude: what a page of matches brings along.

`hub.search.include` says which references to follow; here they are followed, above the store:
forward by reading the targets together, reverse by searches for references to what was found.
`:iterate` goes on from what was included until nothing new comes or the limit is reached, so
circles end. Called by `hub.interactions.search`.
Spec: https://hl7.org/fhir/R4/search.html#include
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from hub.context import Context
from hub.definitions import resource_types, search_parameters_of
from hub.interactions import trail
from hub.interactions.answer import resource_of
from hub.model.identity import version_number
from hub.search.include import (
    Follow,
    forward,
    include_query,
    reverse,
    revinclude_query,
    targets,
)
from hub.search.parse import ROOM
from hub.search.query import And, Include, Match, Or, Query, ReferenceValue, UriValue
from hub.search.rewrite import RewriteContext
from hub.search.traits import targets_of, traits_of
from hub.storage.port import Stored

if TYPE_CHECKING:
    from hub.interactions.door import Interactions

Key = tuple[str, str]

READ_AT_ONCE = 32
"""Targets that are read before it is looked how much room they have left."""


@lru_cache(maxsize=1)
def _types_with_url() -> tuple[str, ...]:
    """Resource types that a canonical can name."""
    return tuple(type for type in resource_types() if "url" in search_parameters_of(type))


class Included:
    """What the includes of one page find.

    Attributes:
        found: Included resources by type and id, in the order they were found.
        complete: False when the limit cut something off.
        damaged: What cannot be read and is left out.
    """

    def __init__(
        self,
        door: Interactions,
        ctx: Context,
        context: RewriteContext,
        includes: Sequence[Include],
    ) -> None:
        """Start with nothing.

        Args:
            door: The record.
            ctx: Who asks.
            context: Limits what may be seen.
            includes: Of the request.
        """
        self._door, self._ctx, self._context = door, ctx, context
        self._includes = includes
        self._named = {include.source for include in includes if include.reverse}
        self._most = door.settings.include_limit
        self._room = ROOM
        self._known: set[Key] = set()
        self._bodies: dict[Key, dict[str, Any]] = {}
        self.found: dict[Key, Stored] = {}
        self.complete = True
        self.damaged: set[Key] = set()

    async def run(self, matches: Sequence[Stored]) -> None:
        """Follow the references of the matches, then the iterating ones of what they bring.

        Raises:
            DeadlineExceeded: A reverse include takes too long.
        """
        self._known.update((one.type, one.id) for one in matches)
        frontier, included = matches, False
        while frontier and self.complete:
            before = len(self.found)
            by_type: dict[str, list[Stored]] = {}
            for one in frontier:
                by_type.setdefault(one.type, []).append(one)
            for type, group in by_type.items():
                await self._forward(type, group, included)
                await self._reverse(type, group, included)
            if not any(include.iterate for include in self._includes):
                return
            frontier, included = list(self.found.values())[before:], True

    def _add(self, resources: Iterable[Stored]) -> None:
        for one in resources:
            key = (one.type, one.id)
            if key in self._known:
                continue
            if len(self.found) >= self._most or self._room < 0:
                self.complete = False
                return
            self._known.add(key)
            self.found[key] = one
            self._room -= len(one.tail)

    def _body(self, stored: Stored) -> dict[str, Any]:
        key = (stored.type, stored.id)
        body = self._bodies.get(key)
        if body is None:
            body = self._bodies[key] = resource_of(stored)
        return body

    # --- forward ------------------------------------------------------------------------------

    async def _forward(self, type: str, group: Sequence[Stored], included: bool) -> None:
        registry = self._context.registry
        wanted: dict[str, dict[str, None]] = {}
        versions: dict[tuple[str, str, str], None] = {}
        urls: dict[str, dict[tuple[str, str], None]] = {}
        for follow in forward(registry, self._includes, type, included=included):
            for stored in group:
                for row in targets(registry, follow, self._body(stored), base=self._ctx.base):
                    if not row.id:
                        for target in self._canonical_targets(follow):
                            urls.setdefault(target, {})[row.url, row.version] = None
                    elif row.version:
                        versions[row.type, row.id, row.version] = None
                    elif not row.url:
                        wanted.setdefault(row.type, {})[row.id] = None
        for target, ids in wanted.items():
            await self._read(target, [id for id in ids if (target, id) not in self._known])
        for place in versions:
            await self._read_version(*place)
        for target, found in urls.items():
            await self._by_url(target, list(found))

    async def _read(self, type: str, ids: Sequence[str]) -> None:
        ids = ids[: self._most + 1]
        query = include_query(type, ids, self._context, count=len(ids)) if ids else None
        if query is not None:
            if self.complete:
                await self._search(query)
            return
        for start in range(0, len(ids), READ_AT_ONCE):
            if not self.complete:
                return
            keys = [(type, id) for id in ids[start : start + READ_AT_ONCE]]
            found = await self._door.store.read_many(self._ctx.tenant.key, keys)
            self._add(found[key] for key in keys if key in found)

    async def _read_version(self, type: str, id: str, version: str) -> None:
        """A version-specific reference brings that version."""
        number = version_number(version)
        if (type, id) in self._known or not number or not self.complete:
            return
        if self._context.scoped is not None:
            await self._read(type, [id])
            return
        one = await self._door.store.vread(self._ctx.tenant.key, type, id, number)
        self._add([one] if one is not None and not one.deleted else [])

    def _canonical_targets(self, follow: Follow) -> tuple[str, ...]:
        if follow.target:
            return (follow.target,)
        targets = targets_of(follow.parameter, follow.source)
        if targets or not traits_of(follow.parameter).is_canonical:
            return targets
        return _types_with_url()  # canonical(Any), as PlanDefinition.relatedArtifact.resource

    async def _by_url(self, type: str, canonicals: Sequence[tuple[str, str]]) -> None:
        """Targets of canonicals: url and version; a target without a version has any."""
        parameter = self._context.registry.get(type, "url")
        if parameter is None or not self.complete:
            return
        urls = dict.fromkeys(url for url, _ in canonicals)
        match = Match(parameter, tuple(map(UriValue, urls)))
        for one in await self._matches(self._limited(Query((type,), match, count=self._most + 1))):
            body = self._body(one)
            url, version = body.get("url", ""), body.get("version", "")
            if not version or not {(url, ""), (url, version)}.isdisjoint(canonicals):
                self._add([one])

    def _limited(self, query: Query) -> Query:
        """A query that sees no more than the client may."""
        limit = include_query(query.types[0], (), self._context, count=query.count)
        if limit is None or not isinstance(limit.criterion, And):
            return query
        return replace(query, criterion=And((query.criterion, *limit.criterion.criteria[1:])))

    # --- reverse ------------------------------------------------------------------------------

    async def _reverse(self, type: str, group: Sequence[Stored], included: bool) -> None:
        ids = [one.id for one in group]
        for follow in reverse(self._context.registry, self._includes, type, included=included):
            if not self.complete:
                return
            query = revinclude_query(follow, ids, self._context, count=self._most + 1)
            urls = self._urls(follow, group)
            if urls:
                match = Match(follow.parameter, urls)
                either = Or((query.criterion, self._limited(Query(query.types, match)).criterion))
                query = replace(query, criterion=either)
            await self._search(query)

    def _urls(self, follow: Follow, group: Sequence[Stored]) -> tuple[ReferenceValue, ...]:
        """Canonicals by which the parameter can refer to some resources."""
        if not traits_of(follow.parameter).is_canonical:
            return ()
        found = [self._body(one).get("url") for one in group]
        return tuple(ReferenceValue("", "", url) for url in found if isinstance(url, str))

    async def _search(self, query: Query) -> None:
        self._add(await self._matches(query))

    async def _matches(self, query: Query) -> tuple[Stored, ...]:
        deadline = self._door.settings.search_deadline
        query = replace(query, room=max(0, self._room))
        if self._named.isdisjoint(query.types):
            page = await self._door.store.search(self._ctx.tenant.key, query, deadline)
        else:  # what the audit chain tells comes along when it is asked for by name, not by `*`
            page = await trail.page(self._door, self._ctx, query, deadline)
        self.damaged.update(page.damaged)
        if page.next is not None:
            self.complete = False
        return page.matches
