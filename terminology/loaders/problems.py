"""What is wrong with a file: row, column, and what to do; all of it, up to a limit.

Used by every loader; the `terminology` command shows them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hub.messages import render

SHOWN = 40
"""Characters of a cell that a message repeats."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend.

    Attributes:
        row: Row of the file as a spreadsheet counts, the header being 1; 0: the file itself.
        column: Name of the column, "" when it is the whole row.
        message: Stable message id.
        arguments: Values for the message's placeholders.
    """

    row: int
    column: str
    message: str
    arguments: dict[str, object] = field(default_factory=dict)

    def text(self, language: str) -> str:
        """The problem in words, with its place.

        Args:
            language: `en` or `zh`.
        """
        words = render(self.message, self.arguments, language)
        if not self.row:
            return words
        place = "terminology-place-cell" if self.column else "terminology-place-row"
        where = render(place, {"row": self.row, "column": self.column}, language)
        return f"{where}{words}"


class Problems:
    """Collects problems; the first `limit` are kept, all are counted.

    Attributes:
        found: Those that are kept, in the order of discovery.
        count: How many there are.
        rows: Rows that have one.
    """

    def __init__(self, limit: int = 100) -> None:
        """Start without any.

        Args:
            limit: How many are kept.
        """
        self.found: list[Problem] = []
        self.count = 0
        self.rows: set[int] = set()
        self._limit = limit

    def add(self, row: int, column: str, message: str, /, **arguments: object) -> None:
        """Note one; arguments as `Problem`."""
        self.count += 1
        if row:
            self.rows.add(row)
        if len(self.found) < self._limit:
            self.found.append(Problem(row, column, message, arguments))

    def in_order(self) -> list[Problem]:
        """Those that are kept, by row."""
        return sorted(self.found, key=lambda one: one.row)


class FileRefused(Exception):
    """A file cannot be loaded; nothing of it was."""

    def __init__(self, problems: Problems) -> None:
        """Keep what is wrong.

        Args:
            problems: At least one.
        """
        super().__init__(f"{problems.count} problems")
        self.problems = problems


def refused(message: str, row: int = 0, /, **arguments: object) -> FileRefused:
    """The refusal of a file for one reason.

    Args:
        message: Stable message id.
        row: Row, 0 for the file.
        **arguments: Values for the message's placeholders.
    """
    problems = Problems()
    problems.add(row, "", message, **arguments)
    return FileRefused(problems)


def shown(cell: str) -> str:
    """A cell as a message may repeat it: short, and nothing in it that moves a cursor."""
    text = "".join(char if char.isprintable() else "�" for char in cell[: SHOWN + 1])
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"
