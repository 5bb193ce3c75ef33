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
from hub.storage.port import BodyDamaged, Stored, StoreUnavailable

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
            if stored.type != "Binary":
                stream.write(body_of(stored) + b"\n")
            elif not await _binary(door, context, stored, stream):
                damaged.append(stored.id)
                continue
            count += 1
        step(len(page))


async def _binary(door: Interactions, context: Context, stored: Stored, stream: Sink) -> bool:
    """A Binary with its content, of whatever size; `data` comes last, as `load` expects.

    Returns:
        Whether its content is there; if not, nothing was written.
    """
    content = content_of(stored)
    if content.blob is None:
        stream.write(body_of(stored) + b"\n")
        return True
    pieces = content.pieces(door, context)
    try:
        first = await anext(pieces, b"")
    except StoreUnavailable as error:
        if error.trouble != "damaged":
            raise
        return False
    resource = json.load(body_of(stored))
    del resource["_data"]
    stream.write(json.encode(resource)[:-1] + b',"data":"')
    cut = len(first) - len(first) % 3
    stream.write(base64.b64encode(first[:cut]))
    rest = first[cut:]
    async for piece in pieces:
        piece = rest + piece
        cut = len(piece) - len(piece) % 3
        stream.write(base64.b64encode(piece[:cut]))
        rest = piece[cut:]
    stream.write(base64.b64encode(rest) + b'"}\n')
    return True
