"""Content that is stored in the record: CodeSystem, ValueSet and ConceptMap resources.

Whoever asks finds only what they may read (`Record` answers for them). The current versions are
looked up for each question, so that a change is seen at once; only what they hold is kept from
question to question, by version. Concepts that a loader kept apart are read from their Binary.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, Protocol

from hub.model import json
from hub.model.body import join
from hub.storage.port import Stored
from terminology.core.code_system import code_system
from terminology.core.packed import PackedDamaged, binary_of, fingerprint, unpack, unpacked
from terminology.core.shapes import CodeSystem, Resource, ValueSet
from terminology.core.shelf import Shelf

OWN_ID = 43
"""Characters of a CodeSystem's id that the id of its Binary begins with: no other opens it."""

_TRIES = 3
_LARGE = 256 * 1024
"""Bytes of a resource from which on it is read beside the event loop."""


_log = logging.getLogger(__name__)


class Record(Protocol):
    """The record as whoever asks may see it."""

    async def find(self, type: str, parameter: str, value: str) -> Sequence[Stored]:
        """Current versions that a search finds; none when nothing of the type may be read.

        Args:
            type: Resource type.
            parameter: Search parameter, "" for all of the type.
            value: Its value.
        """

    async def packed(self, id: str) -> bytes | None:
        """The bytes of a Binary with concepts; None when there is no such Binary."""


class RecordSource:
    """The record's content for one request."""

    def __init__(self, record: Record, shelf: Shelf, tenant: int) -> None:
        """Read for somebody.

        Args:
            record: As they see it.
            shelf: What was read already.
            tenant: Key of the tenant.
        """
        self._record, self._shelf, self._tenant = record, shelf, tenant

    async def code_systems(self, url: str) -> Sequence[CodeSystem]:
        """Stored versions of a code system, without supplements."""
        found = await self._code_systems("url", url)
        return [one for one in found if one.content != "supplement" and one.url == url]

    async def supplements(self, url: str) -> Sequence[CodeSystem]:
        """Stored supplements of a code system."""
        found = await self._code_systems("supplements", url)
        return [one for one in found if one.supplements.partition("|")[0] == url]

    async def value_sets(self, url: str) -> Sequence[ValueSet]:
        """Stored versions of a value set."""
        found = []
        for stored in await self._record.find("ValueSet", "url", url):
            kept = self._kept(stored)
            if not isinstance(kept, ValueSet):
                kept = ValueSet(await _resource(stored))
                self._keep(stored, kept, 1 + len(stored.tail) // 250)
            if kept.url == url:
                found.append(kept)
        return found

    async def concept_maps(self, url: str) -> Sequence[Resource]:
        """Stored versions of a concept map; all for ""."""
        found = []
        for stored in await self._record.find("ConceptMap", "url" if url else "", url):
            kept = self._kept(stored)
            if not isinstance(kept, dict):
                kept = await _resource(stored)
                self._keep(stored, kept, 1 + len(stored.tail) // 250)
            if not url or kept.get("url") == url:
                found.append(kept)
        return found

    async def _code_systems(self, parameter: str, value: str) -> list[CodeSystem]:
        """What a search finds, decoded; it is made again when a load replaces what it found."""
        for _ in range(_TRIES):
            stored = await self._record.find("CodeSystem", parameter, value)
            found = [await self._code_system(one) for one in stored]
            if None not in found:
                break
        return [one for one in found if one is not None]

    async def _code_system(self, stored: Stored) -> CodeSystem | None:
        """A code system; None when the Binary with its concepts is not there (any more)."""
        kept = self._kept(stored)
        if isinstance(kept, CodeSystem):
            return kept
        resource = await _resource(stored)
        binary = binary_of(resource)
        if not binary.startswith(f"{stored.id[:OWN_ID]}."):
            large = len(stored.tail) > _LARGE
            made = (
                await asyncio.to_thread(code_system, resource) if large else code_system(resource)
            )
            self._keep(stored, made, 1 + len(made))
            return made
        async with self._shelf.unpacking:
            kept = self._kept(stored)
            if isinstance(kept, CodeSystem):
                return kept
            blob = await self._record.packed(binary)
            if blob is None:
                return None
            made = await asyncio.to_thread(_read, resource, binary, blob)
            self._keep(stored, made, 1 + len(made))
            return made

    def _kept(self, stored: Stored) -> object | None:
        return self._shelf.get((self._tenant, stored.type, stored.id, stored.version))

    def _keep(self, stored: Stored, content: object, weight: int) -> None:
        key = (self._tenant, stored.type, stored.id, stored.version)
        self._shelf.put(key, content, weight)


def _read(resource: Resource, binary: str, blob: bytes) -> CodeSystem:
    try:
        if binary.rpartition(".")[2] != fingerprint(blob):
            raise PackedDamaged("the Binary was written over")
        return unpacked(resource, unpack(blob))
    except PackedDamaged as error:
        _log.warning("the concepts of CodeSystem/%s cannot be read: %s", resource["id"], error)
        return code_system(resource)


async def _resource(stored: Stored) -> dict[str, Any]:
    if len(stored.tail) > _LARGE:
        return await asyncio.to_thread(_decoded, stored)
    return _decoded(stored)


def _decoded(stored: Stored) -> dict[str, Any]:
    return json.load(join(stored.type, stored.id, stored.version, stored.updated, stored.tail))
