"""Maps of segments: the words with a dollar at their top, and their elements.

Called by `adapters.hl7v2.mapping.library`; run by `adapters.hl7v2.to_fhir`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from adapters.hl7v2.converted import How
from adapters.hl7v2.mapping import grammar
from adapters.hl7v2.mapping.compiler import Compiler, refuse_others
from adapters.hl7v2.mapping.elements import children
from adapters.hl7v2.mapping.grammar import Field, wrong
from adapters.hl7v2.mapping.memory import of_fields
from adapters.hl7v2.mapping.parts import Make, possible
from adapters.hl7v2.mapping.parts import at as step
from adapters.hl7v2.mapping.shapes import Shape
from adapters.hl7v2.mapping.values import Frame, Holds
from hub.definitions import is_resource_type

_SEGMENT_WORDS = frozenset(
    {
        "$new",
        "$only",
        "$each",
        "$joined_to",
        "$distinct",
        "$when",
        "$how",
        "$identities",
        "$required",
        "$needs",
        "$initial",
    }
)


class TopMember(NamedTuple):
    """An element of a resource in a segment map.

    Attributes:
        name: Of the element.
        made, given: As `Part`.
        mask: Bits of the fields it is made of; 0: it must always be looked at.
        fields: Their numbers.
    """

    name: str
    made: Make | None
    given: Make | None
    mask: int
    fields: tuple[int, ...]


class SegmentMap(NamedTuple):
    """A compiled map of `segments`; most attributes are the words with a dollar.

    Attributes:
        each: Number of the field that it is run for each repetition of, 0 for none.
        initial: Elements that hold only while no message has told of them, and when so.
        joined_to: Type of the resource that this one goes on under, "" for none.
        shape: Of the segments it is for; None: any.
    """

    name: str
    segment: str
    type: str
    new: bool
    only: bool
    each: int
    distinct: bool
    when: Holds | None
    how: How
    identities: Make | None
    required: tuple[str, ...]
    needs: tuple[str, ...]
    initial: tuple[tuple[str, Holds | None], ...]
    joined_to: str
    members: tuple[TopMember, ...]
    shape: Shape | None = None


def segment_map(
    compiler: Compiler,
    segment: str,
    name: str,
    content: Mapping[str, Any],
    at: str,
    shape: Shape | None = None,
) -> SegmentMap:
    """A map of `segments`.

    Args:
        compiler: Of the site.
        segment: `PID`.
        name: `Patient`, `Observation-Component`.
        content: Its YAML.
        at: Where it stands, for errors.
        shape: Of the segments it is for; None: any.

    Raises:
        MapError: It does not fit.
    """
    resource_type = name.split("-", 1)[0]
    if not is_resource_type(resource_type):
        raise wrong(at, "hl7v2-map-type", written=resource_type)
    words = {key: value for key, value in content.items() if key.startswith("$")}
    refuse_others(words, _SEGMENT_WORDS, at)
    each = _each_field(words.get("$each"), segment, at)
    frame = Frame(segment, "", at, ((segment, each),) if each else (), shape)
    known = children(resource_type)
    required = _names(words.get("$required"))
    found: list[TopMember] = []
    for key, node in content.items():
        if key.startswith("$"):
            continue
        place = known.get(key)
        inner = frame._replace(place=f"{at} {key}")
        if place is None:
            raise wrong(inner.place, "hl7v2-map-element", type=resource_type, element=key)
        part, mask, uses = compiler.masked(node, place, inner)
        made, given = possible(part.made), possible(part.given)
        if compiler.trace:
            made, given = step(f".{key}", made), step(f".{key}", given)
        fields = tuple(uses.numbers)
        if shape is not None and made is not None and uses.pure:
            there = [number for number in sorted(uses.read) if shape.present >> number & 1]
            made = of_fields(made, there) if there else made
        if made is not None or given is not None or key in required:  # Its fields are named.
            found.append(TopMember(key, made, given, mask, fields))
    how = words.get("$how", "merge")
    if how not in ("merge", "find", "new"):
        raise wrong(f"{at} $how", "hl7v2-map-shape", wanted="merge, find, new")
    return SegmentMap(
        f"{segment}[{name}]",
        segment,
        resource_type,
        words.get("$new") == "true",
        words.get("$only") == "true",
        each,
        words.get("$distinct") == "true",
        compiler.condition(words.get("$when"), frame),
        how,
        compiler.identities(words.get("$identities"), frame),
        required,
        _names(words.get("$needs")),
        _initial(compiler, words.get("$initial"), frame),
        words.get("$joined_to", ""),
        tuple(found),
        shape,
    )


def _initial(
    compiler: Compiler, node: object, frame: Frame
) -> tuple[tuple[str, Holds | None], ...]:
    if isinstance(node, dict):
        return tuple((name, compiler.condition(text, frame)) for name, text in node.items())
    return tuple((name, None) for name in _names(node))


def _each_field(text: object, segment: str, at: str) -> int:
    """Field of `$each` in a segment map."""
    if text is None:
        return 0
    source = grammar.expression(str(text), f"{at} $each").source
    if not isinstance(source, Field) or source.segment != segment or source.component:
        raise wrong(f"{at} $each", "hl7v2-map-each")
    return source.number


def _names(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(str(one) for one in value)  # type: ignore[attr-defined]
