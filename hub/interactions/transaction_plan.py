"""What a transaction will do: each entry read, identified, linked and checked.

`read_steps` does what can be done once; `identify` and `link` are done again by each attempt,
because other clients may have changed what conditions find. Called by
`hub.interactions.transaction`. Spec: https://hl7.org/fhir/R4/http.html#transaction
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub.context import Context
from hub.errors import BadRequest, HubError, Issue, NotFound, fault
from hub.interactions import allowed_changes, delete, patch, update
from hub.interactions.absence import absent
from hub.interactions.accompanying import fresh_id
from hub.interactions.bundle_references import EntryLinks, LinkTable, links_of, rewrite
from hub.interactions.commit import BREATH, NEW, Change
from hub.interactions.conditional import Condition, find_one, read_condition
from hub.interactions.conditional_references import resolve_references
from hub.interactions.entries import EntryRequest, read_entry, within
from hub.interactions.linked_queries import refuse_links
from hub.interactions.patch import Patch, patch_of
from hub.interactions.preconditions import expected_version
from hub.interactions.url import Parameters, query_of
from hub.interactions.validated import same_id, same_type, well_formed
from hub.storage.port import Matches, Stored

if TYPE_CHECKING:
    from hub.interactions.door import Interactions

MOST_ISSUES = 200


@dataclass(slots=True)
class Step:
    """One writing entry on its way to the commit.

    Attributes:
        entry: What it asks for.
        resource: Its content; for a patch, what the patch makes.
        condition: For conditional interactions.
        patch: For patches.
        own_id: Id in the content of a conditional update, None if none.
        spare_id: Id to create with.
        changes: What it writes; several for a conditional delete, none when If-None-Exist
            found a resource.
        matches: What its condition found.
        found: What If-None-Exist found.
        twin: An earlier step with the same If-None-Exist, which creates for both.
        links: Links of its content.
        issues: Warnings of its content.
        blobs: Blobs of its content.
        checked: Its content was validated.
        keep_equal: See `Change.keep_equal`.
    """

    entry: EntryRequest
    resource: dict[str, Any] | None = None
    condition: Condition | None = None
    patch: Patch | None = None
    own_id: str | None = None
    spare_id: str = ""
    changes: list[Change] | None = None
    matches: Matches | None = None
    found: Stored | None = None
    twin: Step | None = None
    links: EntryLinks | None = None
    issues: tuple[Issue, ...] = ()
    blobs: tuple[str, ...] = ()
    checked: bool = False
    keep_equal: bool = False

    @property
    def target(self) -> str:
        """`Type/id` that links to the entry become, "" when it has none."""
        if self.twin is not None:
            return self.twin.target
        if self.found is not None:
            return f"{self.entry.type}/{self.found.id}"
        if self.changes and self.entry.interaction != "delete":
            return f"{self.entry.type}/{self.changes[0].id}"
        return ""


class Problems:
    """Collects what is wrong with several entries, so that all is told at once."""

    def __init__(self) -> None:
        """Start with nothing wrong."""
        self._issues: list[Issue] = []
        self._first: HubError | None = None

    def add(self, error: HubError, entry: EntryRequest, default: str = "resource") -> None:
        """Note an error of an entry."""
        located = within(error, entry.location, default)
        self._first = self._first or located
        self._issues.extend(located.issues)
        if len(self._issues) > MOST_ISSUES:
            self.check()

    def check(self) -> None:
        """Raise one error with all issues, of the first one's kind, if there are any."""
        if self._first is not None:
            raise HubError(self._issues[:MOST_ISSUES], self._first.status)


# --- once -----------------------------------------------------------------------------------


async def read_steps(
    door: Interactions, ctx: Context, entries: Sequence[object], idempotency_key: str
) -> tuple[list[Step], list[EntryRequest]]:
    """The writing entries in processing order as steps, and the reading ones.

    Args:
        door: The record.
        ctx: Who asks.
        entries: Bundle.entry.
        idempotency_key: Makes the ids of a repeat those of its first run.

    Raises:
        HubError: Entries that cannot be understood; each issue names its entry.
    """
    problems = Problems()
    steps: list[Step] = []
    reads: list[EntryRequest] = []
    for index, item in enumerate(entries):
        if not index % BREATH:
            await asyncio.sleep(0)
        try:
            entry = read_entry(index, item, ctx.base)
        except HubError as error:
            problems.add(error, EntryRequest(index, ""), "request")
            continue
        if entry.interaction not in _READ:
            reads.append(entry)
            continue
        try:
            steps.append(await _READ[entry.interaction](door, ctx, entry, idempotency_key))
        except HubError as error:
            problems.add(error, entry)
    problems.check()
    _refuse_repeated_urls(steps)
    urls = frozenset(step.entry.full_url for step in steps if step.entry.full_url)
    for number, step in enumerate(steps):
        if not number % BREATH:
            await asyncio.sleep(0)
        if step.condition is not None and urls:
            try:
                refuse_links(step.entry, urls)
            except HubError as error:
                problems.add(error, step.entry, "request")
        if step.resource is not None:
            step.links = links_of(step.entry, step.resource, urls)
    problems.check()
    steps.sort(key=lambda step: ORDER[step.entry.interaction])
    return steps, reads


