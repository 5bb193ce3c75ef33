"""Terminology for the interactions and operations: what of it whoever asks may use.

Made once for a door (`Interactions.terminology`); holds what was read of the record. The rooms of
`terminology.core` are entered when somebody asks: a hub starts without them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import msgspec

from hub.access.policy import decide
from hub.context import Context
from hub.interactions.answer import body_of, resource_of
from hub.interactions.expanding import Expansions
from hub.interactions.terminology_record import Found, VisibleRecord
from terminology.core.shelf import Shelf

if TYPE_CHECKING:
    from hub.context import Tenant
    from hub.fhirpath import MemberOf
    from hub.storage.port import Store
    from terminology.core.concept_map import ConceptMap
    from terminology.core.resident import Resident
    from terminology.core.shapes import ContentSource, Resource, ValueSet
    from terminology.core.translator import Translator

TYPES = ("CodeSystem", "ValueSet", "ConceptMap")

Stamp = tuple[int, ...]
T = TypeVar("T")


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
        self._found: dict[int, Found] = {}
        self._expansions: dict[int, Expansions] = {}
        self._residents: dict[int, Resident] = {}
        self._translators: dict[int, tuple[int, Translator]] = {}

    def sources(self, ctx: Context, inline: Sequence[Resource] = ()) -> list[ContentSource]:
        """Where content comes from for one request, in order of precedence.

        Args:
            ctx: Who asks: it sees of the record what it may search.
            inline: What the request brings with it (`tx-resource`).
        """
        from terminology.core.content import InlineSource, PackageSource
        from terminology.core.record import RecordSource

        record = RecordSource(self._record(ctx), self._shelf, ctx.tenant.key)
        own: list[ContentSource] = [InlineSource(inline)] if inline else []
        return [*own, record, PackageSource()]

    def _record(self, ctx: Context) -> VisibleRecord:
        return VisibleRecord(self._store, ctx, self._found.setdefault(ctx.tenant.key, Found()))

    async def value_set(self, ctx: Context, id: str) -> ValueSet | None:
        """A value set of the record by its logical id, None when there is none to see."""
        from terminology.core.shapes import ValueSet

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

    def answers(self, tenant: Tenant) -> MemberOf:
        """`held`, made when the first question comes."""
        return _Later(self, tenant)

    async def with_answers(self, tenant: Tenant, ask: Callable[[], Awaitable[T]]) -> T:
        """Do something that may ask `answers`, again when they lacked content.

        R4's own rules ask nothing of terminology: then it is done once and costs no more.

        Args:
            tenant: Whose record.
            ask: Without side effects.
        """
        held = self._residents.get(tenant.key)
        if held is None or not held.is_used:
            found = await ask()
            held = self._residents.get(tenant.key)
            if held is None or not held.wants:
                return found
        from terminology.core.resident import settled

        return await settled(held, ask)

    def resident(self, ctx: Context) -> Resident:
        """Answers without waiting, from what whoever asks may see."""
        return self._resident(ctx) if self.is_limited(ctx) else self.held(ctx.tenant)

    def _resident(self, ctx: Context) -> Resident:
        from terminology.core.resident import Resident

        return Resident(self.sources(ctx), partial(self.stamp, ctx.tenant.key))

    async def translator(self, tenant: Tenant, canonicals: Iterable[str]) -> Translator:
        """Translation by concept maps without waiting, good until the next call.

        Costs a point read while no concept map of the record changes.

        Args:
            tenant: Whose record.
            canonicals: Of the maps that will be asked.
        """
        from terminology.core.concept_map import compiled
        from terminology.core.translating import with_others
        from terminology.core.translator import Translator
        from terminology.core.versions import choose

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


class _Later:
    """What is held, once it is asked."""

    def __init__(self, terminology: Terminology, tenant: Tenant) -> None:
        self._terminology, self._tenant = terminology, tenant

    def member_of(self, system: str | None, code: str, value_set: str) -> bool | None:
        return self._terminology.held(self._tenant).member_of(system, code, value_set)

    def subsumes(self, system: str, general: str, specific: str) -> bool | None:
        return self._terminology.held(self._tenant).subsumes(system, general, specific)
