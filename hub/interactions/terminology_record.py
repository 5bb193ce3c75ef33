"""The record's terminology content as whoever asks may see it, and what searches of it found.

Implements `terminology.core.record.Record`; made by `hub.interactions.terminology`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hub.access.policy import decide
from hub.interactions.binary import content_of
from hub.search.parse import criteria_of
from hub.search.query import Criterion, Query
from hub.search.registry import core
from hub.search.rewrite import RewriteContext, apply_rules
from hub.storage.port import StoreUnavailable

if TYPE_CHECKING:
    from hub.context import Context
    from hub.storage.port import Store, Stored

PAGE = 100

MOST_SEARCHES = 1_000
"""Searches whose result is remembered for a tenant, while nothing of the type changes."""

MOST_BYTES = 32 * 1024 * 1024
"""Of urls and bodies that are remembered with them."""

Search = tuple[str, str, str]


@dataclass(slots=True)
class Found:
    """What searches of a tenant found, while the type's last change is the one noted."""

    stamps: dict[str, int] = field(default_factory=dict)
    results: dict[Search, tuple[Stored, ...]] = field(default_factory=dict)
    size: int = 0

    def of(self, search: Search, stamp: int) -> tuple[Stored, ...] | None:
        """What the search found; None when it has to be run."""
        if self.stamps.get(search[0]) != stamp:
            self.stamps[search[0]] = stamp
            self.results = {one: kept for one, kept in self.results.items() if one[0] != search[0]}
            self.size = sum(_size(*kept) for kept in self.results.items())
        return self.results.get(search)

    def keep(self, search: Search, stamp: int, found: tuple[Stored, ...]) -> None:
        """Remember what it found."""
        size = _size(search, found)
        if self.stamps.get(search[0]) != stamp or size > MOST_BYTES:
            return
        if len(self.results) >= MOST_SEARCHES or self.size + size > MOST_BYTES:
            self.results.clear()
            self.size = 0
        self.results[search] = found
        self.size += size


def _size(search: Search, found: Sequence[Stored]) -> int:
    """What is remembered, a url of any length too."""
    return len(search[2]) + sum(len(one.tail) for one in found)


class VisibleRecord:
    """The record for one request."""

    def __init__(self, store: Store, ctx: Context, known: Found) -> None:
        """Look for somebody.

        Args:
            store: The record.
            ctx: Who asks.
            known: What searches of the tenant found before.
        """
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
        from terminology.core import packed

        stored = await self._store.read(self._tenant, "Binary", id)
        if stored is None or stored.deleted:
            return None
        content = content_of(stored)
        if content.content_type != packed.CONTENT_TYPE or content.size > packed.MOST_BYTES:
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
