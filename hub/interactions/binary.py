"""Binary: content above a threshold is a blob beside the record, not a row of it.

The stored resource then has no `data`; an extension on `data` names the blob by its hash and
size. Nobody outside sees or sets it: a client's resource that has it is refused, and whoever
reads gets the content again, raw and streamed or as base64.
Called by create, update, patch, transactions and REST's raw Binary.
Spec: https://hl7.org/fhir/R4/binary.html
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub.context import Context
from hub.errors import Conflict, TooLarge, Unprocessable, fault
from hub.interactions import allowed_changes
from hub.interactions.absence import absent
from hub.interactions.answer import Changed, body_of, resource_of
from hub.interactions.commit import NEW, Change, Purpose, retried, store_changes
from hub.interactions.preconditions import expected_version
from hub.interactions.validated import validated, well_formed
from hub.model import json
from hub.model.identity import new_id
from hub.storage.port import Blob, Stored

if TYPE_CHECKING:
    from hub.interactions.door import Interactions

BLOB_FROM = 64 * 1024
"""Content of more bytes than this becomes a blob."""

PIECE = 1024 * 1024
MARK = "urn:fhir-hub:blob"


@dataclass(frozen=True, slots=True)
class BinaryContent:
    """What a Binary holds.

    Attributes:
        content_type: MIME type.
        size: Bytes.
        inline: The bytes themselves, None when they are a blob.
        blob: The blob, None when they are inline.
    """

    content_type: str
    size: int
    inline: bytes | None
    blob: Blob | None

    async def pieces(
        self, door: Interactions, ctx: Context, start: int = 0, end: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        """The bytes from `start` up to `end` (excluded), piece by piece.

        Raises:
            Conflict: The blob is not there: the record is damaged.
        """
        if self.blob is None:
            yield (self.inline or b"")[start:end]
            return
        try:
            pieces = await door.store.open_blob(ctx.tenant.key, self.blob.sha256, start, end)
        except KeyError as error:
            raise Conflict(fault("no-store", "blob-missing")) from error
        async with aclosing(pieces):
            async for piece in pieces:
                yield piece


# --- writing --------------------------------------------------------------------------------


async def spill(door: Interactions, ctx: Context, resource: dict[str, Any]) -> tuple[str, ...]:
    """Move a Binary's content into a blob when it is big.

    Args:
        door: The record.
        ctx: Whose record.
        resource: A valid Binary; changed in place.

    Returns:
        Hashes of the blobs it points to now.

    Raises:
        Unprocessable: It claims to point to a blob already.
    """
    if MARK.encode() in json.encode(resource.get("_data")):
        raise Unprocessable(fault("business-rule", "blob-mark", "Binary.data"))
    data = resource.get("data")
    if not isinstance(data, str) or len(data) * 3 // 4 <= BLOB_FROM:
        return ()
    try:
        content = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return ()  # Line breaks within: kept as it was written.
    writer = await door.store.new_blob(ctx.tenant.key)
    for start in range(0, len(content), PIECE):
        await writer.write(content[start : start + PIECE])
    blob = await writer.finish()
    del resource["data"]
    resource["_data"] = _mark(blob)
    return (blob.sha256,)


def _mark(blob: Blob) -> dict[str, Any]:
    return {"extension": [{"url": MARK, "valueString": f"{blob.sha256} {blob.size}"}]}


async def create_binary(
    door: Interactions,
    ctx: Context,
    content_type: str,
    content: Blob | bytes,
    security_context: str = "",
) -> Changed:
    """Create a Binary from raw content.

    Args:
        door: The record.
        ctx: Who creates.
        content_type: MIME type.
        content: A blob that `store.new_blob` has just finished, or few bytes.
        security_context: A reference, as in X-Security-Context; "" if none.

    Raises:
        Unprocessable: The MIME type or the reference is not valid.
    """
    id = new_id()
    resource = raw_resource(id, content_type, content, security_context)
    issues = await validated(door, ctx, resource)
    change = Change("POST", "Binary", id, resource, NEW, blobs=_hashes(content))
    made = (await store_changes(door, ctx, (change,), Purpose("C", "create")))[0]
    return Changed(made.stored, 201, issues)


async def update_binary(
    door: Interactions,
    ctx: Context,
    id: str,
    content_type: str,
    content: Blob | bytes,
    security_context: str = "",
    if_match: str | None = None,
    if_none_match: str | None = None,
) -> Changed:
    """Replace a Binary by raw content, or create it under the client's id.

    Args:
        door: The record.
        ctx: Who updates.
        id: Logical id of the URL.
        content_type: MIME type.
        content: A blob that `store.new_blob` has just finished, or few bytes.
        security_context: A reference, as in X-Security-Context; "" if none.
        if_match: Header value.
        if_none_match: Header value.

    Raises:
        PreconditionFailed: If-Match or If-None-Match does not hold.
        Unprocessable: The MIME type or the reference is not valid.
    """
    well_formed(id)
    resource = raw_resource(id, content_type, content, security_context)
    issues = await validated(door, ctx, resource)

    async def attempt() -> Changed:
        if not await allowed_changes.is_open(door, ctx, "u", "Binary", id):
            raise absent("Binary", id)
        expected = await expected_version(
            door.store, ctx.tenant.key, "Binary", id, if_match, if_none_match
        )
        change = Change("PUT", "Binary", id, resource, expected, blobs=_hashes(content))
        made = (await store_changes(door, ctx, (change,), Purpose("U", "update")))[0]
        return Changed(made.stored, 201 if made.created else 200, issues)

    return await retried(attempt)


def raw_resource(
    id: str, content_type: str, content: Blob | bytes, security_context: str = ""
) -> dict[str, Any]:
    """The Binary for raw content.

    Args:
        id: Logical id.
        content_type: MIME type.
        content: A finished blob, whose hash the change must name too, or few bytes.
        security_context: A reference; "" if none.
    """
    resource: dict[str, Any] = {"resourceType": "Binary", "id": id, "contentType": content_type}
    if security_context:
        resource["securityContext"] = {"reference": security_context}
    if isinstance(content, Blob):
        resource["_data"] = _mark(content)
    elif content:
        resource["data"] = base64.b64encode(content).decode()
    return resource


def _hashes(content: Blob | bytes) -> tuple[str, ...]:
    return (content.sha256,) if isinstance(content, Blob) else ()


# --- reading --------------------------------------------------------------------------------


def content_of(stored: Stored) -> BinaryContent:
    """What a version of a Binary holds.

    Args:
        stored: A version of a Binary, not a tombstone.
    """
    resource = resource_of(stored)
    content_type = str(resource.get("contentType", "application/octet-stream"))
    blob = blob_of(resource)
    if blob is not None:
        return BinaryContent(content_type, blob.size, None, blob)
    data = base64.b64decode(resource.get("data", ""))
    return BinaryContent(content_type, len(data), data, None)


def blob_of(resource: dict[str, Any]) -> Blob | None:
    """The blob that a stored Binary points to, None if it has none."""
    for extension in (resource.get("_data") or {}).get("extension", ()):
        if extension.get("url") == MARK:
            sha256, _, size = extension["valueString"].partition(" ")
            return Blob(sha256, int(size))
    return None


async def whole(door: Interactions, ctx: Context, stored: Stored) -> dict[str, Any]:
    """A version as a resource, with the content of its blob as base64.

    Args:
        door: The record.
        ctx: Whose record.
        stored: A version of any resource, not a tombstone.

    Raises:
        TooLarge: The content is over the body limit: it can be read raw only.
    """
    resource = resource_of(stored)
    if stored.type != "Binary" or MARK.encode() not in body_of(stored):
        return resource
    blob = blob_of(resource)
    if blob is None:
        return resource
    limit = door.settings.body_limit
    if blob.size * 4 // 3 > limit:
        raise TooLarge(fault("too-long", "binary-raw-only", "Binary.data", limit=limit))
    del resource["_data"]
    resource["data"] = await encoded(door, ctx, blob)
    return resource


async def encoded(door: Interactions, ctx: Context, blob: Blob) -> str:
    """The content of a blob as base64.

    Raises:
        Conflict: The blob is not there: the record is damaged.
    """
    content = BinaryContent("", blob.size, None, blob)
    pieces = [piece async for piece in content.pieces(door, ctx)]
    return base64.b64encode(b"".join(pieces)).decode()
