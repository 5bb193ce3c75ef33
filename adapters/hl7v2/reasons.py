"""Why a message waits, is refused or quarantined: a stable message id with its arguments, as text.

`Arrival.reason` and `DepartureRow.reason` hold it; `hub.messages` has the words. Called by what
sends messages, and by whoever shows them.
"""

from __future__ import annotations

import msgspec

from hub.errors import Issue
from hub.messages import render


class Reason(msgspec.Struct, frozen=True, omit_defaults=True):
    """One reason.

    Attributes:
        id: Stable message id.
        place: `PID-5`, "" for the whole message.
        arguments: For the words; never a patient's data.
        times: How often in a row.
    """

    id: str
    place: str = ""
    arguments: dict[str, str] = {}
    times: int = 0

    def text(self) -> str:
        """As the log keeps it (JSON)."""
        return msgspec.json.encode(self).decode()

    def words(self, language: str = "en") -> str:
        """For people."""
        told = render(self.id, self.arguments, language)
        return f"{self.place}: {told}" if self.place else told


def reason_of(issue: Issue) -> str:
    """An issue as the log keeps it."""
    arguments = {name: str(value) for name, value in issue.arguments.items()}
    return Reason(issue.message, issue.location, arguments).text()


def read_reason(text: str) -> Reason | None:
    """What the log kept, None for nothing or for what is no reason."""
    try:
        return msgspec.json.decode(text, type=Reason) if text else None
    except msgspec.DecodeError:
        return None
