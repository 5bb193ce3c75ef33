"""What the rewrite rules know besides the query."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from hub.search.expander import Asked, Expander
from hub.search.query import Criterion, TokenValue
from hub.search.registry import ParameterRegistry

Scoped = Callable[[str], Criterion | None]
"""What a resource of a type must meet to be seen; None: no limit."""


@dataclass(frozen=True, slots=True)
class RewriteContext:
    """The surroundings of a search.

    Attributes:
        registry: The parameters that are known.
        tenant: Tenant key.
        expander: Terminology, None while there is none.
        scoped: Limit of what may be seen, per resource type: a SMART scope, an owner, a
            consent. It reaches matches, chains, `_has`, lists and includes alike.
        expansions: Codes of what was asked of the expander.
    """

    registry: ParameterRegistry
    tenant: int = 1
    expander: Expander | None = None
    scoped: Scoped | None = None
    expansions: Mapping[Asked, Sequence[TokenValue]] = field(default_factory=dict)
