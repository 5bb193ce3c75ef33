"""Whether the index rows of the record are those that this release makes.

Rows follow from the resources, the version of extraction and the zone that expands dates without
an offset. A record of the ledger says which version and zone the rows were made with; a hub that
finds others there says so and makes all rows anew in the background (`indexing.renew`), going on
where it was after a restart. Searches carry a warning until that is done. Called by `hub.app`,
the indexing job, the `reindex` command and `hub.interactions.search`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from hub.context import Context
from hub.search.values import INDEX_VERSION

if TYPE_CHECKING:
    from hub.storage.port import Store

KIND = "index"
KEY = "rows"
FIRST_VERSION = 1
LOOK_EVERY = 5.0


class IndexState(msgspec.Struct, frozen=True):
    """What the rows were made with.

    Attributes:
        version: Version of extraction.
        zone: IANA zone of dates without an offset.
        new_version: The version they are being made anew with, 0 when they are not.
        new_zone: The zone, likewise.
        after: How far that is: position of the scan.
    """

    version: int
    zone: str
    new_version: int = 0
    new_zone: str = ""
    after: int = 0


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(IndexState).decode


async def read(store: Store, tenant: int, now: int) -> IndexState | None:
    """What is noted; None in a store that no hub has noted anything in yet.

    Args:
        store: The record.
        tenant: Tenant key.
        now: Milliseconds since the epoch.
    """
    found = await store.ledger.get(tenant, KIND, KEY, now)
    return None if found is None else _decode(found.value)


async def note_if_new(store: Store, context: Context) -> None:
    """Note with an empty store what its rows are going to be made with.

    Args:
        store: The record.
        context: Tenant and zone.
    """
    tenant = context.tenant.key
    known = await read(store, tenant, context.now)
    if known is None and not (await store.info(tenant)).versions:
        await note_current(store, context)


async def note_current(store: Store, context: Context) -> None:
    """Note that all rows are made with this release and zone; arguments as `note_if_new`."""
    await put(store, context, IndexState(INDEX_VERSION, context.tenant.zone))


async def put(store: Store, context: Context, state: IndexState) -> None:
    """Note a state; other arguments as for `note_if_new`."""
    await store.ledger.put(context.tenant.key, KIND, KEY, _encode(state), now=context.now)


async def renewal_of(store: Store, context: Context) -> IndexState | None:
    """What is noted when rows must be made anew, None when they are of this release and zone.

    A store without a note is of the first version and, as far as one can know, of this zone.
    Notes what it finds out; arguments as for `note_if_new`.
    """
    zone = context.tenant.zone
    noted = await read(store, context.tenant.key, context.now)
    state = noted or IndexState(FIRST_VERSION, zone)
    if (state.version, state.zone) == (INDEX_VERSION, zone):
        if noted is None or state.new_version:
            await note_current(store, context)
        return None
    if (state.new_version, state.new_zone) != (INDEX_VERSION, zone):
        state = IndexState(state.version, state.zone, INDEX_VERSION, zone)
        await put(store, context, state)
    return state


class RenewalWatch:
    """Tells searches whether rows are being made anew, without asking the store each time."""

    def __init__(self, store: Store) -> None:
        """Nothing is known yet.

        Args:
            store: The record.
        """
        self._store = store
        self._known: dict[int, tuple[bool, float]] = {}

    async def is_renewing(self, context: Context) -> bool:
        """Whether rows of the tenant are being made anew, as known some seconds ago."""
        tenant, now = context.tenant.key, time.monotonic()
        known = self._known.get(tenant)
        if known is None or known[1] < now:
            state = await read(self._store, tenant, context.now)
            known = state is not None and state.new_version > 0, now + LOOK_EVERY
            self._known[tenant] = known
        return known[0]
