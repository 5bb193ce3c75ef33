"""Maps for segments of one shape: chosen for each segment, compiled when a shape is usual.

Without it every OBX would be asked again for all that an OBX may have. What comes out is the same.
Called by `adapters.hl7v2.mapping.library`; run by `adapters.hl7v2.to_fhir`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from adapters.hl7v2.mapping.run import Run
from adapters.hl7v2.mapping.segment_maps import SegmentMap
from adapters.hl7v2.mapping.shapes import OTHER, Asked, Shape, impossible
from adapters.hl7v2.message import Segment

OFTEN = 4
"""Segments of a shape before maps are compiled for it, which takes milliseconds."""

_MORE_OFTEN = 8
_MOST = 512
_MOST_SEEN = 4096
_MOST_FIELDS = 100

Compile = Callable[[str, Shape | None], SegmentMap]
"""(name of a map, shape of the segment or None for any) to the map."""


class Shelf:
    """Maps for shapes of all segments of a site, and how often a shape without them was there.

    Attributes:
        known: Maps by segment, kind of message, and shape.
        seen: Segments of the others.
        made: How often maps were compiled: the more, the more usual a shape must be, or a sender
            of ever new shapes would keep a core busy with them.
        lock: Of who compiles: a compiler is used by one at a time.
    """

    __slots__ = ("known", "lock", "made", "seen")

    def __init__(self) -> None:
        self.known: dict[tuple[Any, ...], tuple[SegmentMap, ...]] = {}
        self.seen: dict[tuple[Any, ...], int] = {}
        self.made = 0
        self.lock = threading.Lock()

    def is_usual(self, key: tuple[Any, ...]) -> bool:
        """One more of a shape without maps of its own."""
        count = self.seen.get(key, 0) + 1
        if count >= OFTEN + self.made // _MORE_OFTEN:
            return True
        if len(self.seen) >= _MOST_SEEN:
            self.seen.clear()
        self.seen[key] = count
        return False

    def keep(self, key: tuple[Any, ...], maps: tuple[SegmentMap, ...]) -> None:
        """Maps for a shape."""
        if len(self.known) >= _MOST:
            self.known.clear()
        self.made += 1
        self.seen.pop(key, None)
        self.known[key] = maps


class Variants:
    """The maps of a segment in messages of a kind."""

    def __init__(
        self,
        compile_map: Compile,
        names: Sequence[str],
        kind: str,
        asked: Asked,
        shelf: Shelf,
        usual: bool,
    ) -> None:
        """Compile the maps for any shape.

        Args:
            compile_map: Compiles a map.
            names: Of the maps, in their order; all of one segment.
            kind: `ADT^A01`.
            asked: What conditions ask; told by compiling.
            shelf: Of the site.
            usual: Maps are compiled for usual shapes.
        """
        self._compile = compile_map
        self._kind = kind
        self._shelf = shelf
        self._any = tuple(compile_map(name, None) for name in names)
        segment = names[0].partition("[")[0] if names else ""
        self._segment = segment
        self._usual = usual and segment not in ("", "MSH")  # MSH-2 looks like nothing.
        self._texts = tuple(
            (number, frozenset(values))
            for (name, number), values in asked.texts.items()
            if name == segment
        )
        self._counts = tuple(number for name, number in asked.counts if name == segment)

    def of(self, run: Run, segment: Segment) -> tuple[SegmentMap, ...]:
        """The maps for a segment.

        Args:
            run: The conversion.
            segment: Of the maps' name.
        """
        base = segment.fields
        if not self._usual or not (run.tidy or run.is_tidy(segment)) or len(base) > _MOST_FIELDS:
            return self._any
        key: list[Any] = [self, *map(bool, base)]
        length = len(base)
        for number, values in self._texts:
            if number < length and (text := base[number]).isalnum():
                key.append(text if text in values else OTHER)
            else:
                key.append(None)
        key += [n < length and run.repetition in base[n] for n in self._counts]
        shape = tuple(key)
        found = self._shelf.known.get(shape)
        return found if found is not None else self._without(shape, length)

    def _without(self, key: tuple[Any, ...], length: int) -> tuple[SegmentMap, ...]:
        """Maps for a shape that has none of its own yet."""
        shelf = self._shelf
        if not shelf.is_usual(key) or not shelf.lock.acquire(blocking=False):
            return self._any
        try:
            shape = self._shape(key[1:], length)
            made = tuple(self._variant(rules, shape) for rules in self._any)
            found = tuple(one for one in made if one.when is not impossible)
            shelf.keep(key, found)
        finally:
            shelf.lock.release()
        return found

    def _variant(self, rules: SegmentMap, shape: Shape) -> SegmentMap:
        return rules if rules.each else self._compile(rules.name, shape)

    def _shape(self, key: tuple[Any, ...], length: int) -> Shape:
        present = sum(1 << number for number, there in enumerate(key[:length]) if there)
        told = dict(zip((number for number, _ in self._texts), key[length:], strict=False))
        counted = zip(self._counts, key[length + len(self._texts) :], strict=True)
        return Shape(
            self._segment,
            self._kind,
            present,
            {number: text for number, text in told.items() if text is not None},
            {n: 2 if several else 1 for n, several in counted if present >> n & 1},
        )
