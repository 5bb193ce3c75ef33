"""Terminology for the interactions and operations: what of it whoever asks may use.

Made once for a door (`Interactions.terminology`); holds what was read of the record.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from hub.access.policy import decide
from hub.context import Context
from hub.interactions.answer import body_of, resource_of
from hub.interactions.binary import content_of
from hub.interactions.expanding import Expansions
from hub.search.parse import criteria_of
from hub.search.query import Criterion, Query
from hub.search.registry import core
from hub.search.rewrite import RewriteContext, apply_rules
from hub.storage.port import StoreUnavailable
from terminology.core.concept_map import ConceptMap, compiled, with_others
from terminology.core.content import InlineSource, PackageSource
from terminology.core.packed import CONTENT_TYPE, MOST_BYTES
from terminology.core.record import RecordSource
from terminology.core.resident import Resident
from terminology.core.shapes import ValueSet
from terminology.core.shelf import Shelf
from terminology.core.translating import Translator
from terminology.core.versions import choose

if TYPE_CHECKING:
    from hub.context import Tenant
    from hub.storage.port import Store, Stored
    from terminology.core.shapes import ContentSource, Resource

TYPES = ("CodeSystem", "ValueSet", "ConceptMap")
PAGE = 100

MOST_SEARCHES = 1_000
"""Searches whose result is remembered for a tenant, while nothing of the type changes."""

Search = tuple[str, str, str]
Stamp = tuple[int, ...]


@dataclass(slots=True)
class _Found:
    """What searches of a tenant found, while the type's last change is the one noted."""

    stamps: dict[str, int] = field(default_factory=dict)
    results: dict[Search, tuple[Stored, ...]] = field(default_factory=dict)

    def of(self, search: Search, stamp: int) -> tuple[Stored, ...] | None:
        """What the search found; None when it has to be run."""
        if self.stamps.get(search[0]) != stamp:
            self.stamps[search[0]] = stamp
            self.results = {one: kept for one, kept in self.results.items() if one[0] != search[0]}
        return self.results.get(search)

    def keep(self, search: Search, stamp: int, found: tuple[Stored, ...]) -> None:
        """Remember what it found."""
        if len(self.results) >= MOST_SEARCHES:
            self.results.clear()
        if self.stamps.get(search[0]) == stamp:
            self.results[search] = found


class _Head(msgspec.Struct):
    url: str = ""
    version: str = ""


_decode_head = msgspec.json.Decoder(_Head).decode


class Terminology:
    """The terminology of a record, for every tenant."""

    def __init__(self, store: Store) -> None:
        """Hold nothing yet.

        Args:
            store: The record.
        """
        self._store = store
        self._shelf = Shelf()
        self._found: dict[int, _Found] = {}
        self._expansions: dict[int, Expansions] = {}
        self._residents: dict[int, Resident] = {}
        self._translators: dict[int, tuple[int, Translator]] = {}

    def sources(self, ctx: Context, inline: Sequence[Resource] = ()) -> list[ContentSource]:
        """Where content comes from for one request, in order of precedence.

        Args:
            ctx: Who asks: it sees of the record what it may search.
            inline: What the request brings with it (`tx-resource`).
        """
        record = RecordSource(self._record(ctx), self._shelf, ctx.tenant.key)
        own: list[ContentSource] = [InlineSource(inline)] if inline else []
        return [*own, record, PackageSource()]

    def _record(self, ctx: Context) -> _Record:
        return _Record(self._store, ctx, self._found.setdefault(ctx.tenant.key, _Found()))

    async def value_set(self, ctx: Context, id: str) -> ValueSet | None:
        """A value set of the record by its logical id, None when there is none to see."""
        found = await self._record(ctx).find("ValueSet", "_id", id)
        return ValueSet(resource_of(found[0])) if found else None

    async def code_systems(self, ctx: Context) -> tuple[tuple[str, str], ...]:
        """Url and version of the record's code systems that whoever asks may search."""
        found = await self._record(ctx).find("CodeSystem", "", "")
        heads = [_decode_head(body_of(stored)) for stored in found]
        return tuple((one.url, one.version) for one in heads if one.url)

    def held(self, tenant: Tenant) -> Resident:
        """Answers without waiting, for the hub itself and for those who see everything.

        Args:
            tenant: Whose record.
        """
        found = self._residents.get(tenant.key)
        if found is None:
            found = self._residents[tenant.key] = self._resident(Context(tenant))
        return found

    def resident(self, ctx: Context) -> Resident:
        """Answers without waiting, from what whoever asks may see."""
        return self._resident(ctx) if self.is_limited(ctx) else self.held(ctx.tenant)

    def _resident(self, ctx: Context) -> Resident:
        return Resident(self.sources(ctx), partial(self.stamp, ctx.tenant.key))

    async def translator(self, tenant: Tenant, canonicals: Iterable[str]) -> Translator:
        """Translation by concept maps without waiting, good until the next call.

        Costs a point read while no concept map of the record changes.

        Args:
            tenant: Whose record.
            canonicals: Of the maps that will be asked.
        """
        wanted = set(canonicals)
        stamp = await self._store.last_change(tenant.key, "ConceptMap")
        held = self._translators.get(tenant.key)
        if held is not None and held[0] == stamp and all(map(held[1].knows, wanted)):
            return held[1]
        if held is not None:
            wanted |= held[1].canonicals
        sources = self.sources(Context(tenant))

        async def find(canonical: str) -> ConceptMap | None:
            url, _, version = canonical.partition("|")
            groups = [await source.concept_maps(url) for source in sources]
            return choose([[compiled(one) for one in group] for group in groups], version)

        maps = {canonical: await find(canonical) for canonical in sorted(wanted)}
        others = await with_others([one for one in maps.values() if one is not None], find)
        made = Translator(maps, others)
        self._translators[tenant.key] = (stamp, made)
        return made

    def expansions(self, tenant: int) -> Expansions:
        """What searches stood for, while nothing changes."""
        return self._expansions.setdefault(tenant, Expansions())

    def is_limited(self, ctx: Context) -> bool:
        """Whether some of the record's content may not be seen by whoever asks."""
        decision = decide(ctx.principal)
        return not decision.unlimited and any(decision.scoped(type) for type in TYPES)

    async def stamp(self, tenant: int) -> Stamp:
        """Differs whenever a code system, value set or concept map of the record has changed."""
        return tuple([await self._store.last_change(tenant, type) for type in TYPES])


