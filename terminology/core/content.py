"""Content for one request: what the sources have, fetched when it turns out to be needed.

The service computes without waiting: it asks a `Library`, which raises `NotLoaded` for what it
does not hold yet; `answer` then fetches that and computes again. So a value set that imports
others needs no plan, and what is computed needs no `await`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Literal, TypeVar

from hub.definitions import conformance, conformance_urls
from hub.errors import HubError, fault
from terminology.core.code_system import code_system
from terminology.core.effort import Effort
from terminology.core.grammars import grammar_system
from terminology.core.shapes import CodeSystem, ContentSource, Resource, ValueSet, objects

Kind = Literal["code_systems", "supplements", "value_sets", "concept_maps"]
T = TypeVar("T")
Groups = tuple[tuple[T, ...], ...]

LARGE = 1_000
"""Concepts from which on a code system is read beside the event loop."""

MOST_FETCHES = 2_000
"""Canonicals that one answer may need."""


class NotLoaded(Exception):
    """Content is needed that the library does not hold yet."""

    def __init__(self, kind: Kind, urls: Sequence[str]) -> None:
        """Name it."""
        super().__init__(f"{kind} {' '.join(urls)}")
        self.kind: Kind = kind
        self.urls = urls


class TooMuchContent(HubError):
    """An answer would need too many code systems and value sets."""

    status = 422


class Library:
    """What the sources have, by url, as far as it was asked for.

    Each answer is grouped by source, in the order of the sources.

    Attributes:
        sources: The request's own first, the R4 package last.
        effort: What is left to be done for those who ask; whoever holds a library for several
            requests gives each its own.
    """

    def __init__(self, sources: Sequence[ContentSource]) -> None:
        """Start with nothing loaded.

        Args:
            sources: See the attribute.
        """
        self.sources = tuple(sources)
        self.effort = Effort()
        self._code_systems: dict[str, Groups[CodeSystem]] = {}
        self._supplements: dict[str, Groups[CodeSystem]] = {}
        self._value_sets: dict[str, Groups[ValueSet]] = {}
        self._concept_maps: dict[str, Groups[Resource]] = {}
        self._fetches = 0

    def code_systems(self, url: str) -> Groups[CodeSystem]:
        """Versions of a code system; NotLoaded."""
        return _held(self._code_systems, "code_systems", url)

    def supplements(self, url: str) -> Groups[CodeSystem]:
        """Supplements of a code system; NotLoaded."""
        return _held(self._supplements, "supplements", url)

    def value_sets(self, url: str) -> Groups[ValueSet]:
        """Versions of a value set; NotLoaded."""
        return _held(self._value_sets, "value_sets", url)

    def concept_maps(self, url: str) -> Groups[Resource]:
        """Versions of a concept map, all for ""; NotLoaded."""
        return _held(self._concept_maps, "concept_maps", url)

    def need(self, kind: Literal["code_systems", "value_sets"], urls: Iterable[str]) -> None:
        """See that several are held, to be fetched together; NotLoaded."""
        held = self._code_systems if kind == "code_systems" else self._value_sets
        missing = [url for url in dict.fromkeys(urls) if url not in held]
        if missing:
            raise NotLoaded(kind, missing)

    async def load(self, kind: Kind, url: str) -> None:
        """Ask the sources.

        Raises:
            TooMuchContent: It was asked for too much already.
        """
        self._fetches += 1
        if self._fetches > MOST_FETCHES:
            raise TooMuchContent(fault("too-costly", "terminology-too-much", most=MOST_FETCHES))
        match kind:
            case "code_systems":
                self._code_systems[url] = tuple(
                    [tuple(await source.code_systems(url)) for source in self.sources]
                )
            case "supplements":
                self._supplements[url] = tuple(
                    [tuple(await source.supplements(url)) for source in self.sources]
                )
            case "value_sets":
                self._value_sets[url] = tuple(
                    [tuple(await source.value_sets(url)) for source in self.sources]
                )
            case "concept_maps":
                self._concept_maps[url] = tuple(
                    [tuple(await source.concept_maps(url)) for source in self.sources]
                )


def _held(held: Mapping[str, T], kind: Kind, url: str) -> T:
    found = held.get(url)
    if found is None:
        raise NotLoaded(kind, (url,))
    return found


async def answer(library: Library, compute: Callable[[], T], aside: bool = False) -> T:
    """Compute with what is there; fetch what is missing and compute again.

    Args:
        library: Kept from one try to the next.
        compute: From the library, without side effects.
        aside: Beside the event loop, because it may take long.
    """
    while True:
        try:
            return await asyncio.to_thread(compute) if aside else compute()
        except NotLoaded as missing:
            kind, urls = missing.kind, missing.urls
        for url in urls:
            await library.load(kind, url)


# --- the R4 package -------------------------------------------------------------------------


@lru_cache(maxsize=48)
def _package_code_system(url: str) -> CodeSystem | None:
    resource = conformance(url)
    if resource is None or resource.get("resourceType") != "CodeSystem":
        return None
    return code_system(resource)


@lru_cache(maxsize=96)
def _package_value_set(url: str) -> ValueSet | None:
    resource = conformance(url)
    if resource is None or resource.get("resourceType") != "ValueSet":
        return None
    for include in objects((resource.get("compose") or {}).get("include")):
        system = conformance(str(include.get("system") or ""))
        # Some name a version that R4 does not bring: that it brings is meant.
        if "version" in include and system and system.get("version") != include["version"]:
            del include["version"]
    return ValueSet(resource)


class PackageSource:
    """R4's own content: open to whoever is let in, decoded when it is asked for."""

    async def code_systems(self, url: str) -> Sequence[CodeSystem]:
        """The one version, unless it is a supplement."""
        by_rule = grammar_system(url)
        if by_rule is not None:
            return (by_rule,)
        found = None if "|" in url else _package_code_system(url)
        return () if found is None or found.content == "supplement" else (found,)

    async def supplements(self, url: str) -> Sequence[CodeSystem]:
        """None: the package's only one is an example."""
        return ()

    async def value_sets(self, url: str) -> Sequence[ValueSet]:
        """The one version."""
        found = None if "|" in url else _package_value_set(url)
        return () if found is None else (found,)

    async def concept_maps(self, url: str) -> Sequence[Resource]:
        """The one version; all for ""."""
        if not url:
            found = [conformance(one) for one in conformance_urls("ConceptMap")]
        else:
            found = [None if "|" in url else conformance(url)]
        return [one for one in found if one and one.get("resourceType") == "ConceptMap"]


