"""Compiles a syntax tree to closures.

`Compiler.compile` gives the `Code` of a node in a `Scope`; operators and functions have their
builders elsewhere. A program is compiled for one type of focus. In the fast mode the focus is
bare JSON of that type and paths become dictionary accesses; in the guarded mode it is an Item
and everything goes by run-time types, with steps counted and places kept.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from hub.fhirpath import arithmetic, operators, schema, syntax
from hub.fhirpath.code import EMPTY, Code, as_described, computed, constant, focus, many
from hub.fhirpath.errors import FHIRPathSemanticError
from hub.fhirpath.functions import functions
from hub.fhirpath.functions.subsetting import indexer
from hub.fhirpath.functions.tree import has_children_but_id
from hub.fhirpath.functions.types import as_type, is_type, known_type
from hub.fhirpath.item import Item
from hub.fhirpath.paths import dynamic_step, is_open, typed_step
from hub.fhirpath.quantity import Quantity, named
from hub.fhirpath.site import Scope, Site, parts
from hub.fhirpath.values import describe, type_of
from hub.messages import Phrase

_BINARY = {**operators.BINARY, **arithmetic.BINARY}
_URLS = {
    "sct": "http://snomed.info/sct",
    "loinc": "http://loinc.org",
    "ucum": "http://unitsofmeasure.org",
}
_PREFIXES = {
    "vs-": "http://hl7.org/fhir/ValueSet/",
    "ext-": "http://hl7.org/fhir/StructureDefinition/",
}
# Loops within loops: from here on steps are counted in the fast mode too.
_DEEP = 2
_LONG = 1_000


def needs_guard(tree: syntax.Node) -> bool:
    """Whether an expression could take much more time or memory than its resource has items.

    A loop over a path and what is below it cannot; loops in loops, those that reach out to the
    whole resource at each turn, and very long expressions can.
    """
    return _loop_depth(tree) >= _DEEP or _size(tree) > _LONG


def _size(node: syntax.Node) -> int:
    return 1 + sum(_size(child) for child in parts(node))


def _loop_depth(node: syntax.Node) -> int:
    if not isinstance(node, syntax.Call):
        return max((_loop_depth(child) for child in parts(node)), default=0)
    known = functions().get(node.name)
    if known is not None and known.loops:
        return _DEEP
    inner = max((_loop_depth(argument) for argument in node.arguments), default=0)
    outer = 0 if node.source is None else _loop_depth(node.source)
    if node.name not in _LOOPS:
        return max(outer, inner)
    if any(_reaches_out(argument) for argument in node.arguments):
        return _DEEP
    return max(outer, inner + bool(node.arguments))


def _reaches_out(node: syntax.Node) -> bool:
    if isinstance(node, syntax.Variable):
        return node.name not in _URLS
    if isinstance(node, syntax.Call) and node.name in ("descendants", "children"):
        return True
    return any(_reaches_out(child) for child in parts(node))


_LOOPS = frozenset(["where", "select", "all", "exists", "sort"])


class Compiler:
    """Compiles one program.

    Attributes:
        strict: Elements that cannot exist are errors, as are order on the unordered and
            several items for `as`.
        guarded: Steps and sizes are counted.
        contextual: Whether any code uses the context; known once everything is compiled.
    """

    def __init__(self, root_type: str, *, bare: bool, strict: bool, guarded: bool) -> None:
        """Start a program.

        Args:
            root_type: Type of the focus; empty when it is not known.
            bare: The focus is bare JSON of that type: the fast mode.
            strict: As the attribute.
            guarded: As the attribute.
        """
        self.strict = strict
        self.guarded = guarded
        self.contextual = False
        self.root_type = root_type
        self._bare = bare
        self._slots = 0
        self._compiled: dict[tuple[int, int], tuple[syntax.Node, Scope, Code]] = {}

    def program(self, tree: syntax.Node) -> Code:
        """The code of a whole expression."""
        types = (self.root_type,) if self.root_type else None
        return self.compile(tree, Scope(focus(types, self.root_type if self._bare else None)))

    def need_context(self) -> None:
        """Say that the code uses its second argument."""
        self.contextual = True

    def new_slot(self) -> int:
        """A number for a variable."""
        self._slots += 1
        return self._slots

    def compile(self, node: syntax.Node, scope: Scope) -> Code:
        """The code of a node.

        Builders may ask again for a part they look into, so each is compiled once per scope:
        without that, a chain of such parts would double the work at every step.
        """
        key = (id(node), id(scope))
        known = self._compiled.get(key)
        if known is None:
            code = _HANDLERS[type(node)](self, node, scope)
            # Node and scope are kept, so that their ids stay theirs.
            known = self._compiled[key] = (node, scope, code)
        return known[2]

    # --- terms -------------------------------------------------------------------------------

    def literal(self, node: syntax.Literal, _scope: Scope) -> Code:
        """A literal."""
        return constant(node.value, type_of(node.value))

    def quantity(self, node: syntax.QuantityLiteral, _scope: Scope) -> Code:
        """A quantity literal."""
        if node.calendar:
            return constant(Quantity(node.value, node.unit, calendar=True), "System.Quantity")
        return constant(named(node.value, node.unit), "System.Quantity")

    def empty(self, _node: syntax.Empty, _scope: Scope) -> Code:
        """`{}`."""
        return EMPTY

    def special(self, node: syntax.Special, scope: Scope) -> Code:
        """`$this`, `$index`, `$total`."""
        if node.name == "this":
            return scope.this
        if node.name == "index" and scope.index:
            self.need_context()
            return computed(lambda _node, context: context.index, "System.Integer")
        if node.name == "total" and scope.total:
            self.need_context()
            return Code(lambda _node, context: context.total, False)
        raise FHIRPathSemanticError(
            "fhirpath-unknown-variable", node.position, name=f"${node.name}"
        )

    def variable(self, node: syntax.Variable, scope: Scope) -> Code:
        """`%name`."""
        name = node.name
        if name in scope.variables:
            return scope.variables[name]
        if name in _URLS:
            return constant(_URLS[name], "System.String")
        for prefix, url in _PREFIXES.items():
            if name.startswith(prefix):
                return constant(url + name.removeprefix(prefix), "System.String")
        self.need_context()
        if name == "context":
            types = (self.root_type,) if self.root_type else None
            raw = self.root_type if self._bare else None
            return Code(lambda _node, context: context.root, True, types, raw)
        if name in ("resource", "rootResource"):
            return self._resource(name == "resource")
        return Code(_outside(name, node.position), False)

    def _resource(self, nearest: bool) -> Code:
        """`%resource` or `%rootResource`."""
        own = self.root_type.partition(".")[0]
        if self._bare and nearest and schema.is_resource(own) and not is_open(own):
            return Code(lambda _node, context: context.resource, True, (own,), own)

        def run(_node: Any, context: Any) -> Any:
            found = context.resource if nearest else context.root_resource
            if found.__class__ is Item:
                return found
            kind = schema.type_of_resource(found)
            return Item(found, kind, name=kind) if found.__class__ is dict else None

        return Code(run, True, None)

    # --- paths -------------------------------------------------------------------------------

    def member(self, node: syntax.Member, scope: Scope) -> Code:
        """`source.name`."""
        if node.source is None:
            named_type = self._own_type(node, scope.this)
            return named_type or self._step(scope.this, node)
        source = self.compile(node.source, scope)
        return _keeping(self._step(source, node), source)

    def _own_type(self, node: syntax.Member, this: Code) -> Code | None:
        """The focus, when a path starts with its type: `Patient.name`."""
        if not node.name[:1].isupper() or schema.type_named(node.name) != node.name:
            return None
        if this.types is None or any(is_open(own) for own in this.types):
            return _where_type(this, node.name)
        if any(schema.is_a(own, node.name) for own in this.types):
            return this
        return None

    def _step(self, source: Code, node: syntax.Member) -> Code:
        if source.empty:
            return EMPTY
        if source.raw is not None and not schema.is_primitive(source.raw):
            step = schema.steps(source.raw).get(node.name)
            if step is not None:
                return typed_step(source, step)
            return self._no_element(source, node)
        code = dynamic_step(as_described(source), node.name)
        return self._no_element(source, node) if code.empty else code

    def _no_element(self, source: Code, node: syntax.Member) -> Code:
        if self.strict:
            types = ", ".join(own for own in source.types or ())
            raise FHIRPathSemanticError(
                "fhirpath-unknown-element", node.position, type=types, name=node.name
            )
        return EMPTY

    def index(self, node: syntax.Indexer, scope: Scope) -> Code:
        """`source[index]`."""
        source = self.compile(node.source, scope)
        return _keeping(indexer(source, self.compile(node.index, scope), node.position), source)

    def call(self, node: syntax.Call, scope: Scope) -> Code:
        """`source.name(arguments)`."""
        function = functions().get(node.name)
        if function is None:
            raise FHIRPathSemanticError("fhirpath-unknown-function", node.position, name=node.name)
        count = len(node.arguments)
        if not function.least <= count <= function.most:
            least, most = function.least, function.most
            raise FHIRPathSemanticError(
                "fhirpath-argument-count",
                node.position,
                name=node.name,
                expected=_range(least, most),
                count=count,
            )
        source = scope.this if node.source is None else self.compile(node.source, scope)
        if source.variables:
            scope = dataclasses.replace(scope, variables={**scope.variables, **source.variables})
        site = Site(node.name, node.position, source, node.arguments, scope, self, node.source)
        return _keeping(function.build(site), source)

    # --- operations --------------------------------------------------------------------------

    def polarity(self, node: syntax.Polarity, scope: Scope) -> Code:
        """`-operand`."""
        operand = self.compile(node.operand, scope)
        return arithmetic.polarity(node.operator, operand, node.position)

    def binary(self, node: syntax.Binary, scope: Scope) -> Code:
        """A binary operator."""
        if node.operator == ">":
            quick = has_children_but_id(node.left, node.right, scope.this)
            if quick is not None:
                return computed(quick, "System.Boolean")
        left, right = self.compile(node.left, scope), self.compile(node.right, scope)
        return _BINARY[node.operator](left, right, node.position)

    def series(self, node: syntax.Series, scope: Scope) -> Code:
        """`|`, `and`, `or` over their operands."""
        operands = [self.compile(operand, scope) for operand in node.operands]
        return operators.SERIES[node.operator](operands, node.position)

    def type_operation(self, node: syntax.TypeOperation, scope: Scope) -> Code:
        """`operand is type`, `operand as type`."""
        wanted = known_type(node.type, node.position)
        operand = self.compile(node.operand, scope)
        site = Site(node.operator, node.position, operand, (), scope, self, node.operand)
        return is_type(site, wanted) if node.operator == "is" else as_type(site, wanted)

    def sort_key(self, node: syntax.SortKey, _scope: Scope) -> Code:
        """`key desc` outside of sort(), which the parser never makes."""
        raise FHIRPathSemanticError(
            "fhirpath-bad-argument", node.position, name="sort", expected="a key"
        )


def _range(least: int, most: int) -> str | Phrase:
    if least == most:
        return str(least)
    return Phrase("{least} to {most}", {"least": least, "most": most})


def _keeping(code: Code, source: Code) -> Code:
    """The code, with the variables that its source defined."""
    if not source.variables or code.variables:
        return code
    return dataclasses.replace(code, variables=source.variables)


def _where_type(this: Code, name: str) -> Code:
    """The items of the focus that are of the type a path starts with."""
    run = many(this)

    def kept(node: Any, context: Any) -> Any:
        return [item for item in run(node, context) if schema.is_a(type_of(item), name)]

    return Code(kept, False, (name,))


def _outside(name: str, position: int) -> Callable[[Any, Any], Any]:
    """The run of a variable that only the environment can know."""

    def run(_node: Any, context: Any) -> Any:
        variables = context.environment.variables
        if name not in variables:
            raise FHIRPathSemanticError("fhirpath-unknown-variable", position, name=name)
        value = variables[name]
        nodes = value if isinstance(value, list | tuple) else (value,)
        return [describe(node) for node in nodes if node is not None]

    return run


Handler = Callable[[Compiler, Any, Scope], Code]

_HANDLERS: dict[type[syntax.Node], Handler] = {
    syntax.Literal: Compiler.literal,
    syntax.QuantityLiteral: Compiler.quantity,
    syntax.Empty: Compiler.empty,
    syntax.Special: Compiler.special,
    syntax.Variable: Compiler.variable,
    syntax.Member: Compiler.member,
    syntax.Call: Compiler.call,
    syntax.Indexer: Compiler.index,
    syntax.Polarity: Compiler.polarity,
    syntax.Binary: Compiler.binary,
    syntax.Series: Compiler.series,
    syntax.TypeOperation: Compiler.type_operation,
    syntax.SortKey: Compiler.sort_key,
}
