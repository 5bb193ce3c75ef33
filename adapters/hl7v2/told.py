"""Messages of the log, and destinations, as people and programs are told of them.

Called by `adapters.hl7v2.message_desk`; `readable` by `fhir-hub v2 send` too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from adapters.hl7v2.charset import decode
from adapters.hl7v2.destinations import BreakerState
from adapters.hl7v2.envelope import site_of
from adapters.hl7v2.reasons import read_reasons
from adapters.hl7v2.sites import Destination, Sites
from hub.errors import HubError
from hub.model.body import instant
from hub.storage.message_log import ArrivalRow, DepartureRow, Tally

STATES = {
    "in": ("waiting", "stored", "quarantined"),
    "out": ("queued", "accepted", "done", "refused"),
}


def arrival_told(row: ArrivalRow, language: str = "en") -> dict[str, Any]:
    """What is told of an arrival; nothing of what the message says.

    Args:
        row: From the log.
        language: Of the reasons.
    """
    arrival = row.arrival
    return {
        "direction": "in",
        "row": row.row,
        "state": arrival.state,
        "peer": arrival.site,
        "sender": arrival.sender,
        "kind": arrival.kind,
        "controlId": arrival.control_id,
        "time": instant(arrival.time),
        "settled": instant(row.settled) if row.settled else "",
        "repeats": row.repeats,
        "bytes": row.size,
        "reasons": _words(arrival.reason, language),
    }


def departure_told(row: DepartureRow, language: str = "en") -> dict[str, Any]:
    """What is told of a departure; nothing of what the message says.

    Args:
        row: From the log.
        language: Of the reasons.
    """
    departure = row.departure
    return {
        "direction": "out",
        "row": row.row,
        "state": row.state,
        "peer": departure.destination,
        "kind": departure.kind,
        "controlId": departure.control_id,
        "time": instant(departure.time),
        "attempts": row.attempts,
        "due": instant(row.due) if row.due else "",
        "focus": departure.focus,
        "bytes": row.size,
        "reasons": _words(row.reason, language),
    }


def destination_told(
    name: str,
    destination: Destination,
    is_paused: bool,
    breaker: BreakerState,
    numbers: Mapping[str, int],
    language: str = "en",
) -> dict[str, Any]:
    """What is told of a destination: `paused`, `unreachable` or `open`, and what waits for it.

    Args:
        name: Of its site.
        destination: Where it is.
        is_paused: Somebody has paused it.
        breaker: How it goes.
        numbers: Of its messages by their states.
        language: Of the reasons.
    """
    return {
        "name": name,
        "host": destination.host,
        "port": destination.port,
        "events": list(destination.events),
        "state": "paused" if is_paused else "unreachable" if breaker.failures else "open",
        "since": instant(breaker.since) if breaker.failures else "",
        "next": instant(breaker.next) if breaker.failures and breaker.next else "",
        "reasons": _words(breaker.reason, language),
        **{state: numbers.get(state, 0) for state in STATES["out"]},
    }


def readable(raw: bytes, sites: Sites) -> str:
    """A message or an answer with a segment a line; what is no text is shown escaped.

    Args:
        raw: As it came or goes.
        sites: For the charset of who sent it.
    """
    site = site_of(raw, sites) or sites.default
    text = raw.decode("ascii", "backslashreplace")
    # What is not in the charset that it claims may be in one that can be told.
    for believe in (site.believe_charset, False):
        try:
            text = decode(raw, setting=site.charset, zone=site.zone, believe=believe).text
            break
        except HubError:
            continue
    return text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")


def reconciled(tallies: Iterable[Tally]) -> list[dict[str, Any]]:
    """The numbers of each site and destination, and whether none of its messages was lost.

    received = stored + repeat + quarantined + waiting (`MessageLog.counts`).

    Args:
        tallies: From the log.
    """
    found: dict[tuple[str, str], dict[str, int]] = {}
    for one in tallies:
        found.setdefault((one.direction, one.peer), {})[one.state] = one.messages
    return [
        {"direction": direction, "peer": peer, **_row(direction, numbers)}
        for (direction, peer), numbers in sorted(found.items())
    ]


def _row(direction: str, numbers: Mapping[str, int]) -> dict[str, Any]:
    states = {state: numbers.get(state, 0) for state in STATES[direction]}
    if direction == "out":
        return {**states, "made": sum(states.values())}
    received, repeat = numbers.get("received", 0), numbers.get("repeat", 0)
    whole = received == sum(states.values()) + repeat
    return {"received": received, **states, "repeat": repeat, "reconciles": whole}


def _words(reason: str, language: str) -> list[str]:
    return [one.words(language) for one in read_reasons(reason)]
