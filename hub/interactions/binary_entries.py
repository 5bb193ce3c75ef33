"""Binaries inside bundles: their content where it fits, never the hub's own mark of a blob.

All Binaries of a bundle share one body limit. One that no longer fits comes without `data`, and
with the tag SUBSETTED, so that nobody takes it for empty or writes it back; read on its own it is
whole. Called by REST for every bundle it sends.
Spec: https://hl7.org/fhir/R4/binary.html, resource.html#Meta (tag SUBSETTED)
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hub.context import Context
from hub.interactions import binary
from hub.interactions.answer import BundleAnswer, Entry, resource_of
from hub.interactions.summary import SUBSETTED
from hub.model import json

if TYPE_CHECKING:
    from hub.interactions.door import Interactions

_MARK = binary.MARK.encode()


class _Room:
    """Bytes of base64 that are left for the Binaries of one bundle."""

    def __init__(self, size: int) -> None:
        self.left = size

    def takes(self, size: int) -> bool:
        """Whether that many bytes of content fit; they are taken if so."""
        encoded = -(-size // 3) * 4
        if encoded > self.left:
            return False
        self.left -= encoded
        return True


async def complete(door: Interactions, ctx: Context, answer: BundleAnswer) -> BundleAnswer:
    """The same Bundle with the content of its Binaries.

    Args:
        door: The record.
        ctx: Whose record.
        answer: Any Bundle; given back as it is when it holds no large Binary.
    """
    return await _complete(door, ctx, answer, _Room(door.settings.body_limit))


async def _complete(
    door: Interactions, ctx: Context, answer: BundleAnswer, room: _Room
) -> BundleAnswer:
    found: dict[int, Entry] = {}
    for index, entry in enumerate(answer.entries):
        if entry.stored is not None:
            if entry.stored.type == "Binary" and _MARK in entry.stored.tail:
                whole = await _filled(door, ctx, resource_of(entry.stored), room)
                found[index] = entry._replace(stored=None, resource=whole)
        elif entry.bundle is not None:
            inner = await _complete(door, ctx, entry.bundle, room)
            if inner is not entry.bundle:
                found[index] = entry._replace(bundle=inner)
        elif entry.resource is not None and _is_marked(entry.resource):
            filled = await _filled(door, ctx, entry.resource, room)
            found[index] = entry._replace(resource=filled)
    if not found:
        return answer
    entries = tuple(found.get(index, entry) for index, entry in enumerate(answer.entries))
    return replace(answer, entries=entries)


def _is_marked(resource: dict[str, Any]) -> bool:
    return resource.get("resourceType") == "Binary" and _MARK in json.encode(resource.get("_data"))


async def _filled(
    door: Interactions, ctx: Context, resource: dict[str, Any], room: _Room
) -> dict[str, Any]:
    """A copy with `data`, or without it and tagged."""
    made = {name: value for name, value in resource.items() if name != "_data"}
    blob = binary.blob_of(resource)
    if blob is not None and room.takes(blob.size):
        return made | {"data": await binary.encoded(door, ctx, blob)}
    meta = dict(made.get("meta") or {})
    tags = [tag for tag in meta.get("tag", ()) if tag.get("code") != SUBSETTED["code"]]
    meta["tag"] = [*tags, SUBSETTED]
    head = {"resourceType": "Binary"} | ({"id": made["id"]} if "id" in made else {})
    return (
        head | {"meta": meta} | {name: made[name] for name in made if name not in (*head, "meta")}
    )
