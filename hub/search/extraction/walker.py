"""Compiles a tree of parameters into one pass over a resource's JSON.

The pass follows the keys that are there, not the parameters that might be: a table of closures
per place, so that a key nobody asks for costs a look-up. On the way it notes human text
(`_content`) and the literal references that no parameter indexes, extensions and contained
resources included. Called by `hub.search.extraction.plan`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from itertools import islice, product
from typing import Any

from hub.definitions import is_resource_type
from hub.fhirpath import schema
from hub.search.extraction import references
from hub.search.extraction.found import Found, Visit
from hub.search.extraction.leaves import LEAVES, TOKENS
from hub.search.extraction.routes import At, Get, Step, Where, WithExtension
from hub.search.extraction.texts import markup_text
from hub.search.extraction.tree import Branch, Component, Composite, Leaf
from hub.search.values import COMPARTMENT_KEY, CompositeRow

_new = tuple.__new__
_TEXT_TYPES = frozenset(["string", "markdown"])
_NOT_TEXT = frozenset(["id", "version", "unit", "data", "reference"])
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

Table = dict[str, Visit]


# --- one pass -------------------------------------------------------------------------------


def resource_visit(branch: Branch) -> Visit:
    """One pass over a resource: rows of all parameters, links, texts.

    Args:
        branch: The tree's root; its type is the resource's.
    """
    table = _table(branch.type, branch)
    if "text" in table:
        table["text"] = _note_narrative
    return _joined([*_own_visits(branch), _run(table)])


def _table(type_name: str, branch: Branch | None) -> Table:
    """What to do at each JSON key of a type; keys that lead nowhere are absent."""
    table: Table = {}
    for step in schema.steps(type_name).values():
        for key, own in step.keys:
            get = Get(key, step.many)
            child = branch.gets.get(get) if branch is not None else None
            visits = _value_visits(own, child, key)
            if visits:
                table[key] = _each(_joined(visits), child) if step.many else _joined(visits)
            if schema.is_primitive(own):
                table["_" + key] = (
                    _each(anywhere("Element"), None) if step.many else anywhere("Element")
                )
    return table


def _value_visits(own: str, child: Branch | None, key: str) -> list[Visit]:
    """What to do with one value of a type at a key."""
    visits = _own_visits(child) if child is not None else []
    if schema.is_primitive(own):
        if own in _TEXT_TYPES and key not in _NOT_TEXT:
            visits.append(_note_text)
        elif own == "xhtml":
            visits.append(_note_markup)
        return visits
    if own == "Resource":
        if key == "contained":
            visits.append(_visit_contained)
        return visits
    if own == "Reference" and not any(_is_reference(leaf) for leaf in _leaves(child)):
        visits.append(_LINK)
    if child is not None and child.gets:
        visits.append(_run(_table(own, child)))
    else:
        visits.append(_PLAIN_FORMS.get(own) or anywhere(own))
    return visits


@cache
def anywhere(type_name: str) -> Visit:
    """Notes texts and links of a complex type wherever it stands; its table is made on first use.

    Args:
        type_name: A complex type, a backbone element's path or a resource type.
    """
    tables: list[Table] = []

    def visit(value: dict[str, Any], found: Found) -> None:
        if not tables:
            tables.append(_table(type_name, None))
        table = tables[0]
        for key in value:
            if key in table:
                table[key](value[key], found)

    return visit


def _run(table: Table) -> Visit:
    get = table.get

    def visit(value: dict[str, Any], found: Found) -> None:
        for key, child in value.items():
            below = get(key)
            if below is not None:
                below(child, found)

    return visit


def _each(visit: Visit, branch: Branch | None) -> Visit:
    """Visits the items of an array; a null stands for a primitive that has only extensions."""
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


def _joined(visits: list[Visit]) -> Visit:
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


def _note_text(value: str, found: Found) -> None:
    found.texts[value] = None


def _note_markup(value: str, found: Found) -> None:
    found.texts[markup_text(value)] = None


def _note_narrative(value: dict[str, Any], found: Found) -> None:
    found.narrative = value.get("div", "")


def _visit_contained(value: dict[str, Any], found: Found) -> None:
    kind = value.get("resourceType", "")
    if is_resource_type(kind):
        anywhere(kind)(value, found)


def _visit_concept(value: dict[str, Any], found: Found) -> None:
    """A CodeableConcept in its plain form at less cost; any other form goes the general way."""
    texts = found.texts
    for key, child in value.items():
        if key == "coding":
            for coding in child:
                if not coding.keys() <= _PLAIN_CODING:
                    anywhere("Coding")(coding, found)
                elif "display" in coding:
                    texts[coding["display"]] = None
        elif key == "text":
            texts[child] = None
        else:
            anywhere("CodeableConcept")(value, found)


def _visit_reference(value: dict[str, Any], found: Found) -> None:
    """A Reference that is nothing but `reference` holds no more to see."""
    if len(value) > 1 or "reference" not in value:
        anywhere("Reference")(value, found)


_LINK = references.reference((), {})
_PLAIN_CODING = frozenset(["system", "code", "display"])
_PLAIN_FORMS: Mapping[str, Visit] = {
    "CodeableConcept": _visit_concept,
    "Reference": _visit_reference,
}


# --- rows alone -----------------------------------------------------------------------------


def rows_visit(branch: Branch) -> Visit | None:
    """Rows of the parameters below a branch and nothing else; None when there are none.

    Args:
        branch: Any branch.
    """
    visits = _own_visits(branch)
    for get, child in branch.gets.items():
        below = rows_visit(child)
        if get.many and (below is not None or child.filters):
            visits.append(_get(get.key, _each(below or _nothing, child)))
        elif below is not None:
            visits.append(_get(get.key, below))
    return _joined(visits) if visits else None


def _nothing(value: Any, found: Found) -> None:
    return


def _get(key: str, below: Visit) -> Visit:
    def visit(value: dict[str, Any], found: Found) -> None:
        child = value.get(key)
        if child is not None:
            below(child, found)

    return visit


def _own_visits(branch: Branch) -> list[Visit]:
    """Leaves, composites and filters of a branch."""
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


def _leaves(branch: Branch | None) -> list[Leaf]:
    return branch.leaves if branch is not None else []


def _is_reference(leaf: Leaf) -> bool:
    return leaf.type == "reference"


def _leaf_visits(branch: Branch) -> list[Visit]:
    visits: list[Visit] = []
    if branch.type == "Reference":
        pointing = [leaf for leaf in branch.leaves if _is_reference(leaf)]
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
    """One closure for all composites that have the same components here."""
    alike: dict[tuple[tuple[str, ...], ...], list[Composite]] = {}
    for composite in composites:
        alike.setdefault(composite.signature, []).append(composite)
    return [
        _composite_visit(tuple(item.key for item in group), group[0].components)
        for group in alike.values()
    ]


def _composite_visit(keys: tuple[int, ...], components: tuple[Component, ...]) -> Visit:
    # The last component is the one that is there least often: a value, after its code.
    needed = [
        frozenset(get.key for get in component.branch.gets)
        for component in reversed(components)
        if not component.of_resource
    ]
    parts = [
        (rows_visit(component.branch) or _nothing, component.of_resource, _ROWS[component.kind])
        for component in components
    ]
    is_mixed = len({component.kind for component in components}) < len(components)

    def visit(element: dict[str, Any], found: Found) -> None:
        for names in needed:
            if names.isdisjoint(element):
                return
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
