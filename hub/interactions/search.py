"""search on type, system and compartment: from parameters to a searchset.

Parse, rewrite, ask the store, include, assemble: see ARCHITECTURE for the way through.
Spec: https://hl7.org/fhir/R4/http.html#search, search.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from hub.context import Context
from hub.definitions import SearchParameter
from hub.errors import BadRequest, Forbidden, Issue, Severity, TooCostly, Unavailable, fault
from hub.interactions import sight, trail
from hub.interactions.answer import BundleAnswer, Entry, resource_of
from hub.interactions.include import Included
from hub.interactions.outcome import operation_outcome
from hub.interactions.registry import Definitions
from hub.interactions.rewriting import context_of
from hub.interactions.summary import shape
from hub.interactions.url import write_parameters
from hub.model.identity import new_id
from hub.search.explain import lines
from hub.search.parse import parse
from hub.search.query import (
    And,
    Chain,
    Criterion,
    Has,
    Include,
    Match,
    Not,
    Or,
    Present,
    Query,
    SearchRequest,
)
from hub.search.rewrite import RewriteContext, apply
from hub.storage.port import DeadlineExceeded, Page, Stored

if TYPE_CHECKING:
    from hub.interactions.door import Interactions

CURSOR = "_cursor"

Compartment = tuple[str, str]
Parameters = Sequence[tuple[str, str]]


async def search(
    door: Interactions,
    ctx: Context,
    type: str,
    parameters: Parameters,
    compartment: Compartment | None = None,
    strict: bool = False,
) -> BundleAnswer:
    """A page of matches, with what they include.

    Args:
        door: The record.
        ctx: Who asks.
        type: Resource type, "" for all.
        parameters: Names and values, decoded.
        compartment: Type and id of the compartment to search in.
        strict: Refuse unknown parameters instead of ignoring them.

    Raises:
        BadRequest: A parameter is malformed, or unknown while strict.
        Forbidden: Nothing of the type may be searched.
        TooCostly: It takes longer than the deadline.
    """
    request, definitions = await _read(door, ctx, type, parameters, compartment, strict)
    context = context_of(door, ctx, definitions)
    if request.explain:
        return await _explained(door, ctx, request, context)
    query = await apply(request.query, context)
    unfinished = _unfinished(query, request.includes, definitions)
    if unfinished and strict:
        raise Unavailable(_indexing(unfinished, "error"))
    untold = trail.left_out(query)
    if untold is not None and strict:
        raise BadRequest(replace(untold, severity="error"))
    try:
        page = await trail.page(door, ctx, query, door.settings.search_deadline)
        included = Included(door, ctx, context, request.includes)
        if request.includes:
            await included.run(page.matches)
    except DeadlineExceeded as error:
        raise TooCostly(fault("too-costly", "search-too-costly")) from error
    entries = _entries(ctx, request, page, included)
    issues = _issues(request, unfinished, included, (*page.damaged, *included.damaged))
    if untold is not None:
        issues += (untold,)
    if await door.registry.renewal.is_renewing(ctx):
        issues += (Issue("warning", "incomplete", "search-index-renewing"),)
    if issues:
        outcome = operation_outcome(issues, ctx.language)
        entries.append(Entry(resource=outcome, mode="outcome"))
    return BundleAnswer(
        "searchset",
        tuple(entries),
        page.total,
        _links(door, ctx, type, compartment, request, page),
        new_id(),
        ctx.now,
        issues,
    )


async def check(
    door: Interactions,
    ctx: Context,
    type: str,
    parameters: Parameters,
    compartment: Compartment | None,
    strict: bool,
) -> None:
    """Refuse a search that cannot be answered, without running it; arguments as `search`.

    Raises:
        BadRequest: A parameter is malformed, or unknown while strict.
    """
    request, definitions = await _read(door, ctx, type, parameters, compartment, strict)
    await apply(request.query, context_of(door, ctx, definitions))


async def _read(
    door: Interactions,
    ctx: Context,
    type: str,
    parameters: Parameters,
    compartment: Compartment | None,
    strict: bool,
) -> tuple[SearchRequest, Definitions]:
    """The search as it was asked, and the definitions it was read with."""
    definitions = await door.registry.of(ctx.tenant.key)
    request = parse(
        definitions.registry,
        type,
        parameters,
        zone=ctx.tenant.zone,
        base=ctx.base,
        compartment=compartment,
        strict=strict,
        default_count=door.settings.default_count,
        max_count=door.settings.max_count,
        codec=door.cursors,
        tenant=ctx.tenant.key,
        clock=ctx.clock,
    )
    sight.require(ctx, sight.SEARCH, *request.query.types)
    return _as_seen(ctx, request), definitions


def _as_seen(ctx: Context, request: SearchRequest) -> SearchRequest:
    """The request without what would tell of the resources that may not be seen.

    Raises:
        Forbidden: It asks for the plan.
    """
    if sight.is_unlimited(ctx):
        return request
    if request.explain:
        raise Forbidden(fault("forbidden", "access-explain"))
    if request.query.total == "estimate":
        # An estimate is made of what is looked through, seen or not.
        return replace(request, query=replace(request.query, total="accurate"))
    return request


# --- assembly -------------------------------------------------------------------------------


def _entries(ctx: Context, request: SearchRequest, page: Page, included: Included) -> list[Entry]:
    base = ctx.base
    if request.summary in ("true", "text", "data") or request.elements:
        return [
            *(_shaped(base, request, stored, "match") for stored in page.matches),
            *(_shaped(base, request, stored, "include") for stored in included.found.values()),
        ]
    entries = [
        Entry(f"{base}/{stored.type}/{stored.id}", stored, None, None, "match")
        for stored in page.matches
    ]
    entries += [
        Entry(f"{base}/{stored.type}/{stored.id}", stored, None, None, "include")
        for stored in included.found.values()
    ]
    return entries


def _shaped(base: str, request: SearchRequest, stored: Stored, mode: str) -> Entry:
    resource = shape(resource_of(stored), request.summary, request.elements)
    return Entry(f"{base}/{stored.type}/{stored.id}", resource=resource, mode=mode)


def _links(
    door: Interactions,
    ctx: Context,
    type: str,
    compartment: Compartment | None,
    request: SearchRequest,
    page: Page,
) -> tuple[tuple[str, str], ...]:
    place = ctx.base
    if compartment is not None:
        place += f"/{compartment[0]}/{compartment[1]}/{type or '*'}"
    elif type:
        place += f"/{type}"
    own = write_parameters(request.self_parameters)
    url = f"{place}?{own}" if own else place
    if page.next is None:
        return (("self", url),)
    cursor = door.cursors.encode(page.next, request.fingerprint)
    following = write_parameters((*request.self_parameters, (CURSOR, cursor)))
    return (("self", url), ("next", f"{place}?{following}"))


def _issues(
    request: SearchRequest,
    unfinished: Sequence[str],
    included: Included,
    damaged: Sequence[tuple[str, str]],
) -> tuple[Issue, ...]:
    """What the client should know about this page."""
    if not (request.ignored or request.empty or unfinished or damaged) and included.complete:
        return ()
    issues = [
        fault("exception", "resource-damaged", type=type, id=id) for type, id in sorted(damaged)
    ]
    if request.ignored:
        names = _names(request.ignored)
        issues.append(fault("not-supported", "search-ignored", "", "warning", names=names))
    if request.empty:
        names = _names(request.empty)
        issues.append(fault("value", "search-empty", "", "warning", names=names))
    if not included.complete:
        limit = len(included.found)
        issues.append(fault("too-costly", "include-limit", "", "warning", limit=limit))
    if unfinished:
        issues.append(_indexing(unfinished, "warning"))
    return tuple(issues)


def _names(names: Sequence[str]) -> str:
    return ", ".join(name[:64] for name in names[:20])


def _indexing(codes: Sequence[str], severity: Severity) -> Issue:
    names = ", ".join(codes)
    return Issue(severity, "incomplete", "search-parameter-indexing", {"names": names})


def _unfinished(query: Query, includes: Sequence[Include], definitions: Definitions) -> list[str]:
    """Codes of the search's parameters whose index is not complete yet."""
    if not definitions.indexing:
        return []
    used = [*_parameters(query.criterion), *(key.parameter for key in query.sort)]
    for include in includes:
        if include.reverse:
            references = definitions.registry.references(include.source)
            used += [one for one in references if include.code in (one.code, "*")]
    return sorted({one.code for one in used if one.key in definitions.indexing})


