"""The rows of a table, numbered as a spreadsheet numbers them.

Used by `terminology.loaders.csv`. RFC 4180; quotation marks are read strictly.
"""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Iterator
from itertools import islice

from terminology.loaders.problems import Problems, refused

MOST_ROWS = 2_000_000

_DELIMITERS = (",", "\t", ";", "|")
_TITLES = 10
"""Rows in which a header may stand below titles."""


class Rows:
    """The rows of a text, numbered from 1 as a spreadsheet does.

    Attributes:
        delimiter: What separates cells.
        count: Rows so far.
    """

    def __init__(self, text: str, delimiter: str) -> None:
        """Read nothing yet.

        Args:
            text: The table.
            delimiter: "" to find out.

        Raises:
            FileRefused: It is empty.
        """
        if not text.strip():
            raise refused("terminology-empty")
        self.delimiter = delimiter or _delimiter(text)
        stream = io.StringIO(text, newline="")
        self._reader = csv.reader(stream, delimiter=self.delimiter, strict=True)
        self.count = 0
        self._ahead: deque[tuple[int, list[str]]] = deque()

    def header(self) -> list[str]:
        """The first row with more than one filled cell; without one the first filled row."""
        first: list[tuple[int, list[str]]] = []
        try:
            for cells in islice(self._reader, _TITLES):
                self.count += 1
                filled = sum(1 for cell in cells if cell.strip())
                if filled > 1:
                    return cells
                if filled:
                    first.append((self.count, cells))
        except csv.Error as error:
            raise refused("terminology-quote", self.count + 1, reason=str(error)) from None
        self._ahead.extend(first[1:])
        return first[0][1] if first else []

    def rest(self, problems: Problems) -> Iterator[tuple[int, list[str]]]:
        """The rows after the header."""
        yield from self._ahead
        while True:
            self.count += 1
            try:
                cells = next(self._reader)
            except StopIteration:
                self.count -= 1
                return
            except csv.Error as error:
                problems.add(self.count, "", "terminology-quote", reason=str(error))
                if "expected after" not in str(error):
                    return  # A quote is open: what follows is not where it seems to be.
                continue
            if self.count > MOST_ROWS:
                problems.add(self.count, "", "terminology-too-many-rows", limit=MOST_ROWS)
                return
            if any(cells):
                yield self.count, cells


def _delimiter(text: str) -> str:
    """What occurs most in the first rows, outside quotes."""
    start = re.sub(r'"[^"]*"', "", text[:20_000])
    lines = [line for line in start.splitlines()[:10] if line.strip()]
    counts = {one: max((line.count(one) for line in lines), default=0) for one in _DELIMITERS}
    best = max(_DELIMITERS, key=lambda one: counts[one])
    return best if counts[best] else ","
