"""Compiles a tree of parameters into closures that note their index rows.

Called by `hub.search.extraction.walker`, which joins them into one pass, and by
`hub.search.extraction.plan` for the rows of one parameter.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice, product
from typing import Any

from hub.search.extraction import references
from hub.search.extraction.found import Found, Visit
from hub.search.extraction.leaves import LEAVES, TOKENS
from hub.search.extraction.routes import At, Step, Where, WithExtension
from hub.search.extraction.tree import Branch, Component, Composite, Leaf
from hub.search.values import COMPARTMENT_KEY, CompositeRow

_new = tuple.__new__
_MOST_TUPLES = 4096
_ROWS = {
    "string": "strings",
    "token": "tokens",
    "reference": "references",
    "date": "dates",
    "number": "numbers",
    "quantity": "quantities",
    "uri": "uris",
}


def rows_visit(branch: Branch) -> Visit | None:
    """Rows of the parameters below a branch and nothing else; None when there are none.

    Args:
        branch: Any branch.
    """
    visits = own_visits(branch)
    for get, child in branch.gets.items():
        below = rows_visit(child)
        if get.many and (below is not None or child.filters):
            visits.append(_get(get.key, each(below or _nothing, child)))
        elif below is not None:
            visits.append(_get(get.key, below))
    return joined(visits) if visits else None


def each(visit: Visit, branch: Branch | None) -> Visit:
    """Visits the items of an array; a null stands for a primitive that has only extensions.

    Args:
        visit: What to do with an item.
        branch: The array's branch, whose filters by place count over the whole array.
    """
    places = [
        (step.index, sub)
        for step, own in (branch.filters.items() if branch is not None else ())
        if isinstance(step, At) and (sub := rows_visit(own)) is not None
    ]

    def run(values: list[Any], found: Found) -> None:
        for value in values:
            if value is not None:
                visit(value, found)

    def run_with_places(values: list[Any], found: Found) -> None:
        run(values, found)
        for index, sub in places:
            if index < len(values) and values[index] is not None:
                sub(values[index], found)

    return run_with_places if places else run


def joined(visits: list[Visit]) -> Visit:
    """One visit that does all of these.

    Args:
        visits: At least one.
    """
    if len(visits) == 1:
        return visits[0]
    if len(visits) == 2:
        first, second = visits

        def visit_two(value: Any, found: Found) -> None:
            first(value, found)
            second(value, found)

        return visit_two

    def visit_all(value: Any, found: Found) -> None:
        for visit in visits:
            visit(value, found)

    return visit_all


def _nothing(value: Any, found: Found) -> None:
    return


def _get(key: str, below: Visit) -> Visit:
    def visit(value: dict[str, Any], found: Found) -> None:
        child = value.get(key)
        if child is not None:
            below(child, found)

    return visit


def own_visits(branch: Branch) -> list[Visit]:
    """Leaves, composites and filters of a branch.

    Args:
        branch: Any branch.
    """
    visits = _leaf_visits(branch)
    visits.extend(_composite_visits(branch.composites))
    for step, own in branch.filters.items():
        below = rows_visit(own)
        if below is not None and not isinstance(step, At):
            visits.append(_filtered(step, below))
    return visits


def _filtered(step: Step, below: Visit) -> Visit:
    if isinstance(step, Where):
        key, wanted = step.key, step.value

        def visit_where(value: dict[str, Any], found: Found) -> None:
            if value.get(key) == wanted:
                below(value, found)

        return visit_where
    if not isinstance(step, WithExtension):
        raise TypeError(f"{step} is no filter")
    url = step.url

    def visit_extended(value: dict[str, Any], found: Found) -> None:
        if any(extension.get("url") == url for extension in value.get("extension", ())):
            below(value, found)

    return visit_extended


# --- leaves ---------------------------------------------------------------------------------


def is_reference(leaf: Leaf) -> bool:
    """Whether a leaf is a reference parameter's."""
    return leaf.type == "reference"


