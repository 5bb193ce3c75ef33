"""What a message says, for people: every element with the segment and field it came from.

Called by `fhir-hub v2 test`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from adapters.hl7v2.charset import decode
from adapters.hl7v2.converted import Converted, Mapped, Source
from adapters.hl7v2.message import Message, parse
from adapters.hl7v2.places import above
from adapters.hl7v2.sites import Site
from hub.messages import render

_BEGIN = re.compile(rb"(?:\A|(?<=[\r\n\x0b]))(?=MSH[^A-Za-z0-9\s])")
_WIDEST = 60
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Line:
    """An element.

    Attributes:
        path: Below its resource, `name[0].family`.
        value: As it is written.
        place: `PID-5.1`, `OBX[3]-5`; "" for what the map puts there itself.
    """

    path: str
    value: str
    place: str


def messages_in(content: bytes, site: Site) -> list[Message]:
    """The messages of a file: as they are sent, framed or not, or with a segment a line.

    Args:
        content: Of the file.
        site: Whose charset and zone hold.

    Raises:
        Unprocessable: One cannot be decoded or read.
    """
    found = []
    for raw in raw_messages_in(content):
        text = decode(raw, setting=site.charset, zone=site.zone, believe=site.believe_charset)
        found.append(parse(text.text, text.codec))
    return found


def raw_messages_in(content: bytes) -> list[bytes]:
    """The messages of a file as they are sent, without framing.

    Line ends are no part of a character in any charset that messages come in but UTF-16.

    Args:
        content: Of the file.
    """
    parts = [part.strip(b"\x0b\x1c\r\n ") for part in _BEGIN.split(content)]
    ended = [part.replace(b"\r\n", b"\r").replace(b"\n", b"\r") for part in parts if part]
    return [part + b"\r" for part in ended if part.startswith(b"MSH")]


def lines_of(mapped: Mapped, message: Message) -> list[Line]:
    """The elements of a resource that was converted with `trace`."""
    places = {source.element: _place(source, message) for source in mapped.sources}
    return [
        Line(path, _written(value), _found(path, places))
        for path, value in _leaves("", mapped.resource)
        if path != "resourceType"
    ]


def show(converted: Converted, message: Message, language: str) -> Iterator[str]:
    """A conversion with `trace` as lines of text.

    Args:
        converted: What it says.
        message: From which.
        language: Of the remarks.
    """
    urls = {mapped.full_url: mapped.key for mapped in converted.resources}
    yield f"{converted.kind} {converted.control_id}"
    for mapped in converted.resources:
        yield ""
        yield f"{mapped.key} ({mapped.how})"
        for system, value in mapped.identities:
            yield f"  found by {system}|{value}"
        lines = lines_of(mapped, message)
        width = min(max((len(line.path) for line in lines), default=0), _WIDEST)
        for line in lines:
            value = urls.get(line.value, line.value)
            if line.path in mapped.initial:
                value += "  (only while no message has told)"
            yield f"  {line.path:{width}}  {line.place or '=':12}  {value}"
        for name in sorted(mapped.deleted):
            places = {source.element: _place(source, message) for source in mapped.sources}
            yield f"  {name:{width}}  {places.get(name, ''):12}  emptied"
    for one in converted.joined:
        yield ""
        yield f"{urls[one.replaced]} goes on under {urls[one.surviving]}"
    if converted.remarks:
        yield ""
    for remark in converted.remarks:
        words = render(remark.id, dict(remark.arguments), language)
        yield f"{remark.place or 'MSH'}: {words}"


def as_data(converted: Converted, message: Message, language: str) -> dict[str, Any]:
    """The same, for programs."""
    return {
        "kind": converted.kind,
        "controlId": converted.control_id,
        "resources": [
            {
                "key": mapped.key,
                "fullUrl": mapped.full_url,
                "how": mapped.how,
                "foundBy": [{"system": one, "value": two} for one, two in mapped.identities],
                "deleted": sorted(mapped.deleted),
                "initial": sorted(mapped.initial),
                "resource": mapped.resource,
                "sources": {line.path: line.place for line in lines_of(mapped, message)},
            }
            for mapped in converted.resources
        ],
        "joined": [one._asdict() for one in converted.joined],
        "remarks": [
            {
                "place": remark.place,
                "id": remark.id,
                "text": render(remark.id, dict(remark.arguments), language),
            }
            for remark in converted.remarks
        ],
    }


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(f"{path}.{name}" if path else name, inner)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _leaves(f"{path}[{number}]", inner)
    else:
        yield path, value


def _written(value: Any) -> str:
    if isinstance(value, Decimal):
        return str(value)
    text = value if isinstance(value, str) else json.dumps(value)
    text = text.replace("\n", "\\n").replace("\r", "\\r")
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... ({len(text)})"


def _found(path: str, places: dict[str, str]) -> str:
    """Where an element, or what it is part of, came from."""
    while path:
        if path in places:
            return places[path]
        path = above(path)
    return ""


def _place(source: Source, message: Message) -> str:
    name = source.segment.partition("[")[0]
    segment = source.segment if len(message.all(name)) > 1 else name
    return f"{segment}-{source.field}" if source.field else segment
