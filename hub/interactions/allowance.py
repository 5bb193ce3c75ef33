"""What the entries of one bundle may take together: bytes of answers, and time to read.

A batch of a few kilobytes can ask for gigabytes: thousands of searches, of capability
statements, of patches that each give back a big resource. Called by `hub.interactions.batch`
and `hub.interactions.transaction`. Spec: https://hl7.org/fhir/R4/http.html#transaction
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from hub.errors import TooCostly, fault
from hub.interactions.answer import BundleAnswer, Entry
from hub.model import json

SECONDS = 60.0
"""After these no more entries of a bundle are read."""

_DECODED = 4
"""Bytes of memory that a byte of a resource takes while it is a dict."""


class Allowance:
    """What is left of it."""

    def __init__(
        self, size: int, seconds: float = SECONDS, clock: Callable[[], float] = monotonic
    ) -> None:
        """Nothing is spent yet.

        Args:
            size: Bytes that all answers together may have.
            seconds: Time after which nothing more is read.
            clock: Seconds since whenever.
        """
        self._size = self._left = size
        self._seconds, self._clock = seconds, clock
        self._until = clock() + seconds

    def check(self) -> None:
        """Refuse to read another entry when everything is spent.

        Raises:
            TooCostly: It is.
        """
        if self._left < 0:
            raise TooCostly(fault("too-costly", "bundle-answer-size", limit=self._size))
        if self._clock() > self._until:
            seconds = int(self._seconds)
            raise TooCostly(fault("too-costly", "bundle-answer-time", seconds=seconds))

    def take(self, entry: Entry) -> Entry:
        """Count an answer that was asked for; gives it back."""
        self._left -= _size(entry)
        return entry

    def cut(self, entry: Entry) -> Entry:
        """Count the answer to a write; it comes without its resource when all is spent."""
        if entry.stored is None:
            return entry
        if self._left < 0:
            return entry._replace(full_url="", stored=None)
        return self.take(entry)


def _size(entry: Entry) -> int:
    if entry.stored is not None:
        return len(entry.stored.tail)
    if entry.bundle is not None:
        return _bundle_size(entry.bundle)
    if entry.resource is not None:
        return len(json.encode(entry.resource)) * _DECODED
    return 0


def _bundle_size(bundle: BundleAnswer) -> int:
    return sum(map(_size, bundle.entries))