class _Record:
    """The record as whoever asks may see it: implements `terminology.core.record.Record`."""

    def __init__(self, store: Store, ctx: Context, known: _Found) -> None:
        self._store, self._tenant, self._known = store, ctx.tenant.key, known
        decision = decide(ctx.principal)
        self._scoped = None if decision.unlimited else decision.scoped

    async def find(self, type: str, parameter: str, value: str) -> Sequence[Stored]:
        """Current versions that a search finds; none when nothing of the type may be read."""
        if parameter and not value:
            return ()
        limit = self._scoped(type) if self._scoped is not None else None
        if limit is not None:
            return await self._search(type, parameter, value, limit)
        stamp = await self._store.last_change(self._tenant, type)
        if not stamp:
            return ()
        search = (type, parameter, value)
        found = self._known.of(search, stamp)
        if found is None:
            found = tuple(await self._search(type, parameter, value, None))
            self._known.keep(search, stamp, found)
        return found

    async def _search(
        self, type: str, parameter: str, value: str, limit: Criterion | None
    ) -> list[Stored]:
        query = Query((type,))
        if parameter:
            search = ((parameter, _quoted(value)),)
            query = criteria_of(core(), type, search, zone="UTC", base="")
        scoped = None if limit is None else lambda _: limit
        context = RewriteContext(core(), self._tenant, scoped=scoped)
        query = replace(apply_rules(query, context), count=PAGE)
        found: list[Stored] = []
        while True:
            page = await self._store.search(self._tenant, query)
            found += page.matches
            if page.next is None:
                return found
            query = replace(query, after=page.next)

    async def packed(self, id: str) -> bytes | None:
        """The bytes of a Binary with concepts; None when there is no such Binary.

        Raises:
            StoreUnavailable: Its blob is missing: the record is damaged.
        """
        stored = await self._store.read(self._tenant, "Binary", id)
        if stored is None or stored.deleted:
            return None
        content = content_of(stored)
        if content.content_type != CONTENT_TYPE or content.size > MOST_BYTES:
            return None
        if content.blob is None:
            return content.inline
        try:
            pieces = await self._store.open_blob(self._tenant, content.blob.sha256)
        except KeyError as error:
            reason = "the blob of a code system is missing"
            raise StoreUnavailable(reason, trouble="damaged") from error
        async with aclosing(pieces):
            return b"".join([piece async for piece in pieces])


def _quoted(text: str) -> str:
    """A text as one value of a search parameter."""
    for sign in "\\,|$":
        text = text.replace(sign, f"\\{sign}")
    return text
