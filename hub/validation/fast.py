"""The fast pass: says that a resource is surely right, or that there is a doubt.

Each shape's function is written by `hub.validation.source` and compiled when it is first met, so
that only types in use cost anything. Called by `hub.validation.validator`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import RLock
from typing import Any

from hub.definitions import is_resource_type
from hub.validation.contained import problems
from hub.validation.guard import not_after
from hub.validation.invariant import Invariants
from hub.validation.narrative import is_safe
from hub.validation.primitive import FAST_NAMES, ID, is_text
from hub.validation.reference import target_problem, text_problem
from hub.validation.scope import Scope
from hub.validation.source import SIBLING, Source, Writer, function_of, table_of

Check = Callable[[Any, Scope], Any]


class Doubt(Exception):
    """Raised by generated code at the first thing that may be wrong."""


# What generated code raises when a JSON value is of a type it does not expect.
_DOUBTS = (Doubt, KeyError, TypeError, AttributeError, ValueError, RecursionError)


class FastPass:
    """The compiled checks of all types met so far."""

    def __init__(self, invariants: Invariants | None = None) -> None:
        """Start without any type.

        Args:
            invariants: Guards and rules; None leaves invariants out.
        """
        self._invariants = invariants
        self._writer = Writer(invariants)
        self._waiting: dict[str, list[tuple[dict[str, Check], str]]] = {}
        self._defining = RLock()
        self._names: dict[str, Any] = {
            **FAST_NAMES,
            "Doubt": Doubt,
            "accept": _accept,
            "doubt": _doubt,
            "is_safe": is_safe,
            "not_after": not_after,
            "refers_wrongly": refers_wrongly,
            "check_element_id": check_element_id,
            "check_sibling": self._sibling,
            "check_choice_sibling": self._choice_sibling,
            "choices_with_siblings": choices_with_siblings,
            "check_entry": self._entry,
            "check_contained": self._contained,
        }
        self._element = self._function("Element")

    def passes(self, resource: Mapping[str, Any], scope: Scope) -> bool:
        """Whether a resource is surely right; False: look closer.

        Args:
            resource: A resource whose `resourceType` is known.
            scope: Its scope.
        """
        try:
            self._resource(resource, scope)
        except _DOUBTS:
            return False
        return True

    def source(self, shape_name: str) -> Source:
        """What the fast pass of a shape looks like, for people."""
        return Writer(self._invariants).write(shape_name)

    def _resource(self, resource: Mapping[str, Any], scope: Scope) -> None:
        name = resource["resourceType"]
        check = self._names.get("check_" + name)
        if check is None:
            if not is_resource_type(name):
                raise Doubt
            check = self._define(name)
        check(resource, scope)

    def _entry(self, resource: Mapping[str, Any], scope: Scope) -> None:
        if scope.with_entries:
            self._resource(resource, Scope(resource))

    def _contained(self, rows: list[Mapping[str, Any]], scope: Scope) -> None:
        if type(rows) is not list or not rows:
            raise Doubt
        for _problem in problems(scope.resource):
            raise Doubt
        for row in rows:
            self._resource(row, scope.inner(row))

    def _sibling(self, element: Mapping[str, Any], scope: Scope) -> None:
        if "extension" not in element:
            raise Doubt
        self._names["check_Element"](element, scope)

    def _choice_sibling(self, element: Mapping[str, Any], scope: Scope) -> int:
        self._sibling(element, scope)
        return SIBLING

    def _function(self, shape_name: str) -> Check:
        """The function of a shape, or one that writes it when it is first called."""
        name = function_of(shape_name)
        if name not in self._names:

            def first_call(value: Any, scope: Scope) -> Any:
                return self._define(shape_name)(value, scope)

            self._names[name] = first_call
            self._waiting[name] = []
        check: Check = self._names[name]
        return check

    def _define(self, shape_name: str) -> Check:
        """Write the function of a shape, unless another thread has done so meanwhile."""
        with self._defining:
            name = function_of(shape_name)
            if name in self._names and name not in self._waiting:
                check: Check = self._names[name]
                return check
            return self._write(shape_name)

    def _write(self, shape_name: str) -> Check:
        source = self._writer.write(shape_name)
        self._names.update(source.values)
        for other in source.shapes:
            self._function(other)
        for rule in source.rules:
            if rule not in self._names and self._invariants is not None:
                self._names[rule] = self._invariants.check(rule)
        text = "\n".join(source.lines)
        exec(compile(text, f"<fast pass of {shape_name}>", "exec"), self._names)
        name = function_of(shape_name)
        table: dict[str, Check] = {}
        for key, function in source.table.items():
            table[key] = self._names[function]
            if function in self._waiting:
                self._waiting[function].append((table, key))
        self._names[table_of(shape_name)] = table
        check: Check = self._names[name]
        for waiting, key in self._waiting.pop(name, ()):
            waiting[key] = check
        return check


def _accept(_value: Any, _scope: Scope) -> None:
    """For `resourceType`, which was looked at already."""


def _doubt(_value: Any, _scope: Scope) -> None:
    raise Doubt


def check_element_id(value: Any, scope: Scope) -> None:
    """Doubt an id that is no text, or that another element of the resource has."""
    if not is_text(value) or scope.taken(value) is not None:
        raise Doubt


def choices_with_siblings(
    value: Mapping[str, Any], choices: list[tuple[int, tuple[str, ...]]]
) -> int:
    """The bits of the choices present in an object, `_x` counted with its `x`.

    Args:
        value: The object.
        choices: Bit and properties of each choice.

    Raises:
        Doubt: One choice has two types.
    """
    bits = 0
    for bit, keys in choices:
        present = {key.removeprefix("_") for key in keys if key in value}
        if len(present) > 1:
            raise Doubt
        bits |= bit if present else 0
    return bits


def refers_wrongly(reference: Mapping[str, Any], targets: frozenset[str], scope: Scope) -> bool:
    """Whether a Reference may point where it must not.

    Args:
        reference: A Reference whose own properties are right.
        targets: Types it may point at; empty: any.
        scope: Where it stands.
    """
    text = reference.get("reference")
    if "type" not in reference:
        if text is None:
            return False
        kind, _, identity = text.partition("/")
        identity, versioned, version = identity.partition("/_history/")
        if (
            (kind in targets if targets else is_resource_type(kind))
            and ID(identity)
            and (not versioned or ID(version))
        ) or text.startswith("urn:"):
            return False
    if text is not None and text_problem(text, scope) is not None:
        return True
    return target_problem(reference, targets, scope) is not None
