"""One call from resource and expression to types and values: for people and test suites.

The `$fhirpath` operation and the runner of HL7's suite use it. Everything here comes from
outside, so it evaluates in strict, guarded mode.
"""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import Any

from hub.fhirpath.environment import DEFAULT_LIMITS, Environment
from hub.fhirpath.expression import Expression
from hub.fhirpath.item import Item
from hub.fhirpath.parser import parse_expression
from hub.fhirpath.schema import type_of_resource
from hub.fhirpath.values import plain


def exact(value: Any) -> Any:
    """JSON with its floats as decimals."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, dict):
        return {key: exact(part) for key, part in value.items()}
    return [exact(part) for part in value] if isinstance(value, list) else value


def evaluate_items(
    resource: Any, expression: str, environment: Environment | None = None
) -> list[Item]:
    """The items of a strict, guarded evaluation, with their locations.

    Args:
        resource: A resource in JSON form, or None.
        expression: FHIRPath.
        environment: Services and variables; its limits, or the default ones, hold.

    Raises:
        FHIRPathError: Syntax, meaning, evaluation or limits.
    """
    environment = environment or Environment()
    if environment.limits is None:
        environment = dataclasses.replace(environment, limits=DEFAULT_LIMITS)
    own = type_of_resource(resource) or None
    compiled = Expression(expression, parse_expression(expression), own, strict=True)
    return compiled.evaluate_located(resource, environment)


def evaluate(resource: Any, expression: str) -> list[tuple[str, Any]]:
    """Pairs of type and JSON value, as the runner of HL7's suite takes them.

    Args:
        resource: A resource in JSON form, or None; floats become decimals.
        expression: FHIRPath.

    Raises:
        FHIRPathError: Syntax, meaning, evaluation or limits.
    """
    items = evaluate_items(exact(resource), expression)
    return [(item.type, plain(item.value)) for item in items]
