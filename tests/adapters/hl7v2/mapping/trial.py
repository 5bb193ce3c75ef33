"""Short messages through the maps."""

from __future__ import annotations

from typing import Any

from adapters.hl7v2.converted import Converted
from adapters.hl7v2.message import parse
from adapters.hl7v2.sites import Site
from adapters.hl7v2.to_fhir import convert

RECEIVED = 1_780_000_000_000
PID = "PID|1||7^^^HIS^MR||Li^Wei"


def said(*segments: str, kind: str = "ADT^A08", site: Site | None = None, **more: Any) -> Converted:
    """What a message of these segments says; MSH is made, the sender is HIS|CENTRAL."""
    header = f"MSH|^~\\&|HIS|CENTRAL|HUB||20260301083000||{kind}|C1|P|2.5.1"
    text = "\r".join([header, *segments]) + "\r"
    return convert(parse(text), site or Site(), RECEIVED, **more)


def resource(converted: Converted, key: str) -> dict[str, Any]:
    """One of its resources by its name in the message."""
    return next(one.resource for one in converted.resources if one.key == key)


def remarks(converted: Converted) -> list[tuple[str, str]]:
    """Place and id of its remarks."""
    return [(one.place, one.id) for one in converted.remarks]
