"""What was made of the same texts before is not made again: codes, units, limits, times.

A closure of a map is remembered when it looks at nothing but texts of its segment or field and at
what `Context` tells (`Uses.pure`), and when no remark was made. It stops for a while when hardly
anything comes again. Called by `adapters.hl7v2.mapping.segment_maps` and `datatype_maps`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from adapters.hl7v2.mapping.parts import Convert, Make
from adapters.hl7v2.mapping.run import Run
from adapters.hl7v2.mapping.values import Base

LONGEST = 200
"""Characters of texts that are remembered."""

_TRIAL = 256
_REST = 8192


class _Worth:
    """Whether it is worth looking: half of the last ones looked for were there."""

    __slots__ = ("found", "tries")

    def __init__(self) -> None:
        self.tries = 0
        self.found = 0

    def rests(self) -> bool:
        """After so many tries; True while it is not."""
        if self.found * 2 < _TRIAL and self.tries < _REST:
            return True
        self.tries = self.found = 0
        return False


Copy = Callable[[], Any]


def copies(value: Any) -> Copy | None:
    """What gives copies of a value, as it is now, that may be written into; None: it is none.

    Args:
        value: An object or list is copied here already.
    """
    if type(value) is dict:
        kept = dict(value)
        deep = [(name, copy) for name, inner in value.items() if (copy := copies(inner))]
        return _objects(kept, deep) if deep else kept.copy
    if type(value) is list:
        items = [copies(inner) for inner in value]
        only = items[0] if len(items) == 1 else None
        if only is not None:
            return lambda: [only()]
        if any(items):
            pairs = list(zip(value, items, strict=True))
            return lambda: [inner if copy is None else copy() for inner, copy in pairs]
        return list(value).copy
    return None


def _objects(kept: dict[str, Any], deep: list[tuple[str, Copy]]) -> Copy:
    def copied() -> dict[str, Any]:
        made = kept.copy()
        for name, copy in deep:
            made[name] = copy()
        return made

    return copied


def of_fields(make: Make, numbers: Sequence[int]) -> Make:
    """A closure on a segment, remembered by the fields that it looks at.

    Args:
        make: Looks at nothing else.
        numbers: The fields, at least one; all there.
    """
    texts: Callable[[Base], Any] = itemgetter(*numbers)
    worth = _Worth()
    own = object()

    def remember(run: Run, base: Base, depth: int) -> Any:
        worth.tries += 1
        if worth.tries > _TRIAL and worth.rests():
            return make(run, base, depth)
        key = (own, texts(base))
        memo = run.memo
        if key in memo:
            worth.found += 1
            value, copy = memo[key]
            return value if copy is None else copy()
        before = run.remarked
        value = make(run, base, depth)
        if run.remarked == before and sum(len(base[number]) for number in numbers) < LONGEST:
            copy = copies(value)
            memo[key] = (None if copy else value, copy)
        return value

    return remember


def of_text(convert: Convert) -> Convert:
    """The same for what is made of one text, in whichever field."""
    worth = _Worth()
    own = object()

    def remember(run: Run, raw: str, depth: int) -> Any:
        worth.tries += 1
        if worth.tries > _TRIAL and worth.rests():
            return convert(run, raw, depth)
        key = (own, depth, raw)
        memo = run.memo
        if key in memo:
            worth.found += 1
            value, copy = memo[key]
            return value if copy is None else copy()
        before = len(run.problems)
        value = convert(run, raw, depth)
        if len(run.problems) == before and len(raw) < LONGEST:
            copy = copies(value)
            memo[key] = (None if copy else value, copy)
        return value

    return remember
