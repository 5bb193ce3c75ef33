"""Content of the record that was read already: by tenant, type, id and version.

A version never changes, so what stands here is never stale: whoever asks finds the current
versions in the store first. Held by `Interactions`; filled by `terminology.core.record`.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from threading import Lock

Key = tuple[int, str, str, int]

MOST = 400
MOST_WEIGHT = 1_000_000
"""Concepts that are kept; up to a kilobyte each, with their indexes."""


class Shelf:
    """The last used content, up to a number of pieces and a weight together.

    Attributes:
        unpacking: Held while packed concepts are read, so that two who need them read them once.
    """

    def __init__(self, most: int = MOST, most_weight: int = MOST_WEIGHT) -> None:
        """Start empty.

        Args:
            most: Pieces.
            most_weight: Weight of all together; one piece alone may be heavier.
        """
        self._kept: OrderedDict[Key, tuple[object, int]] = OrderedDict()
        self._most, self._most_weight = most, most_weight
        self._weight = 0
        self.unpacking = asyncio.Lock()
        self._lock = Lock()

    def get(self, key: Key) -> object | None:
        """What was put there, None when it is not there any more."""
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return None
            self._kept.move_to_end(key)
            return found[0]

    def put(self, key: Key, content: object, weight: int = 1) -> None:
        """Keep a piece; what was used longest ago makes room."""
        with self._lock:
            before = self._kept.pop(key, None)
            self._weight += weight - (before[1] if before else 0)
            self._kept[key] = (content, weight)
            while len(self._kept) > self._most or (
                self._weight > self._most_weight and len(self._kept) > 1
            ):
                _, (_, gone) = self._kept.popitem(last=False)
                self._weight -= gone
