"""$fhirpath: evaluate an expression on a resource. The hub's own operation.

The answer has the shape that FHIRPath test tools share: a Parameters with one parameter
`result`, whose parts are the items, named by their type; what has no value[x] stands as JSON
in an extension; `trace` parts show what trace() saw. Documented in docs/operations/README.md.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import lru_cache
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

from hub.context import Context
from hub.definitions import type_definition
from hub.fhirpath import Environment, Item, Limits, MemberOf, Quantity, Temporal, compile
from hub.interactions import Interactions
from hub.interactions.operation import OPEN, Operation, OperationAnswer, OperationRequest
from hub.model import json
from hub.operations.definitions import own_definition
from hub.operations.parameters import (
    Resource,
    named,
    only,
    parts,
    required,
    resource_of,
    text,
    value,
)
from hub.validation.narrative import is_safe

JSON_VALUE = "http://fhir.forms-lab.com/StructureDefinition/json-value"
LIMITS = Limits()


@lru_cache(maxsize=1)
def value_names() -> dict[str, str]:
    """FHIR type to its value[x] name in Parameters (`code` -> `valueCode`)."""
    elements = type_definition("Parameters").elements
    types = next(one.types for one in elements if one.path == "Parameters.parameter.value[x]")
    return {one.code: f"value{one.code[0].upper()}{one.code[1:]}" for one in types}


def _part(item: Item) -> Resource:
    """One item as a part: named by its type, with a value, a resource or JSON."""
    content, kind = item.value, item.type.removeprefix("System.")
    if isinstance(content, Quantity):
        return {"name": "Quantity", "valueQuantity": content.as_fhir()}
    if isinstance(content, Temporal):
        kind = content.kind[0].lower() + content.kind[1:]
        if kind == "time" and len(content.parts) < 3:
            return {"name": item.type or kind, **_as_json(content.text)}
        return {"name": kind, f"value{content.kind}": content.text}
    if isinstance(content, str) and not content:
        return {"name": "empty-string"}
    if item.type.startswith("System.") and not isinstance(content, dict):
        kind = kind[0].lower() + kind[1:]
    if isinstance(content, dict) and "resourceType" in content:
        return {"name": kind or content["resourceType"], "resource": content}
    name = value_names().get(kind)
    if content is None:
        return {"name": kind or "element", **_as_json(item.element or {})}
    if name is None:
        return {"name": kind or "element", **_as_json(content)}
    part = {"name": kind, name: content}
    if item.element:
        part[f"_{name}"] = item.element
    return part


def _as_json(content: Any) -> Resource:
    written = json.encode(content).decode()
    return {"extension": [{"url": JSON_VALUE, "valueString": written}]}


async def fhirpath(
    door: Interactions, context: Context, request: OperationRequest
) -> OperationAnswer:
    """Evaluate `expression` on `resource`, off the event loop: it may take two seconds.

    Parameters: `expression` (string, required), `resource`, `context` (string: an expression
    whose items the expression runs on, one after the other), `variables` (parts: name, value).
    A body that is no Parameters is the resource.

    Raises:
        BadRequest: The expression is wrong, does not fit the values, or was stopped.
    """
    from terminology.core.resident import settled

    resident = door.terminology.resident(context)
    return await settled(resident, lambda: asyncio.to_thread(_evaluate, context, request, resident))


def _evaluate(
    context: Context, request: OperationRequest, terminology: MemberOf
) -> OperationAnswer:
    only(request, "expression", "resource", "context", "variables")
    source = required(text(request, "expression"), "expression")
    expression = compile(source, strict=True, keep=False)
    resource = resource_of(request)
    traces: list[Resource] = []

    def trace(name: str, items: list[Item]) -> None:
        traces.append({"name": "trace", "valueString": name, "part": [_part(i) for i in items]})

    environment = Environment(
        resource=resource,
        now=context.clock().astimezone(ZoneInfo(context.tenant.zone)),
        variables=_variables(request),
        trace=trace,
        terminology=terminology,
        limits=LIMITS,
        narrative=is_safe,
    )
    starts: list[Any] = [resource]
    start = text(request, "context")
    if start is not None and resource is not None:
        starts = list(compile(start, strict=True, keep=False).evaluate(resource, environment))
    results = []
    end = monotonic() + LIMITS.milliseconds / 1000
    for item in starts:
        traces.clear()
        # The time is for all items together: there may be a hundred thousand of them.
        left = max(0, int((end - monotonic()) * 1000))
        here = replace(environment, limits=replace(LIMITS, milliseconds=left))
        found = [_part(one) for one in expression.evaluate(item, here)]
        result: Resource = {"name": "result"}
        if found or traces:
            result["part"] = found + traces
        results.append(result)
    asked = {"name": "parameters", "part": [{"name": "expression", "valueString": source}]}
    return OperationAnswer({"resourceType": "Parameters", "parameter": [asked, *results]})


def _variables(request: OperationRequest) -> dict[str, Any]:
    given = [part for part in parts(request) if part["name"] == "variables"]
    return {
        part["name"]: value(part)
        for holder in given
        for part in named(holder.get("part", []), "Parameters.parameter.part")
    }


FHIRPATH = Operation(
    "fhirpath",
    "OperationDefinition/fhirpath",
    frozenset({"system"}),
    fhirpath,
    document=own_definition("fhirpath"),
    needs=OPEN,
)
