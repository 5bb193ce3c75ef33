"""Why a message waits, is refused or quarantined: stable message ids with arguments, as text.

`Arrival.reason` and `DepartureRow.reason` hold them (a JSON list); `hub.messages` has the words.
Called by what works on messages in and out, and by whoever shows them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from hub.errors import Issue
from hub.messages import render


class Reason(msgspec.Struct, frozen=True, omit_defaults=True):
    """One reason.

    Attributes:
        id: Stable message id.
        place: `PID-5`, "" for the whole message.
        arguments: For the words; never a patient's data.
        times: How often in a row, where that counts.
    """

    id: str
    place: str = ""
    arguments: dict[str, str] = {}
    times: int = 0

    def words(self, language: str = "en") -> str:
        """For people."""
        told = render(self.id, self.arguments, language)
        return f"{self.place}: {told}" if self.place else told


def write_reasons(reasons: Iterable[Issue | Reason]) -> str:
    """Reasons, or the issues of an error, as the log keeps them."""
    return msgspec.json.encode([_reason(one) for one in reasons]).decode()


def _reason(one: Issue | Reason) -> Reason:
    if isinstance(one, Reason):
        return one
    arguments = {name: str(value) for name, value in one.arguments.items()}
    return Reason(one.message, one.location, arguments)


def read_reasons(text: str) -> Sequence[Reason]:
    """What the log kept; none for nothing, or for what is no list of reasons."""
    try:
        return msgspec.json.decode(text, type=list[Reason]) if text else []
    except msgspec.DecodeError:
        return []
