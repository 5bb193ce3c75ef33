"""A SearchParameter's expression as routes through the JSON of a resource.

Nearly every expression is a union of paths with casts and simple filters
(https://hl7.org/fhir/R4/searchparameter.html). Such a path becomes a `Route`: steps over JSON
keys, resolved against the definitions, so that extraction needs no evaluation. What is none
stays an expression for `hub.fhirpath`. Called by `hub.search.registry` and
`hub.search.extraction.walker`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

from hub.definitions import ancestors, is_resource_type, type_definition, type_names
from hub.fhirpath import schema, syntax
from hub.fhirpath.parser import parse_expression


@dataclass(frozen=True, slots=True)
class Get:
    """The values of a JSON key; `many` when it holds an array."""

    key: str
    many: bool


@dataclass(frozen=True, slots=True)
class Where:
    """Only elements whose JSON key has this value; `where(system='email')`, `extension(url)`."""

    key: str
    value: str | bool


@dataclass(frozen=True, slots=True)
class WithExtension:
    """Only elements that have this extension: `where(hasExtension(url))`."""

    url: str


@dataclass(frozen=True, slots=True)
class At:
    """Only the element at this place of the array that the step before it gives."""

    index: int


@dataclass(frozen=True, slots=True)
class Refers:
    """Only references to this type: `where(resolve() is Patient)`."""

    type: str


Step = Get | Where | WithExtension | At | Refers


@dataclass(frozen=True, slots=True)
class Route:
    """One way from a resource to values of one type.

    Attributes:
        steps: In order.
        type: FHIR type of the values: `CodeableConcept`, `Patient.contact`.
        targets: For references: resource types the definition allows; empty: any.
    """

    steps: tuple[Step, ...]
    type: str
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Routes:
    """An expression taken apart for one type.

    Attributes:
        routes: The paths.
        rest: Parts of the union that only the FHIRPath engine can evaluate, as text.
    """

    routes: tuple[Route, ...]
    rest: tuple[str, ...] = ()


class _NotARoute(Exception):
    """The expression needs the FHIRPath engine."""


@lru_cache(maxsize=4096)
def parsed(expression: str) -> syntax.Node:
    """The tree of an expression; FHIRPathSyntaxError if it is none."""
    return parse_expression(expression)


@lru_cache(maxsize=8192)
def routes_of(expression: str, focus: str) -> Routes:
    """Take an expression apart for one type.

    Args:
        expression: FHIRPath; a union whose members may start with other types' names.
        focus: Type that it is evaluated on: a resource type, or for a composite's components
            also a data type or a backbone element's path.

    Raises:
        FHIRPathSyntaxError: It is not FHIRPath.
    """
    found: dict[Route, None] = {}
    rest: list[str] = []
    tree = parsed(expression)
    for member in _members(tree):
        if _is_of_another_type(member, focus):
            continue
        try:
            found.update(dict.fromkeys(_follow(member, focus)))
        except _NotARoute:
            rest.append(syntax.write(member))
    return Routes(tuple(found), tuple(rest))


def leads_nowhere(expression: str, focus: str) -> bool:
    """Whether an expression names an element that its type does not have: `Patient.nmae`.

    Args:
        expression: FHIRPath; one of `Routes.rest`.
        focus: Type that it is evaluated on.
    """
    node = parsed(expression)
    while isinstance(node, syntax.Member | syntax.Call | syntax.Indexer):
        if isinstance(node, syntax.Member) and not node.name[0].isupper():
            try:
                sources = _follow(node.source, focus) if node.source else [Route((), focus)]
            except _NotARoute:
                pass
            else:
                return not any(_may_have(source.type, node.name) for source in sources)
        if node.source is None:
            return False
        node = node.source
    return False


def _may_have(type: str, name: str) -> bool:
    # What is in `contained` or in a Bundle's entries may be of any type.
    return type in ("Resource", "DomainResource") or name in schema.steps(type)


def _members(tree: syntax.Node) -> tuple[syntax.Node, ...]:
    if isinstance(tree, syntax.Series) and tree.operator == "|":
        return tree.operands
    return (tree,)


def _is_of_another_type(node: syntax.Node, focus: str) -> bool:
    head = _head(node)
    return (
        head is not None
        and head[0].isupper()
        and head != focus
        and head in type_names()
        and head not in (ancestors(focus) if focus in type_names() else ())
    )


def _head(node: syntax.Node) -> str | None:
    """First name of a path."""
    if isinstance(node, syntax.Member):
        return node.name if node.source is None else _head(node.source)
    if isinstance(node, syntax.Call):
        return None if node.source is None else _head(node.source)
    if isinstance(node, syntax.Indexer):
        return _head(node.source)
    if isinstance(node, syntax.TypeOperation):
        return _head(node.operand)
    if isinstance(node, syntax.Series | syntax.Binary):
        first = node.operands[0] if isinstance(node, syntax.Series) else node.left
        return _head(first)
    return None


def _follow(node: syntax.Node, focus: str) -> list[Route]:
    """The routes of one member of the union."""
    if isinstance(node, syntax.Member):
        return _member(node, focus)
    if isinstance(node, syntax.TypeOperation) and node.operator == "as":
        return _of_type(_follow(node.operand, focus), node.type)
    if isinstance(node, syntax.Indexer):
        return _indexed(node, focus)
    if isinstance(node, syntax.Call) and node.source is not None and len(node.arguments) == 1:
        return _call(node.name, _follow(node.source, focus), node.arguments[0])
    if isinstance(node, syntax.Special) and node.name == "this":
        return [Route((), focus)]
    raise _NotARoute


def _member(node: syntax.Member, focus: str) -> list[Route]:
    if node.source is not None:
        return _step(_follow(node.source, focus), node.name)
    is_own = node.name in (ancestors(focus) if focus in type_names() else ())
    if is_own and node.name[0].isupper():
        return [Route((), focus)]
    return _step([Route((), focus)], node.name)


def _step(sources: list[Route], name: str) -> list[Route]:
    found: list[Route] = []
    for source in sources:
        step = schema.steps(source.type).get(name)
        if step is None or (source.type == "Resource" and source.steps):
            continue
        found.extend(
            Route(
                (*source.steps, Get(key, step.many)),
                type_name,
                _targets(source.type, name, type_name),
            )
            for key, type_name in step.keys
        )
    if not found:
        raise _NotARoute
    return found


def _of_type(routes: list[Route], name: str) -> list[Route]:
    wanted = name.removeprefix("FHIR.")
    # The package writes `as(DateTime)` in one place; no type differs from another by case only.
    return [
        route
        for route in routes
        if route.type.lower() == wanted.lower() or schema.is_exactly(route.type, wanted)
    ]


def _indexed(node: syntax.Indexer, focus: str) -> list[Route]:
    sources = _follow(node.source, focus)
    index = node.index
    if not isinstance(index, syntax.Literal) or type(index.value) is not int or index.value < 0:
        raise _NotARoute
    for source in sources:
        # An index counts over the whole collection: one array only, reached without another.
        repeats = [step for step in source.steps if isinstance(step, Get) and step.many]
        if len(repeats) != 1 or source.steps[-1] is not repeats[0] or len(sources) != 1:
            raise _NotARoute
    return [
        Route((*source.steps, At(index.value)), source.type, source.targets) for source in sources
    ]


def _call(name: str, sources: list[Route], argument: syntax.Node) -> list[Route]:
    if name in ("as", "ofType"):
        return _of_type(sources, _type_name(argument))
    if name == "extension":
        return [
            Route((*route.steps, Where("url", _text(argument))), route.type)
            for route in _step(sources, "extension")
        ]
    if name == "where":
        return _where(sources, argument)
    raise _NotARoute


def _type_name(node: syntax.Node) -> str:
    """A type specifier as an argument: `Quantity` or `FHIR.Quantity`."""
    if isinstance(node, syntax.Member) and node.source in (None, syntax.Member(None, "FHIR")):
        return node.name
    raise _NotARoute


def _where(sources: list[Route], test: syntax.Node) -> list[Route]:
    if isinstance(test, syntax.TypeOperation) and test.operator == "is":
        if not _is_resolve(test.operand) or not is_resource_type(test.type):
            raise _NotARoute
        return [
            Route((*route.steps, Refers(test.type)), route.type, (test.type,))
            for route in sources
            if not route.targets or test.type in route.targets
        ]
    step = _filter(test)
    if isinstance(step, Where) and any(
        step.key not in schema.steps(route.type) for route in sources
    ):
        raise _NotARoute
    return [Route((*route.steps, step), route.type, route.targets) for route in sources]


def _filter(test: syntax.Node) -> Step:
    if (
        isinstance(test, syntax.Binary)
        and test.operator == "="
        and isinstance(test.left, syntax.Member)
        and test.left.source is None
        and isinstance(test.right, syntax.Literal)
        and isinstance(test.right.value, str | bool)
    ):
        return Where(test.left.name, test.right.value)
    if isinstance(test, syntax.Call) and test.name == "hasExtension" and test.source is None:
        return WithExtension(_text(test.arguments[0]))
    raise _NotARoute


def _is_resolve(node: syntax.Node) -> bool:
    return isinstance(node, syntax.Call) and node.name == "resolve" and node.source is None


def _text(node: syntax.Node) -> str:
    if isinstance(node, syntax.Literal) and isinstance(node.value, str):
        return node.value
    raise _NotARoute


@cache
def _targets(parent: str, name: str, type_name: str) -> tuple[str, ...]:
    """Resource types that a Reference or canonical element may point to; empty: any."""
    if type_name not in ("Reference", "canonical"):
        return ()
    for element in type_definition(parent.partition(".")[0]).elements:
        if element.name == name and element.path.rpartition(".")[0] == parent:
            for kind in element.types:
                if kind.code == type_name:
                    return kind.targets
    return ()