ORDER = {"delete": 0, "create": 1, "update": 2, "patch": 2}


def _refuse_repeated_urls(steps: Iterable[Step]) -> None:
    """Two entries with one fullUrl: nobody could tell which one a link means."""
    seen: dict[str, int] = {}
    for step in steps:
        url = step.entry.full_url
        if not url or step.entry.interaction == "delete":
            continue
        if url in seen:
            location = f"{step.entry.location}.fullUrl"
            raise BadRequest(fault("invariant", "bundle-url-repeated", location, other=seen[url]))
        seen[url] = step.entry.index


async def _create(door: Interactions, ctx: Context, entry: EntryRequest, key: str) -> Step:
    resource = entry.resource or {}
    same_type(resource, entry.type)
    step = Step(entry, resource, spare_id=fresh_id(key, entry.index))
    resource["id"] = step.spare_id
    condition = entry.condition("ifNoneExist")
    if condition is not None:
        step.condition = await read_condition(door, ctx, entry.type, query_of(condition))
    return step


async def _update(door: Interactions, ctx: Context, entry: EntryRequest, key: str) -> Step:
    resource = entry.resource or {}
    same_type(resource, entry.type)
    step = Step(entry, resource)
    if entry.id:
        same_id(resource, entry.id)
        return step
    step.condition = await read_condition(door, ctx, entry.type, entry.search or ())
    step.own_id = resource.get("id")
    if step.own_id is not None:
        well_formed(step.own_id)
    step.spare_id = step.own_id or fresh_id(key, entry.index)
    resource["id"] = step.spare_id
    return step


async def _patch(door: Interactions, ctx: Context, entry: EntryRequest, key: str) -> Step:
    step = Step(entry, patch=patch_of(entry.resource or {}))
    if not entry.id:
        step.condition = await read_condition(door, ctx, entry.type, entry.search or ())
    return step


async def _delete(door: Interactions, ctx: Context, entry: EntryRequest, key: str) -> Step:
    step = Step(entry)
    if not entry.id:
        step.condition = await read_condition(door, ctx, entry.type, entry.search or ())
    return step


_READ = {"create": _create, "update": _update, "patch": _patch, "delete": _delete}


# --- for each attempt -----------------------------------------------------------------------


async def identify(door: Interactions, ctx: Context, steps: Sequence[Step]) -> None:
    """Find out which resources the steps write, and under which preconditions.

    Raises:
        HubError: A condition or precondition does not hold, there is nothing to patch, or two
            entries are about one resource; each issue names its entry.
    """
    problems = Problems()
    for number, step in enumerate(steps):
        if not number % BREATH:
            await asyncio.sleep(0)
        try:
            await _IDENTIFY[step.entry.interaction](door, ctx, step)
        except HubError as error:
            problems.add(error, step.entry, "request")
    problems.check()
    _pair_twins(steps)
    seen: dict[tuple[str, str], int] = {}
    for step in steps:
        for change in step.changes or ():
            _once(seen, (change.type, change.id), step.entry.index)


def _once(seen: dict[Any, int], key: object, own: int) -> None:
    """Refuse a second entry about one resource."""
    other = seen.setdefault(key, own)
    if other != own:
        other, later = sorted((other, own))
        location = f"Bundle.entry[{later}].request.url"
        raise BadRequest(fault("duplicate", "bundle-same-resource", location, other=other))


