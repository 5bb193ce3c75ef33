"""The extraction plan of a resource type: all its parameters compiled to one pass.

Called by `hub.search.registry`, which keeps a plan per type.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hub.definitions import SearchParameter, compartment, compartment_names, search_parameters_of
from hub.fhirpath import schema
from hub.search.extraction.engine import engine_visit
from hub.search.extraction.found import Found, Visit
from hub.search.extraction.routes import Get, Refers, Route, Step, routes_of
from hub.search.extraction.rows import rows_visit
from hub.search.extraction.tree import Branch, Component, Composite, Leaf
from hub.search.extraction.walker import resource_visit
from hub.search.traits import indexed_routes, traits_of
from hub.search.values import COMPARTMENT_KEY, ReferenceRow

STORE_COLUMNS = frozenset(["_id", "_lastUpdated"])
"""Parameters that every store answers from its own columns; they give no rows."""

OF_RESOURCE = "%resource."
ByUrl = Mapping[str, SearchParameter]


def compile_type(resource_type: str, parameters: Iterable[SearchParameter], by_url: ByUrl) -> Visit:
    """The one pass that finds everything a resource of a type is indexed by.

    Args:
        resource_type: A concrete resource type.
        parameters: Those that apply to it.
        by_url: All parameters by canonical, for components.
    """
    chosen = list(parameters)
    root = Branch(resource_type)
    _plant(root, chosen, by_url, _compartments_by_key(resource_type))
    visits = [resource_visit(root), *_engine_visits(resource_type, chosen)]
    if any("{def}" in compartment(name).get(resource_type, ()) for name in compartment_names()):
        visits.append(_note_own_compartment)

    def visit(resource: Any, found: Found) -> None:
        for each in visits:
            each(resource, found)

    return visit


def compile_parameter_rows(resource_type: str, parameter: SearchParameter, by_url: ByUrl) -> Visit:
    """The rows of one parameter alone, for includes and reindexing.

    Args:
        resource_type: A concrete resource type.
        parameter: One that applies to it.
        by_url: All parameters by canonical, for components.
    """
    root = Branch(resource_type)
    _plant(root, [parameter], by_url, {})
    rows = rows_visit(root)
    visits = [rows] if rows is not None else []
    visits += _engine_visits(resource_type, [parameter])

    def visit(resource: Any, found: Found) -> None:
        for each in visits:
            each(resource, found)

    return visit


def is_extracted(parameter: SearchParameter) -> bool:
    """Whether a parameter has index rows."""
    return bool(parameter.expression) and parameter.code not in STORE_COLUMNS


def _plant(
    root: Branch,
    parameters: Iterable[SearchParameter],
    by_url: ByUrl,
    compartments: Mapping[int, tuple[str, ...]],
) -> None:
    """Grow the tree of some parameters."""
    for parameter in filter(is_extracted, parameters):
        for route in indexed_routes(parameter, root.type):
            branch = root.at(route, _types_along(root.type, route.steps))
            if parameter.type == "composite":
                branch.composites.append(_composite(parameter, branch.type, root.type, by_url))
                continue
            branch.add(
                Leaf(
                    parameter.key,
                    parameter.type,
                    traits_of(parameter).folding,
                    _target(parameter, route),
                    compartments.get(parameter.key, ()),
                )
            )


def _target(parameter: SearchParameter, route: Route) -> str:
    """The one type of resource that a parameter sees behind a route, "" for any."""
    limits = [step.type for step in route.steps if isinstance(step, Refers)]
    if route.type == "Resource" and len(parameter.targets) == 1:
        limits.extend(parameter.targets)
    return limits[0] if limits else ""


def _types_along(focus: str, steps: tuple[Step, ...]) -> tuple[str, ...]:
    """FHIR type after each step."""
    found: list[str] = []
    for step in steps:
        if isinstance(step, Get):
            focus = schema.keys(focus)[step.key][1]
        found.append(focus)
    return tuple(found)


def _composite(
    parameter: SearchParameter, focus: str, resource_type: str, by_url: ByUrl
) -> Composite:
    components: list[Component] = []
    for index, part in enumerate(parameter.components):
        definition = by_url[part.definition]
        of_resource = part.expression.startswith(OF_RESOURCE)
        expression = part.expression.removeprefix(OF_RESOURCE)
        root = Branch(resource_type if of_resource else focus)
        for route in routes_of(expression, root.type).routes:
            root.at(route, _types_along(root.type, route.steps)).add(
                Leaf(index, definition.type, traits_of(definition).folding)
            )
        components.append(Component(definition.type, root, of_resource))
    signature = tuple(
        (component.kind, str(traits_of(by_url[part.definition]).folding), part.expression)
        for component, part in zip(components, parameter.components, strict=True)
    )
    return Composite(parameter.key, signature, tuple(components))


def _engine_visits(resource_type: str, parameters: Iterable[SearchParameter]) -> list[Visit]:
    """Closures for expressions that only the FHIRPath engine can evaluate."""
    return [
        engine_visit(parameter, resource_type, rest, traits_of(parameter).folding)
        for parameter in parameters
        if is_extracted(parameter) and parameter.type != "composite"
        for rest in routes_of(parameter.expression, resource_type).rest
    ]


def _compartments_by_key(resource_type: str) -> Mapping[int, tuple[str, ...]]:
    """Parameter key to the compartments that it puts a resource into."""
    own = search_parameters_of(resource_type)
    found: dict[int, list[str]] = {}
    for name in compartment_names():
        for code in compartment(name).get(resource_type, ()):
            if code in own:
                found.setdefault(own[code].key, []).append(name)
    return {key: tuple(names) for key, names in found.items()}


def _note_own_compartment(resource: dict[str, Any], found: Found) -> None:
    """A Patient is in its own compartment, once it has an id."""
    logical_id = resource.get("id")
    if logical_id:
        found.references.append(ReferenceRow(COMPARTMENT_KEY, resource["resourceType"], logical_id))
