"""Expressions of a map as closures: what a field, a part of one or a text gives an element.

What makes a value of the raw text (`Convert`) is given. With `trace` the closures note where in
the message a value came from. Called by `adapters.hl7v2.mapping.compiler`.
"""

from __future__ import annotations

from typing import Any

from adapters.hl7v2.mapping.conversions import note
from adapters.hl7v2.mapping.elements import Place
from adapters.hl7v2.mapping.grammar import Component, Field, MessageWord, Ref, Template, wrong
from adapters.hl7v2.mapping.parts import Convert, Make, Part, always
from adapters.hl7v2.mapping.primitives import KINDS, Kind, Unusable
from adapters.hl7v2.mapping.run import Run
from adapters.hl7v2.mapping.tables import Table
from adapters.hl7v2.mapping.values import Base, Frame, Get, Holds, all_of, depth_of, line_text
from hub.definitions import is_resource_type

_NUMBERS = frozenset(("integer", "positiveInt", "unsignedInt", "decimal"))
_TRUTHS = {"true": True, "false": False}


def field_leaf(
    source: Field, frame: Frame, raw_of: Get, convert: Convert, *, noted: bool, trace: bool
) -> Make:
    """A field, or a component of one.

    Args:
        source: The field.
        frame: Where it stands.
        raw_of: Its raw text.
        convert: Makes the value.
        noted: The value is noted as a whole.
        trace: Note where it came from.
    """
    label = source.label.partition("-")[2]
    depth_below = depth_of(source, 0)
    if not trace:

        def make(run: Run, base: Base, depth: int) -> Any:
            raw = raw_of(run, base, depth)
            if not raw:
                return None
            run.label = label
            value = convert(run, raw, depth_below)
            if run.problems:
                run.settle(label)
            return value

        return make
    own = source.segment == frame.segment
    number, dot, rest = label.partition(".")

    def traced(run: Run, base: Base, depth: int) -> Any:
        raw = raw_of(run, base, depth)
        if not raw:
            return None
        segment = run.segment if own else run.scope.segment(source.segment)
        assert segment is not None
        repetition = source.repetition if source.repetition > 0 else run.turn
        turn = f"[{repetition}]" if repetition else ""
        run.label = label
        outer, run.at = run.at, f"{segment.name}[{segment.ordinal}]|{number}{turn}{dot}{rest}"
        value = convert(run, raw, depth_below)
        if noted:
            note(run, value)
        run.at = outer
        if run.problems:
            run.settle(label)
        return value

    return traced


def part_leaf(
    source: Component, raw_of: Get, convert: Convert, *, noted: bool, trace: bool
) -> Make:
    """A component or subcomponent of what a datatype map is applied to; as `field_leaf`."""
    label = source.label
    whole = not source.component
    deeper = source.subcomponent > 0

    def make(run: Run, base: Base, depth: int) -> Any:
        raw = raw_of(run, base, depth)
        if not raw:
            return None
        before = len(run.problems)
        if trace:
            outer, run.at = run.at, f"{run.at}.{label}" if label else run.at
        value = convert(run, raw, depth - 1 if whole else depth + deeper)
        if trace:
            if noted:
                note(run, value)
            run.at = outer
        if len(run.problems) > before and label:
            run.problems[before:] = [
                (f"{label}.{inner}" if inner else label, message, arguments)
                for inner, message, arguments in run.problems[before:]
            ]
        return value

    return make


def text_leaf(
    source: Template | MessageWord, raw_of: Get, convert: Convert, *, trace: bool
) -> Part:
    """A template, or what the message says about itself; as `field_leaf`."""

    def make(run: Run, base: Base, depth: int) -> Any:
        raw = raw_of(run, base, depth)
        return convert(run, raw, 3) if raw else None

    sources = tuple(source.sources) if isinstance(source, Template) else (source,)
    if all(isinstance(one, MessageWord) for one in sources):
        return Part(None, make)  # It says nothing that other messages do not say.
    if not trace:
        return Part(make)
    inside = isinstance(sources[0], Component)

    def traced(run: Run, base: Base, depth: int) -> Any:
        value = make(run, base, depth)
        outer = run.at
        if not inside:
            run.at = _first_place(run, sources)
        if run.at:
            note(run, value)
        run.at = outer
        return value

    return Part(traced)


def _first_place(run: Run, sources: tuple[Field | Component | MessageWord, ...]) -> str:
    """While tracing: the first field of a template that has a value, `PID[1]|3`."""
    for one in sources:
        if isinstance(one, Field):
            own = run.segment.name == one.segment
            segment = run.segment if own else run.scope.segment(one.segment)
            if segment is not None and segment.field(one.number):
                return f"{segment.name}[{segment.ordinal}]|{one.label.partition('-')[2]}"
    return ""


def lines_leaf(
    source: Field, frame: Frame, read: Kind, condition: Holds | None, *, trace: bool
) -> Make:
    """`NTE-3[*]`: all repetitions as the lines of one text.

    Of another segment of the group those of every one for which the condition holds.

    Args:
        source: The field.
        frame: Where it stands.
        read: Makes the value.
        condition: None: always.
        trace: Note where it came from.
    """
    own = source.segment == frame.segment
    repetitions = all_of(source, frame)
    name, number = source.segment, str(source.number)

    def gathered(run: Run, base: Base, depth: int) -> list[str]:
        if condition is None or condition(run, base, depth):
            return [line_text(run, raw) for raw in repetitions(run, base)]
        return []

    def make(run: Run, base: Base, depth: int) -> Any:
        if own:
            lines = gathered(run, base, depth)
        else:
            scope, lines = run.scope, []
            around = scope.segments
            for segment in around.get(name, ()):
                scope.segments = {**around, name: [segment]}
                lines += gathered(run, base, depth)
            scope.segments = around
        text = "\n".join(lines)
        if not text.strip():
            return None
        run.label = number
        try:
            value = read(text, run.zone)
        except Unusable as error:
            run.remark(error.id, number)
            return None
        if trace:
            segment = run.segment if own else run.scope.segments[name][0]
            outer, run.at = run.at, f"{segment.name}[{segment.ordinal}]|{number}"
            note(run, value)
            run.at = outer
        return value

    return make


def reference_leaf(source: Ref, place: Place, frame: Frame) -> Make:
    """`ref Patient`: to the latest of the group or those around it."""
    wanted = source.resource
    if place.type != "Reference" or not is_resource_type(wanted):
        raise wrong(frame.place, "hl7v2-map-type", written=wanted)

    def make(run: Run, base: Base, depth: int) -> Any:
        found = run.scope.find(wanted)
        return None if found is None else {"reference": found.full_url}

    return make


def constant_leaf(text: str, table: Table | None, place: Place, frame: Frame) -> Make:
    """`=home`, through a table if there is one."""
    if table is not None:
        found = table.find(text)
        if found is None:
            raise wrong(frame.place, "hl7v2-map-code", table=table.name, code=text)
        coding = {"system": found.system, "code": found.code, "display": found.display}
        coding = {name: value for name, value in coding.items() if value}
        if place.type == "Coding":
            return always(coding)
        if place.type == "CodeableConcept":
            return always({"coding": [coding]})
        return always(found.code)
    if not place.primitive:
        raise wrong(frame.place, "hl7v2-map-as", type=place.type)
    try:
        if place.type == "boolean":
            return always(_TRUTHS[text])
        return always(KINDS[place.type](text, "") if place.type in _NUMBERS else text)
    except (KeyError, Unusable):
        raise wrong(frame.place, "hl7v2-map-shape", wanted=place.type) from None
