"""SearchParameter resources made at run time, checked and turned into parameters.

https://hl7.org/fhir/R4/searchparameter.html. Called by interactions when a SearchParameter is
written and when a worker rebuilds its registry.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from hub.definitions import SearchParameter, SearchParameterComponent, is_resource_type
from hub.errors import Issue, Unprocessable, fault
from hub.fhirpath import FHIRPathError
from hub.fhirpath import compile as compile_expression
from hub.search.extraction.leaves import is_indexed
from hub.search.extraction.plan import OF_RESOURCE
from hub.search.extraction.routes import leads_nowhere, routes_of
from hub.search.registry import ParameterRegistry
from hub.search.traits import indexed_routes

TYPES = frozenset(
    ["number", "date", "string", "token", "reference", "composite", "quantity", "uri"]
)
_ABSTRACT = frozenset(["Resource", "DomainResource"])
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_\-]{0,63}").fullmatch
_EXPRESSION = "SearchParameter.expression"
_LEAST_COMPONENTS = 2


def compile_parameter(
    resource: dict[str, Any], key: int, registry: ParameterRegistry | None = None
) -> SearchParameter:
    """Read a valid SearchParameter resource and make sure that it can be indexed.

    Args:
        resource: A SearchParameter that passed validation.
        key: The key that the store gave it; any while it has none.
        registry: The parameters that are known, for components. None trusts a definition that
            was checked before.

    Raises:
        Unprocessable: It cannot be used; every issue is named.
    """
    parameter = SearchParameter(
        key=key,
        url=resource["url"],
        code=resource["code"],
        type=resource["type"],
        base=tuple(resource.get("base", ())),
        expression=resource.get("expression", ""),
        targets=tuple(resource.get("target", ())),
        components=tuple(
            SearchParameterComponent(part["definition"].partition("|")[0], part["expression"])
            for part in resource.get("component", ())
        ),
        description=" ".join(resource.get("description", "").split()),
    )
    issues = list(_shape_issues(parameter))
    if not issues and registry is not None:
        issues = list(_expression_issues(parameter, registry))
    if issues:
        raise Unprocessable(issues)
    return parameter


def _shape_issues(parameter: SearchParameter) -> Iterator[Issue]:
    if not parameter.expression:
        yield fault("required", "search-parameter-no-expression", _EXPRESSION)
    if parameter.type not in TYPES:
        yield fault(
            "not-supported",
            "search-parameter-type",
            "SearchParameter.type",
            kind=parameter.type,
        )
    if _CODE(parameter.code) is None:
        yield fault("value", "search-parameter-code", "SearchParameter.code")
    if not parameter.base:
        yield fault("required", "search-parameter-base", "SearchParameter.base")
    for index, base in enumerate(parameter.base):
        if base not in _ABSTRACT and not is_resource_type(base):
            yield fault("value", "search-parameter-base", f"SearchParameter.base[{index}]")
    for index, target in enumerate(parameter.targets):
        if target != "Resource" and not is_resource_type(target):
            place = f"SearchParameter.target[{index}]"
            yield fault("value", "search-parameter-target", place, target=target[:64])
    is_composite = parameter.type == "composite"
    if is_composite != bool(parameter.components) or (
        is_composite and len(parameter.components) < _LEAST_COMPONENTS
    ):
        yield fault("invariant", "search-parameter-components", "SearchParameter.component")


def _expression_issues(parameter: SearchParameter, registry: ParameterRegistry) -> Iterator[Issue]:
    for base in parameter.base:
        try:
            compile_expression(parameter.expression, keep=False)
            taken_apart = routes_of(parameter.expression, base)
        except FHIRPathError as error:
            yield from (replace(issue, location=_EXPRESSION) for issue in error.issues)
            return
        if parameter.type == "composite":
            yield from _composite_issues(parameter, base, registry)
        elif not indexed_routes(parameter, base) and all(
            leads_nowhere(part, base) for part in taken_apart.rest
        ):
            yield _gives_nothing(parameter, base)


def _composite_issues(
    parameter: SearchParameter, base: str, registry: ParameterRegistry
) -> Iterator[Issue]:
    """Both the element and its components have to be paths."""
    taken_apart = routes_of(parameter.expression, base)
    is_resource_alone = all(
        part.expression.startswith(OF_RESOURCE) for part in parameter.components
    )
    if not taken_apart.routes or taken_apart.rest or is_resource_alone:
        yield _gives_nothing(parameter, base)
    for index, part in enumerate(parameter.components):
        place = f"SearchParameter.component[{index}]"
        definition = registry.component(part.definition)
        if definition is None or definition.type in ("composite", "special"):
            yield fault("not-found", "search-parameter-component", place, index=index)
            continue
        of_resource = part.expression.startswith(OF_RESOURCE)
        expression = part.expression.removeprefix(OF_RESOURCE)
        focuses = {base} if of_resource else {route.type for route in taken_apart.routes}
        try:
            found = [routes_of(expression, focus) for focus in sorted(focuses)]
        except FHIRPathError as error:
            yield from (replace(issue, location=f"{place}.expression") for issue in error.issues)
            continue
        types = {route.type for routes in found for route in routes.routes}
        if not any(is_indexed(definition.type, name) for name in types):
            yield fault(
                "value",
                "search-parameter-nothing",
                f"{place}.expression",
                type=base,
                kind=definition.type,
            )


def _gives_nothing(parameter: SearchParameter, base: str) -> Issue:
    return fault("value", "search-parameter-nothing", _EXPRESSION, type=base, kind=parameter.type)
