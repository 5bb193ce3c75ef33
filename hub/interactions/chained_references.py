"""Conditional references that go through other resources: `Encounter?patient.identifier=...`.

A store sees the record before the transaction, and a memory store of what is written sees nothing
else: neither can follow a chain from one into the other. So each step of a chain is resolved by
itself, and the ids it finds take its place. Called by `hub.interactions.conditional_references`.
Spec: https://hl7.org/fhir/R4/http.html#transaction, search.html#chaining
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from hub.errors import Unprocessable, fault
from hub.search.query import (
    And,
    Chain,
    Criterion,
    Has,
    ListMembers,
    Match,
    Not,
    Or,
    ReferenceValue,
)

MOST_BETWEEN = 1000
Finder = Callable[[str, Criterion, int], Awaitable[list[str]]]
"""Logical ids of a type that meet a criterion after the transaction, at most as many."""


def through(criterion: Criterion) -> set[str]:
    """The other types that a criterion goes through."""
    if isinstance(criterion, And | Or):
        return {type for inner in criterion.criteria for type in through(inner)}
    if isinstance(criterion, Not):
        return through(criterion.criterion)
    if isinstance(criterion, Chain):
        return {criterion.target} | through(criterion.criterion)
    if isinstance(criterion, Has):
        return {criterion.source} | through(criterion.criterion)
    return {"List"} if isinstance(criterion, ListMembers) else set()


async def settled(criterion: Criterion, find: Finder) -> Criterion:
    """The criterion with the ids that its chains find in their place.

    Args:
        criterion: Of a conditional reference.
        find: Resolves one step of a chain.

    Raises:
        Unprocessable: It goes backwards (`_has`, `_list`), or a step finds too many.
    """
    if isinstance(criterion, And | Or):
        return type(criterion)(tuple([await settled(one, find) for one in criterion.criteria]))
    if isinstance(criterion, Not):
        return Not(await settled(criterion.criterion, find))
    if isinstance(criterion, Has | ListMembers):
        source = criterion.source if isinstance(criterion, Has) else "List"
        raise Unprocessable(fault("not-supported", "conditional-reference-backwards", type=source))
    if not isinstance(criterion, Chain):
        return criterion
    inner = await settled(criterion.criterion, find)
    found = await find(criterion.target, inner, MOST_BETWEEN + 1)
    if len(found) > MOST_BETWEEN:
        raise Unprocessable(
            fault(
                "too-costly",
                "conditional-reference-wide",
                type=criterion.target,
                limit=MOST_BETWEEN,
            )
        )
    if not found:
        return Or()
    values = tuple(ReferenceValue(criterion.target, id) for id in found)
    return Match(criterion.parameter, values)
