"""Writes the current resources of a type as ndjson; called by the `export` command."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Protocol

from hub.context import Context
from hub.interactions import Interactions
from hub.interactions.answer import body_of
from hub.interactions.binary import content_of
from hub.model import json
from hub.storage.port import BodyDamaged, Stored

PAGE = 1000


class Sink(Protocol):
    """What bytes are written to."""

    def write(self, data: bytes, /) -> object:
        """Write them all."""


async def export_type(
    door: Interactions, context: Context, type: str, stream: Sink, step: Callable[[int], None]
) -> tuple[int, list[str]]:
    """Write every current resource of a type, one a line.

    Args:
        door: The record.
        context: Whose record.
        type: Resource type.
        stream: Where to.
        step: Called with the number of resources written since the last call.

    Returns:
        How many were written, and the ids of those whose stored body is damaged.
    """
    after = count = 0
    damaged: list[str] = []
    while True:
        try:
            page, after = await door.store.scan(context.tenant.key, (type,), after, PAGE)
        except BodyDamaged as error:
            after = error.after
            damaged.append(error.id)
            continue
        if not page:
            return count, damaged
        for stored in page:
            if stored.type == "Binary":
                await _binary(door, context, stored, stream)
            else:
                stream.write(body_of(stored))
            stream.write(b"\n")
        count += len(page)
        step(len(page))


async def _binary(door: Interactions, context: Context, stored: Stored, stream: Sink) -> None:
    """A Binary with its content, of whatever size; `data` comes last, as `load` expects."""
    content = content_of(stored)
    if content.blob is None:
        stream.write(body_of(stored))
        return
    resource = json.load(body_of(stored))
    del resource["_data"]
    stream.write(json.encode(resource)[:-1] + b',"data":"')
    rest = b""
    async for piece in content.pieces(door, context):
        piece = rest + piece
        cut = len(piece) - len(piece) % 3
        stream.write(base64.b64encode(piece[:cut]))
        rest = piece[cut:]
    stream.write(base64.b64encode(rest) + b'"}')
