"""Types: is, as, ofType, type.

http://hl7.org/fhirpath/N1/#types, https://hl7.org/fhir/R4/fhirpath.html#types. `is` follows
inheritance; `as` and `ofType` keep a primitive only when it is of the very type named.
"""

from __future__ import annotations

from typing import Any

from hub.fhirpath import schema, syntax
from hub.fhirpath.code import EMPTY, Code, computed, described, many, not_single, one
from hub.fhirpath.errors import FHIRPathSemanticError
from hub.fhirpath.item import Item
from hub.fhirpath.paths import is_open, narrowed_step
from hub.fhirpath.references import type_behind
from hub.fhirpath.schema import is_a, is_exactly
from hub.fhirpath.site import Function, Site
from hub.fhirpath.values import type_of

BOOLEAN = "System.Boolean"


def type_argument(site: Site) -> str:
    """The type that a function's one argument names.

    Raises:
        FHIRPathSemanticError: It is no type specifier, or names no type.
    """
    parts: list[str] = []
    tree: syntax.Node | None = site.arguments[0]
    while isinstance(tree, syntax.Member):
        parts.append(tree.name)
        tree = tree.source
    if tree is not None or not parts:
        raise site.misuse("fhirpath-bad-argument", name=site.name, expected="a type")
    return known_type(".".join(reversed(parts)), site.position)


def known_type(name: str, position: int) -> str:
    """The type that a specifier names.

    Raises:
        FHIRPathSemanticError: There is no such type.
    """
    found = schema.type_named(name)
    if found is None:
        raise FHIRPathSemanticError("fhirpath-unknown-type", position, name=name)
    return found


def is_type(site: Site, wanted: str) -> Code:
    """`is`: whether the single item is of a type."""
    source = site.source
    if source.empty:
        return EMPTY
    origin = site.origin
    if isinstance(origin, syntax.Call) and origin.name == "resolve" and not origin.arguments:
        return _refers_to(site, origin, wanted)
    run = one(source, site.label, site.position)
    if source.raw is not None:
        same = is_a(source.raw, wanted)
        return computed(lambda node, context: None if run(node, context) is None else same, BOOLEAN)

    def judged(node: Any, context: Any) -> Any:
        found = run(node, context)
        return None if found is None else is_a(type_of(found), wanted)

    return computed(judged, BOOLEAN)


def _refers_to(site: Site, origin: syntax.Call, wanted: str) -> Code:
    """`resolve() is T`: from the type in the reference, without resolving it."""
    scope = site.scope
    source = scope.this if origin.source is None else site.compiler.compile(origin.source, scope)
    run = one(source, "resolve()", site.position)
    site.compiler.need_context()

    def judged(node: Any, context: Any) -> Any:
        found = run(node, context)
        own = "" if found is None else type_behind(found, context)
        return is_a(own, wanted) if own else None

    return computed(judged, BOOLEAN)


def narrowed(site: Site, wanted: str) -> Code:
    """The items of a type."""
    source = site.source
    if source.empty:
        return EMPTY
    if source.raw is not None:
        return source if is_exactly(source.raw, wanted) else EMPTY
    narrow = _narrow_choice(site, wanted)
    if narrow is not None:
        return narrow
    types = _narrow_types(source, wanted)
    if types == ():
        return EMPTY
    run = source.run
    if source.single:

        def single(node: Any, context: Any) -> Any:
            found = run(node, context)
            return found if found is not None and is_exactly(type_of(found), wanted) else None

        return Code(single, True, types)

    def kept(node: Any, context: Any) -> Any:
        return [item for item in run(node, context) if is_exactly(type_of(item), wanted)]

    return Code(kept, False, types, None, source.ordered)


def _narrow_types(source: Code, wanted: str) -> tuple[str, ...] | None:
    if source.types is None or any(is_open(own) for own in source.types):
        return (wanted,)
    return tuple(own for own in source.types if is_exactly(own, wanted))


def _narrow_choice(site: Site, wanted: str) -> Code | None:
    """`value as Quantity` on a bare element: straight to `valueQuantity`."""
    origin = site.origin
    if not isinstance(origin, syntax.Member):
        return None
    scope = site.scope
    base = scope.this if origin.source is None else site.compiler.compile(origin.source, scope)
    step = schema.steps(base.raw).get(origin.name) if base.raw else None
    if step is None or not step.choice:
        return None
    matching = [own for own in step.types if is_exactly(own, wanted)]
    return narrowed_step(base, step, matching[0]) if len(matching) == 1 else None


def of_type(site: Site) -> Code:
    """ofType()."""
    return narrowed(site, type_argument(site))


def as_type(site: Site, wanted: str) -> Code:
    """`as`: as ofType(); several items are an error in strict mode.

    R4's own search parameters apply it to elements that repeat, so elsewhere it filters.
    """
    code = narrowed(site, wanted)
    if not site.compiler.strict or site.source.single:
        return code
    source, run = many(site.source), many(code)

    def single(node: Any, context: Any) -> Any:
        count = len(source(node, context))
        if count > 1:
            raise not_single(site.label, site.position, count)
        return run(node, context)

    return Code(single, False, code.types, code.raw, variables=code.variables)


def _is(site: Site) -> Code:
    return is_type(site, type_argument(site))


def _as(site: Site) -> Code:
    return as_type(site, type_argument(site))


def _type_info(node: Any) -> Item:
    own = type_of(node)
    namespace, _, name = own.rpartition(".") if own.startswith("System.") else ("FHIR", "", own)
    return Item({"namespace": namespace, "name": name}, schema.TYPE_INFO)


def _type(site: Site) -> Code:
    run = described(site.source)
    return Code(
        lambda node, context: [_type_info(item) for item in run(node, context)],
        False,
        (schema.TYPE_INFO,),
    )


FUNCTIONS = {
    "is": Function(_is, 1, 1),
    "as": Function(_as, 1, 1),
    "type": Function(_type),
}
