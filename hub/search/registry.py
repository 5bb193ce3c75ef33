"""The search parameters a server knows: the core package's and those made at run time.

Immutable; a change makes a new registry, which the caller swaps in. Compiled extraction plans
are kept per type and made on first use. Called by extraction, parsing and interactions.
Spec: https://hl7.org/fhir/R4/searchparameter.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType

from hub.definitions import (
    SearchParameter,
    ancestors,
    search_parameters,
    search_parameters_of,
)
from hub.search.extraction.found import Visit
from hub.search.extraction.plan import compile_parameter_rows, compile_type

FIRST_RUNTIME_KEY = 10_000


class ParameterRegistry:
    """Search parameters by type and code.

    Attributes:
        runtime: The parameters made at run time, by key.
    """

    def __init__(self, runtime: Iterable[SearchParameter] = ()) -> None:
        """Add parameters to the core ones.

        Args:
            runtime: Compiled SearchParameters; where a code is taken already on a type, the
                core parameter stays.
        """
        self.runtime: Mapping[int, SearchParameter] = MappingProxyType(
            {parameter.key: parameter for parameter in runtime}
        )
        self._of: dict[str, Mapping[str, SearchParameter]] = {}
        self._plans: dict[str, Visit] = {}
        self._rows: dict[tuple[str, int], Visit] = {}
        self._by_url: Mapping[str, SearchParameter] | None = None

    def with_runtime(self, parameters: Iterable[SearchParameter]) -> ParameterRegistry:
        """A registry with these run-time parameters in place of the present ones."""
        return ParameterRegistry(parameters)

    def of(self, resource_type: str) -> Mapping[str, SearchParameter]:
        """The parameters of a type by code, those of DomainResource and Resource included.

        Args:
            resource_type: A resource type, `DomainResource` or `Resource`.

        Raises:
            KeyError: R4 has no such type.
        """
        found = self._of.get(resource_type)
        if found is None:
            found = self._of[resource_type] = self._collect(resource_type)
        return found

    def _collect(self, resource_type: str) -> Mapping[str, SearchParameter]:
        core = search_parameters_of(resource_type)
        lineage = frozenset(ancestors(resource_type))
        added = {
            parameter.code: parameter
            for parameter in self.runtime.values()
            if not lineage.isdisjoint(parameter.base) and parameter.code not in core
        }
        return MappingProxyType({**core, **added}) if added else core

    def get(self, resource_type: str, code: str) -> SearchParameter | None:
        """A parameter of a type, None if the type has none of this code."""
        return self.of(resource_type).get(code)

    @property
    def by_url(self) -> Mapping[str, SearchParameter]:
        """All parameters by canonical."""
        if self._by_url is None:
            self._by_url = MappingProxyType(
                {
                    parameter.url: parameter
                    for parameter in (*search_parameters(), *self.runtime.values())
                }
            )
        return self._by_url

    def is_core(self, url: str) -> bool:
        """Whether the canonical is one of the core package's parameters."""
        return url in _core_urls()

    def plan(self, resource_type: str) -> Visit:
        """The compiled pass that extracts all of a type's rows."""
        found = self._plans.get(resource_type)
        if found is None:
            found = compile_type(resource_type, self.of(resource_type).values(), self.by_url)
            self._plans[resource_type] = found
        return found

    def rows_of(self, resource_type: str, parameter: SearchParameter) -> Visit:
        """The compiled pass that extracts one parameter's rows of a type."""
        place = (resource_type, parameter.key)
        found = self._rows.get(place)
        if found is None:
            found = compile_parameter_rows(resource_type, parameter, self.by_url)
            self._rows[place] = found
        return found

    def component(self, url: str) -> SearchParameter | None:
        """The parameter a composite's component names; a version is not looked at."""
        return self.by_url.get(url.partition("|")[0])

    def references(self, resource_type: str) -> tuple[SearchParameter, ...]:
        """The reference parameters of a type, by code."""
        return tuple(
            parameter
            for parameter in self.of(resource_type).values()
            if parameter.type == "reference"
        )


@lru_cache(maxsize=1)
def core() -> ParameterRegistry:
    """The registry of the core package alone."""
    return ParameterRegistry()


@lru_cache(maxsize=1)
def _core_urls() -> frozenset[str]:
    return frozenset(parameter.url for parameter in search_parameters())
