"""The path-tracking pass: walks a resource and collects everything that is wrong with it.

Run only where the fast pass has a doubt, or when warnings are asked for; it decides, and its
rules are those of https://hl7.org/fhir/R4/json.html, datatypes.html and references.html.
Called by `hub.validation.validator`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from hub.definitions import is_resource_type
from hub.errors import Issue, Severity
from hub.validation.binding import required_codes
from hub.validation.contained import problems as contained_problems
from hub.validation.content import Shape, Slot, shape_of
from hub.validation.narrative import narrative_problem
from hub.validation.primitive import Problem, problem
from hub.validation.reference import target_problem, text_problem
from hub.validation.scope import Scope

MAX_DEPTH = 100
MAX_ISSUES = 500
_NAME = 64

# Evaluates the invariants of an object or element, given its scope and whether nothing else is
# wrong with it; gives severity and what is wrong.
Rules = Callable[[Slot | Shape, Any, Scope, bool], Iterable[tuple[Severity, Problem]]]


class EnoughError(Exception):
    """The limit of issues is reached; the rest of the resource was not looked at."""


def no_invariants(
    _where: Slot | Shape, _value: Any, _scope: Scope, _sound: bool
) -> Iterable[tuple[Severity, Problem]]:
    """For a validator that leaves invariants out."""
    return ()


class Walk:
    """One walk.

    Attributes:
        issues: What was found, in the order of the resource.
    """

    def __init__(self, rules: Rules = no_invariants, warnings: bool = False) -> None:
        """Start without issues.

        Args:
            rules: Evaluates the invariants of a shape or an element.
            warnings: Keep their warnings too.
        """
        self.issues: list[Issue] = []
        self._rules_of = rules
        self._warnings = warnings
        self._depth = 0

    def resource(self, resource: Any, location: str, scope: Scope | None = None) -> None:
        """Check one resource.

        Args:
            resource: The JSON value.
            location: Its FHIRPath; empty: its type's name.
            scope: Given for contained resources and for the outermost one.

        Raises:
            EnoughError: After MAX_ISSUES issues.
        """
        if not isinstance(resource, dict):
            self._add(location, Problem("structure", "validation-resource-not-object", {}))
            return
        name = resource.get("resourceType")
        if not isinstance(name, str) or not is_resource_type(name):
            self._add(location, _type_unknown(name))
            return
        scope = Scope(resource) if scope is None else scope
        scope.start_again()
        self._object(shape_of(name), resource, location or name, scope)

    def _object(self, shape: Shape, value: Mapping[str, Any], location: str, scope: Scope) -> None:
        if self._depth >= MAX_DEPTH:
            self._add(location, Problem("too-long", "validation-depth", {"limit": MAX_DEPTH}))
            return
        self._depth += 1
        before = len(self.issues)
        if not shape.is_resource and not value.keys() - {"id"}:
            self._add(location, Problem("structure", "validation-empty-object", {"key": "ele-1"}))
        for key in value:
            slot = shape.slots.get(key)
            if slot is not None:
                self._property(slot, value, location, scope)
            elif key != "resourceType" or not shape.is_resource:
                self._add(location, _unknown(key, shape))
        self._required(shape, value, location)
        self._chosen_once(shape, value, location)
        self._rules(shape, value, location, scope, before)
        self._depth -= 1

    def _property(self, slot: Slot, parent: Mapping[str, Any], location: str, scope: Scope) -> None:
        value = parent[slot.key]
        where = f"{location}.{slot.element.name}"
        if value is None:
            self._add(where, Problem("structure", "validation-null", {}))
        elif slot.kind == "sibling":
            self._siblings(slot, value, parent.get(slot.key[1:]), where, scope)
        elif not slot.many:
            if isinstance(value, list):
                self._add(where, Problem("structure", "validation-array", {}))
            else:
                self._value(slot, value, where, scope)
        elif not isinstance(value, list):
            self._add(where, Problem("structure", "validation-no-array", {}))
        elif not value:
            self._add(where, Problem("structure", "validation-empty-array", {}))
        else:
            self._items(slot, value, parent.get("_" + slot.key), where, scope)

    def _items(
        self, slot: Slot, values: list[Any], siblings: object, where: str, scope: Scope
    ) -> None:
        if slot.kind == "resource":
            self._contained_rules(values, where, scope)
        for index, value in enumerate(values):
            if value is not None or slot.kind != "primitive":
                self._value(slot, value, f"{where}[{index}]", scope)
            elif _at(siblings, index) is None:
                problem_ = Problem("structure", "validation-null-item", {"name": "_" + slot.key})
                self._add(f"{where}[{index}]", problem_)

    def _value(self, slot: Slot, value: Any, where: str, scope: Scope) -> None:
        """One repetition of an element."""
        before = len(self.issues)
        if slot.kind == "primitive":
            self._primitive(slot, value, where)
            if slot.is_element_id and isinstance(value, str):
                self._element_id(value, where, scope)
            self._rules(slot, value, where, scope, before)
        elif slot.kind == "resource":
            if slot.many and isinstance(value, dict):
                self.resource(value, where, scope.inner(value))
            elif slot.many or scope.with_entries:
                self.resource(value, where)
        elif not isinstance(value, dict):
            self._add(where, _object_expected(slot.shape, value))
        else:
            self._object(shape_of(slot.shape), value, where, scope)
            self._complex_rules(slot, value, where, scope)
            self._rules(slot, value, where, scope, before)

    def _primitive(self, slot: Slot, value: Any, where: str) -> None:
        found = problem(slot.shape, value)
        if found is None and slot.shape == "xhtml":
            found = narrative_problem(value)
        if found is None:
            codes = required_codes(slot.element)
            if codes is not None and not codes.accepts(value):
                found = _not_bound("validation-code", codes.words(), codes.value_set)
        if found is not None:
            self._add(where, found)

    def _element_id(self, value: str, where: str, scope: Scope) -> None:
        other = scope.taken(value, where)
        if other is not None:
            self._add(where, Problem("duplicate", "validation-element-id", {"other": other}))

    def _complex_rules(
        self, slot: Slot, value: Mapping[str, Any], where: str, scope: Scope
    ) -> None:
        codes = required_codes(slot.element)
        if codes is not None:
            is_concept = slot.shape == "CodeableConcept"
            if not (codes.accepts_concept(value) if is_concept else codes.accepts_coding(value)):
                message = "validation-concept" if is_concept else "validation-coding"
                self._add(where, _not_bound(message, codes.words(), codes.value_set))
        if slot.is_simple_quantity and "comparator" in value:
            self._add(where, Problem("structure", "validation-comparator", {}))
        if slot.shape == "Reference":
            self._reference(slot, value, where, scope)

    def _reference(
        self, slot: Slot, reference: Mapping[str, Any], where: str, scope: Scope
    ) -> None:
        text = reference.get("reference")
        found = None
        if isinstance(text, str) and text:
            found = text_problem(text, scope)
        if found is not None:
            self._add(f"{where}.reference", found)
            return
        found = target_problem(reference, frozenset(slot.type.targets), scope)
        if found is not None:
            self._add(where, found)

    def _siblings(self, slot: Slot, siblings: Any, values: Any, where: str, scope: Scope) -> None:
        """The `_x` of a primitive: its id and extensions (json.html#primitive)."""
        if not slot.many:
            self._sibling(siblings, values, where, scope)
            return
        if not isinstance(siblings, list):
            self._add(where, Problem("structure", "validation-no-array", {}))
            return
        if not siblings:
            self._add(where, Problem("structure", "validation-empty-array", {}))
            return
        for index, sibling in enumerate(siblings):
            value = _at(values, index)
            if sibling is not None:
                self._sibling(sibling, value, f"{where}[{index}]", scope)
            elif value is None and not (isinstance(values, list) and index < len(values)):
                # A null on both sides is told where the values are walked.
                problem_ = Problem("structure", "validation-null-item", {"name": slot.key[1:]})
                self._add(f"{where}[{index}]", problem_)

    def _sibling(self, sibling: Any, value: Any, where: str, scope: Scope) -> None:
        if not isinstance(sibling, dict):
            self._add(where, _object_expected("Element", sibling))
            return
        shape = shape_of("Element")
        if value is not None and sibling.keys() == {"id"}:
            self._property(shape.slots["id"], sibling, where, scope)
            return
        self._object(shape, sibling, where, scope)

    def _contained_rules(self, rows: list[Any], where: str, scope: Scope) -> None:
        for index, found in contained_problems({**scope.resource, "contained": rows}):
            self._add(f"{where}[{index}]", found)

    def _required(self, shape: Shape, value: Mapping[str, Any], location: str) -> None:
        for name in shape.required:
            keys = shape.elements[name]
            if not any(key in value for key in keys):
                shown = [key for key in keys if not key.startswith("_")]
                arguments: dict[str, object] = {"names": " | ".join(shown[:8]), "type": shape.name}
                self._add(
                    f"{location}.{name}", Problem("required", "validation-required", arguments)
                )

    def _chosen_once(self, shape: Shape, value: Mapping[str, Any], location: str) -> None:
        for name in shape.choices:
            present = {key.removeprefix("_") for key in shape.elements[name] if key in value}
            if len(present) > 1:
                arguments: dict[str, object] = {"names": ", ".join(sorted(present))}
                self._add(
                    f"{location}.{name}", Problem("structure", "validation-choice", arguments)
                )

    def _rules(
        self, where: Slot | Shape, value: Any, location: str, scope: Scope, before: int
    ) -> None:
        if where.constraints:
            sound = len(self.issues) == before
            for severity, found in self._rules_of(where, value, scope, sound):
                if severity == "error" or self._warnings:
                    self._add(location, found, severity)

    def _add(self, location: str, found: Problem, severity: Severity = "error") -> None:
        if len(self.issues) >= MAX_ISSUES:
            raise EnoughError
        self.issues.append(Issue(severity, found.code, found.message, found.arguments, location))


def _at(values: object, index: int) -> Any:
    if isinstance(values, list) and index < len(values):
        return values[index]
    return None


def _type_unknown(name: object) -> Problem:
    if not isinstance(name, str) or not name:
        return Problem("structure", "validation-resource-type-missing", {})
    return Problem("structure", "validation-resource-type", {"type": name[:_NAME]})


def _object_expected(shape_name: str, value: object) -> Problem:
    if isinstance(value, list):
        return Problem("structure", "validation-array", {})
    if value is None:
        return Problem("structure", "validation-null", {})
    return Problem("structure", "validation-object-expected", {"type": shape_name})


def _not_bound(message: str, allowed: str, value_set: str) -> Problem:
    if not allowed:
        return Problem("code-invalid", f"{message}-syntax", {"value_set": value_set})
    return Problem("code-invalid", message, {"value_set": value_set, "allowed": allowed})


def _unknown(key: str, shape: Shape) -> Problem:
    name = key[:_NAME]
    near = get_close_matches(name, shape.slots, n=1, cutoff=0.6)
    for element in shape.choices:
        if name.startswith(element):
            kinds = [key for key in shape.elements[element] if not key.startswith("_")]
            return Problem(
                "structure",
                "validation-choice-type",
                {"name": name, "type": shape.name, "names": ", ".join(kinds[:12])},
            )
    if near:
        return Problem(
            "structure",
            "validation-unknown-near",
            {"name": name, "type": shape.name, "near": near[0]},
        )
    return Problem("structure", "validation-unknown", {"name": name, "type": shape.name})
