"""The integrity check of a whole record; called by the `check` command and the fault tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection

from hub.context import Context
from hub.errors import HubError
from hub.interactions import Interactions
from hub.interactions.answer import body_of
from hub.interactions.binary import whole
from hub.interactions.registry import Definitions
from hub.model import json
from hub.search.extract import extract
from hub.search.registry import FIRST_RUNTIME_KEY
from hub.search.values import COMPARTMENT_KEY, IndexRows
from hub.storage.port import BodyDamaged, Finding, Stored, StoreUnavailable

PAGE = 200
ATTEMPTS = 5
ROW_KINDS = (
    "strings",
    "tokens",
    "references",
    "dates",
    "numbers",
    "quantities",
    "uris",
    "positions",
    "composites",
)
WHOLE_KINDS = ("date", "text", "content")


async def check_record(
    door: Interactions, context: Context, step: Callable[[int], None], *, validate: bool = False
) -> AsyncIterator[Finding]:
    """Everything that is wrong with a record; it may be in use meanwhile.

    The store checks its own structure, histories, sequence, audit chain and blobs; then every
    current resource must parse and be indexed as extraction would index it now.

    Args:
        door: The record.
        context: Tenant and zone.
        step: Called with the number of resources checked since the last call.
        validate: Validate each resource as on write.
    """
    tenant = context.tenant.key
    async for finding in door.store.verify(tenant):
        yield finding
    after = 0
    while True:
        try:
            page, after = await door.store.scan(tenant, (), after, PAGE)
        except BodyDamaged as damaged:
            after = damaged.after
            yield Finding(f"{damaged.type}/{damaged.id}", "its index rows cannot be compared")
            continue
        except StoreUnavailable as error:
            if error.trouble != "damaged":
                raise
            yield Finding("database", "not all resources can be read, to compare their index rows")
            return
        if not page:
            return
        definitions = await door.registry.of(tenant)
        for stored in page:
            for finding in await _resource(door, context, definitions, stored, validate):
                yield finding
        step(len(page))


async def _resource(
    door: Interactions, context: Context, definitions: Definitions, stored: Stored, validate: bool
) -> list[Finding]:
    """Findings about a resource; what is changed while it is looked at is looked at again."""
    found: list[Finding] = []
    for _ in range(ATTEMPTS):
        found = await _version(door, context, definitions, stored, validate)
        if not found:
            break
        current = await door.store.read(context.tenant.key, stored.type, stored.id)
        if current is None or current.deleted:
            return []
        if current.version == stored.version:
            break
        stored = current
        definitions = await door.registry.of(context.tenant.key)
    return found


async def _version(
    door: Interactions, context: Context, definitions: Definitions, stored: Stored, validate: bool
) -> list[Finding]:
    where = f"{stored.type}/{stored.id}"
    try:
        resource = json.decode(body_of(stored))
    except HubError as error:
        return [Finding(where, f"does not parse: {error}")]
    found = []
    if validate:
        found = [
            Finding(where, f"is not valid: {issue.message} at {issue.location}")
            for issue in door.validator.validate(await whole(door, context, stored))
            if issue.severity in ("error", "fatal")
        ]
    expected = extract(definitions.registry, resource, zone=context.tenant.zone, base=context.base)
    try:
        indexed = await door.store.indexed_rows(context.tenant.key, stored.type, stored.id)
    except StoreUnavailable as error:
        if error.trouble != "damaged":
            raise
        return [*found, Finding(where, "its index rows are damaged")]
    if indexed is None:
        return [*found, Finding(where, "has no index rows")]
    settled = definitions.registry.runtime.keys() - definitions.indexing
    kinds = differing(expected, indexed, settled)
    if kinds:
        found.append(Finding(where, f"index rows differ from its content: {', '.join(kinds)}"))
    return found


def differing(expected: IndexRows, indexed: IndexRows, settled: Collection[int] = ()) -> list[str]:
    """The kinds of rows in which two differ, whatever their order.

    Args:
        expected: Rows that extraction makes.
        indexed: Rows that the store holds.
        settled: Keys of run-time search parameters that are in force and completely indexed.
            Rows of one that is being indexed, or was removed, prove nothing.
    """

    def counts(key: int) -> bool:
        return not FIRST_RUNTIME_KEY <= key < COMPARTMENT_KEY or key in settled

    def rows(of: IndexRows, kind: str) -> set[str]:
        return {repr(row) for row in getattr(of, kind) if counts(row.key)}

    found = [kind for kind in ROW_KINDS if rows(expected, kind) != rows(indexed, kind)]
    return found + [
        kind for kind in WHOLE_KINDS if getattr(expected, kind) != getattr(indexed, kind)
    ]
