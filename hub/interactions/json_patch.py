"""JSON Patch on a resource's JSON form (RFC 6902, RFC 6901 pointers).

An own implementation, not the `jsonpatch` package: that one deep-copies the document, takes
`1` and `true` for equal, says neither which operation failed nor with what status, and bounds
neither depth nor growth (`copy` doubles a document with every operation). Numbers stay the
Decimals they are. Called by `hub.interactions.patch` and, for Binary entries, by transactions.
Spec: https://hl7.org/fhir/R4/http.html#patch
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from hub.errors import BadRequest, Unprocessable, fault
from hub.messages import Phrase
from hub.model import json

MAX_DEPTH = 100
MAX_COPIED = 100_000
"""Nodes that all `add` and `copy` operations of one patch may add together."""
MAX_COPIED_TEXT = 10_000_000
"""Characters that all `copy` operations of one patch may add together."""
MAX_TOUCHED = 1_000_000
"""Nodes that one patch may look at for their depth: `move` adds none, but is not free."""
SHIFTED = 64
"""Items of a list that are moved up or down in the time of looking at a node."""
MOST_OPERATIONS = 10_000

Node = dict[str, Any] | list[Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation; `path` and `source` are decoded pointer tokens."""

    op: str
    path: tuple[str, ...]
    source: tuple[str, ...] = ()
    value: object = None


@dataclass(frozen=True, slots=True)
class JsonPatch:
    """A parsed JSON Patch document."""

    operations: tuple[Operation, ...]


def parse(data: bytes) -> JsonPatch:
    """Read a patch document.

    Args:
        data: UTF-8 JSON: an array of operations.

    Raises:
        BadRequest: Not JSON, or not a patch (`patch-syntax`).
    """
    # hub.model.json reads objects; an array is read as the only property of one.
    document = json.decode(b'{"patch":' + data.removeprefix(b"\xef\xbb\xbf") + b"}")
    return from_list(document["patch"] if len(document) == 1 else None)


def from_list(document: object) -> JsonPatch:
    """Check a decoded patch document.

    Raises:
        BadRequest: It is not an array of operations (`patch-syntax`), or too long a one.
    """
    if not isinstance(document, list):
        raise _malformed(0, "not an array")
    if len(document) > MOST_OPERATIONS:
        raise BadRequest(fault("too-long", "patch-too-many", limit=MOST_OPERATIONS))
    return JsonPatch(tuple(_operation(n, item) for n, item in enumerate(document)))


def _malformed(number: int, reason: str) -> BadRequest:
    return BadRequest(fault("structure", "patch-syntax", number=number, reason=Phrase(reason)))


def _operation(number: int, item: object) -> Operation:
    if not isinstance(item, dict):
        raise _malformed(number, "not an object")
    op = item.get("op")
    if op not in _APPLY:
        raise _malformed(number, "op must be add, remove, replace, move, copy or test")
    if op in ("add", "replace", "test") and "value" not in item:
        raise _malformed(number, "value is missing")
    path = _pointer(item.get("path"))
    source = _pointer(item.get("from")) if op in ("move", "copy") else ()
    if path is None or source is None:
        raise _malformed(number, "path or from is not a JSON pointer")
    if len(path) > MAX_DEPTH or len(source) > MAX_DEPTH:
        raise _malformed(number, "a pointer is too deep")
    return Operation(str(op), path, source, item.get("value"))


def _pointer(text: object) -> tuple[str, ...] | None:
    """Tokens of an RFC 6901 pointer, None when it is none."""
    if not isinstance(text, str) or (text and not text.startswith("/")):
        return None
    if "~" not in text:
        return tuple(text.split("/")[1:])
    if text.replace("~0", "").replace("~1", "").count("~"):
        return None
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in text.split("/")[1:])


class _FailedError(Exception):
    """An operation cannot be applied; carries a message id."""


def apply(patch: JsonPatch, document: dict[str, Any]) -> dict[str, Any]:
    """Apply a patch; changes the document in place.

    Args:
        patch: The operations.
        document: A resource that nobody else holds: half-changed when this raises.

    Returns:
        The changed document.

    Raises:
        Unprocessable: A path is missing (`patch-path`), a test failed (`patch-test-failed`),
            or the result would be no resource or too big; names the operation.
    """
    state = _State(document)
    for number, operation in enumerate(patch.operations):
        try:
            _APPLY[operation.op](state, operation)
        except _FailedError as failed:
            raise Unprocessable(
                fault(
                    "processing",
                    str(failed),
                    number=number,
                    op=operation.op,
                    path="/" + "/".join(operation.path)[:200],
                )
            ) from None
    if not isinstance(state.root, dict):
        raise Unprocessable(fault("processing", "patch-not-a-resource"))
    return cast(dict[str, Any], state.root)


