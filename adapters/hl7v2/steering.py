"""Destinations as people are told of them: what waits, and what holds it up.

Called by `fhir-hub v2 destinations` and the console's server side.
"""

from __future__ import annotations

from typing import Any

from adapters.hl7v2.destinations import Destinations
from adapters.hl7v2.reasons import read_reasons
from adapters.hl7v2.sites import Sites
from hub.model.body import instant
from hub.storage.port import Store


async def destinations_told(
    store: Store, tenant: int, sites: Sites, now: int, language: str = "en"
) -> list[dict[str, Any]]:
    """Every destination with its state: `paused`, `unreachable` or `open`.

    Args:
        store: Holds the log and the states.
        tenant: Tenant key.
        sites: Those of the hub.
        now: Milliseconds since the epoch.
        language: Of the reasons.
    """
    states = Destinations(store.ledger, tenant)
    numbers = {
        (one.peer, one.state): one.messages
        for one in await store.messages.counts(tenant)
        if one.direction == "out"
    }
    found = []
    for site in sites.named.values():
        destination = site.destination
        if destination is None:
            continue
        word = await states.last_word(site.name, now)
        breaker = await states.state(site.name, now)
        paused = word is not None and word.paused
        found.append(
            {
                "name": site.name,
                "host": destination.host,
                "port": destination.port,
                "events": list(destination.events),
                "state": "paused" if paused else "unreachable" if breaker.failures else "open",
                "since": instant(breaker.since) if breaker.failures else "",
                "next": instant(breaker.next) if breaker.failures and breaker.next else "",
                "reasons": [one.words(language) for one in read_reasons(breaker.reason)],
                **{
                    state: numbers.get((site.name, state), 0)
                    for state in ("queued", "accepted", "done", "refused")
                },
            }
        )
    return found
