"""The desk at which people look after messages: what is there, once more, pause and resume.

Whoever looks into a message or sets one going is noted in the audit chain. Called by
`fhir-hub v2` and, through `hub.console`, by the console.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, NamedTuple

from adapters.hl7v2.destinations import Destinations
from adapters.hl7v2.sites import Sites
from adapters.hl7v2.told import (
    arrival_told,
    departure_told,
    destination_told,
    readable,
    reconciled,
)
from hub.context import Context
from hub.storage.message_log import DepartureRow, MessageQuery
from hub.storage.port import AuditRecord, Commit, Store

Direction = Literal["in", "out"]

_PAGE = 200


class Shown(NamedTuple):
    """A message as it is shown.

    Attributes:
        told: What is told of it in lists.
        raw: Its bytes.
        text: With a segment a line.
        answer: Likewise; "" while there is none.
    """

    told: dict[str, Any]
    raw: bytes
    text: str
    answer: str


class MessageDesk:
    """Looks after the messages of a hub."""

    def __init__(self, store: Store, sites: Sites) -> None:
        """Nothing is read yet.

        Args:
            store: Holds the log, the states of destinations, the audit.
            sites: Those of the hub.
        """
        self._store, self._messages, self._sites = store, store.messages, sites

    async def messages(
        self, ctx: Context, direction: Direction, query: MessageQuery
    ) -> list[dict[str, Any]]:
        """Messages, the newest first, without what they say."""
        tenant, language = ctx.tenant.key, ctx.language
        query = replace(query, whole=False)
        if direction == "out":
            sent = await self._messages.departures(tenant, query)
            return [departure_told(row, language) for row in sent]
        came = await self._messages.arrivals(tenant, query)
        return [arrival_told(row, language) for row in came]

    async def counts(self, ctx: Context) -> list[dict[str, Any]]:
        """The numbers of each site and destination; see `told.reconciled`."""
        return reconciled(await self._messages.counts(ctx.tenant.key))

    async def show(self, ctx: Context, direction: Direction, row: int) -> Shown | None:
        """One message with what it says; who looked is noted."""
        tenant, language = ctx.tenant.key, ctx.language
        if direction == "out":
            sent = await self._departure(tenant, row)
            if sent is None:
                return None
            told, raw, answer = departure_told(sent, language), sent.departure.raw, sent.answer
        else:
            came = await self._messages.arrival(tenant, row)
            if came is None:
                return None
            told, raw, answer = arrival_told(came, language), came.arrival.raw, came.arrival.answer
        await self._note(ctx, "R", "v2-show", (f"message-{direction}/{row}",))
        text, reply = (readable(part, self._sites) if part else "" for part in (raw, answer))
        return Shown(told, raw, text, reply)

    async def replay(self, ctx: Context, rows: Sequence[int]) -> list[int]:
        """Let messages in quarantine wait for their work again; gives the rows that do."""
        tenant, now = ctx.tenant.key, ctx.now
        opened = [row for row in rows if await self._messages.reopen(tenant, row, now)]
        if opened:
            await self._note(ctx, "E", "v2-replay", [f"message-in/{row}" for row in opened])
        return opened

    async def resend(self, ctx: Context, rows: Sequence[int]) -> list[int]:
        """Queue messages that were refused or taken once more; gives the rows that are."""
        tenant, queued = ctx.tenant.key, []
        for row in rows:
            found = await self._departure(tenant, row)
            # One that could not be written has nothing to send.
            if found is None or found.state == "queued" or not found.departure.raw:
                continue
            if await self._messages.attempted(tenant, row, "queued"):
                queued.append(row)
        if queued:
            await self._note(ctx, "E", "v2-resend", [f"message-out/{row}" for row in queued])
        return queued

    async def quarantined(self, ctx: Context, site: str = "", kind: str = "") -> list[int]:
        """Rows of what is in quarantine, the oldest first."""
        found: list[int] = []
        before: int | None = None
        while True:
            query = MessageQuery(before, _PAGE, "quarantined", site, kind, whole=False)
            page = [row.row for row in await self._messages.arrivals(ctx.tenant.key, query)]
            found += page
            if len(page) < _PAGE:
                return sorted(found)
            before = page[-1]

    async def destinations(self, ctx: Context) -> list[dict[str, Any]]:
        """Where messages go out to; see `told.destination_told`."""
        tenant, now = ctx.tenant.key, ctx.now
        numbers: dict[str, dict[str, int]] = {}
        for one in await self._messages.counts(tenant):
            if one.direction == "out":
                numbers.setdefault(one.peer, {})[one.state] = one.messages
        states, found = Destinations(self._store.ledger, tenant), []
        for name, site in self._sites.named.items():
            if site.destination is not None:
                word = await states.last_word(name, now)
                is_paused = word is not None and word.paused
                breaker, own = await states.state(name, now), numbers.get(name, {})
                found.append(
                    destination_told(name, site.destination, is_paused, breaker, own, ctx.language)
                )
        return found

    async def steer(self, ctx: Context, name: str, *, pause: bool) -> bool:
        """Pause or resume a destination; False when there is none of that name."""
        site = self._sites.named.get(name)
        if site is None or site.destination is None:
            return False
        states = Destinations(self._store.ledger, ctx.tenant.key)
        await (states.pause if pause else states.resume)(name, ctx.principal.name, ctx.now)
        what = "v2-pause" if pause else "v2-resume"
        await self._note(ctx, "E", what, (f"destination/{name}",))
        return True

    async def _departure(self, tenant: int, row: int) -> DepartureRow | None:
        found = await self._messages.departures(tenant, MessageQuery(row + 1, 1))
        return found[0] if found and found[0].row == row else None

    async def _note(self, ctx: Context, action: str, what: str, targets: Sequence[str]) -> None:
        principal = ctx.principal
        record = AuditRecord(
            action,
            what,
            principal.name,
            ctx.request_id,
            entities=tuple(targets),
            client=principal.client,
            agent=principal.fhir_user,
            address=ctx.address,
        )
        await self._store.commit(Commit(ctx.tenant.key, (), record, ctx.now))
