"""batch: entries that are independent of each other, each with its own outcome.

Entries of one kind run side by side, so that their commits share a group; kinds follow each
other in the order of a transaction: DELETE, POST, PUT and PATCH, GET.
Spec: https://hl7.org/fhir/R4/http.html#transaction
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from hub.context import Context
from hub.errors import BadRequest, HubError, MethodNotAllowed, NotFound, fault
from hub.interactions import create, delete, history, patch, read, search, update, vread
from hub.interactions.allowance import Allowance
from hub.interactions.answer import BundleAnswer, Changed, Entry, Prefer, Response
from hub.interactions.entries import ORDER, EntryRequest, entries_of, read_entry, within
from hub.interactions.entry_response import (
    changed_entry,
    failed_entry,
    read_entry_of,
    status_line,
)
from hub.interactions.operation import Operation, OperationRequest, Operations
from hub.interactions.patch import patch_of
from hub.interactions.preconditions import parse_tags
from hub.interactions.url import only
from hub.model import dates
from hub.model.identity import new_id
from hub.storage.port import Stored

if TYPE_CHECKING:
    from hub.interactions.door import Interactions

AT_ONCE = 32


async def batch(
    door: Interactions,
    ctx: Context,
    bundle: dict[str, Any],
    prefer: Prefer,
    operations: Operations,
) -> BundleAnswer:
    """Do what each entry asks for.

    Args:
        door: The record.
        ctx: Who asks.
        bundle: A Bundle of type batch; its resources are changed in place.
        prefer: What comes back for each entry.
        operations: Operations that entries may call.

    Returns:
        A batch-response with one entry per entry, in order.

    Raises:
        TooLarge: Too many entries.
        BadRequest: Bundle.entry is no array.
    """
    entries = entries_of(bundle, door.settings.bundle_entries)
    answers: dict[int, Entry] = {}
    phases: dict[int, list[EntryRequest]] = {}
    allowance = Allowance(door.settings.body_limit)
    for index, item in enumerate(entries):
        try:
            entry = read_entry(index, item, ctx.base)
        except HubError as error:
            answers[index] = failed_entry(ctx, error, f"Bundle.entry[{index}]")
            continue
        phases.setdefault(ORDER[entry.method], []).append(entry)

    async def lane(queue: list[EntryRequest]) -> None:
        while queue:
            entry = queue.pop()
            answers[entry.index] = await _run(door, ctx, entry, prefer, operations, allowance)

    for _, queue in sorted(phases.items()):
        queue.reverse()
        async with asyncio.TaskGroup() as group:
            for _ in range(min(AT_ONCE, len(queue))):
                group.create_task(lane(queue))
    ordered = tuple(answers[index] for index in range(len(entries)))
    return BundleAnswer("batch-response", ordered, id=new_id())


async def _run(
    door: Interactions,
    ctx: Context,
    entry: EntryRequest,
    prefer: Prefer,
    operations: Operations,
    allowance: Allowance,
) -> Entry:
    try:
        writer = _WRITERS.get(entry.interaction)
        if writer is None:
            allowance.check()
            return allowance.take(await _reading(door, ctx, entry, prefer, operations))
        changed = await writer(door, ctx, entry)
    # Each answers for itself: an error that nobody foresaw must not undo its neighbours' answers.
    except Exception as error:  # noqa: BLE001
        return failed_entry(ctx, error, entry.location)
    made = changed_entry(ctx, changed.stored, changed.status, changed.issues, prefer)
    return allowance.cut(made)


async def _create(door: Interactions, ctx: Context, entry: EntryRequest) -> Changed:
    condition = entry.condition("ifNoneExist")
    return await create.create(door, ctx, entry.type, entry.resource or {}, condition)


async def _update(door: Interactions, ctx: Context, entry: EntryRequest) -> Changed:
    resource, if_match = entry.resource or {}, entry.condition("ifMatch")
    none_match = entry.condition("ifNoneMatch")
    if not entry.id:
        return await update.conditional_update(
            door, ctx, entry.type, entry.search or (), resource, if_match, none_match
        )
    return await update.update(door, ctx, entry.type, entry.id, resource, if_match, none_match)


async def _patch(door: Interactions, ctx: Context, entry: EntryRequest) -> Changed:
    given, if_match = patch_of(entry.resource or {}), entry.condition("ifMatch")
    if not entry.id:
        return await patch.conditional_patch(
            door, ctx, entry.type, entry.search or (), given, if_match
        )
    return await patch.patch(door, ctx, entry.type, entry.id, given, if_match)


async def _delete(door: Interactions, ctx: Context, entry: EntryRequest) -> Changed:
    if not entry.id:
        return await delete.conditional_delete(door, ctx, entry.type, entry.search or ())
    return await delete.delete(door, ctx, entry.type, entry.id, entry.condition("ifMatch"))


_WRITERS: dict[str, Callable[[Interactions, Context, EntryRequest], Awaitable[Changed]]] = {
    "create": _create,
    "update": _update,
    "patch": _patch,
    "delete": _delete,
}


# --- entries that read, here and in transactions ---------------------------------------------


_PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "read": (),
    "vread": (),
    "history": history.KNOWN,
    "capabilities": ("mode",),
}
"""What the URL of an entry may hold besides its path."""


async def prepare_reading(
    door: Interactions, ctx: Context, entry: EntryRequest, prefer: Prefer, operations: Operations
) -> None:
    """Refuse what a reading entry of a transaction asks for before anything is written.

    Raises:
        HubError: A search is malformed, a parameter has no effect while strict, or an operation
            is unknown or changes something.
    """
    if prefer.strict and entry.interaction in _PARAMETERS:
        only(_PARAMETERS[entry.interaction], entry.search or ())
    if entry.interaction == "search":
        await search.check(
            door, ctx, entry.type, _without_format(entry), entry.compartment, prefer.strict
        )
    elif entry.interaction == "operation" and _operation(entry, operations).changes(
        _asked(entry, prefer)
    ):
        raise BadRequest(
            fault("not-supported", "bundle-operation-writes", name=entry.operation[:64])
        )


async def run_reading(
    door: Interactions,
    ctx: Context,
    entry: EntryRequest,
    prefer: Prefer,
    operations: Operations,
    allowance: Allowance,
) -> Entry:
    """Answer an entry that changes nothing; what is refused is told in its response."""
    try:
        allowance.check()
        return allowance.take(await _reading(door, ctx, entry, prefer, operations))
    # The writes are stored: that this read failed, however it did, must not say otherwise.
    except Exception as error:  # noqa: BLE001
        return failed_entry(ctx, error, entry.location)


async def run_or_refuse(
    door: Interactions,
    ctx: Context,
    entry: EntryRequest,
    prefer: Prefer,
    operations: Operations,
    allowance: Allowance,
) -> Entry:
    """Answer an entry of a transaction that changes nothing at all.

    Raises:
        HubError: It is refused, and the whole with it.
    """
    try:
        allowance.check()
        return allowance.take(await _reading(door, ctx, entry, prefer, operations))
    except HubError as error:
        raise within(error, entry.location, "request") from None


async def _reading(
    door: Interactions, ctx: Context, entry: EntryRequest, prefer: Prefer, operations: Operations
) -> Entry:
    parameters = _without_format(entry)
    if prefer.strict and entry.interaction in _PARAMETERS:
        only(_PARAMETERS[entry.interaction], parameters)
    match entry.interaction:
        case "read":
            return _unless_known(ctx, entry, await read.read(door, ctx, entry.type, entry.id))
        case "vread":
            return read_entry_of(
                ctx, await vread.vread(door, ctx, entry.type, entry.id, entry.version)
            )
        case "search":
            answer = await search.search(
                door, ctx, entry.type, parameters, entry.compartment, prefer.strict
            )
        case "history":
            answer = await history.history(door, ctx, entry.type, entry.id, parameters)
        case "capabilities":
            mode = dict(parameters).get("mode", "full")
            return _resource(await door.capabilities(ctx, mode))
        case _:
            return await _operate(door, ctx, entry, prefer, operations)
    return Entry(bundle=answer, response=Response(status_line(200)))


def _without_format(entry: EntryRequest) -> tuple[tuple[str, str], ...]:
    """The query without what only the answer as a whole can have."""
    search = entry.search or ()
    return tuple(pair for pair in search if pair[0] not in ("_format", "_pretty"))


def _unless_known(ctx: Context, entry: EntryRequest, stored: Stored) -> Entry:
    """The resource, or 304 when the client has it (ifNoneMatch, ifModifiedSince)."""
    none_match = entry.condition("ifNoneMatch")
    since = entry.condition("ifModifiedSince")
    if none_match is not None:
        tags = parse_tags(none_match)
        known = tags.any or stored.version in tags.versions
    else:
        known = since is not None and _not_after(stored, since)
    if known:
        return Entry(response=Response(status_line(304), etag=f'W/"{stored.version}"'))
    if entry.method == "HEAD":
        return read_entry_of(ctx, stored)._replace(stored=None)
    return read_entry_of(ctx, stored)


def _not_after(stored: Stored, since: str) -> bool:
    """Whether a version is not newer than an instant."""
    try:
        low, _ = dates.parse(since)
    except ValueError as error:
        raise BadRequest(fault("value", "instant-malformed")) from error
    return stored.updated * 1000 <= low


def _resource(resource: dict[str, Any], status: int = 200) -> Entry:
    return Entry(resource=resource, response=Response(status_line(status)))


def _operation(entry: EntryRequest, operations: Operations) -> Operation:
    operation = operations.get(entry.operation)
    if operation is None or not operation.allowed(entry.type, entry.id):
        raise NotFound(fault("not-supported", "operation-unknown"))
    if operation.affects_state and entry.method != "POST":
        raise MethodNotAllowed(
            fault("not-supported", "operation-needs-post", name=entry.operation[:64])
        )
    return operation


def _asked(entry: EntryRequest, prefer: Prefer) -> OperationRequest:
    """The call of an operation that an entry asks for."""
    return OperationRequest(
        entry.type,
        entry.id,
        "GET" if entry.method == "HEAD" else entry.method,
        _without_format(entry),
        entry.resource,
        prefer.strict,
    )


async def _operate(
    door: Interactions, ctx: Context, entry: EntryRequest, prefer: Prefer, operations: Operations
) -> Entry:
    answer = await _operation(entry, operations).perform(door, ctx, _asked(entry, prefer))
    if isinstance(answer.body, BundleAnswer):
        return Entry(bundle=answer.body, response=Response(status_line(answer.status)))
    if isinstance(answer.body, Stored):
        return read_entry_of(ctx, answer.body)
    return _resource(answer.body, answer.status)
