"""Closures that read raw text out of a segment or out of the parts of a field, and conditions.

A closure gets the run, the base (the fields of a segment, or the parts that a field or component
was split into) and how deep the texts of the base are: 0 for fields, 1 for repetitions, 2 for
components, 3 for subcomponents. Called by `adapters.hl7v2.mapping.compiler` and `leaves`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from adapters.hl7v2.mapping.grammar import (
    Compare,
    Component,
    Condition,
    Constant,
    Count,
    Field,
    Has,
    Hole,
    Joined,
    Lacks,
    Longer,
    MessageWord,
    Ref,
    Source,
    Template,
    wrong,
)
from adapters.hl7v2.mapping.run import CONTROL, Run
from adapters.hl7v2.mapping.shapes import Shape
from adapters.hl7v2.message import DELETE, unescape

Base = list[str]
Get = Callable[[Run, Base, int], str]
Holds = Callable[[Run, Base, int], bool]


class Frame(NamedTuple):
    """Where an expression stands.

    Attributes:
        segment: Segment of the map, "" in a datatype map.
        datatype: Datatype of the map, "" in a segment map.
        place: File, map and element, for errors.
        loops: (segment, field) of each `$each` around, outermost first.
        shape: What is known of the segment; None: it may be any.
    """

    segment: str
    datatype: str
    place: str
    loops: tuple[tuple[str, int], ...] = ()
    shape: Shape | None = None


def text_of(run: Run, raw: str, depth: int) -> str:
    """Plain text of a raw one: its first component, without escapes and blanks around."""
    if depth == 1 and run.split[1] in raw:
        raw = raw.split(run.split[1], 1)[0]
    return whole_text(run, raw, depth)


def whole_text(run: Run, raw: str, depth: int) -> str:
    """Plain text of a raw one with all its components."""
    if raw == DELETE:
        return ""
    return (raw if run.plain else _readable(run, raw)).strip()


def line_text(run: Run, raw: str) -> str:
    """Plain text of a raw line: blanks at its beginning stay."""
    return (raw if run.plain else _readable(run, raw)).rstrip()


def _readable(run: Run, raw: str) -> str:
    """Without escapes and what FHIR's text cannot have."""
    if run.escape and run.escape in raw:
        raw = unescape(raw, run.message.delimiters)
    return CONTROL.sub("", raw) if run.dirty else raw


def get_field(source: Field, frame: Frame) -> Get:
    """Raw text of a field, repetition, component or subcomponent."""
    whole = _whole_field(source, frame)
    component, subcomponent = source.component - 1, source.subcomponent - 1
    if component < 0:
        return whole

    def get_component(run: Run, base: Base, depth: int) -> str:
        raw = whole(run, base, depth)
        if not raw:
            return ""
        parts = raw.split(run.split[1])
        return parts[component] if component < len(parts) else ""

    if subcomponent < 0:
        return get_component

    def get_subcomponent(run: Run, base: Base, depth: int) -> str:
        raw = get_component(run, base, depth)
        parts = raw.split(run.split[2]) if run.split[2] else [raw]
        return parts[subcomponent] if subcomponent < len(parts) else ""

    return get_subcomponent


def _whole_field(source: Field, frame: Frame) -> Get:
    name, number = source.segment, source.number
    if not source.repetition and (name, number) in frame.loops:
        loop = frame.loops.index((name, number))

        def get_loop(run: Run, base: Base, depth: int) -> str:
            return run.loops[loop]

        return get_loop
    repetition = max(source.repetition, 1) - 1
    own = name == frame.segment

    def get_own(run: Run, base: Base, depth: int) -> str:
        raw = base[number] if number < len(base) else ""
        if raw and run.repetition in raw:
            parts = raw.split(run.repetition)
            raw = parts[repetition] if repetition < len(parts) else ""
        elif repetition:
            return ""
        return "" if raw == DELETE else raw

    if own:
        return get_own

    def get_other(run: Run, base: Base, depth: int) -> str:
        segment = run.scope.segment(name)
        return "" if segment is None else get_own(run, segment.fields, 0)

    return get_other


def all_of(source: Field, frame: Frame) -> Callable[[Run, Base], list[str]]:
    """Raw texts of all repetitions of a field, whole."""
    name, number = source.segment, source.number
    own = name == frame.segment

    def get_all(run: Run, base: Base) -> list[str]:
        if not own:
            segment = run.scope.segment(name)
            if segment is None:
                return []
            base = segment.fields
        raw = base[number] if number < len(base) else ""
        if not raw or raw == DELETE:
            return []
        return raw.split(run.repetition) if run.repetition in raw else [raw]

    return get_all


