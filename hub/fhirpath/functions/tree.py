"""Tree navigation: children and descendants.

http://hl7.org/fhirpath/N1/#tree-navigation.
"""

from __future__ import annotations

from typing import Any

from hub.fhirpath import schema, syntax
from hub.fhirpath.code import EMPTY, Code, Run, described
from hub.fhirpath.navigation import children, descendants
from hub.fhirpath.paths import is_open
from hub.fhirpath.site import Function, Site


def _child_types(source: Code) -> tuple[str, ...] | None:
    if source.types is None or any(is_open(own) for own in source.types):
        return None
    return tuple(
        dict.fromkeys(
            kind
            for own in source.types
            for step in schema.steps(own).values()
            for kind in step.types
        )
    )


def _children(site: Site) -> Code:
    if site.source.empty:
        return EMPTY
    source = described(site.source)

    def run(node: Any, context: Any) -> Any:
        found: list[Any] = []
        for item in source(node, context):
            children(item, found)
        return found

    return Code(site.holding(run), False, _child_types(site.source), ordered=False)


def _descendants(site: Site) -> Code:
    if site.source.empty:
        return EMPTY
    source = described(site.source)
    if not site.compiler.guarded:
        return Code(
            lambda node, context: descendants(list(source(node, context))), False, ordered=False
        )
    site.compiler.need_context()
    return Code(
        lambda node, context: descendants(list(source(node, context)), context.hold),
        False,
        ordered=False,
    )


def _is_children(node: syntax.Node | None) -> bool:
    return isinstance(node, syntax.Call) and node.name == "children" and not node.arguments


def children_count(site: Site) -> Run | None:
    """A quick run for `children().count()` on bare complex elements, or None."""
    origin = site.origin
    if not isinstance(origin, syntax.Call) or not _is_children(origin):
        return None
    source = _source(site, origin)
    if not _is_bare_complex(source):
        return None
    run = source.run

    def count(node: Any, context: Any) -> Any:
        found = run(node, context)
        if found is None:
            return 0
        total = 0
        for key, value in found.items():
            if key == "resourceType" or (key[0] == "_" and key[1:] in found):
                continue
            total += len(value) if value.__class__ is list else 1
        return total

    return count


def _source(site: Site, origin: syntax.Call) -> Code:
    if origin.source is None:
        return site.scope.this
    return site.compiler.compile(origin.source, site.scope)


def _is_bare_complex(source: Code) -> bool:
    return source.single and source.raw is not None and not schema.is_primitive(source.raw)


def has_children_but_id(left: syntax.Node, right: syntax.Node, this: Code) -> Run | None:
    """A quick run for ele-1's `children().count() > id.count()`, or None.

    It is asked of every element of every resource that is written.
    """
    if not (isinstance(left, syntax.Call) and left.name == "count" and _is_children(left.source)):
        return None
    if not isinstance(left.source, syntax.Call) or left.source.source is not None:
        return None
    if not (
        isinstance(right, syntax.Call)
        and right.name == "count"
        and right.source == syntax.Member(None, "id")
    ):
        return None
    if not _is_bare_complex(this) or schema.is_resource(this.raw or "") or this.chain != ():
        return None
    return lambda node, _: len(node) > 2 or bool(node.keys() - _IDENTITY)


_IDENTITY = frozenset(["id", "_id"])

FUNCTIONS = {
    "children": Function(_children),
    "descendants": Function(_descendants),
}
