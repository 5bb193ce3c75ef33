"""$validate: would this resource be accepted, and if not, why.

Spec: https://hl7.org/fhir/R4/resource-operation-validate.html. The answer is an
OperationOutcome with 200 whatever is found, warnings included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from hub.context import Context
from hub.definitions import is_resource_type
from hub.errors import BadRequest, Issue, fault
from hub.interactions import Interactions
from hub.interactions.allowed_changes import still_referenced
from hub.interactions.audited import audit_record
from hub.interactions.binary import whole
from hub.interactions.missing_targets import missing_targets
from hub.interactions.operation import OPEN, Operation, OperationAnswer, OperationRequest
from hub.interactions.outcome import operation_outcome
from hub.interactions.refusals import MOST_MISSING
from hub.interactions.validated import issues_of
from hub.operations.parameters import Resource, only, required, resource_of, text
from hub.storage.port import Commit, StillReferenced, Unreferenced

BASE_PROFILE = "http://hl7.org/fhir/StructureDefinition/"
PLANNED: dict[str, Literal["create", "update"]] = {"create": "create", "update": "update"}
MODES = ("create", "update", "delete", "profile")
PARAMETERS = ("resource", "mode", "profile")


async def validate(
    door: Interactions, context: Context, request: OperationRequest
) -> OperationAnswer:
    """Validate the body, or the stored resource when there is no body at instance level.

    Parameters: `resource`, `mode` (create, update, delete, profile), `profile`.

    Raises:
        BadRequest: A parameter cannot be used, or there is nothing to validate.
        NotFound: The instance does not exist.
    """
    resource = None
    if _is_bare_parameters(request):
        resource, request = request.resource, replace(request, resource=None)
    only(request, *PARAMETERS)
    mode = text(request, "mode")
    if mode is not None and mode not in MODES:
        raise BadRequest(fault("value", "validate-mode-unknown", mode=mode[:40]))
    if mode == "delete":
        if not request.id:
            raise BadRequest(fault("value", "validate-delete-type"))
        issues = await _deletable(door, context, request)
    else:
        resource = resource or resource_of(request)
        if resource is None and request.id:
            stored = await door.read(context, request.type, request.id)
            resource = await whole(door, context, stored)
        issues = await _valid(door, context, request, required(resource, "resource"), mode)
    if not issues:
        issues = (fault("informational", "validate-ok", severity="information"),)
    return OperationAnswer(operation_outcome(issues, context.language))


def _is_bare_parameters(request: OperationRequest) -> bool:
    """Whether the body is a Parameters resource that is to be validated itself."""
    given = (request.resource or {}).get("parameter")
    own = isinstance(given, list) and any(
        isinstance(part, dict) and part.get("name") in PARAMETERS for part in given
    )
    return request.type == "Parameters" and request.resource is not None and not own


async def _valid(
    door: Interactions,
    context: Context,
    request: OperationRequest,
    resource: Resource,
    mode: str | None,
) -> tuple[Issue, ...]:
    issues: list[Issue] = []
    actual = resource.get("resourceType")
    if request.type and isinstance(actual, str) and actual != request.type:
        issues.append(
            fault(
                "structure",
                "validate-type-mismatch",
                "resourceType",
                actual=actual[:64],
                type=request.type,
            )
        )
    if request.id and mode == "update" and resource.get("id", request.id) != request.id:
        issues.append(fault("value", "validate-id-mismatch", f"{request.type}.id"))
    planned = PLANNED.get(mode or "")
    issues += await issues_of(door, context, resource, mode=planned, warnings=True)
    if planned and door.settings.integrity and not _refused(issues):
        own = {(str(actual), str(resource.get("id")))}
        lacking = await missing_targets(door, context, (resource,), own)
        issues += [issue for _, issue in lacking[:MOST_MISSING]]
    profile = text(request, "profile")
    other = _base_type(profile) if profile else ""
    if other and isinstance(actual, str) and other != actual:
        issues.append(fault("invalid", "validate-profile-type", profile=other, actual=actual[:64]))
    elif profile and profile.partition("|")[0] != f"{BASE_PROFILE}{actual}":
        issues.append(
            fault("not-supported", "validate-profile-depth", "", "warning", profile=profile[:200])
        )
    return tuple(issues)


def _refused(issues: Sequence[Issue]) -> bool:
    return any(issue.severity in ("error", "fatal") for issue in issues)


def _base_type(profile: str) -> str:
    """The resource type whose own definition a canonical names, "" if none."""
    name = profile.partition("|")[0].removeprefix(BASE_PROFILE)
    return name if is_resource_type(name) else ""


async def _deletable(
    door: Interactions, context: Context, request: OperationRequest
) -> tuple[Issue, ...]:
    """Whether a delete would be refused: its precondition, committed without a write."""
    await door.read(context, request.type, request.id)
    if not door.settings.integrity:
        return ()
    commit = Commit(
        context.tenant.key,
        (),
        audit_record(context, "E", "validate"),
        context.now,
        (Unreferenced(request.type, request.id),),
    )
    try:
        await door.store.commit(commit)
    except StillReferenced as refused:
        return (still_referenced(context, refused),)
    return ()


VALIDATE = Operation(
    "validate",
    "http://hl7.org/fhir/OperationDefinition/Resource-validate",
    frozenset({"type", "instance"}),
    validate,
    needs=OPEN,
)
