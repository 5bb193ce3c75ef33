"""What is loaded, one thing at a time, and where in a file it stood.

Made by `sources`, `bundles` and `demo`; stored by `storing`.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from hub.definitions import is_resource_type
from hub.errors import HubError, Unprocessable, fault
from hub.model import json
from hub.model.identity import valid_id

NAMESPACE = uuid.UUID("5be0a3d7-9d0b-45ad-9b1f-0d6f0a2e6a4f")

Key = tuple[str, str]


class Mark(NamedTuple):
    """A place in a file: bytes before it (of the text inside, if gzipped) and lines or entries."""

    offset: int = 0
    number: int = 0


START = Mark()


class Place(NamedTuple):
    """Where something stood.

    Attributes:
        path: File.
        where: `line 12`, `entry[3]`, `line 12 entry[3]`, or "" for the whole file.
        mark: Where reading goes on after it.
        read: Bytes of the file that were read by then, for progress.
    """

    path: Path
    where: str = ""
    mark: Mark = START
    read: int = 0


class Content(NamedTuple):
    """Where in its file the base64 of a large Binary is: bytes of the text."""

    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to store, or why there is none.

    Attributes:
        place: Where it stood.
        text: Its JSON: a resource with an id, or a transaction. b"" when it could not be read.
        keys: The resources it is known to write.
        transaction: It is stored whole or not at all.
        content: Of a Binary whose `data` is too large to be in `text`.
        error: Why it cannot be stored.
    """

    place: Place
    text: bytes = b""
    keys: frozenset[Key] = frozenset()
    transaction: bool = False
    error: HubError | None = None
    content: Content | None = None

    @property
    def alone(self) -> bool:
        """Whether it cannot be stored in a group with others."""
        return self.transaction or self.content is not None

    def fresh(self) -> dict[str, Any]:
        """The text decoded: each attempt to store it may change what it is given."""
        return json.load(self.text)


def plain(place: Place, resource: dict[str, Any], text: bytes = b"", salt: str = "") -> Item:
    """A resource that is to be there under its id.

    Without an id it gets one that is made from its content, so that loading it again finds it.

    Args:
        place: Where it stood.
        resource: Decoded.
        text: Its JSON as it was read, if it is at hand.
        salt: What tells it from others with the same content (its fullUrl).
    """
    type_ = resource.get("resourceType")
    if not isinstance(type_, str) or not is_resource_type(type_):
        return refused(place, Unprocessable(fault("structure", "load-no-type", "resourceType")))
    if "id" not in resource:
        resource["id"] = derived_id(digest(resource) + salt)
        text = b""
    id_ = resource["id"]
    if not isinstance(id_, str) or not valid_id(id_):
        return refused(place, Unprocessable(fault("value", "id-malformed", f"{type_}.id")))
    text = text.removeprefix(json.BOM) or json.encode(resource)
    return Item(place, text, frozenset({(type_, id_)}))


def refused(place: Place, error: HubError) -> Item:
    """What cannot be stored."""
    return Item(place, error=error)


def digest(resource: dict[str, Any]) -> str:
    """SHA-256 of a resource's compact JSON, in hex: white space does not count."""
    return hashlib.sha256(json.encode(resource)).hexdigest()


def derived_id(seed: str) -> str:
    """A logical id that depends on nothing but the seed."""
    return str(uuid.uuid5(NAMESPACE, seed))
