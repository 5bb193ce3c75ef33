"""The codes that a search stands for: a value set's, or a concept's with all above or below it.

Called by `hub.interactions.expanding` for `:in`, `:not-in`, `:above` and `:below`.
Spec: https://hl7.org/fhir/R4/search.html#subsumption
"""

from __future__ import annotations

from hub.errors import BadRequest, Issue, fault
from hub.search.query import TokenValue
from terminology.core.enumeration import Used, chunks
from terminology.core.scope import Scope
from terminology.core.shapes import ValueSet
from terminology.core.value_set import ready

MOST = 100_000
"""Codes of one question."""

SHOWN = 200
"""Characters of a url or code that a message repeats."""

Codes = tuple[TokenValue, ...]


def of_value_set(scope: Scope, value_set: ValueSet) -> Codes:
    """All codes of a value set, inactive and abstract ones too: they may have been recorded.

    Args:
        scope: The content.
        value_set: The value set.

    Raises:
        BadRequest: It has more than `MOST` codes.
        Refused: Content is not there.
        NotLoaded: Content has to be fetched.
    """
    found = chunks(scope, ready(scope, value_set), Used())
    total = sum(len(one.ordinals) for one in found)
    if total > MOST:
        raise _too_many(total)
    return tuple(
        TokenValue(chunk.part.system, chunk.code(ordinal))
        for chunk in found
        for ordinal in chunk.ordinals
    )


def of_concept(scope: Scope, url: str, code: str, *, above: bool) -> Codes:
    """A concept with all above or all below it.

    Args:
        scope: The content.
        url: Of the code system.
        code: The code.
        above: Above instead of below.

    Raises:
        BadRequest: There is no such code system or code, or too many are below it.
        NotLoaded: Content has to be fetched.
    """
    system = scope.choose(url).system
    if system is None:
        raise BadRequest(fault("not-found", "search-system-unknown", system=url[:SHOWN]))
    ordinal = system.find(code)
    if ordinal is None:
        told = {"system": url[:SHOWN], "code": code[:SHOWN]}
        raise BadRequest(Issue("error", "not-found", "search-code-unknown", dict(told)))
    others = system.above(ordinal) if above else system.below(ordinal)
    if len(others) >= MOST:
        raise _too_many(len(others) + 1)
    return tuple(TokenValue(url, system.code(one)) for one in (ordinal, *sorted(others)))


def _too_many(total: int) -> BadRequest:
    return BadRequest(fault("too-costly", "search-too-many-codes", total=total, most=MOST))
