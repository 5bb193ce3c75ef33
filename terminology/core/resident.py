"""Answers without waiting, from content that is held: memberOf() and subsumes() of FHIRPath.

What is not held is answered with None and noted; whoever can wait fetches it (`load`) and asks
again. Implements `hub.fhirpath.MemberOf`; made by `hub.interactions.terminology`.
Spec: https://hl7.org/fhir/R4/fhirpath.html#functions
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from terminology.core.content import Kind, Library, NotLoaded
from terminology.core.effort import Effort
from terminology.core.findings import Refused
from terminology.core.membership import Doubts, contains, systems
from terminology.core.scope import Scope
from terminology.core.shapes import ContentSource
from terminology.core.value_set import Ready, ready

MOST_HELD = 1_000
"""Value sets and code systems that were asked about."""

MOST_QUESTIONS = 100_000
"""Questions until all is forgotten: codes by rule and unknown versions are held too."""

MOST_ROUNDS = 50
"""Times that content is fetched for one question: imports of imports."""

Stamp = tuple[int, ...]
Missing = tuple[Kind, str]
T = TypeVar("T")


class Resident:
    """Content that is held for questions that cannot wait."""

    def __init__(
        self, sources: Sequence[ContentSource], stamp: Callable[[], Awaitable[Stamp]]
    ) -> None:
        """Hold nothing yet.

        Args:
            sources: Where content comes from.
            stamp: Differs whenever the content has changed.
        """
        self._sources, self._stamp_now = sources, stamp
        self._scope = Scope(Library(sources))
        self._ready: dict[str, Ready | None] = {}
        self._missing: dict[Missing, None] = {}
        self._held: set[Missing] = set()
        self._stamp: Stamp | None = None
        self._questions = 0

    # --- hub.fhirpath.MemberOf --------------------------------------------------------------

    def member_of(self, system: str | None, code: str, value_set: str) -> bool | None:
        """Whether a code is in a value set; None when it cannot be told.

        Args:
            system: Code system, or None for a bare code: any of the value set's has it.
            code: The code.
            value_set: Canonical, maybe with `|version`.
        """

        def find() -> bool | None:
            prepared = self._prepared(value_set)
            if prepared is None:
                return None
            urls = [system] if system is not None else list(systems(prepared))
            doubts = Doubts()
            found = any(contains(self._scope, prepared, url, code, "", doubts) for url in urls)
            return True if found else None if doubts.choices else False

        return self._answer(find)

    def subsumes(self, system: str, general: str, specific: str) -> bool | None:
        """Whether `general` subsumes or equals `specific`; None when it cannot be told."""

        def find() -> bool | None:
            found = self._scope.choose(system).system
            if found is None:
                return None
            above, below = found.find(general), found.find(specific)
            if above is None or below is None:
                return None
            return above == below or above in found.above(below)

        return self._answer(find)

    def _prepared(self, canonical: str) -> Ready | None:
        if canonical not in self._ready:
            found = self._scope.value_set(canonical)
            prepared = None if found is None else ready(self._scope, found)
            self._ready[canonical] = prepared
        return self._ready[canonical]

    def _answer(self, find: Callable[[], T | None]) -> T | None:
        self._scope.library.effort = Effort()
        self._questions += 1
        try:
            return find()
        except NotLoaded as missing:
            self._missing.update(dict.fromkeys((missing.kind, url) for url in missing.urls))
        except Refused:
            return None  # A cycle, an import that is not there, a filter that nobody knows ...
        return None

    # --- fetching ---------------------------------------------------------------------------

    @property
    def wants(self) -> bool:
        """Whether an answer was None because content is not held."""
        return bool(self._missing)

    @property
    def is_used(self) -> bool:
        """Whether content is held, which may have changed since."""
        return bool(self._held)

    async def refresh(self) -> None:
        """Forget what is held when anything has changed, or it is much; three point reads."""
        stamp = await self._stamp_now()
        is_much = len(self._held) > MOST_HELD or self._questions > MOST_QUESTIONS
        if stamp != self._stamp or is_much:
            self._stamp, self._questions = stamp, 0
            self._scope = Scope(Library(self._sources))
            self._ready.clear()
            self._held.clear()

    async def load(self) -> None:
        """Fetch what was wanted."""
        wanted, self._missing = self._missing, {}
        for kind, url in wanted:
            await self._scope.library.load(kind, url)
            self._held.add((kind, url))


async def settled(resident: Resident, ask: Callable[[], Awaitable[T]]) -> T:
    """Ask, fetch what is missing, and ask again until nothing is.

    Args:
        resident: What answers.
        ask: Without side effects.
    """
    await resident.refresh()
    found = await ask()
    for _ in range(MOST_ROUNDS):
        if not resident.wants:
            break
        await resident.load()
        found = await ask()
    return found
