"""Reading and making the Parameters resources of operations.

Spec: https://hl7.org/fhir/R4/parameters.html and https://hl7.org/fhir/R4/operations.html
(a body that is no Parameters is the operation's one complex parameter; simple parameters may
stand in the query).
"""

from __future__ import annotations

from typing import Any

from hub.errors import BadRequest, fault
from hub.interactions.operation import OperationRequest

Resource = dict[str, Any]


def parts(request: OperationRequest) -> list[Resource]:
    """The entries of the body's Parameters; none when the body is something else."""
    resource = request.resource
    if resource is None or resource.get("resourceType") != "Parameters":
        return []
    given = resource.get("parameter")
    return [part for part in given if isinstance(part, dict)] if isinstance(given, list) else []


def value(part: Resource) -> Any:
    """The value[x] or resource of a parameter, None if it has neither."""
    for name, content in part.items():
        if name.startswith("value") or name == "resource":
            return content
    return None


def every(request: OperationRequest, name: str) -> list[Any]:
    """All values of a parameter: of the query as strings, then of the body."""
    found: list[Any] = [content for key, content in request.parameters if key == name]
    found += [value(part) for part in parts(request) if part.get("name") == name]
    return [one for one in found if one is not None]


def one(request: OperationRequest, name: str) -> Any:
    """The value of a parameter that may occur once, None if it is absent.

    Raises:
        BadRequest: It occurs more than once.
    """
    found = every(request, name)
    if len(found) > 1:
        raise BadRequest(fault("invalid", "operation-parameter-repeated", name=name))
    return found[0] if found else None


def text(request: OperationRequest, name: str) -> str | None:
    """A parameter that is a string, None if it is absent.

    Raises:
        BadRequest: It is repeated or no string.
    """
    found = one(request, name)
    if found is not None and not isinstance(found, str):
        raise BadRequest(fault("invalid", "operation-parameter-type", name=name, type="string"))
    return found


def number(request: OperationRequest, name: str, default: int, most: int) -> int:
    """A positive integer parameter.

    Args:
        request: The call.
        name: Parameter.
        default: When it is absent.
        most: Greatest value allowed.

    Raises:
        BadRequest: It is no integer between 1 and `most`.
    """
    found = one(request, name)
    if found is None:
        return default
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) < 10:
        found = int(found)
    if isinstance(found, bool) or not isinstance(found, int) or not 1 <= found <= most:
        raise BadRequest(fault("value", "operation-parameter-range", name=name, low=1, high=most))
    return found


def resource_of(request: OperationRequest, name: str = "resource") -> Resource | None:
    """The resource parameter, or the body itself when it is no Parameters."""
    body = request.resource
    if body is None:
        return None
    if body.get("resourceType") != "Parameters":
        return body
    found = one(request, name)
    if found is not None and not isinstance(found, dict):
        raise BadRequest(fault("invalid", "operation-parameter-type", name=name, type="Resource"))
    return found


def required(content: Any, name: str) -> Any:
    """What is given, if it is.

    Raises:
        BadRequest: It is None.
    """
    if content is None:
        raise BadRequest(fault("required", "operation-parameter-missing", name=name))
    return content
