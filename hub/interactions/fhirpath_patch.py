"""FHIRPath Patch: add, insert, delete, replace and move elements named by FHIRPath.

Applying a patch changes a decoded resource in place. JSON's pairs (`given` and `_given`) move
together, and what an operation leaves empty goes with it. Called by `hub.interactions.patch`
and by transactions. Spec: https://hl7.org/fhir/R4/fhirpatch.html
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any

from hub.errors import Unprocessable, fault
from hub.fhirpath import Limits, schema
from hub.fhirpath.item import Item
from hub.fhirpath.locate import locate
from hub.fhirpath.schema import Step
from hub.interactions.path_operations import FhirPathPatch, PathOperation, Value, parse

__all__ = ["FhirPathPatch", "apply", "parse"]

LIMITS = Limits()
"""Each path stays within them; their time is for all paths of a patch together."""


@dataclass(frozen=True, slots=True)
class _Patched:
    """The resource being patched, and until when its paths may take."""

    resource: dict[str, Any]
    end: float = field(default_factory=lambda: monotonic() + LIMITS.milliseconds / 1000)

    def locate(self, path: str) -> list[Item]:
        """What a path finds."""
        left = max(0, int((self.end - monotonic()) * 1000))
        return locate(path, self.resource, replace(LIMITS, milliseconds=left))


def apply(patch: FhirPathPatch, resource: dict[str, Any]) -> dict[str, Any]:
    """Apply a patch; changes the resource in place. Blocks, for two seconds at most.

    Args:
        patch: The operations.
        resource: A resource that nobody else holds: half-changed when this raises.

    Returns:
        The same resource.

    Raises:
        BadRequest: A path is no FHIRPath expression, or the paths take too long.
        Unprocessable: A path finds nothing or several elements, or the value does not fit;
            names the operation.
    """
    patched = _Patched(resource)
    for operation in patch.operations:
        _APPLY[operation.type](operation, patched)
    return resource


def _refuse(operation: PathOperation, reason: str, code: str = "processing") -> Unprocessable:
    location = f"Parameters.parameter[{operation.number}]"
    return Unprocessable(
        fault(code, reason, location, number=operation.number, type=operation.type)
    )


def _elements(operation: PathOperation, patched: _Patched) -> list[Item]:
    """What the path finds; all of it must be elements of the resource itself."""
    items = patched.locate(operation.path)
    for item in items:
        if item.location is None:
            raise _refuse(operation, "path-patch-not-an-element")
    return items


def _one(operation: PathOperation, patched: _Patched) -> Item:
    items = _elements(operation, patched)
    if len(items) != 1:
        raise _refuse(operation, "path-patch-several" if items else "path-patch-none")
    return items[0]


def _add(operation: PathOperation, patched: _Patched) -> None:
    holder = _one(operation, patched)
    if operation.name == "":
        raise _refuse(operation, "path-patch-name")
    # The element may be a primitive: what is added to it lives in its sibling.
    if schema.is_primitive(holder.type):
        node, type = _sibling_of(holder), "Element"
    else:
        node, type = holder.value, holder.type
    _set(operation, node, type, operation.name, _given(operation))


def _insert(operation: PathOperation, patched: _Patched) -> None:
    items = _elements(operation, patched)
    if not items:
        _insert_first(operation, patched)
        return
    first = items[0]
    node = _holder(operation, first).value
    step = _list_step(operation, items)
    if operation.index > len(node.get(first.key) or node.get(f"_{first.key}") or ()):
        raise _refuse(operation, "path-patch-index")
    content, sibling = _fitting(operation, first.key, _type_of(step), _given(operation))
    _into(node, first.key, operation.index, content, sibling)


def _insert_first(operation: PathOperation, patched: _Patched) -> None:
    """Insert into a list that is not there yet: the path's last step names it."""
    parent_path, _, name = operation.path.rpartition(".")
    if operation.index != 0 or not parent_path or not name.isidentifier():
        raise _refuse(operation, "path-patch-none")
    holders = patched.locate(parent_path)
    if len(holders) != 1 or not isinstance(holders[0].value, dict):
        raise _refuse(operation, "path-patch-none")
    step = schema.steps(holders[0].type).get(name)
    if step is None or not step.many:
        raise _refuse(operation, "path-patch-not-a-list")
    _set(operation, holders[0].value, holders[0].type, name, _given(operation))


