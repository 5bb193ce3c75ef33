"""A compiled expression: what `compile` returns and everyone evaluates.

It keeps one program per type of focus and mode, compiled on first use. `evaluate` and
`boolean` are on the path of every write and every search index row, so they do no more than
call the closure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hub.fhirpath import schema, syntax
from hub.fhirpath.code import Code, Run, many, truth
from hub.fhirpath.compiler import Compiler, needs_guard
from hub.fhirpath.environment import Context, Environment
from hub.fhirpath.errors import (
    FHIRPathEvaluationError,
    FHIRPathSemanticError,
    FHIRPathSyntaxError,
)
from hub.fhirpath.functions.utility import as_items
from hub.fhirpath.item import Item
from hub.fhirpath.parser import MAX_HEIGHT
from hub.fhirpath.values import describe, plain, type_of

# What a malformed resource makes the fast closures raise.
_MALFORMED = (AttributeError, TypeError, KeyError, IndexError, ValueError, RecursionError)


@dataclass(frozen=True, slots=True)
class Program:
    """An expression compiled for one type of focus in one mode.

    Attributes:
        code: The code.
        sequence: Run to a sequence of nodes.
        test: Run to True, False or None.
        contextual: Whether it needs a context.
    """

    code: Code
    sequence: Run
    test: Run
    contextual: bool


class Expression:
    """A FHIRPath expression, ready to be evaluated; immutable and safe to share.

    Attributes:
        text: The expression as given.
        tree: Its syntax tree.
        root_type: Type of the items it is evaluated on; None when it may be any.
    """

    __slots__ = (
        "_careful",
        "_fast",
        "_guard",
        "_quick",
        "_raw",
        "_single",
        "_typed",
        "root_type",
        "strict",
        "text",
        "tree",
    )

    def __init__(self, text: str, tree: syntax.Node, root_type: str | None, strict: bool) -> None:
        self.text = text
        self.tree = tree
        self.root_type = root_type
        self.strict = strict
        self._guard = needs_guard(tree)
        self._fast: dict[str, Program] = {}
        self._careful: dict[str, Program] = {}
        self._typed: Program | None = None
        # Compiling finds the semantic errors, so it is done now for what is known of the focus.
        if root_type is None:
            self._careful_program("")
        elif not schema.is_known(root_type):
            raise FHIRPathSemanticError("fhirpath-unknown-type", 0, name=root_type)
        else:
            self._typed = self._fast_program(root_type)
        # The shortest way through `evaluate`, for plain paths from a known type.
        program = self._typed
        plain_path = program is not None and not program.contextual
        self._quick = program.code.run if program is not None and plain_path else None
        self._single = program is not None and program.code.single
        self._raw = None if program is None else program.code.raw

    @property
    def types(self) -> tuple[str, ...] | None:
        """Types its items can have when `root_type` is known; None when they cannot be told."""
        return None if self._typed is None else self._typed.code.types

    # --- programs ----------------------------------------------------------------------------

    def _fast_program(self, own: str) -> Program:
        found = self._fast.get(own)
        if found is None:
            found = self._fast[own] = self._compiled(own, bare=bool(own), guarded=self._guard)
        return found

    def _careful_program(self, own: str) -> Program:
        found = self._careful.get(own)
        if found is None:
            found = self._careful[own] = self._compiled(own, bare=False, guarded=True)
        return found

    def _compiled(self, own: str, *, bare: bool, guarded: bool) -> Program:
        compiler = Compiler(own, bare=bare, strict=self.strict, guarded=guarded)
        try:
            code = compiler.program(self.tree)
        except RecursionError as problem:
            raise FHIRPathSyntaxError("fhirpath-too-deep", 1, limit=MAX_HEIGHT) from problem
        return Program(code, many(code), truth(code, "the expression", 1), compiler.contextual)

    def _find(self, resource: Any) -> Program:
        if resource.__class__ is Item:
            return self._fast_program(resource.type)
        return self._fast_program(schema.type_of_resource(resource))

    # --- evaluation --------------------------------------------------------------------------

    def evaluate(self, resource: Any, environment: Environment | None = None) -> list[Item]:
        """The items the expression selects or computes.

        Args:
            resource: What it is evaluated on: a resource or element in JSON form, a primitive
                value, or an Item when the type is not the expression's root type and cannot be
                read from `resourceType`; None for nothing.
            environment: Variables, services and limits. Without limits the resource has to be
                a validated one.

        Raises:
            FHIRPathEvaluationError: It met values it is not defined for.
            FHIRPathLimitError: It took too much.
        """
        quick = self._quick
        if quick is not None and environment is None and resource.__class__ is dict:
            try:
                nodes = quick(resource, None)
            except _MALFORMED:
                return self.evaluate_located(resource)
            raw = self._raw
            if self._single:
                nodes = () if nodes is None else (nodes,)
        elif environment is not None and environment.limits is not None:
            return self.evaluate_located(resource, environment)
        else:
            program = self._typed or self._find(resource)
            nodes = self._nodes(program, resource, environment)
            raw = program.code.raw
        if not nodes:
            return []
        if raw is None:
            return as_items(nodes)
        return [node if node.__class__ is Item else Item(node, raw) for node in nodes]

    def evaluate_values(self, resource: Any, environment: Environment | None = None) -> list[Any]:
        """As `evaluate`, but only the values, as JSON.

        Dates and times are text, computed quantities FHIR Quantities; a primitive that has only
        extensions is left out.
        """
        quick = self._quick
        if quick is not None and environment is None and resource.__class__ is dict:
            try:
                nodes = quick(resource, None)
            except _MALFORMED:
                nodes = self.evaluate_located(resource)
            else:
                if self._single:
                    nodes = () if nodes is None else (nodes,)
        elif environment is not None and environment.limits is not None:
            nodes = self.evaluate_located(resource, environment)
        else:
            nodes = self._nodes(self._typed or self._find(resource), resource, environment)
        return _plain(nodes) if nodes else []

    def boolean(
        self, resource: Any, environment: Environment | None = None, *, empty: bool = True
    ) -> bool:
        """Whether the expression holds: singleton evaluation of its result.

        Args:
            resource: As for `evaluate`.
            environment: As for `evaluate`.
            empty: What the empty result counts as. Invariants let it pass: they fail only when
                the expression is false (https://hl7.org/fhir/R4/conformance-rules.html#constraints).

        Raises:
            FHIRPathEvaluationError: It gives several items, or met values it is not defined for.
        """
        if environment is not None and environment.limits is not None:
            found = self._careful_test(resource, environment)
            return empty if found is None else found
        program = self._typed or self._find(resource)
        root = self._root(program, resource)
        context = Context(root, environment) if program.contextual else None
        try:
            found = program.test(root, context)
        except _MALFORMED:
            found = self._careful_test(resource, environment)
        return empty if found is None else found

    def evaluate_located(self, resource: Any, environment: Environment | None = None) -> list[Item]:
        """As `evaluate`, with `Item.location` of every element, in the guarded mode.

        It believes nothing about the resource's structure and keeps to the environment's
        limits, or to the default ones.
        """
        root = self._item(resource)
        program = self._careful_program(root.type if root is not None else self.root_type or "")
        return as_items(self._guarded(program, program.sequence, root, environment) or ())

    # --- inside ------------------------------------------------------------------------------

    def _root(self, program: Program, resource: Any) -> Any:
        """The focus in the shape the program takes."""
        if resource.__class__ is Item:
            bare = self.root_type is not None or resource.type
            return resource.value if bare and resource.element is None else resource
        if self._typed is program or resource is None:
            return resource
        own = schema.type_of_resource(resource)
        return resource if own else describe(resource)

    def _nodes(self, program: Program, resource: Any, environment: Environment | None) -> Any:
        if resource is None:
            return self._guarded_none(environment)
        root = self._root(program, resource)
        context = Context(root, environment) if program.contextual else None
        try:
            return program.sequence(root, context)
        except _MALFORMED:
            return self.evaluate_located(resource, environment)

    def _guarded_none(self, environment: Environment | None) -> Any:
        program = self._careful_program("")
        return self._guarded(program, program.sequence, None, environment)

    def _careful_test(self, resource: Any, environment: Environment | None) -> bool | None:
        root = self._item(resource)
        program = self._careful_program(root.type if root is not None else self.root_type or "")
        found: bool | None = self._guarded(program, program.test, root, environment)
        return found

    def _guarded(
        self, program: Program, run: Run, root: Item | None, environment: Environment | None
    ) -> Any:
        context = Context(root, environment)
        try:
            return run(root, context)
        except _MALFORMED as problem:
            raise FHIRPathEvaluationError("fhirpath-malformed-resource") from problem

    def _item(self, resource: Any) -> Item | None:
        """The focus as an Item with a place."""
        if resource is None:
            return None
        if isinstance(resource, Item):
            if resource.name:
                return resource
            return Item(resource.value, resource.type, resource.element, name=resource.type)
        own = schema.type_of_resource(resource) or self.root_type or ""
        if not own and not isinstance(resource, dict):
            own = type_of(describe(resource))
        return Item(resource, own, name=own)


def _plain(nodes: Any) -> list[Any]:
    found = [node.value if node.__class__ is Item else node for node in nodes]
    return [plain(value) for value in found if value is not None]
