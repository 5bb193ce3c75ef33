"""What the rewrite rules of a search get to know about who asks.

One place, so that a limit of what may be seen reaches searches, conditions and includes alike.
Called by search, conditional and include.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.access.policy import decide
from hub.context import Context
from hub.interactions.expanding import Expanding
from hub.interactions.registry import Definitions
from hub.search.rewrite import RewriteContext

if TYPE_CHECKING:
    from hub.interactions.door import Interactions


def context_of(door: Interactions, ctx: Context, definitions: Definitions) -> RewriteContext:
    """The context of the rules for one request.

    Args:
        door: The record.
        ctx: Who asks.
        definitions: The search parameters in force.
    """
    decision = decide(ctx.principal)
    scoped = None if decision.unlimited else decision.scoped
    expander = Expanding(door.terminology, ctx)
    return RewriteContext(definitions.registry, ctx.tenant.key, expander, scoped)