def _delete(operation: PathOperation, patched: _Patched) -> None:
    items = _elements(operation, patched)
    if len(items) > 1:
        raise _refuse(operation, "path-patch-several")
    if items:
        _take(operation, items[0])


def _replace(operation: PathOperation, patched: _Patched) -> None:
    item = _one(operation, patched)
    node = _holder(operation, item).value
    step = schema.keys(_holder(operation, item).type).get(item.key)
    if step is None:
        raise _refuse(operation, "path-patch-not-an-element")
    given = _given(operation)
    if step[0].choice:
        content, sibling, key = _choice(operation, step[0], given)
    else:
        content, sibling = _fitting(operation, item.key, step[1], given)
        key = item.key
    if item.index is None or not isinstance(node.get(item.key, node.get(f"_{item.key}")), list):
        for old in (item.key, f"_{item.key}"):
            node.pop(old, None)
        _single(node, key, content, sibling)
    else:
        _pull(node, item.key, item.index)
        _into(node, item.key, item.index, content, sibling)


def _move(operation: PathOperation, patched: _Patched) -> None:
    items = _elements(operation, patched)
    if not items:
        raise _refuse(operation, "path-patch-none")
    _list_step(operation, items)
    node, key = _holder(operation, items[0]).value, items[0].key
    length = max(len(node.get(key) or ()), len(node.get(f"_{key}") or ()))
    if operation.source >= length or operation.destination >= length:
        raise _refuse(operation, "path-patch-index")
    content, sibling = _pull(node, key, operation.source)
    _into(node, key, operation.destination, content, sibling)


_APPLY: dict[str, Callable[[PathOperation, _Patched], None]] = {
    "add": _add,
    "insert": _insert,
    "delete": _delete,
    "replace": _replace,
    "move": _move,
}


# --- places ---------------------------------------------------------------------------------


def _holder(operation: PathOperation, item: Item) -> Item:
    """The element that holds an item; the resource itself has none."""
    if item.parent is None or not isinstance(item.parent.value, dict):
        raise _refuse(operation, "path-patch-root")
    return item.parent


def _list_step(operation: PathOperation, items: list[Item]) -> Step:
    """The element whose list holds all items; they must be the whole of one list."""
    first = items[0]
    parent = _holder(operation, first)
    found = schema.keys(parent.type).get(first.key)
    same = all(
        item.parent is not None and item.parent.value is parent.value and item.key == first.key
        for item in items
    )
    if not same or found is None or not found[0].many:
        raise _refuse(operation, "path-patch-not-a-list")
    return found[0]


def _type_of(step: Step) -> str:
    return step.keys[0][1]


def _sibling_of(item: Item) -> dict[str, Any]:
    """The `_x` object of a primitive, made when it is not there."""
    assert item.parent is not None
    node, name = item.parent.value, f"_{item.key}"
    values = node.get(item.key)
    if isinstance(values, list):
        siblings = node.setdefault(name, [])
        siblings.extend([None] * (len(values) - len(siblings)))
        index = item.index or 0
        siblings[index] = siblings[index] or {}
        made: dict[str, Any] = siblings[index]
        return made
    single: dict[str, Any] = node.setdefault(name, {})
    return single


def _take(operation: PathOperation, item: Item) -> None:
    """Remove an element, and what is left empty by that."""
    parent = _holder(operation, item)
    node = parent.value
    is_list = any(isinstance(node.get(key), list) for key in (item.key, f"_{item.key}"))
    if item.index is None or not is_list:
        node.pop(item.key, None)
        node.pop(f"_{item.key}", None)
    else:
        _pull(node, item.key, item.index)
    if not node and parent.parent is not None:
        _take(operation, parent)


