"""Which references `_include` and `_revinclude` follow; the following is interactions' work.

https://hl7.org/fhir/R4/search.html#include. Includes of matches apply once; those with
`:iterate` apply to what was included, too, until nothing new comes. A scope limits included
resources like matches: `include_query` carries it. Called by `hub.interactions.search`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hub.definitions import SearchParameter, resource_types
from hub.search.extract import references_of
from hub.search.query import And, Criterion, Ids, Include, Match, Query, ReferenceValue
from hub.search.registry import ParameterRegistry
from hub.search.rewrite import RewriteContext
from hub.search.rewrite.scope import visible
from hub.search.traits import targets_of
from hub.search.values import ReferenceRow


@dataclass(frozen=True, slots=True)
class Follow:
    """One reference parameter to follow.

    Attributes:
        source: Type that holds the reference.
        parameter: The reference parameter.
        target: Only references to this type; "" any.
        iterate: Also from included resources.
    """

    source: str
    parameter: SearchParameter
    target: str = ""
    iterate: bool = False


def forward(
    registry: ParameterRegistry, includes: Iterable[Include], type: str, *, included: bool = False
) -> tuple[Follow, ...]:
    """What `_include` follows from a resource of a type.

    Args:
        registry: The parameters that are known.
        includes: Of the request.
        type: The resource's type.
        included: The resource is no match but was itself included: only `:iterate` counts.
    """
    found: dict[Follow, None] = {}
    for include in includes:
        if (
            include.reverse
            or include.source not in ("*", type)
            or (included and not include.iterate)
        ):
            continue
        for parameter in _parameters(registry, type, include.code):
            found[Follow(type, parameter, include.target, include.iterate)] = None
    return tuple(found)


def reverse(
    registry: ParameterRegistry, includes: Iterable[Include], type: str, *, included: bool = False
) -> tuple[Follow, ...]:
    """Which references to a resource of a type `_revinclude` follows.

    Args:
        registry: The parameters that are known.
        includes: Of the request.
        type: The type that is pointed at.
        included: As in `forward`.
    """
    found: dict[Follow, None] = {}
    for include in includes:
        if (
            not include.reverse
            or include.target not in ("", type)
            or (included and not include.iterate)
        ):
            continue
        for source in resource_types() if include.source == "*" else (include.source,):
            for parameter in _parameters(registry, source, include.code):
                targets = targets_of(parameter, source)
                if not targets or type in targets:
                    found[Follow(source, parameter, type, include.iterate)] = None
    return tuple(found)


def _parameters(registry: ParameterRegistry, type: str, code: str) -> Sequence[SearchParameter]:
    if code == "*":
        return registry.references(type)
    parameter = registry.get(type, code)
    return (parameter,) if parameter is not None and parameter.type == "reference" else ()


def targets(
    registry: ParameterRegistry, follow: Follow, resource: dict[str, Any], *, base: str
) -> Iterator[ReferenceRow]:
    """Where a resource points by a parameter: rows with type and id, or with a url.

    Args:
        registry: The parameters that are known.
        follow: From `forward`, for the resource's type.
        resource: The resource.
        base: The hub's own base URL without a trailing slash.
    """
    for row in references_of(registry, follow.parameter, resource, base=base):
        if row.url or not follow.target or row.type == follow.target:
            yield row


def include_query(
    type: str, ids: Sequence[str], context: RewriteContext, *, count: int
) -> Query | None:
    """The query for included resources of one type when what may be seen is limited.

    Args:
        type: Their type.
        ids: Their logical ids.
        context: Holds the limit.
        count: Most resources.

    Returns:
        None when there is no limit: `Store.read_many` is enough then.
    """
    own = None if context.scoped is None else visible((type,), context.scoped)
    if own is None:
        return None
    return Query((type,), And((Ids(tuple(ids)), own)), count=count)


def revinclude_query(
    follow: Follow, ids: Sequence[str], context: RewriteContext, *, count: int
) -> Query:
    """The query for resources that point at some by a parameter.

    Args:
        follow: From `reverse`; its target is the type that is pointed at.
        ids: Logical ids of that type.
        context: Holds the limit of what may be seen.
        count: Most resources.
    """
    match: Criterion = Match(
        follow.parameter, tuple(ReferenceValue(follow.target, one) for one in ids)
    )
    own = None if context.scoped is None else visible((follow.source,), context.scoped)
    return Query((follow.source,), match if own is None else And((match, own)), count=count)
