"""$validate-code: is a code in a value set, or in a code system; and many of them at once.

Spec: https://hl7.org/fhir/R4/valueset-operation-validate-code.html,
https://hl7.org/fhir/R4/codesystem-operation-validate-code.html
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from hub.context import Context
from hub.interactions import Interactions
from hub.interactions.operation import (
    OperationAnswer,
    OperationRequest,
)
from hub.operations.parameters import Resource, every, one, parts, text
from hub.operations.terminology_request import (
    Asked,
    asked,
    choice,
    element,
    instance,
    refused,
)
from terminology.core.checked import Given, Strictness, answer
from terminology.core.content import InlineSource, Library
from terminology.core.findings import Finding, Refused, outcome
from terminology.core.shapes import ValueSet
from terminology.core.validate import in_code_system, in_value_set
from terminology.core.value_set import parts as parts_of

UNNAMED = "urn:fhir-hub:given"
"""Url of a code system that comes without one."""

PARAMETERS = (
    "url",
    "valueSet",
    "valueSetVersion",
    "codeSystem",
    "version",
    "code",
    "system",
    "systemVersion",
    "display",
    "coding",
    "codeableConcept",
    "abstract",
    "activeOnly",
    "inferSystem",
    "lenient-display-validation",
    "valueset-membership-only",
)

MANY = 100
"""Codes, or includes, from which on a validation is done beside the event loop."""

MOST_AT_ONCE = 1_000
"""Validations of one `$batch-validate-code`."""


async def validate_code(
    door: Interactions, ctx: Context, request: OperationRequest
) -> OperationAnswer:
    """Whether a code is valid, and what is wrong with it.

    Parameters: `url`, `valueSet` or `codeSystem`, `valueSetVersion` or `version`; `code` with
    `system`, `systemVersion`, `display`, or `coding`, or `codeableConcept`; `inferSystem`,
    `abstract`, `displayLanguage`, `activeOnly`, `lenient-display-validation`,
    `valueset-membership-only`, `useSupplement`, the rules of versions, `tx-resource`.

    Raises:
        BadRequest: A parameter cannot be used.
        NotFound: The instance is not there.
    """
    try:
        return OperationAnswer(await _validated(await asked(door, ctx, request, *PARAMETERS)))
    except Refused as error:
        return refused(error, ctx)


async def _validated(here: Asked) -> Resource:
    request = here.request
    how = Strictness(
        bool(choice(request, "activeOnly")),
        bool(choice(request, "lenient-display-validation")),
        bool(choice(request, "valueset-membership-only")),
        bool(choice(request, "inferSystem")),
        choice(request, "abstract"),
    )
    if request.type == "CodeSystem":
        return await _in_code_system(here, how)
    codings, concept = _codings(here.request, how)
    if request.id:
        value_set = ValueSet(await instance(here))
    else:
        value_set = await here.compute(here.value_set())
    scope = here.scope(value_set)

    def judge() -> Resource:
        checked, together = in_value_set(scope, value_set, codings, how, concept is not None)
        located = bool(value_set.url)
        return answer(scope, checked, together, concept, here.ctx.language, located)

    return await here.compute(judge, aside=_may_take_long(value_set, codings))


def _may_take_long(value_set: ValueSet, codings: Sequence[Given]) -> bool:
    """Whether there is much to go over, or a value set has filters or imports one that may."""
    every = [part for side in parts_of(value_set) for part in side]
    return len(every) * len(codings) > MANY or any(
        part.filters or part.value_sets for part in every
    )


async def _in_code_system(here: Asked, how: Strictness) -> Resource:
    request = here.request
    given = await instance(here) if request.id else one(request, "codeSystem")
    url, version = text(request, "url") or "", text(request, "version") or ""
    if isinstance(given, dict):
        url, version = str(given.get("url") or UNNAMED), str(given.get("version") or "")
        if not request.id or url == UNNAMED:
            inline = InlineSource([{**given, "url": url}])
            here = replace(here, library=Library([inline, *here.library.sources]))
    codings, concept = _codings(request, how, url, version)
    scope = here.scope()

    def judge() -> Resource:
        checked = in_code_system(scope, codings, how)
        return answer(scope, checked, (), concept, here.ctx.language)

    return await here.compute(judge, aside=len(codings) > MANY)


def _codings(
    request: OperationRequest, how: Strictness, url: str = "", version: str = ""
) -> tuple[list[Given], Resource | None]:
    """The codes to validate, and the CodeableConcept that they are of.

    Raises:
        Refused: There are none.
    """
    concept = element(request, "codeableConcept")
    if concept is not None:
        listed = concept.get("coding")
        found = [
            _given(one, f"CodeableConcept.coding[{index}]", url, version)
            for index, one in enumerate(listed if isinstance(listed, list) else ())
            if isinstance(one, dict)
        ]
        if found:
            return found, concept
    coding = element(request, "coding")
    if coding is not None:
        return [_given(coding, "Coding", url, version)], None
    code = text(request, "code")
    system = text(request, "system") or url
    if not code or not (system or how.infer_system):
        raise Refused(Finding("tx-nothing-to-validate"), status=400)
    return [
        Given(
            code,
            system,
            text(request, "systemVersion") or version,
            text(request, "display") or "",
        )
    ], None


def _given(coding: Resource, location: str, url: str, version: str) -> Given:
    """A Coding; what is no string in it is as if it were not there."""
    values = {
        name: value
        for name in ("code", "system", "version", "display")
        if isinstance(value := coding.get(name), str)
    }
    return Given(
        values.get("code", ""),
        values.get("system", "") or url,
        values.get("version", "") or version,
        values.get("display", ""),
        location,
    )


# --- many at once ---------------------------------------------------------------------------


async def batch_validate_code(
    door: Interactions, ctx: Context, request: OperationRequest
) -> OperationAnswer:
    """The answers to several validations, in order; what is wrong with one stops no other.

    Parameters: `validation` (Parameters of one $validate-code each); whatever else is given
    holds for each that does not say otherwise.

    Raises:
        BadRequest: A parameter cannot be used.
    """
    common = [one for one in parts(request) if one["name"] != "validation"]
    wanted = [one for one in every(request, "validation") if isinstance(one, dict)]
    if not wanted or len(wanted) > MOST_AT_ONCE:
        return refused(Refused(Finding("tx-nothing-to-validate"), status=400), ctx)
    shared = await asked(door, ctx, request)
    made: list[Resource] = []
    for validation in wanted:
        await asyncio.sleep(0)  # others have their turn
        own = _merged(common, validation)
        here = replace(shared, request=replace(request, resource=own))
        try:
            resource = await _validated(here)
        except Refused as error:
            resource = outcome(error.findings, ctx.language)
        made.append({"name": "validation", "resource": resource})
    return OperationAnswer({"resourceType": "Parameters", "parameter": made})


def _merged(common: Sequence[Resource], own: Resource) -> Resource:
    """The parameters of one validation: its own, and the common ones that it does not give."""
    given = parts(OperationRequest("", "", "POST", resource=own))
    names = {one["name"] for one in given}
    return {
        "resourceType": "Parameters",
        "parameter": [*given, *(one for one in common if one["name"] not in names)],
    }
