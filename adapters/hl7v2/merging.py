"""One resource out of what many messages tell of it: each element is from the newest of them.

Pure: content and marks in, content and marks out. However the messages are ordered, and however
often one is repeated, the end is the same, since every element remembers the newest stamp that
told of it. `identifier` is a union, in which each identifier has its own stamp. What a person
has changed meanwhile counts as told at that time (`with_edits`). Called by
`adapters.hl7v2.storing` and `adapters.hl7v2.merged_patients`; docs/hl7v2/late-messages.md tells
it to people.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from adapters.hl7v2.marks import IDENTIFIED, NEVER, Marks, Stamp, identifier_name
from adapters.hl7v2.merged_elements import (
    BOUND,
    IDENTIFIER,
    PARTS,
    UNITED,
    Content,
    by_element,
    element_of,
    parted,
    whole,
)

_BARE = frozenset(("resourceType",))


class Told(NamedTuple):
    """What a message tells of a resource.

    Attributes:
        content: The resource, references resolved.
        stamp: How new it is.
        deleted: Elements that it empties.
        initial: Elements that hold only while no message has told of them.
    """

    content: Content
    stamp: Stamp
    deleted: Collection[str] = ()
    initial: Collection[str] = ()


class Merged(NamedTuple):
    """What came of it.

    Attributes:
        content: The resource.
        marks: What is to be remembered.
        taken: Elements in which the message is the newest.
    """

    content: Content
    marks: Marks
    taken: frozenset[str]


def merge(type: str, content: Content, marks: Marks, told: Told) -> Merged:
    """Take from a message what it is the newest to tell.

    Args:
        type: Resource type.
        content: What is there; empty when the resource is new. Not changed.
        marks: What is remembered of it. Not changed.
        told: What the message tells.
    """
    if content.keys() <= _BARE and not (
        marks.stamps or told.deleted or told.initial or type in PARTS
    ):
        first = _first(type, content, marks, told)
        if first is not None:
            return first
    content, told = parted(type, content), told._replace(content=parted(type, told.content))
    made, stamps = dict(content), dict(marks.stamps)
    there = by_element(type, content)
    telling = by_element(type, told.content)
    for name in told.deleted:
        for part in (name, *(f"{name}.{part}" for part in PARTS.get(type, {}).get(name, ()))):
            if part not in BOUND.get(type, ()):
                telling.setdefault(element_of(type, part), [])
    initial = {element_of(type, name) for name in told.initial}
    taken = set()
    for element, names in telling.items():
        if _is_union(type, element, told.content, content):
            if names:
                fresh = _fresh(element, marks, told)
                made[element] = _united(content.get(element, []), fresh, told.stamp, stamps)
                taken |= {element} if fresh else set()
            continue
        stamp = told.stamp.initial if element in initial else told.stamp
        known = marks.stamps.get(element)
        if (told.stamp < marks.floor) if known is None else (stamp < known):
            continue
        if element in initial and known is None and element in there:
            continue  # A person's, or from before there were messages.
        put(made, there.get(element, ()), told.content, names)
        stamps[element] = stamp
        taken.add(element.partition(".")[0])
    marks = Marks(marks.version, marks.floor, stamps)
    return Merged(whole(type, made), marks, frozenset(taken))


class _Order(NamedTuple):
    """How properties lie in elements: elements but unions, unions, and all of these."""

    single: tuple[str, ...]
    unions: tuple[str, ...]
    all: frozenset[str]


@lru_cache(maxsize=4096)
def _order(type: str, names: tuple[str, ...]) -> _Order | None:
    """Of properties in this order; None where one stands apart from others of its element."""
    elements = by_element(type, names)
    inside = [name for own in elements.values() for name in own]
    if names != ("resourceType", *inside):
        return None
    unions = {one for one in elements if one == IDENTIFIER or one in UNITED.get(type, ())}
    return _Order(
        tuple(one for one in elements if one not in unions), tuple(unions), frozenset(elements)
    )


def _first(type: str, content: Content, marks: Marks, told: Told) -> Merged | None:
    """What the first message tells of a new resource: all of it, which `merge` finds by more work.

    None when it is not that simple.
    """
    order = _order(type, tuple(told.content))
    if order is None or told.stamp < marks.floor:
        return None
    made, stamps = content | told.content, dict.fromkeys(order.single, told.stamp)
    for element in order.unions:
        items = made[element]
        if not items or items.__class__ is not list:
            return None
        named = {identifier_name(one): one for one in items}
        made[element] = list(named.values())
        stamps.update(dict.fromkeys(named, told.stamp))
    return Merged(made, Marks(marks.version, marks.floor, stamps), order.all)


def put(made: Content, old: Iterable[str], source: Content, names: Collection[str]) -> None:
    """Replace some properties by those of another resource; what stays keeps its place."""
    for name in old:
        if name not in names:
            made.pop(name, None)
    for name in names:
        made[name] = source[name]


def _is_union(type: str, element: str, told: Content, content: Content) -> bool:
    """Whether an element is a union: `identifier` where it repeats, and what `UNITED` names."""
    if element != IDENTIFIER:
        return element in UNITED.get(type, ())
    return not isinstance(told.get(IDENTIFIER, content.get(IDENTIFIER, [])), dict)


def _fresh(element: str, marks: Marks, told: Told) -> dict[str, Any]:
    """The items of a union that a message is the newest to tell, by their names.

    One that is not there though a newer stamp tells of it was taken away by a person.
    """
    named = {identifier_name(one): one for one in told.content[element]}
    return {name: one for name, one in named.items() if told.stamp >= marks.of(name)}


def _united(
    there: Sequence[Any], fresh: dict[str, Any], stamp: Stamp, stamps: dict[str, Stamp]
) -> list[Any]:
    """All identifiers: newest message first, as it gave them; those of nobody's message last."""
    kept = {identifier_name(one): one for one in there}
    stamps.update(dict.fromkeys(fresh, stamp))
    ordered = fresh | {name: one for name, one in kept.items() if name not in fresh}
    return [ordered[name] for name in sorted(ordered, key=lambda name: _newest(stamps, name))]


