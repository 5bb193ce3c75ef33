"""R4's invariants: rules in FHIRPath that the definitions attach to types and elements.

https://hl7.org/fhir/R4/conformance-rules.html#constraints. In the fast pass a guard tells where
a rule surely holds, and only where it does not the FHIRPath is evaluated; the path-tracking pass
evaluates them all. Some are checked natively elsewhere (NATIVE); what is particular about single
ones is in invariants.toml. Called by `hub.validation.validator`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from hub.definitions import Constraint
from hub.errors import Severity
from hub.fhirpath import (
    DEFAULT_LIMITS,
    Environment,
    Expression,
    FHIRPathError,
    FHIRPathLimitError,
    MemberOf,
    Resolver,
    compile,
    syntax,
)
from hub.fhirpath.parser import parse_expression
from hub.fhirpath.site import parts
from hub.validation import contained
from hub.validation.content import Shape, Slot, shape_of
from hub.validation.guard import FALSE, Guarding
from hub.validation.narrative import is_safe
from hub.validation.native import RULES
from hub.validation.primitive import Problem
from hub.validation.scope import Scope
from hub.validation.source import Guard

# Checked by hub.validation.reference and .narrative; ele-1 is part of every shape.
NATIVE = contained.NATIVE | {"ref-1", "txt-1", "txt-2"}
_SURROUNDINGS = frozenset(["resource", "rootResource"])


@lru_cache(maxsize=1)
def _particulars() -> Mapping[tuple[str, str, str], Mapping[str, str]]:
    """Rows of invariants.toml by kind, key and element."""
    table = tomllib.loads((Path(__file__).parent / "invariants.toml").read_text("utf-8"))
    return {(kind, row["key"], row["where"]): row for kind, rows in table.items() for row in rows}


@dataclass(frozen=True, slots=True)
class Rule:
    """One invariant at one place.

    Attributes:
        constraint: As the definitions have it.
        expression: FHIRPath, corrected where R4's is wrong.
        where: Path of the element that states it.
        focus: Name of the type it is evaluated on.
        empty: What the empty result counts as.
    """

    constraint: Constraint
    expression: str
    where: str
    focus: str
    empty: bool

    @property
    def name(self) -> str:
        """Its name in generated code."""
        return f"rule_{self.focus}_{self.constraint.key}".replace(".", "_").replace("-", "_")

    @property
    def message(self) -> str:
        """Message id of its violation; R4 has one key at three places."""
        key = self.constraint.key
        return f"rule-{key}-{self.focus}" if key == "inv-1" else f"rule-{key}"

    @property
    def tree(self) -> syntax.Node:
        """Its syntax tree."""
        return parse_expression(self.expression)

    def compiled(self) -> Expression:
        """Its compiled form; made once per process."""
        return compile(self.expression, root_type=self.focus)


def _rule(constraint: Constraint, where: str, focus: str) -> Rule:
    particulars = _particulars()
    corrected = particulars.get(("corrected", constraint.key, where))
    return Rule(
        constraint,
        constraint.expression if corrected is None else corrected["expression"],
        where,
        focus,
        ("decisive", constraint.key, where) not in particulars,
    )


@cache
def rules_of(shape_name: str) -> tuple[Rule, ...]:
    """The invariants evaluated on objects of a shape, without the native ones."""
    return tuple(
        _rule(one, shape_name, shape_name)
        for one in shape_of(shape_name).constraints
        if one.key not in NATIVE
    )


def rules_at(slot: Slot) -> tuple[Rule, ...]:
    """The invariants that an element adds to those of its type, without the native ones."""
    return tuple(
        _rule(one, slot.element.path, slot.shape)
        for one in slot.constraints
        if one.key not in NATIVE
    )


class Invariants:
    """Evaluates invariants with the services they may ask for."""

    def __init__(
        self, resolver: Resolver | None = None, terminology: MemberOf | None = None
    ) -> None:
        """Keep the services.

        Args:
            resolver: For resolve() beyond contained resources and entries of the Bundle.
            terminology: For memberOf().
        """
        self._resolver = resolver
        self._terminology = terminology
        self._rules: dict[str, Rule] = {}
        self._plain = Environment(resolver=resolver, terminology=terminology, narrative=is_safe)

    def guards(self, shape: Shape, bits: Mapping[str, int]) -> list[Guard]:
        """The guards of a shape's rules of severity error, for the fast pass.

        Args:
            shape: The shape.
            bits: Choice elements to their bit in the generated code.
        """
        guarding = Guarding(shape, bits)
        found = []
        for rule in rules_of(shape.name):
            if rule.constraint.severity == "error":
                self._rules[rule.name] = rule
                found.append(Guard(guarding.test_of(rule.tree), rule.name))
        return found

    def slot_guards(self, slot: Slot) -> list[Guard]:
        """The guards of an element's own rules of severity error, for the fast pass."""
        found = []
        for rule in rules_at(slot):
            if rule.constraint.severity == "error":
                self._rules[rule.name] = rule
                found.append(Guard(FALSE, rule.name))
        return found

    def check(self, name: str) -> Callable[[Any, Scope], bool]:
        """The whole rule behind a guard: whether it holds on an object in a scope.

        Args:
            name: As in `Guard.rule`.
        """
        rule = self._rules[name]
        native = RULES.get((rule.constraint.key, rule.where))
        if native is not None:
            return lambda value, _scope: native(value)
        needs_scope = _needs_scope(rule.tree)

        def holds(value: Any, scope: Scope) -> bool:
            environment = self._environment(scope) if needs_scope else self._plain
            try:
                return rule.compiled().boolean(value, environment, empty=rule.empty)
            except FHIRPathError:
                return False

        return holds

    def problems(
        self, where: Slot | Shape, value: Any, scope: Scope, sound: bool
    ) -> Iterator[tuple[Severity, Problem]]:
        """The rules that are broken, warnings included.

        Args:
            where: The shape of the object, or the element.
            value: The object, or one repetition of the element.
            scope: Its scope.
            sound: Nothing else is wrong with the value. If not, a rule counts as broken only
                where it is plainly false.
        """
        for rule in rules_of(where.name) if isinstance(where, Shape) else rules_at(where):
            key, severity = rule.constraint.key, rule.constraint.severity
            native = RULES.get((key, rule.where))
            try:
                if native is not None:
                    holds = native(value)
                else:
                    around = self._environment(scope, limited=not sound)
                    holds = rule.compiled().boolean(value, around, empty=rule.empty or not sound)
            except FHIRPathLimitError:
                yield "error", Problem("too-costly", "validation-invariant-costly", {"key": key})
                continue
            except FHIRPathError:
                if sound:
                    failed = Problem("processing", "validation-invariant-failed", {"key": key})
                    yield "warning", failed
                continue
            if not holds:
                arguments: dict[str, object] = {"key": key, "human": rule.constraint.human}
                broken = Problem("invariant", rule.message, arguments)
                yield ("error" if severity == "error" else "warning"), broken

    def _environment(self, scope: Scope, limited: bool = False) -> Environment:
        return Environment(
            resource=scope.resource,
            root_resource=scope.container,
            resolver=self._resolver,
            terminology=self._terminology,
            narrative=is_safe,
            limits=DEFAULT_LIMITS if limited else None,
        )


def _needs_scope(tree: syntax.Node) -> bool:
    """Whether an expression looks beyond the object it is evaluated on."""
    if isinstance(tree, syntax.Variable) and tree.name in _SURROUNDINGS:
        return True
    if isinstance(tree, syntax.Call) and tree.name == "resolve":
        return True
    return any(_needs_scope(child) for child in parts(tree))
