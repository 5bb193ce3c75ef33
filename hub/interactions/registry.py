"""The search parameters in force, for each tenant: R4's and those made at run time.

Whoever asks for them looks at the store's generation (2 us) and rebuilds when it moved, for
another process may have changed them; commits carry the generation their index rows were made
with, so that one that was overtaken is refused and extracts again. Used by every interaction
through the door.
"""

from __future__ import annotations

import asyncio
import logging
from typing import NamedTuple

from hub.definitions import SearchParameter
from hub.errors import HubError
from hub.interactions.answer import resource_of
from hub.interactions.index_state import RenewalWatch
from hub.search.registry import ParameterRegistry, core
from hub.search.runtime import compile_parameter
from hub.storage.port import BodyDamaged, RuntimeParameter, Store

_log = logging.getLogger(__name__)


class Definitions(NamedTuple):
    """One generation of a tenant's search parameters.

    Attributes:
        generation: The store's count of changes.
        registry: What extraction and searches use.
        indexing: Keys of the parameters whose index is not complete yet.
    """

    generation: int
    registry: ParameterRegistry
    indexing: frozenset[int]


class RegistryHolder:
    """Keeps the newest `Definitions` of each tenant.

    Attributes:
        moved: Set when this process changed a tenant's search parameters; the indexing job
            waits for it.
        behind: Whether a registration failed after its SearchParameter was stored.
        renewal: Tells whether all index rows are being made anew.
    """

    def __init__(self, store: Store) -> None:
        """Start empty.

        Args:
            store: Holds the parameters made at run time.
        """
        self._store = store
        self._held: dict[int, Definitions] = {}
        self.moved = asyncio.Event()
        self.behind = False
        self.renewal = RenewalWatch(store)

    async def of(self, tenant: int) -> Definitions:
        """The search parameters of a tenant as the store has them now."""
        generation = await self._store.generation(tenant)
        held = self._held.get(tenant)
        if held is None or held.generation != generation:
            runtime = await self._store.parameters(tenant)
            registry = core()
            if runtime:
                registry = registry.with_runtime(await self._parameters(tenant, runtime))
            indexing = frozenset(one.key for one in runtime if one.status != "completed")
            held = self._held[tenant] = Definitions(generation, registry, indexing)
        return held

    async def _parameters(
        self, tenant: int, runtime: tuple[RuntimeParameter, ...]
    ) -> list[SearchParameter]:
        """The parameters as their resources define them; one that is broken is left out."""
        made = []
        for one in runtime:
            try:
                stored = await self._store.read(tenant, "SearchParameter", one.resource_id)
                if stored is not None and not stored.deleted:
                    made.append(compile_parameter(resource_of(stored), one.key))
            except (HubError, BodyDamaged) as error:
                _log.warning("search parameter %s is not usable: %s", one.resource_id, error)
        return made
