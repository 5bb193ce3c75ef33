"""Stops SQLite's work at a time: a search's deadline, or sooner when one way is only tried.

Used by `hub.storage.sqlite.search`. SQLite asks every few thousand steps.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import apsw

from hub.storage.port import DeadlineExceeded

STEPS: Final = 4000
"""SQLite's steps between two looks at the clock; some tens of microseconds."""


class Clock:
    """When the statements of one connection are stopped."""

    def __init__(self, connection: apsw.Connection) -> None:
        """Nothing runs yet."""
        self._connection = connection
        self._end = self._deadline = 0.0

    def _is_over(self) -> bool:
        return time.monotonic() > self._end

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Stop what runs inside after so many seconds.

        Raises:
            DeadlineExceeded: It was stopped.
        """
        self._end = self._deadline = time.monotonic() + seconds
        self._connection.set_progress_handler(self._is_over, STEPS)
        try:
            yield
        except apsw.InterruptError as error:
            raise DeadlineExceeded from error
        finally:
            self._connection.set_progress_handler(None)

    @contextmanager
    def tried_for(self, seconds: float) -> Iterator[list[bool]]:
        """Inside `within`: stop sooner, without an error; the list is not empty if it was."""
        stopped: list[bool] = []
        self._end = min(self._deadline, time.monotonic() + seconds)
        try:
            yield stopped
        except apsw.InterruptError:
            if time.monotonic() > self._deadline:
                raise
            stopped.append(True)
        finally:
            self._end = self._deadline
