"""The operations of a FHIRPath Patch, read from a Parameters resource.

Called by `hub.interactions.fhirpath_patch`, which applies them.
Spec: https://hl7.org/fhir/R4/fhirpatch.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hub.errors import BadRequest, fault
from hub.fhirpath import schema
from hub.messages import Phrase

MOST_OPERATIONS = 1000

_PARTS = frozenset(("type", "path", "name", "value", "index", "source", "destination"))


@dataclass(frozen=True, slots=True)
class Value:
    """The `value` part of an operation.

    Attributes:
        type: FHIR type of a `value[x]`; "" for content given as parts, `Resource` for a resource.
        content: Its JSON; None for a primitive that has only extensions.
        sibling: JSON of `_value[x]`: id and extensions of a primitive.
        parts: (name, value) of content whose type has no `value[x]` form.
    """

    type: str
    content: Any = None
    sibling: dict[str, Any] | None = None
    parts: tuple[tuple[str, Value], ...] = ()


@dataclass(frozen=True, slots=True)
class PathOperation:
    """One operation; what its type does not use is empty."""

    number: int
    type: str
    path: str
    name: str = ""
    value: Value | None = None
    index: int = -1
    source: int = -1
    destination: int = -1


@dataclass(frozen=True, slots=True)
class FhirPathPatch:
    """A parsed FHIRPath Patch."""

    operations: tuple[PathOperation, ...]


def parse(parameters: dict[str, Any]) -> FhirPathPatch:
    """Read the operations of a Parameters resource.

    Args:
        parameters: As the client sent it.

    Raises:
        BadRequest: It is no FHIRPath Patch (`path-patch-syntax`).
    """
    rows = parameters.get("parameter")
    if parameters.get("resourceType") != "Parameters" or not isinstance(rows, list):
        raise BadRequest(fault("structure", "patch-format"))
    if len(rows) > MOST_OPERATIONS:
        raise BadRequest(fault("too-long", "patch-too-many", limit=MOST_OPERATIONS))
    return FhirPathPatch(tuple(_operation(number, row) for number, row in enumerate(rows)))


def _malformed(number: int, reason: str, **words: str) -> BadRequest:
    location = f"Parameters.parameter[{number}]"
    return BadRequest(
        fault(
            "structure", "path-patch-syntax", location, number=number, reason=Phrase(reason, words)
        )
    )


def _operation(number: int, row: object) -> PathOperation:
    if not isinstance(row, dict) or row.get("name") != "operation":
        raise _malformed(number, "not named operation")
    found: dict[str, dict[str, Any]] = {}
    for part in _list(row.get("part")):
        name = part.get("name")
        if not isinstance(name, str) or name not in _PARTS or name in found:
            raise _malformed(number, "a part is unknown or repeated")
        found[name] = part
    text = {name: _text(number, found[name]) for name in ("type", "path", "name") if name in found}
    whole = {name: _integer(number, found[name]) for name in _NUMBERS if name in found}
    type = text.get("type", "")
    needs = _NEEDS.get(type)
    if needs is None:
        raise _malformed(number, "type must be add, insert, delete, replace or move")
    if not needs <= found.keys():
        raise _malformed(number, "{type} needs {names}", type=type, names=", ".join(sorted(needs)))
    value = _value(number, found["value"]) if "value" in found else None
    index, source, destination = (whole.get(name, -1) for name in _NUMBERS)
    return PathOperation(
        number, type, text["path"], text.get("name", ""), value, index, source, destination
    )


_NUMBERS = ("index", "source", "destination")
_NEEDS = {
    "add": {"path", "name", "value"},
    "insert": {"path", "index", "value"},
    "delete": {"path"},
    "replace": {"path", "value"},
    "move": {"path", "source", "destination"},
}


def _list(value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        return []
    return [item for item in value if isinstance(item, dict)]


def _text(number: int, part: dict[str, Any]) -> str:
    for key in ("valueString", "valueCode"):
        if isinstance(part.get(key), str):
            return str(part[key])
    raise _malformed(number, "{name} must be a valueString or valueCode", name=part["name"])


def _integer(number: int, part: dict[str, Any]) -> int:
    for key in ("valueInteger", "valueUnsignedInt", "valuePositiveInt"):
        value = part.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
    raise _malformed(number, "{name} must be a valueInteger of 0 or more", name=part["name"])


def _value(number: int, part: dict[str, Any]) -> Value:
    if isinstance(part.get("resource"), dict):
        return Value(schema.RESOURCE, part["resource"])
    if "part" in part:
        parts = _list(part["part"])
        if not all(isinstance(inner.get("name"), str) for inner in parts):
            raise _malformed(number, "a part of the value has no name")
        return Value("", parts=tuple((inner["name"], _value(number, inner)) for inner in parts))
    known = schema.keys("Parameters.parameter")
    for key in part:
        plain = key.removeprefix("_")
        if plain in known and known[plain][0].name == "value":
            sibling = part.get(f"_{plain}")
            return Value(
                known[plain][1], part.get(plain), sibling if isinstance(sibling, dict) else None
            )
    raise _malformed(number, "value has no content")
