"""Where what a message has changed came from: one Provenance per message, small.

It names the versions that were written, the system that sent the message, the message by sender
and control id and by its row in the log, and for each version which fields gave which elements:
`identifier PID-3; name PID-5; status PV1-44`. Called by `adapters.hl7v2.storing`.
Spec: https://hl7.org/fhir/R4/provenance.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from adapters.hl7v2.converted import Converted, Mapped
from adapters.hl7v2.merged_elements import element_of
from hub.model.body import instant

SYSTEM = "urn:fhir-hub:hl7v2"
SOURCES = f"{SYSTEM}:sources"
SENDER = f"{SYSTEM}:sender"
MESSAGE = f"{SYSTEM}:message"
ROW = f"{SYSTEM}:row"

_EVENTS = "http://terminology.hl7.org/CodeSystem/v2-0003"
_PARTICIPANTS = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_MANY = 128
"""Of so many sources at most a pattern is remembered."""
_AUTHOR = {"coding": [{"system": _PARTICIPANTS, "code": "author"}]}


class Origin(NamedTuple):
    """Which message it is.

    Attributes:
        row: Its row in the log.
        sender: `HIS|HOSPITAL`.
        site: Name of the site.
    """

    row: int
    sender: str
    site: str


class Target(NamedTuple):
    """A version that the message has made.

    Attributes:
        reference: `Patient/ID/_history/2`.
        told: The resources of the message that went into it, and the elements they gave.
    """

    reference: str
    told: Sequence[tuple[Mapped, frozenset[str]]]


def provenance(
    converted: Converted, origin: Origin, targets: Iterable[Target], now: int
) -> dict[str, Any]:
    """The Provenance of a message, without id.

    Args:
        converted: What the message says.
        origin: Which one it is.
        targets: What it has changed, at least one.
        now: Milliseconds since the epoch.
    """
    name = f"{origin.sender}|{converted.control_id}"
    return {
        "resourceType": "Provenance",
        "target": [_target(target) for target in targets],
        "occurredDateTime": instant(converted.event),
        "recorded": instant(now),
        "activity": {"coding": [_activity(converted.kind)]},
        "agent": [
            {
                "type": _AUTHOR,
                "who": {
                    "identifier": {"system": SENDER, "value": origin.sender},
                    "display": origin.site,
                },
            }
        ],
        "entity": [
            {
                "role": "source",
                "what": {
                    "identifier": {"system": MESSAGE, "value": name},
                    "extension": [{"url": ROW, "valuePositiveInt": origin.row}],
                    "display": converted.kind,
                },
            }
        ],
    }


def _activity(kind: str) -> dict[str, str]:
    _, _, event = kind.partition("^")
    return {"system": _EVENTS, "code": event} if event else {"code": kind}


def _target(target: Target) -> dict[str, Any]:
    made: dict[str, Any] = {"reference": target.reference}
    fields = _fields(target.told)
    if fields:
        # A code: strings are indexed word by word for `_content`, which nobody would ask here.
        made["extension"] = [{"url": SOURCES, "valueCode": fields}]
    return made


def _fields(told: Sequence[tuple[Mapped, frozenset[str]]]) -> str:
    """`name PID-5; status PV1-44, EVN-1`: each element and the fields it came from."""
    # Many parts of a message are alike but for their place: a pattern is made once for all.
    numbers: dict[str, int] = {}
    parts, size = [], 0
    for mapped, taken in told:
        if mapped.sources:
            paths, segments, fields = zip(*mapped.sources, strict=True)
            for segment in segments:
                numbers.setdefault(segment, len(numbers))
            places = () if len(numbers) == 1 else tuple([numbers[one] for one in segments])
            parts.append((mapped.type, taken, paths, fields, places))
            size += len(paths)
    make = _pattern if size <= _MANY else _pattern.__wrapped__
    return make(tuple(parts)).format(*[segment.removesuffix("[1]") for segment in numbers])


_Part = tuple[str, frozenset[str], tuple[str, ...], tuple[str, ...], tuple[int, ...]]


@lru_cache(maxsize=1024)
def _pattern(parts: tuple[_Part, ...]) -> str:
    """`name {0}-5; status {1}-44, {2}-1`: each element and the fields it came from.

    Args:
        parts: Of each resource type, newest elements, and of its sources the paths, the fields
            and the numbers of the segments; none: all are the first.
    """
    found: dict[str, dict[str, None]] = {}
    for type, taken, paths, fields, segments in parts:
        for path, field, segment in zip(paths, fields, segments or (0,) * len(paths), strict=True):
            element = _top(type, path)
            if element in taken:
                found.setdefault(element, {})[_field(segment, field)] = None
    return "; ".join(f"{element} {', '.join(fields)}" for element, fields in found.items())


@lru_cache(maxsize=8192)
def _top(type: str, path: str) -> str:
    """The top-level element of a path."""
    return element_of(type, path.partition(".")[0].partition("[")[0])


@lru_cache(maxsize=8192)
def _field(segment: int, field: str) -> str:
    """`{0}-5`: the field without its parts; the number of the segment alone without a field."""
    number = field.partition(".")[0].partition("[")[0]
    return f"{{{segment}}}-{number}" if number else f"{{{segment}}}"
