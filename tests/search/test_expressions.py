"""Every core expression: the compiled pass finds what the FHIRPath engine finds."""

from __future__ import annotations

from typing import Any

import pytest

from hub.definitions import (
    SearchParameter,
    left_out_parameters,
    resource_types,
    search_parameters,
)
from hub.fhirpath import Environment
from hub.fhirpath import compile as compile_expression
from hub.search import registry
from hub.search.extract import extract
from hub.search.extraction import references
from hub.search.extraction.found import Found
from hub.search.extraction.leaves import LEAVES, TOKENS
from hub.search.extraction.plan import is_extracted
from hub.search.extraction.routes import routes_of
from hub.search.traits import indexed_routes, traits_of
from tests.search.fullest import fullest, variants
from tests.search.reading import BASE, ZONE

CORE = registry.core()
_KINDS = {
    "string": "strings",
    "token": "tokens",
    "reference": "references",
    "date": "dates",
    "number": "numbers",
    "quantity": "quantities",
    "uri": "uris",
    "special": "positions",
    "composite": "composites",
}
_SYSTEM = {"System.Boolean": "boolean", "System.String": "string"}


class ByText:
    """Resolves a reference to a resource of the type that its text says."""

    def resolve(self, reference: str) -> dict[str, Any] | None:
        kind, _, logical_id = reference.partition("/")
        return {"resourceType": kind, "id": logical_id} if kind in resource_types() else None


RESOLVING = Environment(resolver=ByText())


def by_engine(parameter: SearchParameter, resource: dict[str, Any]) -> set[Any]:
    """Rows of what the FHIRPath engine selects, made by the same leaves."""
    found = Found(resource, ZONE, BASE)
    for item in compile_expression(parameter.expression).evaluate(resource, RESOLVING):
        own = _SYSTEM.get(item.type, item.type)
        if item.value is None:
            continue
        if parameter.type == "token" and own in TOKENS:
            TOKENS[own]((parameter.key,), traits_of(parameter).folding)(item.value, found)
        elif parameter.type == "reference" and own == "Reference":
            references.reference((parameter.key,), {})(item.value, found)
        elif (parameter.type, own) in LEAVES:
            LEAVES[parameter.type, own]((parameter.key,))(item.value, found)
        elif parameter.type == "reference" and own in parameter.targets:
            LEAVES["reference", "Resource"]((parameter.key,))(item.value, found)
    return set(getattr(found, _KINDS[parameter.type]))


def by_rows(parameter: SearchParameter, resource: dict[str, Any]) -> set[Any]:
    found = Found(resource, ZONE, BASE)
    CORE.rows_of(resource["resourceType"], parameter)(resource, found)
    rows = getattr(found, _KINDS[parameter.type])
    return {row for row in rows if row.key == parameter.key}


def by_pass(parameter: SearchParameter, resource: dict[str, Any]) -> set[Any]:
    rows = getattr(extract(CORE, resource, zone=ZONE, base=BASE), _KINDS[parameter.type])
    return {row for row in rows if row.key == parameter.key}


@pytest.mark.parametrize("resource_type", resource_types())
def test_the_compiled_pass_finds_what_the_engine_finds(resource_type: str) -> None:
    for variant in range(variants(resource_type)):
        resource = fullest(resource_type, variant)
        for code, parameter in CORE.of(resource_type).items():
            if not is_extracted(parameter):
                continue
            once = by_pass(parameter, resource)
            assert once == by_rows(parameter, resource), (code, variant)
            if parameter.type != "composite":
                assert once == by_engine(parameter, resource), (code, variant)


def test_every_parameter_with_an_expression_gives_rows_of_some_resource() -> None:
    silent = {parameter.url for parameter in search_parameters() if is_extracted(parameter)}
    silent -= left_out_parameters().keys()
    for resource_type in resource_types():
        own = [one for one in CORE.of(resource_type).values() if one.url in silent]
        for variant in range(variants(resource_type)):
            for parameter in own:
                resource = fullest(resource_type, variant)
                if parameter.url in silent and by_rows(parameter, resource):
                    silent.discard(parameter.url)
    assert silent == set()


def test_all_parameters_with_an_expression_are_compiled() -> None:
    with_expression = [one for one in search_parameters() if one.expression]
    left_out = [one for one in with_expression if one.url in left_out_parameters()]
    assert len(with_expression) == 1384
    assert all(
        one.url in left_out_parameters() for one in search_parameters() if not one.expression
    )
    for parameter in with_expression:
        if parameter in left_out:
            continue
        for base in parameter.base:
            rest = routes_of(parameter.expression, base).rest
            assert indexed_routes(parameter, base) or rest, (parameter.url, base)


def test_only_one_core_expression_needs_the_engine() -> None:
    needing = {
        parameter.code
        for parameter in search_parameters()
        if parameter.expression and parameter.url not in left_out_parameters()
        for base in parameter.base
        if routes_of(parameter.expression, base).rest
    }
    assert needing == {"deceased"}
