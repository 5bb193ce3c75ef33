"""SQL functions that look into a resource's packed entry.

They answer what no index table answers well: a range of a row at hand, the tuples of a
composite, the targets of a reference, the value to sort by. About 2 microseconds a call.
Registered by `hub.storage.sqlite.search` on each connection that searches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import apsw
import msgspec

from hub.search.distance import metres
from hub.storage.sqlite.entry import Entry, decode

Predicate = Callable[[Entry], bool]
Values = Callable[[Entry], Iterable[int]]
SortValue = Callable[[Entry], "int | float | str | None"]

_to_json = msgspec.json.Encoder().encode


class Functions:
    """The functions of the search under way; its statements name them by number."""

    def __init__(self, connection: apsw.Connection) -> None:
        """Register the SQL functions with a connection."""
        self.calls: list[Callable[[Entry], Any]] = []
        register: Any = connection.create_scalar_function
        register("hub_test", self._test, 2, deterministic=True)
        register("hub_values", self._values, 2, deterministic=True)
        register("hub_value", self._value, 2, deterministic=True)
        register("hub_metres", metres, 4, deterministic=True)

    def add(self, call: Callable[[Entry], Any]) -> int:
        """A function's number, for its place in the statement."""
        self.calls.append(call)
        return len(self.calls) - 1

    def _test(self, number: int, packed: bytes | None) -> int:
        return packed is not None and self.calls[number](decode(packed))

    def _values(self, number: int, packed: bytes | None) -> str:
        if packed is None:
            return "[]"
        return _to_json(list(self.calls[number](decode(packed)))).decode()

    def _value(self, number: int, packed: bytes | None) -> int | float | str | None:
        if packed is None:
            return None
        value: int | float | str | None = self.calls[number](decode(packed))
        return value
