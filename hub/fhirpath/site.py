"""Where a function is called: what its builder gets to work with.

`hub.fhirpath.compiler` makes a Site for each call in an expression and hands it to the builder
that `hub.fhirpath.functions` has for the name.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

from hub.fhirpath import syntax
from hub.fhirpath.code import Code, Run, focus, truth, value
from hub.fhirpath.errors import FHIRPathEvaluationError, FHIRPathSemanticError
from hub.fhirpath.values import type_of

_NO_VARIABLES: Mapping[str, Code] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Scope:
    """What names mean at one place of an expression.

    Attributes:
        this: The focus: `$this`, and the input of functions without one.
        variables: What defineVariable() has defined so far.
        index: Whether there is an `$index`.
        total: Whether there is a `$total`.
    """

    this: Code
    variables: Mapping[str, Code] = field(default_factory=lambda: _NO_VARIABLES)
    index: bool = False
    total: bool = False


class Compiling(Protocol):
    """What a builder needs of the compiler."""

    strict: bool
    guarded: bool

    def compile(self, node: syntax.Node, scope: Scope) -> Code:
        """The code of a node."""

    def need_context(self) -> None:
        """Say that the code uses its second argument."""

    def new_slot(self) -> int:
        """A number for a variable."""


@dataclass(frozen=True, slots=True)
class Body:
    """An argument that is evaluated for each item.

    Attributes:
        code: Its code; the focus is the item.
        indexed: Whether it mentions `$index`.
    """

    code: Code
    indexed: bool

    def over(self, run: Run) -> Callable[[Sequence[Any], Any], list[Any]]:
        """The function that gives the results of a run for each node, with `$index` kept.

        Args:
            run: A form of `code`, as `truth(body.code, ...)`.
        """
        if not self.indexed:
            return lambda nodes, context: [run(node, context) for node in nodes]

        def with_index(nodes: Sequence[Any], context: Any) -> list[Any]:
            outer = context.index
            found = []
            for index, node in enumerate(nodes):
                context.index = index
                found.append(run(node, context))
            context.index = outer
            return found

        return with_index


def mentions(node: syntax.Node, name: str) -> bool:
    """Whether `$name` occurs in a tree."""
    if isinstance(node, syntax.Special):
        return node.name == name
    return any(mentions(child, name) for child in parts(node))


def parts(node: syntax.Node) -> list[syntax.Node]:
    """The nodes directly below a node."""
    found: list[syntax.Node] = []
    for slot in dataclasses.fields(node):
        child = getattr(node, slot.name)
        if isinstance(child, syntax.Node):
            found.append(child)
        elif isinstance(child, tuple):
            found.extend(part for part in child if isinstance(part, syntax.Node))
    return found


@dataclass(frozen=True, slots=True)
class Site:
    """A call of a function.

    Attributes:
        name: Function name.
        position: Where in the expression, from 1.
        source: The code of its input.
        arguments: The trees of its arguments.
        scope: The scope outside, in which plain arguments are evaluated.
        compiler: The compiler.
        origin: The tree of its input; None when that is the focus.
    """

    name: str
    position: int
    source: Code
    arguments: tuple[syntax.Node, ...]
    scope: Scope
    compiler: Compiling
    origin: syntax.Node | None = None

    @property
    def label(self) -> str:
        """The function as messages call it."""
        return f"{self.name}()"

    def argument(self, index: int) -> Code:
        """The code of an argument that is evaluated once, in the outer scope."""
        return self.compiler.compile(self.arguments[index], self.scope)

    def body(self, index: int, this: Code | None = None, total: bool = False) -> Body:
        """An argument that is evaluated for each item of the input.

        Args:
            index: Which argument.
            this: The code of the focus when it is not an item of the input.
            total: Whether the function gives it a `$total`.
        """
        tree = self.arguments[index]
        if this is None:
            this = focus(self.source.types, self.source.raw)
        scope = Scope(this, self.scope.variables, True, total or self.scope.total)
        code = self.compiler.compile(tree, scope)
        indexed = mentions(tree, "index")
        if indexed:
            self.compiler.need_context()
        if self.compiler.guarded:
            code = self.guard(code)
        return Body(code, indexed)

    def guard(self, code: Code) -> Code:
        """The same code, counting each evaluation as a step."""
        run = code.run
        self.compiler.need_context()

        def counted(node: Any, context: Any) -> Any:
            context.spend(1)
            return run(node, context)

        return dataclasses.replace(code, run=counted, present=None, chain=None)

    def holding(self, run: Run) -> Run:
        """The same run to a sequence, refusing too many items where that is guarded."""
        if not self.compiler.guarded:
            return run
        self.compiler.need_context()

        def held(node: Any, context: Any) -> Any:
            found = run(node, context)
            context.hold(len(found))
            return found

        return held

    def truth(self, code: Code) -> Run:
        """Run to True, False or None."""
        return truth(code, self.label, self.position)

    def text(self, index: int) -> Run:
        """Run to the string an argument gives, or None."""
        return self.typed(self.argument(index), str, "a string")

    def integer(self, index: int) -> Run:
        """Run to the integer an argument gives, or None."""
        return self.typed(self.argument(index), int, "an integer")

    def input(self, kind: type, expected: str) -> Run:
        """Run to the System value of the input if it is of a Python type, or None."""
        run = value(self.source, self.label, self.position)

        def checked(node: Any, context: Any) -> Any:
            found = run(node, context)
            if found is not None and found.__class__ is not kind:
                raise self.wrong_input(expected, found)
            return found

        return checked

    def typed(self, code: Code, kind: type, expected: str) -> Run:
        """Run to the System value of a single item of a Python type, or None."""
        run = value(code, self.label, self.position)

        def checked(node: Any, context: Any) -> Any:
            found = run(node, context)
            if found is not None and found.__class__ is not kind:
                raise FHIRPathEvaluationError(
                    "fhirpath-bad-argument", self.position, name=self.name, expected=expected
                )
            return found

        return checked

    def wrong_input(self, expected: str, found: Any) -> FHIRPathEvaluationError:
        """The error for an input the function is not defined on."""
        return FHIRPathEvaluationError(
            "fhirpath-wrong-input",
            self.position,
            name=self.label,
            expected=expected,
            found=type_of(found) or "an element",
        )

    def misuse(self, message: str, **arguments: object) -> FHIRPathSemanticError:
        """An error found while compiling the call."""
        return FHIRPathSemanticError(message, self.position, **arguments)


Builder = Callable[[Site], Code]


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the language.

    Attributes:
        build: Makes the code of a call.
        least: Fewest arguments.
        most: Most arguments.
        loops: Whether it can produce much from little, so that its expression is guarded.
    """

    build: Builder
    least: int = 0
    most: int = 0
    loops: bool = False
