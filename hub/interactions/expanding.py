"""`:in`, `:not-in`, `:above` and `:below` of searches: what they stand for, from terminology.

Implements `hub.search.expander.Expander` for one request. What whoever sees everything gets is
kept until a code system or value set changes. Made by `hub.interactions.rewriting`.
Spec: https://hl7.org/fhir/R4/search.html#subsumption
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hub.errors import BadRequest, fault
from hub.model import reference
from hub.search.expander import Asked
from hub.search.query import TokenValue

if TYPE_CHECKING:
    from hub.context import Context
    from hub.interactions.terminology import Stamp, Terminology
    from terminology.core.searching import Codes

MOST_KEPT = 500_000
"""Codes that are kept for a tenant, over all questions."""


@dataclass(slots=True)
class Expansions:
    """What was answered of a tenant's questions while nothing changes."""

    stamp: Stamp = ()
    codes: dict[Asked, Codes] = field(default_factory=dict)
    total: int = 0

    def of(self, asked: Asked, stamp: Stamp) -> Codes | None:
        """What was answered, None when it has to be found."""
        if stamp != self.stamp:
            self.stamp, self.total = stamp, 0
            self.codes.clear()
        return self.codes.get(asked)

    def keep(self, asked: Asked, stamp: Stamp, codes: Codes) -> None:
        """Keep an answer."""
        if stamp != self.stamp:
            return
        if self.total + len(codes) > MOST_KEPT:
            self.codes.clear()
            self.total = 0
        self.codes[asked] = codes
        self.total += len(codes)


class Expanding:
    """Answers for one request."""

    def __init__(self, terminology: Terminology, ctx: Context) -> None:
        """Answer for somebody.

        Args:
            terminology: The record's.
            ctx: Who asks.
        """
        self._terminology, self._ctx = terminology, ctx

    async def expand(self, asked: Asked) -> Sequence[TokenValue]:
        """The codes of a value set, or of a concept with all above or below it.

        Raises:
            BadRequest: The value set, code system or code is not known, or has too many codes.
        """
        from terminology.core.findings import Refused

        ctx, terminology = self._ctx, self._terminology
        shared = not terminology.is_limited(ctx)
        tenant = ctx.tenant.key
        kept = terminology.expansions(tenant)
        stamp = await terminology.stamp(tenant) if shared else ()
        if shared and (found := kept.of(asked, stamp)) is not None:
            return found
        try:
            codes = await self._codes(asked)
        except Refused as error:
            raise BadRequest(error.issues) from error
        if shared:
            kept.keep(asked, stamp, codes)
        return codes

    async def _codes(self, asked: Asked) -> Codes:
        from terminology.core.content import Library, answer
        from terminology.core.findings import Finding, Refused
        from terminology.core.scope import Scope
        from terminology.core.searching import of_concept, of_value_set

        terminology = self._terminology
        library = Library(terminology.sources(self._ctx))
        scope = Scope(library)
        if asked.modifier != "in":
            if not asked.system or not asked.code:
                raise BadRequest(fault("invalid", "search-concept-system", modifier=asked.modifier))
            above = asked.modifier == "above"
            return await answer(
                library, lambda: of_concept(scope, asked.system, asked.code, above=above), True
            )
        canonical = asked.code
        parts = reference.parse(canonical, self._ctx.base)
        if parts.kind == "relative" and parts.type == "ValueSet":
            found = await terminology.value_set(self._ctx, parts.id)
        else:
            found = await answer(library, lambda: scope.value_set(canonical))
        if found is None:
            raise Refused(Finding("tx-value-set-unknown", arguments={"url": canonical}))
        value_set = found
        return await answer(library, lambda: of_value_set(scope, value_set), True)
