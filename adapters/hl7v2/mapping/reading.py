"""Segments of a message into the groups of its message map.

Lenient: segments may stand in another order, groups may be missing, and what the map does not know
stays with the group it stands in. Called by `adapters.hl7v2.to_fhir`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from adapters.hl7v2.message import Message, Segment


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """A group of a message map.

    Attributes:
        name: `ORDER`; the message's own name for the outermost.
        starts: Segments that begin it.
        once: No scope of its own.
        order: Position of its own segments and groups in the map.
        groups: The groups in it.
        opens: Which group in it a segment begins.
        maps: Its own segments and what is made of them.
    """

    name: str
    starts: frozenset[str]
    once: bool
    order: Mapping[str, int]
    groups: tuple[GroupPlan, ...]
    opens: Mapping[str, GroupPlan]
    maps: Mapping[str, tuple[str, ...]]


@dataclass(slots=True)
class Group:
    """A group of a message.

    Attributes:
        plan: What it is.
        segments: Its own, by name.
        around: Segments that conditions of its maps may look at: its own, and those of the groups
            in it that are no scope.
        groups: The groups in it, by name.
        unknown: Segments that stand in it and that its map does not know.
        position: Of the last segment in the map.
    """

    plan: GroupPlan
    around: dict[str, list[Segment]]
    segments: dict[str, list[Segment]] = field(default_factory=dict)
    groups: dict[str, list[Group]] = field(default_factory=dict)
    unknown: list[Segment] = field(default_factory=list)
    position: int = -1


def read(message: Message, plan: GroupPlan) -> Group:
    """The groups of a message.

    Args:
        message: Parsed.
        plan: Of its message map.
    """
    root = Group(plan, {})
    root.segments = root.around
    open_groups = [root]
    for segment in message.segments:
        name = segment.name
        depth = len(open_groups) - 1
        while depth >= 0:
            group = open_groups[depth]
            into = _into(group, name, open_groups[depth - 1] if depth else None)
            if into is not None:
                if into is group:
                    del open_groups[depth + 1 :]
                elif into.plan is group.plan:
                    open_groups[depth:] = [into]
                else:
                    open_groups[depth + 1 :] = [into]
                into.segments.setdefault(name, []).append(segment)
                if into.around is not into.segments:
                    into.around.setdefault(name, []).append(segment)
                into.position = into.plan.order[name]
                break
            depth -= 1
        else:
            stray = open_groups[-1]
            stray.unknown.append(segment)
            stray.around.setdefault(name, []).append(segment)
    return root


def _into(group: Group, name: str, parent: Group | None) -> Group | None:
    """The group a segment goes into, made if need be; None: not into this one."""
    plan = group.plan
    position = plan.order.get(name)
    if position is not None and name in plan.maps:
        anew = name in plan.starts and (name in group.segments or position < group.position)
        if not anew or parent is None:
            return group
        return _begin(parent, plan)
    inner = plan.opens.get(name)
    return None if inner is None else _begin(group, inner)


def _begin(parent: Group, plan: GroupPlan) -> Group:
    made = Group(plan, parent.around if plan.once else {})
    if not plan.once:
        made.segments = made.around
    parent.groups.setdefault(plan.name, []).append(made)
    parent.position = max(parent.position, parent.plan.order[plan.name])
    return made
