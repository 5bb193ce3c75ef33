"""FHIRPath, compiled to closures: http://hl7.org/fhirpath/N1/ with R4's functions.

Search extraction, invariants, FHIRPath Patch, subscriptions and the `$fhirpath` operation go
through `compile`. A process compiles each expression once.
"""

from __future__ import annotations

from functools import lru_cache

from hub.fhirpath.environment import DEFAULT_LIMITS, Environment, Limits
from hub.fhirpath.errors import (
    FHIRPathError,
    FHIRPathEvaluationError,
    FHIRPathLimitError,
    FHIRPathSemanticError,
    FHIRPathSyntaxError,
)
from hub.fhirpath.expression import Expression
from hub.fhirpath.item import Item
from hub.fhirpath.parser import parse_expression
from hub.fhirpath.quantity import Quantity
from hub.fhirpath.resolver import ConformsTo, MemberOf, Resolver
from hub.fhirpath.temporal import Temporal

__all__ = [
    "DEFAULT_LIMITS",
    "ConformsTo",
    "Environment",
    "Expression",
    "FHIRPathError",
    "FHIRPathEvaluationError",
    "FHIRPathLimitError",
    "FHIRPathSemanticError",
    "FHIRPathSyntaxError",
    "Item",
    "Limits",
    "MemberOf",
    "Quantity",
    "Resolver",
    "Temporal",
    "compile",
]


def compile(
    expression: str, *, root_type: str | None = None, strict: bool = False, keep: bool = True
) -> Expression:
    """Compile an expression.

    Args:
        expression: FHIRPath.
        root_type: Type of the items it will be evaluated on: `Patient`, `HumanName`, or the
            path of a backbone element (`Observation.component`). None: any resource; then it
            is compiled once more for each resource type it meets.
        strict: Elements that the types cannot have are errors instead of empty.
        keep: Remember it for the next call. False for expressions that come with a request:
            they must not fill the memory.

    Raises:
        FHIRPathSyntaxError: It is not FHIRPath.
        FHIRPathSemanticError: Unknown function, type or variable, wrong number of arguments;
            when strict also an unknown element.
    """
    if keep:
        return _kept(expression, root_type, strict)
    return Expression(expression, parse_expression(expression), root_type, strict)


@lru_cache(maxsize=8192)
def _kept(expression: str, root_type: str | None, strict: bool) -> Expression:
    return Expression(expression, parse_expression(expression), root_type, strict)
