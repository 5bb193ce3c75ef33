"""Closures for one step along a path: `source.element`.

http://hl7.org/fhirpath/N1/#path-selection. Where the type is known when compiling, a step is a
plain dictionary access on bare JSON, fused with the steps before it; otherwise it goes through
`hub.fhirpath.navigation`. Called by the compiler. Search extraction and invariants live from
these closures, so an absent element must cost next to nothing.
"""

from __future__ import annotations

from typing import Any

from hub.fhirpath import schema
from hub.fhirpath.code import EMPTY, Code, Run, many
from hub.fhirpath.item import Item
from hub.fhirpath.navigation import navigate
from hub.fhirpath.schema import Step


def typed_step(source: Code, step: Step) -> Code:
    """The code of a step from bare nodes whose type has the element."""
    if step.choice:
        return _choice(source, step)
    key, own = step.keys[0]
    if schema.is_resource(own):
        return _resources(source, key, own, step.many)
    if schema.is_primitive(own):
        return _primitive(source, key, own, step.many)
    return _complex(source, key, own, step.many)


def narrowed_step(source: Code, step: Step, type_name: str) -> Code:
    """The code of a choice of which only one type is wanted: `value as Quantity`."""
    key = step.key(type_name)
    if key is None:
        return EMPTY
    if schema.is_primitive(type_name):
        return _primitive(source, key, type_name, repeats=False)
    return _complex(source, key, type_name, repeats=False)


# --- complex elements ------------------------------------------------------------------------


def _complex(source: Code, key: str, own: str, repeats: bool) -> Code:
    single = source.single and not repeats
    if source.single:
        run = _get_list(source, key) if repeats else _get(source, key)
    else:
        run = _each_list(source.run, key) if repeats else _each(source.run, key)
    chain = None
    if single and source.chain is not None:
        chain = (*source.chain, key)
    return Code(run, single, (own,), own, source.ordered, chain=chain)


def _get(source: Code, key: str) -> Run:
    chain, inner = source.chain, source.run
    if chain == ():
        return lambda node, _: node.get(key)
    if chain is not None and len(chain) == 1:
        first = chain[0]

        def second(node: Any, _: Any) -> Any:
            node = node.get(first)
            return None if node is None else node.get(key)

        return second

    def step(node: Any, context: Any) -> Any:
        node = inner(node, context)
        return None if node is None else node.get(key)

    return step


def _get_list(source: Code, key: str) -> Run:
    chain, inner = source.chain, source.run
    if chain == ():
        return lambda node, _: node.get(key, ())
    if chain is not None and len(chain) == 1:
        first = chain[0]

        def second(node: Any, _: Any) -> Any:
            node = node.get(first)
            return () if node is None else node.get(key, ())

        return second

    def step(node: Any, context: Any) -> Any:
        node = inner(node, context)
        return () if node is None else node.get(key, ())

    return step


def _each(inner: Run, key: str) -> Run:
    def step(node: Any, context: Any) -> Any:
        nodes = inner(node, context)
        if not nodes:
            return ()
        return [found for each in nodes if (found := each.get(key)) is not None]

    return step


def _each_list(inner: Run, key: str) -> Run:
    def step(node: Any, context: Any) -> Any:
        nodes = inner(node, context)
        if not nodes:
            return ()
        if len(nodes) == 1:
            return nodes[0].get(key, ())
        return [found for each in nodes for found in each.get(key, ())]

    return step


# --- primitive elements ----------------------------------------------------------------------


def merged(values: Any, elements: Any, own: str) -> list[Any]:
    """Bare values of a repeating primitive, with an Item where there is a sibling."""
    length = max(len(values), len(elements))
    found: list[Any] = []
    for index in range(length):
        value = values[index] if index < len(values) else None
        element = elements[index] if index < len(elements) else None
        if element is not None:
            found.append(Item(value, own, element))
        elif value is not None:
            found.append(value)
    return found


def _primitive(source: Code, key: str, own: str, repeats: bool) -> Code:
    sibling = f"_{key}"
    single = source.single and not repeats
    if source.single:
        run = _values(source, key, own) if repeats else _value(source, key, own)
    else:
        run = _each_value(source.run, key, own, repeats)
    return Code(run, single, (own,), own, source.ordered, present=_either_key(source, key, sibling))


