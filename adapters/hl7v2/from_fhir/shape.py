"""A message as data, before it is written: segments in groups, fields as repetitions.

HL7 v2.5 chapter 2, sections 2.5 and 2.12. Made by the modules of the segments and messages, read
by `building`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Component = str | tuple[str, ...]
"""Text without escapes, or its subcomponents."""

Repetition = tuple[Component, ...]
"""The components of one repetition of a field."""

Fields = Mapping[int, Sequence[Repetition]]


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment.

    Attributes:
        name: `PID`.
        fields: By number, from 1; only those that hold something.
    """

    name: str
    fields: Fields = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Group:
    """A group of the message's structure.

    Attributes:
        name: `ORU_R01_PATIENT_RESULT`.
        parts: What is in it, in order.
    """

    name: str
    parts: Sequence[Segment | Group]


Parts = Sequence[Segment | Group]


def segment(
    name: str, fields: Mapping[int, str | Component | Repetition | Sequence[Repetition]]
) -> Segment:
    """A segment whose empty fields are left out.

    Args:
        name: `PID`.
        fields: By number: a text, a repetition's components, or a list of repetitions.
    """
    kept: dict[int, Sequence[Repetition]] = {}
    for number, content in fields.items():
        found = _repetitions(content)
        if found:
            kept[number] = found
    return Segment(name, kept)


def _repetitions(
    content: str | Component | Repetition | Sequence[Repetition],
) -> list[Repetition]:
    if isinstance(content, str):
        return [(content,)] if content else []
    if isinstance(content, tuple):
        repetition = trimmed(content)
        return [repetition] if repetition else []
    return [one for one in map(trimmed, content) if one]


def trimmed(repetition: Repetition) -> Repetition:
    """Without empty components, and subcomponents, at its end."""
    parts = [_component(one) for one in repetition]
    while parts and not parts[-1]:
        parts.pop()
    return tuple(parts)


def _component(component: Component) -> Component:
    if isinstance(component, str):
        return component
    kept = list(component)
    while kept and not kept[-1]:
        kept.pop()
    return tuple(kept) if len(kept) > 1 else "".join(kept)
