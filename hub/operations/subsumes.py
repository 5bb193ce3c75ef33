"""$subsumes: which of two codes is above the other.

Spec: https://hl7.org/fhir/R4/codesystem-operation-subsumes.html
"""

from __future__ import annotations

from typing import Any

from hub.context import Context
from hub.errors import BadRequest, fault
from hub.interactions import Interactions
from hub.interactions.operation import OperationAnswer, OperationRequest
from hub.operations.parameters import required, text
from hub.operations.terminology_request import asked, element, instance, refused
from terminology.core.findings import Refused
from terminology.core.lookup import subsumes

PARAMETERS = ("codeA", "codeB", "system", "version", "codingA", "codingB")


async def subsumes_code(
    door: Interactions, ctx: Context, request: OperationRequest
) -> OperationAnswer:
    """`equivalent`, `subsumes`, `subsumed-by` or `not-subsumed`.

    Parameters: `codeA` and `codeB` with `system` and `version`, or `codingA` and `codingB`.

    Raises:
        BadRequest: A parameter cannot be used, or one is missing.
        NotFound: The instance is not there.
    """
    here = await asked(door, ctx, request, *PARAMETERS)
    first, second = element(request, "codingA") or {}, element(request, "codingB") or {}
    code_a = required(text(request, "codeA") or first.get("code"), "codeA")
    code_b = required(text(request, "codeB") or second.get("code"), "codeB")
    own: dict[str, Any] = await instance(here) if request.id else {}
    url = own.get("url") or text(request, "system") or first.get("system")
    url = str(required(url, "system"))
    if second.get("system") not in (None, url):
        raise BadRequest(fault("invalid", "terminology-two-systems"))
    version = own.get("version") or text(request, "version") or first.get("version") or ""
    scope = here.scope()
    try:
        outcome = await here.compute(
            lambda: subsumes(scope, url, str(version), str(code_a), str(code_b))
        )
    except Refused as error:
        return refused(error, ctx)
    made = [{"name": "outcome", "valueCode": outcome}]
    return OperationAnswer({"resourceType": "Parameters", "parameter": made})
