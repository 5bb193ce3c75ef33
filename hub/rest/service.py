"""What the handlers work with: made once per process by `hub.app`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.rest.body import Budget
from hub.settings import Settings

if TYPE_CHECKING:
    from hub.interactions import Interactions
    from hub.interactions.operation import Operations


@dataclass(frozen=True, slots=True)
class Service:
    """The parts behind the REST edge.

    Attributes:
        door: Every interaction goes through it.
        settings: Limits and switches.
        operations: The `$` operations by name.
        types: Resource types of R4.
        compartments: Names of compartments.
        budget: What request bodies may hold together.
    """

    door: Interactions
    settings: Settings
    operations: Operations
    types: frozenset[str]
    compartments: frozenset[str]
    budget: Budget
