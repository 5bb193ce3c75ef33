"""A compiled piece of an expression, and the forms in which others take it.

`Code.run(node, context)` evaluates it for one focus. To keep the common paths fast there are
two shapes of result and two of node, both known when compiling:

- single: a node or None; otherwise a sequence of nodes (never changed once returned).
- bare: nodes are plain JSON of the one FHIR type `raw` (a primitive that has a sibling `_x` is
  an Item); otherwise nodes are described: Items, or System values that tell their own type.

The functions below turn one shape into another; builders in `hub.fhirpath.functions` ask for
the shape they want and never look into another's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.fhirpath.errors import FHIRPathEvaluationError
from hub.fhirpath.item import Item
from hub.fhirpath.values import converter, system_type, system_value

Run = Callable[[Any, Any], Any]
Types = tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Code:
    """A compiled expression.

    Attributes:
        run: From focus and context to the result.
        single: The result is a node or None instead of a sequence.
        types: The types its items can have; None when not known, () when it is always empty.
        raw: FHIR type of bare nodes; None when nodes are described.
        ordered: Whether the order of the items means something.
        present: A quicker test that the result is not empty, if there is one.
        chain: JSON keys when it is a plain path of single complex elements from the focus.
        variables: Variables that defineVariable() made visible to what follows.
        literal: The value of a literal.
    """

    run: Run
    single: bool
    types: Types = None
    raw: str | None = None
    ordered: bool = True
    present: Run | None = None
    chain: tuple[str, ...] | None = None
    variables: Mapping[str, Code] | None = None
    literal: Any = None

    @property
    def empty(self) -> bool:
        """Whether it is known to be always empty."""
        return self.types == ()


def identity(node: Any, _context: Any) -> Any:
    """The focus itself."""
    return node


def nothing(_node: Any, _context: Any) -> Any:
    """The empty result of a single."""
    return None


EMPTY = Code(nothing, single=True, types=())


def focus(types: Types, raw: str | None, single: bool = True) -> Code:
    """The code of `$this`."""
    return Code(identity, single, types, raw, chain=() if single and raw else None)


def constant(value: Any, type_name: str) -> Code:
    """The code of a literal or of anything that never changes."""
    return Code(lambda _node, _context: value, True, (type_name,), literal=value)


def computed(run: Run, type_name: str) -> Code:
    """The code of a function that gives one System value or None."""
    return Code(run, True, (type_name,))


def many(code: Code) -> Run:
    """Run to a sequence of nodes."""
    run = code.run
    if not code.single:
        return run

    def as_sequence(node: Any, context: Any) -> Any:
        value = run(node, context)
        return () if value is None else (value,)

    return as_sequence


def describe_one(node: Any, raw: str) -> Any:
    """A bare node as an Item."""
    return node if node.__class__ is Item else Item(node, raw)


def described(code: Code) -> Run:
    """Run to a sequence of described nodes."""
    run = many(code)
    raw = code.raw
    if raw is None:
        return run

    def wrap(node: Any, context: Any) -> Any:
        return [describe_one(found, raw) for found in run(node, context)]

    return wrap


def as_described(code: Code) -> Code:
    """The same with described nodes."""
    if code.raw is None:
        return code
    return Code(described(code), False, code.types, None, code.ordered, variables=code.variables)


def not_single(what: str, position: int, count: int) -> FHIRPathEvaluationError:
    """The error for several items where one is wanted."""
    return FHIRPathEvaluationError("fhirpath-not-single", position, name=what, count=count)


def one(code: Code, what: str, position: int) -> Run:
    """Run to a node or None; several are an error."""
    run = code.run
    if code.single:
        return run

    def only(node: Any, context: Any) -> Any:
        found = run(node, context)
        if not found:
            return None
        if len(found) > 1:
            raise not_single(what, position, len(found))
        return found[0]

    return only


def to_system(code: Code) -> Callable[[Any], Any]:
    """The function from a node of this code to its System value (a dict stays one)."""
    raw = code.raw
    if raw is None:
        return system_value
    convert = converter(raw)

    def from_bare(node: Any) -> Any:
        if node.__class__ is Item:
            node = node.value
        return None if node is None else convert(node)

    return from_bare


def value(code: Code, what: str, position: int) -> Run:
    """Run to the System value of a single item, or None."""
    run = one(code, what, position)
    if code.raw is None and code.types is not None and _is_system(code.types):
        return run
    convert = to_system(code)

    def system(node: Any, context: Any) -> Any:
        found = run(node, context)
        return None if found is None else convert(found)

    return system


def _is_system(types: Sequence[str]) -> bool:
    return all(name.startswith("System.") and name != "System.TypeInfo" for name in types)


def values(code: Code) -> Run:
    """Run to the list of System values; items without a value are left out."""
    run = many(code)
    convert = to_system(code)

    def system(node: Any, context: Any) -> Any:
        found = (convert(item) for item in run(node, context))
        return [item for item in found if item is not None]

    return system


def truth(code: Code, what: str, position: int) -> Run:
    """Run to True, False or None: singleton evaluation of collections.

    http://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections: a single item that is no
    Boolean counts as true.
    """
    if code.types == ("System.Boolean",) and code.raw is None:
        return one(code, what, position)
    run = one(code, what, position)

    def judged(node: Any, context: Any) -> Any:
        found = run(node, context)
        if found.__class__ is Item:
            found = found.value if found.type == "boolean" else True
        return found if found is None or found.__class__ is bool else True

    return judged


def present(code: Code) -> Run:
    """Run to whether there is any item."""
    if code.present is not None:
        return code.present
    run = code.run
    if code.single:
        return lambda node, context: run(node, context) is not None
    return lambda node, context: bool(run(node, context))


def absent(code: Code) -> Run:
    """Run to whether there is no item."""
    if code.present is not None:
        test = code.present
        return lambda node, context: not test(node, context)
    run = code.run
    if code.single:
        return lambda node, context: run(node, context) is None
    return lambda node, context: not run(node, context)


def system_types(code: Code) -> frozenset[str] | None:
    """The System types its items convert to; None when some are not known or complex."""
    if code.types is None:
        return None
    found = {system_type(name) for name in code.types}
    return None if None in found else frozenset(name for name in found if name)