def _leaf_visits(branch: Branch) -> list[Visit]:
    visits: list[Visit] = []
    if branch.type == "Reference":
        pointing = [leaf for leaf in branch.leaves if is_reference(leaf)]
        if pointing:
            visits.append(_reference_visit(pointing))
    elif branch.type == "Resource":
        return [references.resource((leaf.key,), leaf.target) for leaf in branch.leaves]
    tokens: dict[Callable[[str], str] | None, list[int]] = {}
    others: dict[str, list[int]] = {}
    for leaf in branch.leaves:
        if leaf.type == "token" and branch.type in TOKENS:
            tokens.setdefault(leaf.folding, []).append(leaf.key)
        elif (leaf.type, branch.type) in LEAVES:
            others.setdefault(leaf.type, []).append(leaf.key)
    visits.extend(TOKENS[branch.type](tuple(keys), fold) for fold, keys in tokens.items())
    visits.extend(LEAVES[kind, branch.type](tuple(keys)) for kind, keys in others.items())
    return visits


def _reference_visit(leaves: list[Leaf]) -> Visit:
    """One closure for all parameters that index a Reference, by the type of its target."""
    always = [leaf for leaf in leaves if not leaf.target]
    kinds = {leaf.target for leaf in leaves if leaf.target}
    kinds.update(name for leaf in leaves for name in leaf.compartments)
    by_type: dict[str, tuple[int, ...]] = {}
    for kind in sorted(kinds):
        seeing = [*always, *(leaf for leaf in leaves if leaf.target == kind)]
        keys = [leaf.key for leaf in seeing]
        if any(kind in leaf.compartments for leaf in seeing):
            keys.append(COMPARTMENT_KEY)
        by_type[kind] = tuple(keys)
    return references.reference(tuple(leaf.key for leaf in always), by_type)


# --- composites -----------------------------------------------------------------------------


def _composite_visits(composites: list[Composite]) -> list[Visit]:
    """One closure for all composites of a branch; none when there are none.

    It looks for the keys of their last components first, which are there least often: a value,
    after its code. Composites with the same components share the work.
    """
    alike: dict[tuple[tuple[str, ...], ...], list[Composite]] = {}
    for composite in composites:
        alike.setdefault(composite.signature, []).append(composite)
    by_key: dict[str, list[Visit]] = {}
    for group in alike.values():
        components = group[0].components
        tuples = _tuples(tuple(item.key for item in group), components)
        last = [component for component in components if not component.of_resource][-1]
        for get in last.branch.gets:
            by_key.setdefault(get.key, []).append(tuples)
    wanted = [(key, joined(visits)) for key, visits in by_key.items()]

    def visit(element: dict[str, Any], found: Found) -> None:
        for key, below in wanted:
            if key in element:
                below(element, found)

    return [visit] if wanted else []


def _tuples(keys: tuple[int, ...], components: tuple[Component, ...]) -> Visit:
    """Every combination of the components' rows, for each of the composites."""
    parts = [
        (rows_visit(component.branch) or _nothing, component.of_resource, _ROWS[component.kind])
        for component in components
    ]
    is_mixed = len({component.kind for component in components}) < len(components)

    def visit(element: dict[str, Any], found: Found) -> None:
        apart = Found(found.resource, found.zone, found.base)
        rows: list[list[Any]] = []
        for index, (below, of_resource, attribute) in enumerate(parts):
            below(found.resource if of_resource else element, apart)
            own = getattr(apart, attribute)
            if is_mixed:
                own = [row for row in own if row.key == index]
            if attribute == "tokens":
                own = [row for row in own if row.code]
            if not own:
                return
            rows.append(own)
        for combined in islice(product(*rows), _MOST_TUPLES):
            for key in keys:
                found.composites.append(_new(CompositeRow, (key, combined)))

    return visit
