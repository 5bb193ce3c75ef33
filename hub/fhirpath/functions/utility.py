"""Utility functions and aggregates: trace, now, sort, aggregate, defineVariable.

http://hl7.org/fhirpath/N1/#utility-functions and #aggregates; sort and defineVariable are of the
current build.
"""

from __future__ import annotations

import dataclasses
from functools import cmp_to_key
from typing import Any

from hub.fhirpath import syntax
from hub.fhirpath.code import EMPTY, Code, Run, computed, described, focus, many, value
from hub.fhirpath.item import Item
from hub.fhirpath.operators import order, wrong_operands
from hub.fhirpath.site import Function, Site
from hub.fhirpath.temporal import Temporal
from hub.fhirpath.values import type_of

RESERVED = frozenset(["context", "resource", "rootResource", "ucum", "sct", "loinc"])


_TRACE_STEPS = 10


def _trace(site: Site) -> Code:
    source = site.source
    name = site.text(0)
    # The collection that is shown is the focus of the projection, or of `$this`.
    this = focus(source.types, source.raw, source.single)
    shown = described(site.body(1, this).code if len(site.arguments) > 1 else this)
    site.compiler.need_context()
    run = source.run

    def traced(node: Any, context: Any) -> Any:
        found = run(node, context)
        trace = context.environment.trace
        if trace is not None:
            label = name(node, context)
            items = [] if found is None else as_items(shown(found, context))
            # What is traced is kept by whoever asked for it.
            context.spend(_TRACE_STEPS * (1 + len(items)))
            trace("" if label is None else label, items)
        return found

    return dataclasses.replace(source, run=traced, present=None, chain=None, literal=None)


def as_items(nodes: Any) -> list[Item]:
    """Described nodes as Items."""
    return [node if node.__class__ is Item else Item(node, type_of(node)) for node in nodes]


def _moment(kind: str) -> Any:
    def build(site: Site) -> Code:
        site.compiler.need_context()

        def run(_node: Any, context: Any) -> Any:
            moment = context.now
            day = (moment.year, moment.month, moment.day)
            clock = (moment.hour, moment.minute, moment.second)
            fraction = f"{moment.microsecond // 1000:03d}"
            if kind == "Date":
                return Temporal("Date", day)
            if kind == "Time":
                return Temporal("Time", clock, fraction)
            offset = moment.isoformat()[-6:]
            return Temporal("DateTime", (*day, *clock), fraction, offset)

        return computed(run, f"System.{kind}")

    return build


# --- sort ------------------------------------------------------------------------------------


def _key(site: Site, index: int) -> tuple[Run, bool]:
    """The run to a sort key's value, and whether it descends (`-key` or `key desc`)."""
    argument = site.arguments[index]
    tree, descending = argument, False
    if isinstance(argument, syntax.SortKey):
        tree, descending = argument.key, argument.descending
    elif isinstance(argument, syntax.Polarity) and argument.operator == "-":
        tree, descending = argument.operand, True
    arguments = (*site.arguments[:index], tree, *site.arguments[index + 1 :])
    body = dataclasses.replace(site, arguments=arguments).body(index)
    return value(body.code, site.label, site.position), descending


def _sort(site: Site) -> Code:
    source = site.source
    if source.empty:
        return EMPTY
    sequence = many(source)
    if site.arguments:
        keys = [_key(site, index) for index in range(len(site.arguments))]
    else:
        this = focus(source.types, source.raw)
        keys = [(value(this, site.label, site.position), False)]

    def before(left: Any, right: Any) -> int:
        for (_, descending), one, other in zip(keys, left[0], right[0], strict=True):
            if one is None or other is None:
                found = (one is not None) - (other is not None)
            else:
                try:
                    found = order(one, other) or 0
                except TypeError:
                    raise wrong_operands(site.label, site.position, one, other) from None
                found = -found if descending else found
            if found:
                return found
        return 0

    def run(node: Any, context: Any) -> Any:
        rows = [
            (tuple(key(item, context) for key, _ in keys), item) for item in sequence(node, context)
        ]
        rows.sort(key=cmp_to_key(before))
        return [item for _, item in rows]

    return Code(run, False, source.types, source.raw)


# --- aggregate and variables -----------------------------------------------------------------


def _aggregate(site: Site) -> Code:
    source = many(site.source)
    body = site.body(0, total=True)
    step = described(body.code)
    start = described(site.argument(1)) if len(site.arguments) > 1 else None
    site.compiler.need_context()

    def run(node: Any, context: Any) -> Any:
        nodes = source(node, context)
        total, index = context.total, context.index
        context.total = start(node, context) if start is not None else ()
        for context.index, item in enumerate(nodes):
            context.total = step(item, context)
            context.hold(len(context.total))
        found = context.total
        context.total, context.index = total, index
        return found

    return Code(run, False, None)


def _define_variable(site: Site) -> Code:
    tree = site.arguments[0]
    if not isinstance(tree, syntax.Literal) or not isinstance(tree.value, str):
        raise site.misuse("fhirpath-bad-argument", name=site.name, expected="a literal name")
    name = tree.value
    if name in RESERVED or name in site.scope.variables:
        raise site.misuse("fhirpath-variable-defined", name=name)
    source = site.source
    sequence = many(source)
    variable, run = source, sequence
    if len(site.arguments) > 1:
        variable = site.body(1, focus(source.types, source.raw, single=False)).code
        inner = many(variable)

        def run(node: Any, context: Any) -> Any:
            return inner(sequence(node, context), context)

    slot = site.compiler.new_slot()
    site.compiler.need_context()

    def define(node: Any, context: Any) -> Any:
        context.variables[slot] = run(node, context)
        return sequence(node, context)

    stored = Code(
        lambda _node, context: context.variables.get(slot, ()), False, variable.types, variable.raw
    )
    return Code(
        site.holding(define),
        False,
        source.types,
        source.raw,
        source.ordered,
        variables={**(source.variables or {}), name: stored},
    )


FUNCTIONS = {
    "trace": Function(_trace, 1, 2),
    "now": Function(_moment("DateTime")),
    "today": Function(_moment("Date")),
    "timeOfDay": Function(_moment("Time")),
    "sort": Function(_sort, 0, 8),
    "aggregate": Function(_aggregate, 1, 2, loops=True),
    "defineVariable": Function(_define_variable, 1, 2, loops=True),
}