def _newest(stamps: Mapping[str, Stamp], name: str) -> tuple[int, int]:
    event, row = stamps.get(name, NEVER)
    return -event, -row


def carried(
    type: str, source: tuple[Content, Marks], target: tuple[Content, Marks], since: Stamp
) -> Merged:
    """Take over what a resource was told after it had been joined to another.

    Args:
        type: Resource type.
        source: The one that was merged away, and what is remembered of it.
        target: The one that goes on. Not changed.
        since: When they were joined.
    """
    made, stamps = dict(target[0]), dict(target[1].stamps)
    telling, there = by_element(type, source[0]), by_element(type, target[0])
    taken = set()
    for element, stamp in source[1].stamps.items():
        own = element in OF_THE_RECORD or element.startswith(IDENTIFIED)
        if not own and stamp > since and stamp > target[1].of(element):
            put(made, there.get(element, ()), source[0], telling.get(element, ()))
            stamps[element] = stamp
            taken.add(element)
    return Merged(made, Marks(target[1].version, target[1].floor, stamps), frozenset(taken))


OF_THE_RECORD = frozenset((IDENTIFIER, "link", "active", "meta"))
"""Of a patient record itself, not of the person: they do not go over to another record."""


def with_edits(type: str, marks: Marks, left: Content, current: Content, time: int) -> Marks:
    """Marks that know what a person has changed since the last message.

    Args:
        type: Resource type.
        marks: As the last message left them.
        left: The resource as the last message left it.
        current: The resource as it is.
        time: When the current version was written, milliseconds since the epoch.
    """
    stamps, edited = dict(marks.stamps), Stamp(time, 0)
    left, current = parted(type, left), parted(type, current)
    before, after = by_element(type, left), by_element(type, current)
    for element in before.keys() | after.keys():
        names = {*before.get(element, ()), *after.get(element, ())}
        if all(left.get(name) == current.get(name) for name in names):
            continue
        changed = [element]
        if _is_union(type, element, left, current):
            old = {identifier_name(one): one for one in left.get(element, ())}
            new = {identifier_name(one): one for one in current.get(element, ())}
            changed = [name for name in old.keys() | new.keys() if old.get(name) != new.get(name)]
        for name in changed:
            stamps[name] = max(edited, stamps.get(name, NEVER))
    return Marks(marks.version, marks.floor, stamps)
