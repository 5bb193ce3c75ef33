"""What reading a search needs, and the errors it can end in.

Passed through all of `hub.search.parsing`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NoReturn

from hub.definitions import SearchParameter
from hub.errors import BadRequest, Issue
from hub.messages import Phrase
from hub.search.registry import ParameterRegistry

MOST_VALUES = 1000
MOST_PARAMETERS = 500
LONGEST_CHAIN = 8
MOST_CHAINS = 64


class UnknownParameter(Exception):
    """A type has no such parameter: ignored or refused, as the client prefers."""

    def __init__(self, type: str, name: str) -> None:
        """Name what is not known."""
        super().__init__(name)
        self.type, self.name = type, name


@dataclass(slots=True)
class Reading:
    """One search being read.

    Attributes:
        registry: The parameters that are known.
        zone: IANA zone of dates without an offset.
        base: The hub's own base URL without a trailing slash.
        now: Microseconds since the epoch, for approximate dates.
        chains: Chain links made so far; a hostile chain over every type is refused.
    """

    registry: ParameterRegistry
    zone: str
    base: str
    now: int
    chains: int = field(default=0)

    def link(self, name: str, example: str) -> None:
        """Count a chain link.

        Raises:
            BadRequest: There are too many.
        """
        self.chains += 1
        if self.chains > MOST_CHAINS:
            refuse(
                "too-costly",
                "search-chain-too-wide",
                name=name,
                example=example,
                limit=MOST_CHAINS,
            )


def refuse(code: str, message: str, /, **arguments: object) -> NoReturn:
    """Refuse the search with 400.

    Args:
        code: IssueType code.
        message: Message id.
        **arguments: Its placeholders; never a search value.
    """
    raise BadRequest(Issue("error", code, message, arguments))


def invalid(parameter: SearchParameter, expected: str) -> NoReturn:
    """Refuse a value.

    Args:
        parameter: Whose value it is.
        expected: What would be right, as `a date`.
    """
    refuse("value", "search-value-invalid", name=parameter.code, expected=Phrase(expected))
