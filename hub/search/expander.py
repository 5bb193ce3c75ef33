"""What search asks of terminology: which codes a value set or a hierarchy stands for.

The Protocol lives here, with its consumer; `terminology.core` implements it. Without an
expander `:in`, `:not-in` and, on tokens, `:above` and `:below` are refused.
Spec: https://hl7.org/fhir/R4/search.html#subsumption
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hub.search.query import TokenValue


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to the expander.

    Attributes:
        modifier: `in` (also for `:not-in`), `above` or `below`.
        system: Code system of the concept; "" for a value set or when none was given.
        code: Code of the concept, or the value set's url.
    """

    modifier: str
    system: str
    code: str


class Expander(Protocol):
    """Answers with codes."""

    async def expand(self, asked: Asked) -> Sequence[TokenValue]:
        """The codes of a value set, or of a concept with all above or below it.

        Args:
            asked: The question.

        Raises:
            HubError: The value set or code system is not known, or has too many codes.
        """
