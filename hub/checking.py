"""The integrity check of a whole record; called by the `check` command and the fault tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection

from hub.context import Context
from hub.errors import HubError
from hub.interactions import Interactions
from hub.model import body, json
from hub.search.extract import extract
from hub.search.registry import FIRST_RUNTIME_KEY
from hub.search.values import COMPARTMENT_KEY, IndexRows
from hub.storage.port import Finding, Stored

PAGE = 500
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


async def check_record(
    door: Interactions, context: Context, step: Callable[[int], None], *, validate: bool = False
) -> AsyncIterator[Finding]:
    """Everything that is wrong with a record.

    The store checks its own structure, histories, sequence, audit chain and blobs; then every
    current resource must parse, be the resource that its keys say, and be indexed as
    extraction would index it now.

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
        page, after = await door.store.scan(tenant, (), after, PAGE)
        if not page:
            return
        for stored in page:
            async for finding in _resource(door, context, stored, validate):
                yield finding
        step(len(page))


async def _resource(
    door: Interactions, context: Context, stored: Stored, validate: bool
) -> AsyncIterator[Finding]:
    where = f"{stored.type}/{stored.id}"
    text = body.join(stored.type, stored.id, stored.version, stored.updated, stored.tail)
    try:
        resource = json.decode(text)
    except HubError as error:
        yield Finding(where, f"does not parse: {error}")
        return
    if validate:
        for issue in door.validator.validate(resource):
            if issue.severity in ("error", "fatal"):
                yield Finding(where, f"is not valid: {issue.message} at {issue.location}")
    definitions = await door.registry.of(context.tenant.key)
    expected = extract(definitions.registry, resource, zone=context.tenant.zone, base=context.base)
    indexed = await door.store.indexed_rows(context.tenant.key, stored.type, stored.id)
    if indexed is None:
        yield Finding(where, "has no index rows")
        return
    # Rows of a search parameter that is being indexed, or was removed, prove nothing.
    settled = definitions.registry.runtime.keys() - definitions.indexing
    for kind in differing(expected, indexed, settled):
        yield Finding(where, f"index rows differ from its content: {kind}")


def differing(expected: IndexRows, indexed: IndexRows, settled: Collection[int] = ()) -> list[str]:
    """The kinds of rows in which two differ, whatever their order.

    Args:
        expected: Rows that extraction makes.
        indexed: Rows that the store holds.
        settled: Keys of the parameters made at run time whose index is complete; rows of the
            others made at run time are passed over.
    """

    def told(rows: IndexRows, kind: str) -> list[str]:
        return sorted(
            {
                repr(row)
                for row in getattr(rows, kind)
                if not FIRST_RUNTIME_KEY <= row.key < COMPARTMENT_KEY or row.key in settled
            }
        )

    found = [kind for kind in ROW_KINDS if told(expected, kind) != told(indexed, kind)]
    if expected.date != indexed.date:
        found.append("date")
    return found