def _parameters(criterion: Criterion) -> Iterator[SearchParameter]:
    match criterion:
        case Match() | Present():
            yield criterion.parameter
        case Chain() | Has():
            yield criterion.parameter
            yield from _parameters(criterion.criterion)
        case And() | Or():
            for part in criterion.criteria:
                yield from _parameters(part)
        case Not():
            yield from _parameters(criterion.criterion)


async def _explained(
    door: Interactions, ctx: Context, request: SearchRequest, context: RewriteContext
) -> BundleAnswer:
    """The plan instead of the results; each line of it once, not also as diagnostics."""
    query = await apply(request.query, context)
    try:
        plan = await door.store.explain(ctx.tenant.key, query)
    except DeadlineExceeded as error:
        raise TooCostly(fault("too-costly", "search-too-costly")) from error
    said = [line for line in plan if request.explain == "sql" or not line.startswith(" ")]
    issues = tuple(
        Issue("information", "informational", "search-plan", {"line": line})
        for line in (*lines(request, context), *said)
    )
    outcome = operation_outcome(issues, ctx.language)
    for shown in outcome["issue"]:
        del shown["diagnostics"]
    entry = Entry(resource=outcome, mode="outcome")
    return BundleAnswer("searchset", (entry,), id=new_id(), issues=issues)