def get_component(source: Component, frame: Frame) -> Get:
    """Raw text of a part of what a datatype map is applied to."""
    if not frame.datatype or (source.component and source.datatype != frame.datatype):
        raise wrong(frame.place, "hl7v2-map-component", written=source.datatype or "this")
    number, inner = source.component - 1, source.subcomponent - 1
    if number < 0:
        return lambda run, base, depth: run.split[depth - 1].join(base)

    def get_part(run: Run, base: Base, depth: int) -> str:
        raw = base[number] if number < len(base) else ""
        return "" if raw == DELETE else raw

    if inner < 0:
        return get_part

    def get_inner(run: Run, base: Base, depth: int) -> str:
        raw = base[number] if number < len(base) else ""
        parts = raw.split(run.split[depth]) if run.split[depth] else [raw]
        raw = parts[inner] if inner < len(parts) else ""
        return "" if raw == DELETE else raw

    return get_inner


def get(source: Source, frame: Frame) -> Get:
    """Raw text of a source that is text."""
    match source:
        case Field():
            return get_field(source, frame)
        case Component():
            return get_component(source, frame)
        case Constant(text):
            return lambda run, base, depth: text
        case MessageWord(word):
            return lambda run, base, depth: run.words[word]
        case Template():
            return _get_template(source, frame)
        case Ref():
            raise wrong(frame.place, "hl7v2-map-ref")


def depth_of(source: Source, depth: int) -> int:
    """How deep the text of a source is, in a base of a depth."""
    match source:
        case Field():
            return 1 + (source.component > 0) + (source.subcomponent > 0)
        case Component():
            return depth - 1 if not source.component else depth + (source.subcomponent > 0)
        case _:
            return 3


def get_text(source: Source, frame: Frame) -> Get:
    """Plain text of a source."""
    raw_of = get(source, frame)
    if isinstance(source, Constant | MessageWord | Template):
        return raw_of

    # Deeper than a repetition there are no components to cut off.
    first = isinstance(source, Field) and not source.component
    if first or (isinstance(source, Component) and not source.component):

        def get_first(run: Run, base: Base, depth: int) -> str:
            raw = raw_of(run, base, depth)
            return text_of(run, raw, 1 if first else depth - 1) if raw else ""

        return get_first

    def get_plain(run: Run, base: Base, depth: int) -> str:
        raw = raw_of(run, base, depth)
        if run.plain and raw != DELETE:
            return raw.strip()
        return whole_text(run, raw, 3) if raw else ""

    return get_plain


def _get_template(source: Template, frame: Frame) -> Get:
    holes = [_first(part, frame) for part in source.parts if not isinstance(part, str)]
    form = "".join(
        part.replace("%", "%%") if isinstance(part, str) else "%s" for part in source.parts
    )

    def get_joined(run: Run, base: Base, depth: int) -> str:
        texts = [get_hole(run, base, depth) for get_hole in holes]
        return form % tuple(texts) if any(texts) else ""

    return get_joined


def _first(sources: tuple[Hole, ...], frame: Frame) -> Get:
    texts = [get_text(source, frame) for source in sources]
    if len(texts) == 1:
        return texts[0]

    def get_first(run: Run, base: Base, depth: int) -> str:
        for one in texts:
            text = one(run, base, depth)
            if text:
                return text
        return ""

    return get_first


def holds(condition: Condition, frame: Frame) -> Holds:
    """A condition as a closure."""
    match condition:
        case Joined("not", conditions):
            inner = holds(conditions[0], frame)
            return lambda run, base, depth: not inner(run, base, depth)
        case Joined(by, conditions):
            return _joined(by == "and", [holds(one, frame) for one in conditions])
        case Compare(source, values):
            return _compare(source, values, frame)
        case Count(source, sign, number):
            return _count(source, sign, number, frame)
        case Longer(source, number):
            text = get_text(source, frame)
            return lambda run, base, depth: len(text(run, base, depth)) > number
        case Lacks(element):
            return _lacks(element)
        case Has(resource):
            return lambda run, base, depth: run.scope.find(resource) is not None


def _lacks(element: str) -> Holds:
    if not element.endswith("[x]"):
        return lambda run, base, depth: element not in run.current and element not in run.under
    stem = element.removesuffix("[x]")
    end = len(stem)

    def lacks_choice(run: Run, base: Base, depth: int) -> bool:
        return not any(
            name.startswith(stem) and name[end : end + 1].isupper()
            for made in (run.current, run.under)
            for name in made
        )

    return lacks_choice


def _joined(all_of_them: bool, conditions: list[Holds]) -> Holds:
    def joined(run: Run, base: Base, depth: int) -> bool:
        for condition in conditions:
            if condition(run, base, depth) is not all_of_them:
                return not all_of_them
        return all_of_them

    return joined


def _compare(source: Source, values: frozenset[str], frame: Frame) -> Holds:
    if not values:
        raw = get(source, frame)
        # `^^` has no value.
        return lambda run, base, depth: raw(run, base, depth).strip(run.blank) != ""
    text = get_text(source, frame)
    return lambda run, base, depth: text(run, base, depth) in values


def _count(source: Field, sign: str, number: int, frame: Frame) -> Holds:
    repetitions = all_of(source, frame)
    if sign == ">":
        return lambda run, base, depth: len(repetitions(run, base)) > number
    if sign == "<":
        return lambda run, base, depth: len(repetitions(run, base)) < number
    return lambda run, base, depth: len(repetitions(run, base)) == number
