"""What follows from a SearchParameter's expression: types, targets, how tokens compare.

Parsing and extraction ask here, so that both sides of a comparison are made alike. Called by
`hub.search.registry`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from hub.definitions import SearchParameter, bound_codes, is_resource_type, type_definition
from hub.search.extraction.leaves import CASE_SENSITIVE, is_indexed
from hub.search.extraction.routes import Get, Refers, Route, routes_of
from hub.search.folding import fold_contact

_URIS = frozenset(["canonical", "uri", "url", "oid", "uuid"])


@dataclass(frozen=True, slots=True)
class Traits:
    """Facts about a parameter.

    Attributes:
        types: FHIR types of the elements it indexes, over all its bases.
        folding: What makes a token's code comparable; None: it is compared as written.
        systems: For parameters on `code` elements alone: the code systems that these elements
            imply; a search that names one of them names none.
        is_canonical: Refers by canonical, never by a Reference.
    """

    types: frozenset[str]
    folding: Callable[[str], str] | None = None
    systems: frozenset[str] = frozenset()
    is_canonical: bool = False

    @property
    def is_chainable(self) -> bool:
        """Whether its references are to resources of their own on this server."""
        return "Reference" in self.types


@lru_cache(maxsize=4096)
def traits_of(parameter: SearchParameter) -> Traits:
    """The facts about a parameter.

    Args:
        parameter: Any; without an expression it has no types.
    """
    routes = [route for base in parameter.base for route in indexed_routes(parameter, base)]
    types = frozenset(route.type for route in routes)
    if parameter.type == "token":
        return Traits(types, _folding(types), _implied_systems(parameter, types))
    if parameter.type == "reference":
        is_canonical = "canonical" in types and types <= _URIS
        return Traits(types, is_canonical=is_canonical)
    return Traits(types)


def indexed_routes(parameter: SearchParameter, base: str) -> tuple[Route, ...]:
    """The routes of a parameter on a type that end in something it can index.

    Args:
        parameter: Any.
        base: A resource type, `DomainResource` or `Resource`.
    """
    if not parameter.expression:
        return ()
    if parameter.type == "composite":
        return routes_of(parameter.expression, base).routes
    return tuple(
        route
        for route in routes_of(parameter.expression, base).routes
        if is_indexed(parameter.type, route.type)
    )


def _folding(types: frozenset[str]) -> Callable[[str], str] | None:
    if types == {"ContactPoint"}:
        return fold_contact
    return None if types & CASE_SENSITIVE or not types else str.casefold


def _implied_systems(parameter: SearchParameter, types: frozenset[str]) -> frozenset[str]:
    if types != {"code"}:
        return frozenset()
    found: set[str] = set()
    for base in parameter.base:
        for route in indexed_routes(parameter, base):
            found.update(_systems_at(base, route))
    return frozenset(found)


def _systems_at(base: str, route: Route) -> frozenset[str]:
    """Code systems of the value set that a `code` element is bound to."""
    path = ".".join((base, *(step.key for step in route.steps if isinstance(step, Get))))
    for element in type_definition(base).elements:
        if element.path == path and element.binding is not None:
            bound = bound_codes(element.binding.value_set)
            return frozenset(bound.systems) if bound is not None else frozenset()
    return frozenset()


@lru_cache(maxsize=8192)
def targets_of(parameter: SearchParameter, base: str) -> tuple[str, ...]:
    """Resource types that a reference parameter of a type may point to, sorted; empty: any.

    The parameter's own list, narrowed by what the definitions of its elements allow.

    Args:
        parameter: A reference parameter.
        base: The resource type it is asked of.
    """
    declared = frozenset(filter(is_resource_type, parameter.targets))
    allowed: set[str] = set()
    for route in indexed_routes(parameter, base):
        limits = tuple(step.type for step in route.steps if isinstance(step, Refers))
        own = limits or tuple(filter(is_resource_type, route.targets))
        if not own:
            return tuple(sorted(declared))
        allowed.update(own)
    narrowed = allowed & declared if declared else allowed
    return tuple(sorted(narrowed or allowed or declared))