# --- what a request brings with it ----------------------------------------------------------


class InlineSource:
    """The resources of a request: `tx-resource` parameters and a value set given whole."""

    def __init__(self, resources: Sequence[Resource]) -> None:
        """Keep them.

        Args:
            resources: CodeSystem, ValueSet and ConceptMap; others are not looked at.
        """
        self._resources = tuple(resources)

    def _of(self, type: str, url: str) -> list[Resource]:
        return [
            one
            for one in self._resources
            if one.get("resourceType") == type and (not url or one.get("url") == url)
        ]

    async def code_systems(self, url: str) -> Sequence[CodeSystem]:
        """Those with the url."""
        found = [await _read(one) for one in self._of("CodeSystem", url)]
        return [one for one in found if one.content != "supplement"]

    async def supplements(self, url: str) -> Sequence[CodeSystem]:
        """Those that supplement the url."""
        found = [
            one
            for one in self._of("CodeSystem", "")
            if one.get("content") == "supplement"
            and str(one.get("supplements") or "").partition("|")[0] == url
        ]
        return [await _read(one) for one in found]

    async def value_sets(self, url: str) -> Sequence[ValueSet]:
        """Those with the url."""
        return [ValueSet(one) for one in self._of("ValueSet", url)]

    async def concept_maps(self, url: str) -> Sequence[Resource]:
        """Those with the url; all for ""."""
        return self._of("ConceptMap", url)


async def _read(resource: Resource) -> CodeSystem:
    concepts = resource.get("concept")
    if isinstance(concepts, list) and len(concepts) > LARGE:
        return await asyncio.to_thread(code_system, resource)
    return code_system(resource)
