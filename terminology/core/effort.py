"""What one question may cost: value sets made to be walked for hours are refused in seconds.

Whoever goes over many codes, includes or imports says so first, in steps of about a tenth of a
microsecond; together a question has some five seconds. Counting gives the same answer on every
machine, as a clock would not. Kept with the content of a request (`terminology.core.content`).
"""

from __future__ import annotations

from terminology.core.findings import Finding, Refused

MOST_STEPS = 50_000_000
"""Of one request, over everything that it asks."""

CODE = 1
"""Steps that looking at one code of a list takes."""

COMPARED = 4
"""Steps to compare a code, with its system, with those of other includes."""

TESTED = 5
"""Steps to hold a concept against a filter."""

BRANCH = 20
"""Steps to look at one include or exclude."""

VALIDATED = 500
"""Steps to validate one code."""

SECOND = 10_000_000
"""Steps in a second."""

IMPORT = 100
"""Steps to read a value set that another imports."""


class Effort:
    """Steps that are left."""

    __slots__ = ("_left",)

    def __init__(self, steps: int = MOST_STEPS) -> None:
        """Begin.

        Args:
            steps: How many there may be.
        """
        self._left = steps

    def spend(self, steps: int) -> None:
        """Take steps off.

        Raises:
            Refused: There are not so many left; nothing more is done for this request.
        """
        self._left -= steps
        if self._left < 0:
            raise Refused(Finding("tx-too-much-work", hint="tx-too-much-work-hint"))