def _pull(node: dict[str, Any], key: str, index: int) -> tuple[Any, Any]:
    """Take one repetition out of a list and its list of siblings."""
    taken = []
    for name in (key, f"_{key}"):
        values = node.get(name)
        taken.append(
            values.pop(index) if isinstance(values, list) and index < len(values) else None
        )
    _tidy(node, key)
    return taken[0], taken[1]


def _into(node: dict[str, Any], key: str, index: int, content: Any, sibling: Any) -> None:
    """Put one repetition into a list and, where there are siblings, into theirs."""
    values = node.get(key) or []
    siblings = node.get(f"_{key}") or []
    length = max(len(values), len(siblings))
    values = [*values, *[None] * (length - len(values))]
    siblings = [*siblings, *[None] * (length - len(siblings))]
    values.insert(index, content)
    siblings.insert(index, sibling)
    node[key], node[f"_{key}"] = values, siblings
    _tidy(node, key)


def _tidy(node: dict[str, Any], key: str) -> None:
    """Drop lists that say nothing."""
    for name in (key, f"_{key}"):
        values = node.get(name)
        if isinstance(values, list) and all(value is None for value in values):
            del node[name]


def _single(node: dict[str, Any], key: str, content: Any, sibling: Any) -> None:
    if content is not None:
        node[key] = content
    if sibling is not None:
        node[f"_{key}"] = sibling


# --- values ---------------------------------------------------------------------------------


def _given(operation: PathOperation) -> Value:
    """The value, copied: later operations may change it, and a patch can be applied again."""
    assert operation.value is not None  # `_NEEDS` saw to it.
    return _copied(operation.value)


def _copied(value: Value) -> Value:
    return replace(
        value,
        content=deepcopy(value.content),
        sibling=deepcopy(value.sibling),
        parts=tuple((name, _copied(part)) for name, part in value.parts),
    )


def _set(
    operation: PathOperation, node: dict[str, Any], type: str, name: str, value: Value
) -> None:
    """Add a value to `node` under an element's name: append, or set what is not there."""
    step = schema.steps(type).get(name)
    if step is None and name in schema.keys(type):
        step = schema.keys(type)[name][0]
    if step is None:
        raise _refuse(operation, "path-patch-name")
    if step.choice:
        content, sibling, key = _choice(operation, step, value)
        taken = [own for own, _ in step.keys if own in node or f"_{own}" in node]
    else:
        key = step.keys[0][0]
        content, sibling = _fitting(operation, key, _type_of(step), value)
        taken = [key] if key in node or f"_{key}" in node else []
    if step.many:
        length = max(len(node.get(key) or ()), len(node.get(f"_{key}") or ()))
        _into(node, key, length, content, sibling)
    elif taken:
        raise _refuse(operation, "path-patch-exists")
    else:
        _single(node, key, content, sibling)


def _choice(operation: PathOperation, step: Step, value: Value) -> tuple[Any, Any, str]:
    """Content, sibling and JSON key for an element of several types."""
    key = step.key(value.type)
    if key is None:
        raise _refuse(operation, "path-patch-value")
    return value.content, value.sibling, key


def _fitting(operation: PathOperation, key: str, type: str, value: Value) -> tuple[Any, Any]:
    """Content and sibling, when the value's type fits the element's.

    Any primitive may stand for another (a `string` for a `code`): its form is validated with
    the result.
    """
    if value.parts or not value.type:
        return _built(operation, type, value), None
    fits = (
        schema.is_primitive(value.type)
        if schema.is_primitive(type)
        else value.type == type
        or (type == schema.RESOURCE and value.type == schema.RESOURCE)
        or schema.is_a(value.type, type)
        or schema.is_a(type, value.type)
    )
    if not fits:
        raise _refuse(operation, "path-patch-value")
    return value.content, value.sibling


def _built(operation: PathOperation, type: str, value: Value) -> dict[str, Any]:
    """An object of a type from named parts."""
    if schema.is_primitive(type) or not schema.steps(type):
        raise _refuse(operation, "path-patch-value")
    node: dict[str, Any] = {}
    for name, part in value.parts:
        _set(operation, node, type, name, part)
    return node
