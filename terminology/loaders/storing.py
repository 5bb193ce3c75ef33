"""A table of codes into the record: one commit replaces the CodeSystem and its concepts.

The concepts are one blob behind a Binary; the blob is durable before the commit names it. Until
the commit, and if it never comes, the old version answers. Called by `fhir-hub terminology`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from hub.context import Context
from hub.errors import HubError, TooLarge, Unprocessable, fault
from hub.interactions import Interactions
from hub.interactions.answer import resource_of
from hub.interactions.binary import raw_resource
from hub.interactions.commit import NEW, Change, Purpose, retried, store_changes
from hub.interactions.conditional import find, read_condition
from hub.interactions.preconditions import FREE, Expected
from hub.interactions.validated import validated
from hub.operations.pages import pages
from hub.storage.port import Blob, Stored, StoreUnavailable
from terminology.core.packed import CONTENT_TYPE, EXTENSION, binary_of, pack
from terminology.core.shapes import CONCEPT_PROPERTIES
from terminology.loaders.csv import Table
from terminology.loaders.problems import refused, shown

PURPOSE = Purpose("U", "update")
PIECE = 1024 * 1024
MIB = 1024 * 1024

_URL = re.compile(r"(?:https?://|urn:)[^\s|#]{1,500}\Z")
_VERSION = re.compile(r"[^\s|]{1,64}\Z")


@dataclass(frozen=True, slots=True)
class Naming:
    """What the new version is called.

    Attributes:
        url: Canonical url of the code system.
        version: Business version.
        title: For people; "" for the end of the url.
    """

    url: str
    version: str
    title: str = ""


class Outcome(NamedTuple):
    """What a load did: the resource's id, whether it was there, how large its concepts are."""

    id: str
    done: Literal["created", "replaced", "unchanged"]
    bytes: int


class Loaded(NamedTuple):
    """A code system in the record: its names, number of concepts, id."""

    url: str
    version: str
    title: str
    concepts: int
    id: str


def check_naming(naming: Naming) -> None:
    """Refuse names that no code system may have.

    Raises:
        FileRefused: The url or the version is none.
    """
    if not _URL.match(naming.url):
        raise refused("terminology-url", url=shown(naming.url))
    if not _VERSION.match(naming.version):
        raise refused("terminology-version")


async def store_table(door: Interactions, ctx: Context, table: Table, naming: Naming) -> Outcome:
    """Store a table as a version of a code system, in the place of what had its url and version.

    Args:
        door: The record.
        ctx: Who loads.
        table: The concepts.
        naming: Checked by `check_naming`.

    Raises:
        HubError: Refused; nothing was stored.
    """
    blob = await _blob(door, ctx, pack(table.columns))

    async def attempt() -> Outcome:
        condition = await read_condition(door, ctx, "CodeSystem", _search(naming))
        there = await find(door, ctx, condition, 3)
        if len(there) > 1:
            raise Unprocessable(fault("conflict", "terminology-several", count=len(there)))
        current = there[0] if there else None
        id = current.id if current else _id(naming)
        binary_id = f"{id[:43]}.{blob.sha256[:20]}"
        resource = _resource(id, binary_id, table, naming)
        binary = raw_resource(binary_id, CONTENT_TYPE, blob)
        for one in (resource, binary):
            await validated(door, ctx, one)
        changes = [
            Change("PUT", "Binary", binary_id, binary, blobs=(blob.sha256,), keep_equal=True),
            Change("PUT", "CodeSystem", id, resource, _expected(current), keep_equal=True),
        ]
        if current is not None:
            changes += _superseded(current, binary_id)
        matches = condition.matches((id,) if current else ())
        made = await store_changes(door, ctx, changes, PURPOSE, (matches,))
        if not any(one.written for one in made):
            return Outcome(id, "unchanged", blob.size)
        return Outcome(id, "replaced" if current else "created", blob.size)

    return await retried(attempt)


