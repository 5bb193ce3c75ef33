"""All maps for a site: found by the kind of message, compiled at their first use.

Called by `adapters.hl7v2.to_fhir`; `check` at start and by the command that tests a site.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from adapters.hl7v2.mapping import files
from adapters.hl7v2.mapping.compiler import Compiler
from adapters.hl7v2.mapping.grammar import wrong
from adapters.hl7v2.mapping.reading import GroupPlan
from adapters.hl7v2.mapping.run import Memory
from adapters.hl7v2.mapping.segment_maps import SegmentMap, segment_map
from adapters.hl7v2.mapping.shapes import Shape
from adapters.hl7v2.mapping.tables import Table, refuse_strange_targets, table
from adapters.hl7v2.mapping.variants import Shelf, Variants
from adapters.hl7v2.sites import Site

_GROUP_WORDS = frozenset({"$starts", "$once"})


class Library:
    """The maps of a site."""

    def __init__(self, site: Site, *, trace: bool = False) -> None:
        """Read the files; nothing is compiled yet.

        Args:
            site: Its maps come over ours.
            trace: Maps note where each element came from.
        """
        self.site = site
        self._segments = files.segments_of(site)
        self._table_files = files.tables_of(site)
        self._compiler = Compiler(files.ours("datatypes"), self._table, site.concept_maps, trace)
        self._tables: dict[str, Table] = {}
        self._plans: dict[str, GroupPlan] = {}
        self._maps: dict[str, SegmentMap] = {}
        self._variants: dict[tuple[tuple[str, ...], str, str], Variants] = {}
        self.shelf = Shelf()
        self.trace = trace
        self.memory = Memory()

    def plan(self, kind: str) -> GroupPlan | None:
        """The message map of a kind (`ADT^A01`); None: there is none."""
        name = message_names().get(kind)
        if name is None:
            return None
        known = self._plans.get(name)
        if known is None:
            content = files.ours("messages")[name]
            known = group_plan(name, content["read"], f"messages/{name}.yaml")
            self._plans[name] = known
        return known

    def answers(self, kind: str) -> tuple[tuple[str, int], ...]:
        """For answers to messages of ours: segments and fields that name what is answered."""
        content = files.ours("messages").get(message_names().get(kind, ""), {})
        return tuple(_field(name) for name in content.get("answers", ()))

    def initial(self, kind: str) -> frozenset[str]:
        """Types of which it says only what holds while no other message has told of it."""
        return frozenset(files.ours("messages")[message_names()[kind]].get("initial", ()))

    def required(self, kind: str) -> tuple[str, ...]:
        """Segments without which a kind of message is refused."""
        wanted = files.ours("messages")[message_names()[kind]].get("required", ())
        return (wanted,) if isinstance(wanted, str) else tuple(wanted)

    def map(self, name: str) -> SegmentMap:
        """A segment map by its name, `PID[Patient]`.

        Raises:
            MapError: There is none, or it does not fit.
        """
        known = self._maps.get(name)
        return known or self._compiled(name, None)

    def maps_for(self, names: tuple[str, ...], segment: str, kind: str) -> Variants:
        """Maps of a message map, and those of the site's own for the segment.

        Args:
            names: Of the message map.
            segment: `PID`.
            kind: Of the message.

        Raises:
            MapError: One of them does not fit.
        """
        key = (names, segment, kind)
        known = self._variants.get(key)
        if known is None:
            known = self._variants[key] = Variants(
                self._compiled,
                (*names, *self.own_maps(segment)),
                kind,
                self._compiler.asked,
                self.shelf,
                not self.trace,
            )
        return known

    def _compiled(self, name: str, shape: Shape | None) -> SegmentMap:
        if shape is None and name in self._maps:
            return self._maps[name]
        segment, _, rest = name.partition("[")
        key = rest.removesuffix("]")
        content = self._segments.get(segment, {}).get(key)
        at = files.place_of(self.site, segment, key)
        if not isinstance(content, Mapping):
            raise wrong(at, "hl7v2-map-datatype", map=name)
        if shape is not None:  # Who asks has the lock.
            return segment_map(self._compiler, segment, key, content, at, shape)
        with self.shelf.lock:
            made = self._maps[name] = segment_map(self._compiler, segment, key, content, at)
        return made

    def own_maps(self, segment: str) -> tuple[str, ...]:
        """Names of the maps that only the site has for a segment: they run wherever it stands."""
        if segment not in self.site.segments:
            return ()
        there = files.ours("segments").get(segment, {})
        return tuple(
            f"{segment}[{name}]" for name in self.site.segments[segment] if name not in there
        )

    def check(self) -> None:
        """Compile every map.

        Raises:
            MapError: The first that does not fit, or a table or ConceptMap of the site that
                no map goes through.
        """
        for segment, maps in self._segments.items():
            for key in maps:
                self.map(f"{segment}[{key}]")
        for kind in message_names():
            plan = self.plan(kind)
            if plan is not None:
                self._check_plan(plan)
        for name in self.site.tables:
            if name not in self._tables and name not in files.ours("tables"):
                near = difflib.get_close_matches(name, files.ours("tables"), 1, 0.6)
                meant = near or sorted(files.ours("tables"))
                raise wrong(
                    files.at(self.site, f"tables.{name}"),
                    "hl7v2-map-table-unused",
                    table=name,
                    known=", ".join(meant),
                )
        for name in self._table_files:
            built = self._table(name, "")
            if name in self.site.tables:
                refuse_strange_targets(built, files.at(self.site, f"tables.{name}"))
        for name in self.site.concept_maps:
            if name not in self._compiler.datatypes.translated:
                raise wrong(
                    files.at(self.site, f"concept_maps.{name}"),
                    "hl7v2-map-concept-map",
                    field=name,
                )

    def _check_plan(self, plan: GroupPlan) -> None:
        for names in plan.maps.values():
            for name in names:
                self.map(name)
        for group in plan.groups:
            self._check_plan(group)

    def _table(self, name: str, place: str) -> Table:
        known = self._tables.get(name)
        if known is None:
            content = self._table_files.get(name)
            if content is None:
                raise wrong(place, "hl7v2-map-table", table=name)
            own = name in self.site.tables
            at = files.at(self.site, f"tables.{name}") if own else f"tables/{name}.yaml"
            known = self._tables[name] = table(name, content, at)
        return known


@lru_cache(maxsize=128)
def library(site: Site, trace: bool) -> Library:
    """The maps of a site; the same every time."""
    return Library(site, trace=trace)


@lru_cache(maxsize=1)
def message_names() -> Mapping[str, str]:
    """Kinds of messages that there are maps for, `ADT^A04` -> `ADT_A01`."""
    return {
        kind: name for name, content in files.ours("messages").items() for kind in content["kinds"]
    }


def _field(name: str) -> tuple[str, int]:
    segment, _, number = name.partition("-")
    return segment, int(number)


def group_plan(name: str, content: Mapping[str, Any], place: str) -> GroupPlan:
    """A group of a message map from its YAML.

    Args:
        name: Of the group.
        content: Segments, groups and words with a dollar.
        place: For errors.

    Raises:
        MapError: It has a word that means nothing.
    """
    starts = content.get("$starts", ())
    order: dict[str, int] = {}
    groups: list[GroupPlan] = []
    opens: dict[str, GroupPlan] = {}
    maps: dict[str, tuple[str, ...]] = {}
    for key, inner in content.items():
        if key.startswith("$"):
            if key not in _GROUP_WORDS:
                raise wrong(place, "hl7v2-map-word", word=key)
            continue
        order[key] = len(order)
        if isinstance(inner, dict):
            group = group_plan(key, inner, f"{place} {key}")
            groups.append(group)
            for start in group.starts:
                opens.setdefault(start, group)
        elif isinstance(inner, list):
            maps[key] = tuple(inner)
        else:
            maps[key] = (inner,) if inner and inner != "~" else ()
    return GroupPlan(
        name,
        frozenset((starts,) if isinstance(starts, str) else starts),
        content.get("$once") == "true",
        order,
        tuple(groups),
        opens,
        maps,
    )
