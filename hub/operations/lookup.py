"""$lookup: what a code means.

Spec: https://hl7.org/fhir/R4/codesystem-operation-lookup.html
"""

from __future__ import annotations

from hub.context import Context
from hub.interactions import Interactions
from hub.interactions.operation import OperationAnswer, OperationRequest
from hub.operations.parameters import required, text
from hub.operations.terminology_request import asked, element, refused, strings
from terminology.core.findings import Refused
from terminology.core.lookup import lookup

PARAMETERS = ("code", "system", "version", "coding", "date", "property")


async def lookup_code(
    door: Interactions, ctx: Context, request: OperationRequest
) -> OperationAnswer:
    """Words, properties and place of a code.

    Parameters: `code` with `system` and `version`, or `coding`; `displayLanguage`, `property`,
    `useSupplement`, the rules of versions, `tx-resource`.

    Raises:
        BadRequest: A parameter cannot be used, or there is no code.
    """
    here = await asked(door, ctx, request, *PARAMETERS)
    coding = element(request, "coding") or {}
    code = required(text(request, "code") or coding.get("code"), "code")
    url = required(text(request, "system") or coding.get("system"), "system")
    version = text(request, "version") or coding.get("version") or ""
    properties = strings(request, "property")
    scope = here.scope()
    try:
        made = await here.compute(
            lambda: lookup(scope, str(url), str(version), str(code), properties)
        )
    except Refused as error:
        return refused(error, ctx)
    return OperationAnswer(made)