async def remove(
    door: Interactions, ctx: Context, url: str, version: str | None
) -> list[tuple[str, str]]:
    """Delete the versions of a code system, or one, with their concepts; the history stays.

    Args:
        door: The record.
        ctx: Who removes.
        url: Canonical url.
        version: Business version, None for all.

    Returns:
        Version and logical id of each.
    """
    search = [("url", url), *([("version", version)] if version is not None else [])]
    gone: list[tuple[str, str]] = []
    async for page in pages(door, ctx, "CodeSystem", tuple(search), strict=True):
        for entry in page.entries:
            if entry.mode != "match" or entry.stored is None:
                continue
            stored = entry.stored
            changes = [Change("DELETE", "CodeSystem", stored.id, expected=_expected(stored))]
            changes += _superseded(stored, "")
            await store_changes(door, ctx, changes, Purpose("D", "delete"))
            gone.append((str(resource_of(stored).get("version") or ""), stored.id))
    return gone


async def listed(door: Interactions, ctx: Context) -> AsyncIterator[Loaded]:
    """The code systems of the record.

    Args:
        door: The record.
        ctx: Who asks.
    """
    async for page in pages(door, ctx, "CodeSystem", (("_count", "100"),)):
        for entry in page.entries:
            if entry.mode == "match" and entry.stored is not None:
                yield _loaded(entry.stored)


def _loaded(stored: Stored) -> Loaded:
    resource = resource_of(stored)
    count = resource.get("count")
    return Loaded(
        str(resource.get("url") or ""),
        str(resource.get("version") or ""),
        str(resource.get("title") or ""),
        count if isinstance(count, int) else len(resource.get("concept") or ()),
        stored.id,
    )


def _search(naming: Naming) -> list[tuple[str, str]]:
    return [("url", naming.url), ("version", naming.version)]


def _expected(current: Stored | None) -> Expected:
    return NEW._replace(fixed=False) if current is None else FREE._replace(version=current.version)


def _superseded(current: Stored, binary_id: str) -> list[Change]:
    """The delete of the Binary that a resource had before, when it is another one."""
    old = binary_of(resource_of(current))
    return [Change("DELETE", "Binary", old)] if old and old != binary_id else []


async def _blob(door: Interactions, ctx: Context, packed: bytes) -> Blob:
    limit = door.settings.binary_limit
    if len(packed) > limit:
        size = len(packed) // MIB + 1
        raise TooLarge(fault("too-long", "terminology-too-large", size=size, limit=limit // MIB))
    writer = await door.store.new_blob(ctx.tenant.key)
    try:
        for start in range(0, len(packed), PIECE):
            await writer.write(packed[start : start + PIECE])
    except (StoreUnavailable, OSError, HubError):
        await writer.abandon()
        raise
    return await writer.finish()


def _id(naming: Naming) -> str:
    named = hashlib.sha256(f"{naming.url}|{naming.version}".encode()).hexdigest()
    return f"cs-{named[:32]}"


def _resource(id: str, binary_id: str, table: Table, naming: Naming) -> dict[str, Any]:
    """The CodeSystem without its concepts."""
    title = naming.title or re.split(r"[/:]", naming.url.rstrip("/:"))[-1]
    resource: dict[str, Any] = {
        "resourceType": "CodeSystem",
        "id": id,
        "language": table.language,
        "extension": [{"url": EXTENSION, "valueReference": {"reference": f"Binary/{binary_id}"}}],
        "url": naming.url,
        "version": naming.version,
        "name": _name(title, naming.url),
        "title": title,
        "status": "active",
        "caseSensitive": True,
        "content": "not-present",
        "count": len(table.columns.codes),
    }
    if table.hierarchy != "none":
        resource["hierarchyMeaning"] = "is-a"
    properties = [
        {"code": code, "description": name, "type": "string"}
        for code, name in table.properties.items()
    ]
    if any(one.code == "inactive" for all in table.columns.properties.values() for one in all):
        uri = f"{CONCEPT_PROPERTIES}inactive"
        properties.append({"code": "inactive", "uri": uri, "type": "boolean"})
    if properties:
        resource["property"] = properties
    return resource


def _name(title: str, url: str) -> str:
    """A name that programs can use: letters and digits, beginning with a capital."""
    for text in (title, url):
        words = re.findall(r"[A-Za-z0-9]+", text)
        name = "".join(word[0].upper() + word[1:] for word in words)
        if text is url:
            return f"C{name}"[:255] if name[:1].isdigit() else name[:255] or "CodeSystem"
        if name[:1].isalpha() and len(name) > 2:
            return name[:255]
    raise AssertionError("a url has a name")