class _State:
    """The document being patched, and what may still be added and touched."""

    def __init__(self, root: dict[str, Any]) -> None:
        self.root: object = root
        self.copies_left = MAX_COPIED
        self.text_left = MAX_COPIED_TEXT
        self.touches_left = MAX_TOUCHED

    def touch(self, nodes: int) -> None:
        """Count work that adds nothing."""
        self.touches_left -= nodes
        if self.touches_left < 0:
            raise _FailedError("patch-too-big")


def _index(token: str, length: int) -> int:
    """An array index below `length`."""
    if not (token.isascii() and token.isdigit()) or (token[0] == "0" and token != "0"):
        raise _FailedError("patch-path")
    number = int(token) if len(token) < 10 else length
    if number >= length:
        raise _FailedError("patch-path")
    return number


def _step(node: object, token: str) -> object:
    if isinstance(node, dict):
        if token not in node:
            raise _FailedError("patch-path")
        return node[token]
    if isinstance(node, list):
        return node[_index(token, len(node))]
    raise _FailedError("patch-path")


def _find(root: object, path: Sequence[str]) -> object:
    for token in path:
        root = _step(root, token)
    return root


def _put(state: _State, path: tuple[str, ...], value: object) -> None:
    """The `add` of RFC 6902 section 4.1."""
    if not path:
        state.root = value
        return
    _fit(state, path, value)
    parent, last = _find(state.root, path[:-1]), path[-1]
    if isinstance(parent, dict):
        parent[last] = value
    elif isinstance(parent, list):
        state.touch(len(parent) // SHIFTED)
        parent.insert(len(parent) if last == "-" else _index(last, len(parent) + 1), value)
    else:
        raise _FailedError("patch-path")


def _take(state: _State, path: tuple[str, ...]) -> object:
    """Remove and give what a path names."""
    if not path:
        raise _FailedError("patch-path")
    parent, last = _find(state.root, path[:-1]), path[-1]
    _step(parent, last)
    if isinstance(parent, dict):
        return parent.pop(last)
    assert isinstance(parent, list)
    state.touch(len(parent) // SHIFTED)
    return parent.pop(int(last))


def _fit(state: _State, path: Sequence[str], value: object) -> None:
    """Refuse a value that would be nested too deep at its place; no recursion."""
    level, nodes = 0, [value]
    while nodes:
        state.touch(len(nodes))
        if len(path) + level > MAX_DEPTH:
            raise _FailedError("patch-too-big")
        below: list[object] = []
        for node in nodes:
            if isinstance(node, dict):
                below.extend(node.values())
            elif isinstance(node, list):
                below.extend(node)
        level, nodes = level + 1, below


def _copy(state: _State, value: object, *, text: bool = False) -> object:
    """A deep copy that counts its nodes; depth is bounded by what `_fit` lets in.

    Args:
        state: What copying may still add.
        value: What to copy.
        text: Count its characters too: it is in the document already, not in the patch.
    """
    state.copies_left -= 1
    if text and isinstance(value, str):
        state.text_left -= len(value)
    if state.copies_left < 0 or state.text_left < 0:
        raise _FailedError("patch-too-big")
    if isinstance(value, dict):
        return {name: _copy(state, item, text=text) for name, item in value.items()}
    if isinstance(value, list):
        return [_copy(state, item, text=text) for item in value]
    return value


def _equal(one: object, other: object) -> bool:
    """JSON equality (RFC 6902 section 4.6): numbers by value, but never true for 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal(one[k], other[k]) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | Decimal) and isinstance(other, int | Decimal):
        return one == other
    return type(one) is type(other) and one == other


def _add(state: _State, operation: Operation) -> None:
    # A copy: later operations may change it, and one patch can be applied more than once.
    _put(state, operation.path, _copy(state, operation.value))


def _remove(state: _State, operation: Operation) -> None:
    _take(state, operation.path)


def _replace(state: _State, operation: Operation) -> None:
    path, value = operation.path, _copy(state, operation.value)
    if not path:
        state.root = value
        return
    _fit(state, path, value)
    parent, last = _find(state.root, path[:-1]), path[-1]
    _step(parent, last)
    if isinstance(parent, dict):
        parent[last] = value
    elif isinstance(parent, list):
        parent[int(last)] = value


def _move(state: _State, operation: Operation) -> None:
    source, path = operation.source, operation.path
    if source == path:
        _find(state.root, path)
        return
    if path[: len(source)] == source:
        raise _FailedError("patch-path")
    _put(state, path, _take(state, source))


def _duplicate(state: _State, operation: Operation) -> None:
    _put(state, operation.path, _copy(state, _find(state.root, operation.source), text=True))


def _test(state: _State, operation: Operation) -> None:
    if not _equal(_find(state.root, operation.path), operation.value):
        raise _FailedError("patch-test-failed")


_APPLY = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _duplicate,
    "test": _test,
}
