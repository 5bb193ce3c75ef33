"""Rows of expressions that are no plain paths, evaluated by the FHIRPath engine.

Of the core parameters that is Patient-deceased alone; a SearchParameter made at run time may
hold any expression. Called by `hub.search.extraction.plan`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from hub.definitions import SearchParameter
from hub.fhirpath import Environment, FHIRPathError, Limits
from hub.fhirpath import compile as compile_expression
from hub.search.extraction import references
from hub.search.extraction.found import Found, Visit
from hub.search.extraction.leaves import LEAVES, TOKENS

_SYSTEM_TYPES = {
    "System.Boolean": "boolean",
    "System.String": "string",
    "System.Integer": "integer",
    "System.Decimal": "decimal",
}
_FIRST_RUNTIME_KEY = 10_000
_UNTRUSTED = Environment(limits=Limits(steps=50_000, items=10_000, text=100_000, milliseconds=100))


def engine_visit(
    parameter: SearchParameter,
    resource_type: str,
    expression: str,
    folding: Callable[[str], str] | None,
) -> Visit:
    """A closure that evaluates an expression on a resource and notes what it gives.

    Args:
        parameter: Whose rows they are.
        resource_type: Type of the resources.
        expression: FHIRPath.
        folding: How the parameter's tokens fold.
    """
    compiled = compile_expression(expression, root_type=resource_type)
    key, kind = parameter.key, parameter.type
    environment = _UNTRUSTED if key >= _FIRST_RUNTIME_KEY else None

    @cache
    def leaf(fhir_type: str) -> Visit | None:
        fhir_type = _SYSTEM_TYPES.get(fhir_type, fhir_type)
        if kind == "token" and fhir_type in TOKENS:
            return TOKENS[fhir_type]((key,), folding)
        if kind == "reference" and fhir_type == "Reference":
            return references.reference((key,), {})
        factory = LEAVES.get((kind, fhir_type))
        return None if factory is None else factory((key,))

    def visit(resource: Any, found: Found) -> None:
        try:
            items = compiled.evaluate(resource, environment)
        except FHIRPathError:
            # What cannot be evaluated cannot be found; it must not stop the write.
            return
        for item in items:
            own = leaf(item.type)
            if own is not None and item.value is not None:
                own(item.value, found)

    return visit
