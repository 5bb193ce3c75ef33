"""A message to what it says in FHIR, by the maps and nothing else.

Pure: the same message, site and time give the same resources with the same full URLs. Called by
`adapters.hl7v2.work` and `fhir-hub v2 test`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from adapters.hl7v2.converted import Converted, Joined, Mapped, Source
from adapters.hl7v2.mapping.conversions import identity_pairs
from adapters.hl7v2.mapping.library import Library, library
from adapters.hl7v2.mapping.parts import bits, merge
from adapters.hl7v2.mapping.primitives import Unusable, date_time
from adapters.hl7v2.mapping.reading import Group, read
from adapters.hl7v2.mapping.run import Run, Scope, Translate
from adapters.hl7v2.mapping.segment_maps import SegmentMap
from adapters.hl7v2.message import DELETE, Message, Segment
from adapters.hl7v2.sites import Site
from hub.errors import Unprocessable, fault
from hub.model import dates

_FIRST_ITEM = re.compile(r"(\w+)\[(\d+)\]")


_ALWAYS_TOLD = ("resourceType", "identifier")


def convert(
    message: Message,
    site: Site,
    received: int,
    *,
    translate: Translate | None = None,
    trace: bool = False,
) -> Converted:
    """What a message says.

    Args:
        message: Parsed.
        site: Whose rules hold.
        received: When it arrived, milliseconds since the epoch; used when it says no time.
        translate: ConceptMaps of the terminology, for the site's `concept_maps`.
        trace: `Mapped.sources` names every element; else only those at the top.

    Raises:
        Unprocessable: Its kind has no map, or a field without which nothing can be stored is
            missing (location `PID-3`).
        MapError: A map of the site is wrong.
    """
    maps = library(site, trace)
    kind = message.kind
    plan = maps.plan(kind)
    if plan is None:
        raise Unprocessable(fault("not-supported", "hl7v2-kind-unknown", "MSH-9"))
    for name in maps.required(kind):
        if message.first(name) is None:
            raise Unprocessable(fault("required", "hl7v2-segment-required", name, segment=name))
    run = Run(message, site, event_of(message, site, received), translate, maps.memory)
    root = read(message, plan)
    _work(run, maps, root, Scope(None, root.around), trace)
    result = Converted(run.kind, run.control_id, run.event, run.mapped)
    result.joined = run.joined
    result.answers = _answers(message, maps.answers(kind))
    result.remarks = run.remarks
    initial = maps.initial(kind)
    for mapped in run.mapped:
        if not mapped.identities:
            mapped.identities = identity_pairs(mapped.resource.get("identifier"))
        if mapped.type in initial:
            mapped.initial = frozenset(mapped.resource).difference(_ALWAYS_TOLD)
            mapped.deleted = frozenset()
    return result


def event_of(message: Message, site: Site, received: int) -> int:
    """When it happened: EVN-2, else MSH-7, else when it arrived; milliseconds since the epoch."""
    event = message.first("EVN")
    for text in (event.component(2) if event else "", message.header.component(7)):
        if len(text) >= 8:
            try:
                return dates.parse(date_time(text, site.zone), site.zone)[0] // 1000
            except (Unusable, ValueError):
                continue
    return received


def _work(run: Run, maps: Library, group: Group, scope: Scope, trace: bool) -> None:
    """Run the maps of a group in the order of its plan, then those of its groups."""
    outer, run.scope = run.scope, scope
    plan = group.plan
    for key in plan.order:
        names = plan.maps.get(key)
        if names is None:
            for inner in group.groups.get(key, ()):
                below = scope if inner.plan.once else Scope(scope, inner.around)
                _work(run, maps, inner, below, trace)
                run.scope = scope
            continue
        for segment in group.segments.get(key, ()):
            run.segment = segment
            for rules in maps.maps_for(names, key, run.kind).of(run, segment):
                _apply(run, rules, segment, trace)
    for segment in group.unknown:
        run.segment = segment
        own = maps.own_maps(segment.name)
        for name in own:
            _apply(run, maps.map(name), segment, trace)
        if not own:
            run.remark("hl7v2-segment-unmapped")
    run.scope = outer


def _apply(run: Run, rules: SegmentMap, segment: Segment, trace: bool) -> None:
    """One segment by one map."""
    if not rules.each:
        _make(run, rules, segment, trace)
        return
    for number, text in enumerate(segment.repetitions(rules.each), 1):
        run.loops = [text]
        run.turn = number
        if text and text != DELETE:
            _make(run, rules, segment, trace)
    run.loops = []
    run.turn = 0


def _make(run: Run, rules: SegmentMap, segment: Segment, trace: bool) -> None:
    """One resource of a segment, or what the segment adds to one."""
    base = segment.fields
    if rules.when is not None and not rules.when(run, base, 0):
        return
    target = None if rules.new else run.scope.find(rules.type)
    if target is None and rules.only:
        return
    out: dict[str, Any] = {"resourceType": rules.type}
    run.current = out
    run.under = {} if target is None else target.resource
    run.path, run.notes = [], []
    sources, emptied = (_fill if rules.shape is None else _fill_shaped)(run, rules, segment, out)
    for name in rules.required:
        if name not in out:
            raise _missing(rules, name)
    if not sources and not emptied and target is None:
        return
    for name in rules.needs:
        if name not in out and name not in run.under:
            run.remark("hl7v2-resource-incomplete", type=rules.type, element=name)
            return
    notes, run.notes = run.notes, []
    identities = () if rules.identities is None else identity_pairs(rules.identities(run, base, 0))
    if trace:
        sources = notes if target is None else _moved(notes, target.resource)
    if target is None:
        target = _add(run, rules, out)
    else:
        for name, value in out.items():
            merge(target.resource, name, value)
    target.identities += identities
    target.sources += sources + emptied
    _mark(run, rules, base, out, target)
    if emptied or target.deleted:
        deleted = {source.element for source in emptied}
        target.deleted = target.deleted.union(deleted).difference(target.resource)


def _mark(
    run: Run, rules: SegmentMap, base: list[str], out: dict[str, Any], target: Mapped
) -> None:
    """`$initial`: which of the elements hold only while no message has told of them."""
    if rules.initial or target.initial:
        initial = {
            name
            for name, holds in rules.initial
            if name in out and (holds is None or holds(run, base, 0))
        }
        target.initial = target.initial.difference(out) | initial


def _moved(notes: list[Source], onto: dict[str, Any]) -> list[Source]:
    """Notes on elements of lists that are added to lists which are there."""
    found = []
    for note in notes:
        match = _FIRST_ITEM.match(note.element)
        there = onto.get(match.group(1)) if match else None
        if match is not None and isinstance(there, list):
            number = int(match.group(2)) + len(there)
            element = f"{match.group(1)}[{number}]{note.element[match.end() :]}"
            note = note._replace(element=element)
        found.append(note)
    return found


def _add(run: Run, rules: SegmentMap, out: dict[str, Any]) -> Mapped:
    """A resource of its own."""
    target = run.add(out, numbered=rules.new)
    target.how = rules.how
    onto = run.scope.find(rules.joined_to) if rules.joined_to else None
    if onto is None:
        run.scope.made[rules.type] = target
    else:
        run.joined.append(Joined(onto.full_url, target.full_url))
    return target


def _fill(
    run: Run, rules: SegmentMap, segment: Segment, out: dict[str, Any]
) -> tuple[list[Source], list[Source]]:
    """Make the elements of a resource; gives what came from where, and what is to be emptied."""
    base = segment.fields
    present = run.present = bits(base, 0)
    where = f"{segment.name}[{segment.ordinal}]"
    sources: list[Source] = []
    emptied: list[Source] = []
    for name, made, given, mask, fields in rules.members:
        value = None
        if made is not None and (not mask or mask & present):
            value = made(run, base, 0)
        if value is not None:
            sources += [Source(name, where, str(n)) for n in fields if present >> n & 1]
            if not fields:
                sources.append(Source(name, where, ""))
        elif given is None or (value := given(run, base, 0)) is None:
            if run.deletes and any(base[n] == DELETE for n in fields if n < len(base)):
                emptied += [Source(name, where, str(n)) for n in fields if present >> n & 1]
            continue
        out[name] = value
    if rules.distinct:
        _tell_apart(run, out)
    return sources, emptied


def _fill_shaped(
    run: Run, rules: SegmentMap, segment: Segment, out: dict[str, Any]
) -> tuple[list[Source], list[Source]]:
    """`_fill` by a map that was compiled for the shape of the segment."""
    base = segment.fields
    assert rules.shape is not None
    present = run.present = rules.shape.present
    where = f"{segment.name}[{segment.ordinal}]"
    sources: list[Source] = []
    for name, made, given, _, fields in rules.members:
        if made is not None and (value := made(run, base, 0)) is not None:
            out[name] = value
            sources += _sources(name, where, fields, present)
        elif given is not None and (value := given(run, base, 0)) is not None:
            out[name] = value
    if rules.distinct:
        _tell_apart(run, out)
    return sources, []


@lru_cache(maxsize=8192)
def _sources(element: str, where: str, fields: tuple[int, ...], present: int) -> tuple[Source, ...]:
    """An element came from those of the fields that are there."""
    if not fields:
        return (Source(element, where, ""),)
    return tuple(Source(element, where, str(n)) for n in fields if present >> n & 1)


def _tell_apart(run: Run, resource: dict[str, Any]) -> None:
    """Count on an identifier that another resource of the type has in this message: `...#2`."""
    kind = resource["resourceType"]
    for identifier in resource.get("identifier", ()):
        name = (kind, identifier.get("system", ""), identifier.get("value", ""))
        count = run.named[name] = run.named.get(name, 0) + 1
        if count > 1:
            identifier["value"] = f"{name[2]}#{count}"


def _missing(rules: SegmentMap, element: str) -> Unprocessable:
    fields = next(member.fields for member in rules.members if member.name == element)
    place = f"{rules.segment}-{fields[0]}" if fields else rules.segment
    return Unprocessable(fault("required", "hl7v2-field-required", place, field=place))


def _answers(message: Message, places: tuple[tuple[str, int], ...]) -> tuple[str, ...]:
    """What an answer names the message of ours by, each name once."""
    names: dict[str, None] = {}
    for name, number in places:
        segment = message.first(name)
        if segment is not None and (text := segment.component(number)):
            names[text] = None
    return tuple(names)
