"""Rows of expressions that are no plain paths, evaluated by the FHIRPath engine.

Of the core parameters that is Patient-deceased alone; a SearchParameter made at run time may
hold any expression. Called by `hub.search.extraction.plan`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from hub.definitions import SearchParameter
from hub.search.extraction import references
from hub.search.extraction.found import Found, Visit
from hub.search.extraction.leaves import LEAVES, TOKENS

_SYSTEM_TYPES = {
    "System.Boolean": "boolean",
    "System.String": "string",
    "System.Integer": "integer",
    "System.Decimal": "decimal",
}


def engine_visit(
    parameter: SearchParameter, expression: str, folding: Callable[[str], str] | None
) -> Visit:
    """A closure that evaluates an expression on a resource and notes what it gives.

    Args:
        parameter: Whose rows they are.
        expression: FHIRPath.
        folding: How the parameter's tokens fold.
    """
    from hub.fhirpath import compile as compile_expression

    compiled = compile_expression(expression)
    key, kind = parameter.key, parameter.type

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
        for item in compiled.evaluate(resource):
            own = leaf(item.type)
            if own is not None and item.value is not None:
                own(item.value, found)

    return visit