def _pair_twins(steps: Sequence[Step]) -> None:
    """Let the first of several entries with one condition, which finds nothing, create.

    The order of a condition's parameters says nothing: all of them must be met.

    Raises:
        BadRequest: Two conditional updates, or one and a create, would create the same resource
            twice.
    """
    first: dict[tuple[str, Parameters], Step] = {}
    updated: dict[Any, int] = {}
    for step in steps:
        entry, condition = step.entry, step.entry.condition("ifNoneExist")
        step.twin = None
        if step.condition is None or step.found is not None:
            continue
        if entry.interaction == "create" and condition is not None:
            twin = first.setdefault((entry.type, _unordered(query_of(condition))), step)
            if twin is not step:
                step.twin, step.changes, step.matches = twin, [], None
        elif entry.interaction == "update" and step.matches and not step.matches.ids:
            key = (entry.type, _unordered(entry.search or ()))
            if key in first:
                updated[key] = first[key].entry.index
            _once(updated, key, entry.index)


def _unordered(condition: Parameters) -> Parameters:
    return tuple(sorted(set(condition)))


def _changing(step: Step, method: Any, id: str, expected: Any) -> None:
    step.changes = [
        Change(method, step.entry.type, id, step.resource, expected, step.entry.location)
    ]


async def _identify_create(door: Interactions, ctx: Context, step: Step) -> None:
    if step.condition is not None:
        step.found = await find_one(door, ctx, step.condition)
        step.matches = step.condition.matches(() if step.found is None else (step.found.id,))
        if step.found is not None:
            step.changes = []
            return
    _changing(step, "POST", step.spare_id, NEW)


async def _identify_update(door: Interactions, ctx: Context, step: Step) -> None:
    entry = step.entry
    if_match, none_match = entry.condition("ifMatch"), entry.condition("ifNoneMatch")
    if step.condition is None:
        if not await allowed_changes.is_open(door, ctx, "u", entry.type, entry.id):
            raise absent(entry.type, entry.id)
        expected = await expected_version(
            door.store, ctx.tenant.key, entry.type, entry.id, if_match, none_match
        )
        _changing(step, "PUT", entry.id, expected)
        return
    assert step.resource is not None
    id, expected, step.matches = await update.resolve_update(
        door, ctx, step.condition, step.own_id, step.spare_id, if_match, none_match
    )
    step.resource["id"] = id
    method = "PUT" if step.matches.ids or step.own_id is not None else "POST"
    _changing(step, method, id, expected)


async def _identify_patch(door: Interactions, ctx: Context, step: Step) -> None:
    entry, id = step.entry, step.entry.id
    if step.condition is not None:
        found = await find_one(door, ctx, step.condition)
        if found is None:
            raise NotFound(fault("not-found", "condition-no-match", type=entry.type))
        id, step.matches = found.id, step.condition.matches((found.id,))
    stored, expected = await patch.current(door, ctx, entry.type, id, entry.condition("ifMatch"))
    assert step.patch is not None
    step.resource = await patch.patched(door, ctx, stored, step.patch)
    step.checked = False
    _changing(step, "PATCH", id, expected)


async def _identify_delete(door: Interactions, ctx: Context, step: Step) -> None:
    entry = step.entry
    if step.condition is None:
        if_match = entry.condition("ifMatch")
        if not await delete.has_target(door, ctx, entry.type, entry.id, if_match):
            step.changes = []
            return
        expected = await expected_version(
            door.store, ctx.tenant.key, entry.type, entry.id, if_match
        )
        _changing(step, "DELETE", entry.id, expected)
        return
    ids, step.matches = await delete.resolve_delete(door, ctx, step.condition)
    step.changes = [Change("DELETE", entry.type, id, location=entry.location) for id in ids]


_IDENTIFY = {
    "create": _identify_create,
    "update": _identify_update,
    "patch": _identify_patch,
    "delete": _identify_delete,
}


async def link(door: Interactions, ctx: Context, steps: Sequence[Step]) -> None:
    """Resolve all links between the entries, and check what is to be written.

    Raises:
        HubError: A link leads nowhere, or content is not valid; each issue names its entry.
    """
    table = LinkTable(ctx.base, door.settings.integrity)
    for step in steps:
        if step.entry.full_url and (target := step.target):
            table.targets[step.entry.full_url] = target
    for step in steps:
        if step.patch is not None and step.resource is not None:
            step.links = links_of(step.entry, step.resource, table.targets)
    await resolve_references(door, ctx, steps, table)
    problems = Problems()
    for number, step in enumerate(steps):
        if not number % BREATH:
            await asyncio.sleep(0)
        if step.resource is None or not step.changes:
            continue
        try:
            assert step.links is not None
            rewrite(step.links, table)
            if not step.checked:
                step.issues, step.blobs = await update.checked(door, ctx, step.resource)
                step.checked = True
            step.changes[0].blobs = step.blobs
            step.changes[0].keep_equal = step.keep_equal
        except HubError as error:
            problems.add(error, step.entry)
    problems.check()
