"""The report of a load: one ndjson line for each thing that was not stored, with the reasons."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

import msgspec

from hub.errors import HubError
from hub.loading.item import Item
from hub.messages import render


def reasons(error: HubError, language: str) -> list[dict[str, str]]:
    """Issues in words: message id, severity, location and text."""
    return [
        {
            "id": issue.message,
            "severity": issue.severity,
            "location": issue.location,
            "text": render(issue.message, issue.arguments, language),
        }
        for issue in error.issues
    ]


class Report:
    """Writes rejected items; the file appears with the first of them."""

    def __init__(self, path: Path, language: str, length: int = 0) -> None:
        """Name the file.

        Args:
            path: Where the report goes.
            language: Language of the reasons.
            length: Bytes that an interrupted load wrote and that count; an older report is
                replaced.
        """
        self.path, self._language = path, language
        self._stream: IO[bytes] | None = None
        if length and path.exists() and path.stat().st_size >= length:
            self._stream = path.open("r+b")
            self._stream.truncate(length)
            self._stream.seek(length)
        else:
            path.unlink(missing_ok=True)

    def reject(self, item: Item, error: HubError) -> None:
        """Add a line for an item that was not stored."""
        if self._stream is None:
            self._stream = self.path.open("wb")
        line = {"file": str(item.place.path), "where": item.place.where}
        if not item.transaction and item.keys:
            ((line["resourceType"], line["id"]),) = item.keys
        self._stream.write(
            msgspec.json.encode(line | {"issues": reasons(error, self._language)}) + b"\n"
        )

    def sync(self) -> int:
        """Make what was written survive a crash; gives the length of the report."""
        if self._stream is None:
            return 0
        self._stream.flush()
        os.fsync(self._stream.fileno())
        return self._stream.tell()

    def close(self) -> None:
        """Finish the file."""
        if self._stream is not None:
            self._stream.close()
