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

SHOWN = 64
"""Characters of a name that an error repeats."""


def parts(request: OperationRequest) -> list[Resource]:
    """The entries of the body's Parameters; none when the body is something else.

    Raises:
        BadRequest: They are no objects with a name.
    """
    resource = request.resource
    if resource is None or resource.get("resourceType") != "Parameters":
        return []
    return named(resource.get("parameter", []), "Parameters.parameter")


def named(given: Any, location: str) -> list[Resource]:
    """A list of parameters or parts, each an object with a name.

    Raises:
        BadRequest: It is something else.
    """
    if not isinstance(given, list):
        raise BadRequest(fault("structure", "operation-parameters-shape", location))
    for index, part in enumerate(given):
        if not isinstance(part, dict) or not isinstance(part.get("name"), str):
            raise BadRequest(
                fault("structure", "operation-parameters-shape", f"{location}[{index}]")
            )
    return given


def value(part: Resource) -> Any:
    """The value[x] or resource of a parameter, None if it has neither.

    Raises:
        BadRequest: It has several.
    """
    found = [
        content for name, content in part.items() if name.startswith("value") or name == "resource"
    ]
    if len(found) > 1:
        raise BadRequest(fault("structure", "operation-parameters-shape", "Parameters.parameter"))
    return found[0] if found else None


def only(request: OperationRequest, *names: str) -> None:
    """Refuse parameters that the operation does not have.

    Args:
        request: The call.
        names: Those that it has.

    Raises:
        BadRequest: There is another one in the query or the body.
    """
    given = [name for name, _ in request.parameters] + [part["name"] for part in parts(request)]
    for name in given:
        if name not in names:
            raise BadRequest(
                fault(
                    "not-supported",
                    "operation-parameter-unknown",
                    name=name[:SHOWN],
                    known=", ".join(names) or "-",
                )
            )


def every(request: OperationRequest, name: str) -> list[Any]:
    """All values of a parameter: of the query as strings, then of the body."""
    found: list[Any] = [content for key, content in request.parameters if key == name]
    found += [value(part) for part in parts(request) if part["name"] == name]
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
        raise _wrong_type(name, "string")
    return found


def texts(request: OperationRequest, name: str) -> list[str]:
    """The values of a parameter that may repeat and hold several, separated by commas.

    Raises:
        BadRequest: One is no string.
    """
    found = []
    for given in every(request, name):
        if not isinstance(given, str):
            raise _wrong_type(name, "string")
        found += [part.strip() for part in given.split(",") if part.strip()]
    return found


def flag(request: OperationRequest, name: str) -> bool:
    """A parameter that is true or false; absent: false.

    Raises:
        BadRequest: It is repeated or neither.
    """
    found = one(request, name)
    if found is None or found is False or found == "false":
        return False
    if found is True or found == "true":
        return True
    raise _wrong_type(name, "boolean")


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
    """The resource parameter, or the body itself when it is no Parameters.

    Raises:
        BadRequest: The parameter is no resource.
    """
    body = request.resource
    if any(key == name for key, _ in request.parameters):
        raise _wrong_type(name, "Resource")
    if body is None:
        return None
    if body.get("resourceType") != "Parameters":
        return body
    found = one(request, name)
    if found is not None and not isinstance(found, dict):
        raise _wrong_type(name, "Resource")
    return found


def required(content: Any, name: str) -> Any:
    """What is given, if it is.

    Raises:
        BadRequest: It is None.
    """
    if content is None:
        raise BadRequest(fault("required", "operation-parameter-missing", name=name))
    return content


def _wrong_type(name: str, wanted: str) -> BadRequest:
    return BadRequest(fault("invalid", "operation-parameter-type", name=name, type=wanted))
