"""Compiles a tree of parameters into one pass over a resource's JSON.

The pass follows the keys that are there, not the parameters that might be: a table of closures
per place, so that a key nobody asks for costs a look-up. On the way it notes human text
(`_content`) and the literal references that no parameter indexes, extensions and contained
resources included. Called by `hub.search.extraction.plan`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from hub.definitions import is_resource_type
from hub.fhirpath import schema
from hub.search.extraction import references, tokens
from hub.search.extraction.found import Found, Visit
from hub.search.extraction.routes import Get
from hub.search.extraction.rows import each, is_reference, joined, own_visits
from hub.search.extraction.texts import markup_text
from hub.search.extraction.tree import Branch

_TEXT_TYPES = frozenset(["string", "markdown"])
_NOT_TEXT = frozenset(["id", "version", "unit", "data", "reference"])
_LINK = references.reference((), {})

Table = dict[str, Visit]


def resource_visit(branch: Branch) -> Visit:
    """One pass over a resource: rows of all parameters, links, texts.

    Args:
        branch: The tree's root; its type is the resource's.
    """
    table = _table(branch.type, branch)
    if "text" in table:
        table["text"] = _note_narrative
    return joined([*own_visits(branch), _run(table)])


def _table(type_name: str, branch: Branch | None) -> Table:
    """What to do at each JSON key of a type; keys that lead nowhere are absent."""
    table: Table = {}
    for step in schema.steps(type_name).values():
        for key, own in step.keys:
            child = branch.gets.get(Get(key, step.many)) if branch is not None else None
            visits = _value_visits(own, child, key)
            if visits:
                table[key] = each(joined(visits), child) if step.many else joined(visits)
            if schema.is_primitive(own):
                beside = anywhere("Element")
                table["_" + key] = each(beside, None) if step.many else beside
    return table


def _run(table: Table) -> Visit:
    get = table.get

    def visit(value: dict[str, Any], found: Found) -> None:
        for key, child in value.items():
            below = get(key)
            if below is not None:
                below(child, found)

    return visit


def _value_visits(own: str, child: Branch | None, key: str) -> list[Visit]:
    """What to do with one value of a type at a key."""
    if schema.is_primitive(own):
        return _primitive_visits(own, child, key)
    if own == "Resource":
        visits = own_visits(child) if child is not None else []
        return [*visits, _visit_contained] if key == "contained" else visits
    concept = _concept_visit(child) if own == "CodeableConcept" and child is not None else None
    if concept is not None:
        return [concept]
    visits = own_visits(child) if child is not None else []
    if own == "Reference" and (child is None or not any(map(is_reference, child.leaves))):
        visits.append(_LINK)
    if child is not None and child.gets:
        visits.append(_run(_table(own, child)))
    else:
        visits.append(_beyond(own))
    return visits


def _primitive_visits(own: str, child: Branch | None, key: str) -> list[Visit]:
    visits = own_visits(child) if child is not None else []
    if own in _TEXT_TYPES and key not in _NOT_TEXT:
        visits.append(_note_text)
    elif own == "xhtml":
        visits.append(_note_markup)
    return visits


# --- texts and links alone ------------------------------------------------------------------


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


@cache
def _beyond(own: str) -> Visit:
    """`anywhere`, at less cost for elements in their plain form."""
    if own == "CodeableConcept":
        return tokens.concept_texts(anywhere)
    if own == "Reference":
        return _visit_reference
    steps = schema.steps(own)
    if any(key in steps for key in ("resourceType", "contained")) or not _is_bare(own):
        return anywhere(own)
    plain = frozenset(key for step in steps.values() for key, _ in step.keys)
    plain -= {"extension", "modifierExtension"}

    def visit(value: dict[str, Any], found: Found) -> None:
        if not value.keys() <= plain:
            anywhere(own)(value, found)

    return visit


def _is_bare(own: str) -> bool:
    """Whether only extensions of a type can hold text or links (Quantity, Period)."""
    for name, step in schema.steps(own).items():
        if name in ("extension", "modifierExtension"):
            continue
        for key, kind in step.keys:
            if not schema.is_primitive(kind):
                return False
            if _primitive_visits(kind, None, key):
                return False
    return True


def _concept_visit(child: Branch) -> Visit | None:
    """One closure for a concept that token parameters of one kind index, if that is all."""
    kinds = {(leaf.type, leaf.folding) for leaf in child.leaves}
    if len(kinds) != 1 or child.composites or child.filters or child.gets:
        return None
    ((kind, folding),) = kinds
    if kind != "token":
        return None
    return tokens.codeable_concept(tuple(leaf.key for leaf in child.leaves), folding, anywhere)


def _visit_reference(value: dict[str, Any], found: Found) -> None:
    for key, child in value.items():
        if key == "display":
            found.texts[child] = None
        elif key not in ("reference", "type"):
            anywhere("Reference")(value, found)


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
