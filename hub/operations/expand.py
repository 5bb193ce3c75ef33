"""$expand: the codes of a value set.

Spec: https://hl7.org/fhir/R4/valueset-operation-expand.html
"""

from __future__ import annotations

from typing import Any

from hub.context import Context
from hub.interactions import Interactions
from hub.interactions.operation import OperationAnswer, OperationRequest
from hub.model.body import instant
from hub.operations.parameters import Resource, text
from hub.operations.terminology_request import (
    Asked,
    asked,
    choice,
    expansion_parameter,
    instance,
    integer,
    refused,
    strings,
)
from terminology.core.expansion import Wish, expand
from terminology.core.findings import Refused
from terminology.core.languages import languages
from terminology.core.shapes import ValueSet

_FLAGS = (
    "activeOnly",
    "excludeNested",
    "includeDesignations",
    "includeDefinition",
    "excludeNotForUI",
    "excludePostCoordinated",
)


PARAMETERS = (
    "url",
    "valueSet",
    "valueSetVersion",
    "filter",
    "offset",
    "count",
    "designation",
    "property",
    *_FLAGS,
)


async def expand_value_set(
    door: Interactions, ctx: Context, request: OperationRequest
) -> OperationAnswer:
    """The value set with its expansion.

    Parameters: `url`, `valueSet`, `valueSetVersion`, `filter`, `offset`, `count`, `activeOnly`,
    `excludeNested`, `includeDesignations`, `designation`, `includeDefinition`,
    `displayLanguage`, `property`, `useSupplement`, `system-version`, `check-system-version`,
    `force-system-version`, `tx-resource`.

    Raises:
        BadRequest: A parameter cannot be used.
        NotFound: The instance is not there.
    """
    here = await asked(door, ctx, request, *PARAMETERS)
    try:
        if request.id:
            value_set = ValueSet(await instance(here))
        else:
            value_set = await here.compute(here.value_set())
        scope = here.scope(value_set)
        wish = _wish(here, value_set)
        now = instant(ctx.now)
        made = await here.compute(lambda: expand(scope, value_set, wish, now), aside=True)
    except Refused as error:
        return refused(error, ctx)
    return OperationAnswer(made)


def _wish(here: Asked, value_set: ValueSet) -> Wish:
    request = here.request
    flags = {name: _flag(request, value_set, name) for name in _FLAGS}
    designations = strings(request, "designation")
    filter_text = text(request, "filter") or ""
    count, offset = integer(request, "count"), integer(request, "offset")
    echoed: list[Resource] = [
        {"name": name, "valueBoolean": value} for name, value in flags.items() if value is not None
    ]
    echoed += _echo("count", "valueInteger", count)
    echoed += _echo("offset", "valueInteger", offset)
    echoed += _echo("filter", "valueString", filter_text or None)
    asked_for = here.display_language(None) or expansion_parameter(value_set, "displayLanguage")
    if languages(asked_for).tags:
        echoed += _echo("displayLanguage", "valueCode", asked_for)
    echoed += [{"name": "designation", "valueString": one} for one in designations]
    return Wish(
        filter_text,
        offset or 0,
        count,
        bool(flags["activeOnly"]),
        bool(flags["excludeNested"]),
        bool(flags["includeDefinition"]),
        bool(flags["includeDesignations"] or designations),
        tuple(designations),
        tuple(strings(request, "property")),
        tuple(echoed),
    )


def _flag(request: OperationRequest, value_set: ValueSet, name: str) -> bool | None:
    """A switch of the request, else of the value set, else None."""
    given = choice(request, name)
    if given is None and expansion_parameter(value_set, name).lower() == "true":
        return True
    return given


def _echo(name: str, element: str, value: Any) -> list[Resource]:
    return [] if value is None else [{"name": name, element: value}]
