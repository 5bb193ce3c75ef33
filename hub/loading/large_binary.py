"""A Binary in ndjson whose content is too large to be held: it goes to a blob piece by piece.

`fhir-hub export` writes such lines; `data` comes last in them. Called by `sources` (find) and
`storing` (store). Spec: https://hl7.org/fhir/R4/binary.html
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import IO

from hub.context import Context
from hub.errors import HubError, TooLarge, Unprocessable, fault
from hub.interactions import Interactions
from hub.interactions.answer import Changed
from hub.interactions.binary import content_of
from hub.loading.item import Content, Item, Place, plain
from hub.model import json
from hub.storage.port import Blob, StoreUnavailable

_DATA = re.compile(rb'"data"\s*:\s*"')
_END = re.compile(rb'"\s*}$')
_HEAD = 64 * 1024
PIECE = 4 * 256 * 1024
_PLAIN = frozenset({"resourceType", "id", "meta", "contentType", "securityContext"})
_KEPT_BY_SERVERS = frozenset({"versionId", "lastUpdated"})


def find(place: Place, line: bytes, end: bytes, start: int, length: int) -> Item | None:
    """The Binary that a long line holds, None when it holds something else.

    Args:
        place: Where the line stood.
        line: How it begins.
        end: How it ends, without white space.
        start: Where in the file it begins.
        length: Bytes of the line, without white space at its end.
    """
    data, close = _DATA.search(line, 0, _HEAD), _END.search(end)
    if data is None or close is None:
        return None
    try:
        resource = json.decode(line[: data.start()].rstrip().rstrip(b",") + b"}")
    except HubError:
        return None
    meta = resource.get("meta") or {}
    if resource.get("resourceType") != "Binary" or resource.keys() - _PLAIN:
        return None
    if not isinstance(meta, dict) or meta.keys() - _KEPT_BY_SERVERS or "id" not in resource:
        return None
    item = plain(place, resource)
    if item.error is not None:
        return item
    content = Content(start + data.end(), length - data.end() - len(close[0]))
    return Item(place, item.text, item.keys, content=content)


async def store(
    door: Interactions, context: Context, item: Item, stream: IO[bytes]
) -> Changed | None:
    """Store such a Binary.

    Args:
        door: The record.
        context: Who loads.
        item: What `find` gave.
        stream: Its file, unzipped.

    Returns:
        What was done, None when it was there already.

    Raises:
        TooLarge: It is over the limit for raw content.
        Unprocessable: The content is no base64, or the Binary is not valid.
    """
    assert item.content is not None
    limit = door.settings.binary_limit
    if item.content.length // 4 * 3 > limit:
        raise TooLarge(fault("too-long", "load-item-too-large", limit=limit))
    resource = item.fresh()
    security = resource.get("securityContext") or {}
    blob = await _blob(door, context, item.content, stream)
    type_, id_ = str(resource.get("contentType", "")), str(resource["id"])
    current = await door.store.read(context.tenant.key, "Binary", id_)
    if current is not None and not current.deleted:
        there = content_of(current)
        if there.blob == blob and there.content_type == type_:
            return None
    return await door.update_binary(context, id_, type_, blob, str(security.get("reference", "")))


async def _blob(door: Interactions, context: Context, content: Content, stream: IO[bytes]) -> Blob:
    writer = await door.store.new_blob(context.tenant.key)
    try:
        for piece in _pieces(content, stream):
            await writer.write(piece)
    except (binascii.Error, ValueError):
        await writer.abandon()
        raise Unprocessable(fault("value", "load-base64", "Binary.data")) from None
    except (StoreUnavailable, OSError):
        await writer.abandon()
        raise
    return await writer.finish()


def _pieces(content: Content, stream: IO[bytes]) -> Iterator[bytes]:
    stream.seek(content.offset)
    left = content.length
    while left:
        piece = stream.read(min(PIECE, left))
        if not piece:
            raise ValueError("the file became shorter")
        left -= len(piece)
        yield base64.b64decode(piece, validate=True)