def _either_key(source: Code, key: str, sibling: str) -> Run | None:
    if source.chain != ():
        return None
    return lambda node, _: key in node or sibling in node


def _value(source: Code, key: str, own: str) -> Run:
    sibling, inner = f"_{key}", source.run
    if source.chain == ():

        def first(node: Any, _: Any) -> Any:
            if sibling in node:
                return Item(node.get(key), own, node[sibling])
            return node.get(key)

        return first

    def step(node: Any, context: Any) -> Any:
        node = inner(node, context)
        if node is None:
            return None
        if sibling in node:
            return Item(node.get(key), own, node[sibling])
        return node.get(key)

    return step


def _values(source: Code, key: str, own: str) -> Run:
    sibling, inner = f"_{key}", source.run

    def step(node: Any, context: Any) -> Any:
        node = inner(node, context)
        if node is None:
            return ()
        if sibling in node:
            return merged(node.get(key, ()), node[sibling], own)
        return node.get(key, ())

    return step


def _each_value(inner: Run, key: str, own: str, repeats: bool) -> Run:
    sibling = f"_{key}"

    def step(node: Any, context: Any) -> Any:
        nodes = inner(node, context)
        if not nodes:
            return ()
        found: list[Any] = []
        for each in nodes:
            if sibling in each:
                if repeats:
                    found.extend(merged(each.get(key, ()), each[sibling], own))
                else:
                    found.append(Item(each.get(key), own, each[sibling]))
            elif key in each:
                if repeats:
                    found.extend(each[key])
                else:
                    found.append(each[key])
        return found

    return step


# --- choices and resources -------------------------------------------------------------------


def _choice(source: Code, step: Step) -> Code:
    table: dict[str, tuple[str, str, str | None]] = {}
    for key, own in step.keys:
        sibling = f"_{key}" if schema.is_primitive(own) else None
        table[key] = (key, own, sibling)
        if sibling is not None:
            table[sibling] = (key, own, sibling)
    members = frozenset(table)

    def pick(node: Any) -> Any:
        if members.isdisjoint(node):
            return None
        key, own, sibling = next(table[member] for member in node if member in members)
        return Item(node.get(key), own, node.get(sibling) if sibling else None)

    inner = source.run
    if not source.single:

        def each(node: Any, context: Any) -> Any:
            nodes = inner(node, context)
            return [found for one in nodes if (found := pick(one)) is not None]

        return Code(each, False, step.types, None, source.ordered)
    test: Run | None = None
    if source.chain == ():
        test = _any_key(members)

    def single(node: Any, context: Any) -> Any:
        node = inner(node, context)
        return None if node is None else pick(node)

    return Code(single, True, step.types, None, source.ordered, present=test)


def _any_key(members: frozenset[str]) -> Run:
    return lambda node, _: not members.isdisjoint(node)


def _resources(source: Code, key: str, own: str, repeats: bool) -> Code:
    inner = _complex(source, key, own, repeats)
    run = inner.run

    def described(node: Any, context: Any) -> Any:
        return [Item(found, schema.type_of_resource(found) or own) for found in run(node, context)]

    def one(node: Any, context: Any) -> Any:
        found = run(node, context)
        return None if found is None else Item(found, schema.type_of_resource(found) or own)

    return Code(one if inner.single else described, inner.single, (own,), None, source.ordered)


# --- types known at run time only ------------------------------------------------------------


def dynamic_step(source: Code, name: str) -> Code:
    """The code of a step from described nodes."""
    run = many(source)

    def step(node: Any, context: Any) -> Any:
        nodes = run(node, context)
        if not nodes:
            return ()
        found: list[Any] = []
        for each in nodes:
            navigate(each, name, found)
        return found

    return Code(step, False, step_types(source, name), None, source.ordered)


def step_types(source: Code, name: str) -> tuple[str, ...] | None:
    """The types of an element over all types of the source; None when not known."""
    if source.types is None:
        return None
    found: dict[str, None] = {}
    for own in source.types:
        if is_open(own):
            return None
        step = schema.steps(own).get(name)
        if step is not None:
            found.update(dict.fromkeys(step.types))
    return tuple(found)


def is_open(type_name: str) -> bool:
    """Whether items of the static type can be of other types with more elements."""
    return type_name in ("", "Resource", "DomainResource", "Element", "BackboneElement") or (
        type_name == "System.Quantity"
    )
