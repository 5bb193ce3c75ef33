"""One resource out of what many messages tell of it: each element is from the newest of them.

Pure: content and marks in, content and marks out. However the messages are ordered, and however
often one is repeated, the end is the same, since every element remembers the newest stamp that
told of it. `identifier` is a union, in which each identifier has its own stamp. What a person
has changed meanwhile counts as told at that time (`with_edits`). Called by
`adapters.hl7v2.storing` and `adapters.hl7v2.merged_patients`; docs/hl7v2/late-messages.md tells
it to people.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from hub.definitions import type_definition
from hub.model import json

Content = dict[str, Any]

IDENTIFIER = "identifier"
IDENTIFIED = "="
"""Leads the names of stamps of single identifiers."""

_OUTSIDE = frozenset(("resourceType", "id"))
_EARLIER = 1 << 60
_DIGEST = 6
_STAMPED = ("versionId", "lastUpdated")

BOUND: Mapping[str, Mapping[str, str]] = {
    "Appointment": {"cancelationReason": "status"},
    "Immunization": {"statusReason": "status"},
    "Observation": {"dataAbsentReason": "value"},
    "Task": {"statusReason": "status"},
}
"""Elements that go together with another one: invariants and sense bind them."""

UNITED: Mapping[str, frozenset[str]] = {
    "DiagnosticReport": frozenset(("result", "specimen")),
    "ServiceRequest": frozenset(("supportingInfo",)),
}
"""Lists that are unions as `identifier` is: a correction brings only the results it corrects."""


class Stamp(NamedTuple):
    """How new something is: when it happened (ms), then in which row of the log it came."""

    event: int
    row: int

    @property
    def initial(self) -> Stamp:
        """Of what holds only while nobody has told of it: older than all that was told."""
        return Stamp(self.event - _EARLIER, self.row)


NEVER = Stamp(-2 * _EARLIER, 0)


@dataclass(slots=True)
class Marks:
    """What is remembered beside a resource.

    Attributes:
        version: The version that the newest of its messages has left; 0: none has yet.
        floor: What is older tells nothing: its resource was deleted then.
        stamps: By element how new it is; single identifiers by `identifier_name`.
    """

    version: int = 0
    floor: Stamp = NEVER
    stamps: dict[str, Stamp] = field(default_factory=dict)

    def of(self, name: str) -> Stamp:
        """How new an element is."""
        return self.stamps.get(name, self.floor)


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


# --- elements -------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _elements(type: str) -> dict[str, str]:
    """JSON names of a resource type's properties whose element has another name."""
    found = {}
    for element in type_definition(type).elements[1:]:
        if element.path.count(".") != 1:
            continue
        names = [element.name]
        if element.is_choice:
            names += [element.name + kind.code[0].upper() + kind.code[1:] for kind in element.types]
        for name in names:
            found[name] = found["_" + name] = BOUND.get(type, {}).get(element.name, element.name)
    return {name: element for name, element in found.items() if name != element}


def element_of(type: str, name: str) -> str:
    """The element that a property of a resource belongs to: `value` of `valueQuantity`."""
    return _elements(type).get(name, name)


def _by_element(type: str, content: Iterable[str]) -> dict[str, list[str]]:
    """The properties of a resource by the element they belong to."""
    others = _elements(type)
    found: dict[str, list[str]] = {}
    for name in content:
        if name not in _OUTSIDE:
            found.setdefault(others.get(name, name), []).append(name)
    return found


def identifier_name(identifier: Any) -> str:
    """The name under which the stamp of an identifier is kept: it does not show it."""
    return IDENTIFIED + hashlib.blake2b(_key(identifier), digest_size=_DIGEST).hexdigest()


def _key(identifier: Any) -> bytes:
    if isinstance(identifier, dict) and isinstance(identifier.get("value"), str):
        return json.encode([identifier.get("system", ""), identifier["value"]])
    return json.encode(identifier)


# --- merging --------------------------------------------------------------------------------


def merge(type: str, content: Content, marks: Marks, told: Told) -> Merged:
    """Take from a message what it is the newest to tell.

    Args:
        type: Resource type.
        content: What is there; empty when the resource is new. Not changed.
        marks: What is remembered of it. Not changed.
        told: What the message tells.
    """
    made, stamps = dict(content), dict(marks.stamps)
    there = _by_element(type, content)
    telling = _by_element(type, told.content)
    for name in told.deleted:
        telling.setdefault(_elements(type).get(name, name), [])
    initial = {_elements(type).get(name, name) for name in told.initial}
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
        taken.add(element)
    return Merged(made, Marks(marks.version, marks.floor, stamps), frozenset(taken))


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
    telling, there = _by_element(type, source[0]), _by_element(type, target[0])
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
    before, after = _by_element(type, left), _by_element(type, current)
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


# --- stored form ----------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _numbers(type: str) -> dict[str, int]:
    """The elements of a resource type by name, numbered as R4 4.0.1 has them."""
    elements = type_definition(type).elements[1:]
    names = [element.name for element in elements if element.path.count(".") == 1]
    return {name: number for number, name in enumerate(names)}


@lru_cache(maxsize=256)
def _names(type: str) -> list[str]:
    return list(_numbers(type))


def pack(type: str, marks: Marks) -> bytes:
    """Marks as they are stored: version, what each stamp is of, and the floor if there is one.

    Elements are numbers, of a byte each; single identifiers are their digests.
    """
    numbers = _numbers(type)
    grouped: dict[Stamp, tuple[list[int], list[str]]] = {}
    for name, stamp in sorted(marks.stamps.items()):
        group = grouped.setdefault(stamp, ([], []))
        if name in numbers:
            group[0].append(numbers[name])
        elif name.startswith(IDENTIFIED):
            group[1].append(name[1:])
    stamps = [
        (event, row, bytes(elements), bytes.fromhex("".join(digests)))
        for (event, row), (elements, digests) in sorted(grouped.items())
    ]
    floor = () if marks.floor == NEVER else marks.floor
    return msgspec.msgpack.encode((marks.version, stamps, *floor))


class _Packed(msgspec.Struct, array_like=True):
    version: int
    stamps: list[tuple[int, int, bytes, bytes]]
    event: int = NEVER.event
    row: int = NEVER.row


_decoder = msgspec.msgpack.Decoder(_Packed)


def unpack(type: str, packed: bytes) -> Marks:
    """The opposite of `pack`."""
    found, names = _decoder.decode(packed), _names(type)
    stamps: dict[str, Stamp] = {}
    for event, row, elements, digests in found.stamps:
        stamp, all = Stamp(event, row), digests.hex()
        stamps.update(dict.fromkeys([names[number] for number in elements], stamp))
        for start in range(0, len(all), 2 * _DIGEST):
            stamps[IDENTIFIED + all[start : start + 2 * _DIGEST]] = stamp
    return Marks(found.version, Stamp(found.event, found.row), stamps)


def plain(resource: Content) -> Content:
    """A resource without what the store assigns: version and time."""
    made = {name: value for name, value in resource.items() if name not in ("id", "meta")}
    meta = {k: v for k, v in resource.get("meta", {}).items() if k not in _STAMPED}
    return made | {"meta": meta} if meta else made
