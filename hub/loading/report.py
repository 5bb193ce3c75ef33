"""The report of a load: one ndjson line for each thing that was not stored, with the reasons."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import msgspec

from hub.errors import HubError
from hub.loading.sources import Item
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

    def __init__(self, path: Path, language: str) -> None:
        """Name the file; an older one is replaced.

        Args:
            path: Where the report goes.
            language: Language of the reasons.
        """
        self.path, self._language = path, language
        self._stream: IO[bytes] | None = None
        path.unlink(missing_ok=True)

    def reject(self, item: Item, error: HubError) -> None:
        """Add a line for an item that was not stored."""
        if self._stream is None:
            self._stream = self.path.open("wb")
        resource = item.resource or {}
        line = {
            "file": str(item.path),
            "where": item.where,
            "resourceType": resource.get("resourceType"),
            "id": resource.get("id"),
            "issues": reasons(error, self._language),
        }
        self._stream.write(msgspec.json.encode(line) + b"\n")

    def close(self) -> None:
        """Finish the file."""
        if self._stream is not None:
            self._stream.close()
