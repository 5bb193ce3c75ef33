"""What a Bundle becomes when it is loaded (https://hl7.org/fhir/R4/bundle.html).

A transaction stays whole. Of a collection, searchset or batch each entry is an item of its
own. A document, a message, and every Bundle that a server kept as a resource
(`meta.versionId`) is stored as the resource it is. Called by `sources`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from hub.errors import Unprocessable, fault
from hub.loading.item import Item, Key, Place, derived_id, digest, plain, refused
from hub.model import json, reference

BY_ENTRY = frozenset({"collection", "searchset", "batch"})
AS_RESOURCE = frozenset({"document", "message"})
UNDIVIDED = AS_RESOURCE | {"transaction"}
READING = ("GET", "HEAD")

_NOWHERE = Place(Path())

Links = Mapping[str, str]
"""fullUrl to `Type/id`."""


def items_of(place: Place, resource: dict[str, Any], text: bytes = b"") -> Iterator[Item]:
    """The items of one decoded resource, Bundle or not.

    Args:
        place: Where it stood.
        resource: Decoded.
        text: Its JSON as it was read, if it is at hand.
    """
    if resource.get("resourceType") != "Bundle" or was_stored(resource):
        yield plain(place, resource, text)
        return
    kind = str(resource.get("type"))
    if kind == "transaction":
        yield transaction(place, resource)
    elif kind in AS_RESOURCE:
        yield plain(place, resource, text)
    elif kind in BY_ENTRY:
        yield from _by_entry(place, resource.get("entry"))
    else:
        yield wrong_kind(place, kind)


def was_stored(bundle: dict[str, Any]) -> bool:
    """Whether a server kept this Bundle as a resource."""
    meta = bundle.get("meta")
    return isinstance(meta, dict) and "versionId" in meta


def wrong_kind(place: Place, kind: str) -> Item:
    """A Bundle of a type that cannot be loaded."""
    return refused(place, Unprocessable(fault("value", "load-bundle-type", type=kind[:64])))


def _by_entry(place: Place, entries: object) -> Iterator[Item]:
    if entries is not None and not isinstance(entries, list):
        yield refused(place, Unprocessable(fault("structure", "bundle-entry", "Bundle.entry")))
        return
    listed = entries or []
    links = links_of(listed)
    for index, entry in enumerate(listed):
        where = f"{place.where} entry[{index}]".lstrip()
        yield from entry_items(place._replace(where=where), entry, links)


def links_of(entries: Iterable[object]) -> dict[str, str]:
    """What `urn:` fullUrls stand for: the entries of a collection may refer to each other so."""
    found: dict[str, str] = {}
    for entry in entries:
        url = entry.get("fullUrl") if isinstance(entry, dict) else None
        if isinstance(entry, dict) and isinstance(url, str) and url.startswith("urn:"):
            item = _stored(_NOWHERE, entry)
            if item is not None and item.keys:
                found[url] = "/".join(next(iter(item.keys)))
    return found


def entry_items(place: Place, entry: object, links: Links) -> Iterator[Item]:
    """The item of one entry; none when it holds nothing to store.

    Args:
        place: Where it stood.
        entry: Bundle.entry[i]; its resource is changed.
        links: What `urn:` references stand for.
    """
    if not isinstance(entry, dict):
        yield refused(place, Unprocessable(fault("structure", "bundle-entry")))
        return
    search, request = entry.get("search"), entry.get("request")
    if isinstance(search, dict) and search.get("mode") == "outcome":
        return
    if isinstance(request, dict) and request.get("method") in READING:
        return
    item = _stored(place, entry, links)
    if item is not None:
        yield item
    elif request is not None:
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
        yield transaction(place, bundle)


def _stored(place: Place, entry: dict[str, Any], links: Links | None = None) -> Item | None:
    """The entry's resource under its id, when its request asks for no more than that."""
    resource, request = entry.get("resource"), entry.get("request")
    if not isinstance(resource, dict):
        return None
    url = entry.get("fullUrl")
    salt = url if isinstance(url, str) else ""
    if request is not None and not _asks_only_to_store(request, resource):
        return None
    if request is not None and request.get("method") == "POST":
        resource.pop("id", None)  # A create chooses its id: one that is given means nothing.
    item = plain(place, resource, salt=salt)
    if links and item.error is None and _relink(resource, links):
        return plain(place, resource)
    return item


def _relink(resource: dict[str, Any], links: Links) -> bool:
    changed = False
    for _, element in reference.walk(resource):
        target = links.get(element["reference"])
        if target is not None:
            element["reference"] = target
            changed = True
    return changed


def _asks_only_to_store(request: object, resource: dict[str, Any]) -> bool:
    """A create without condition, or an update by the id in the resource."""
    if not isinstance(request, dict) or request.keys() - {"method", "url"}:
        return False
    type_, url = resource.get("resourceType"), request.get("url")
    if request.get("method") == "POST":
        return url == type_
    return request.get("method") == "PUT" and url == f"{type_}/{resource.get('id')}"


def transaction(place: Place, bundle: dict[str, Any]) -> Item:
    """A transaction as an item.

    What it creates without condition gets an id made from the transaction's content and
    becomes an update, so that loading it again changes nothing.

    Args:
        place: Where it stood.
        bundle: Changed in place.
    """
    keys: set[Key] = set()
    whole = ""
    entries = bundle.get("entry")
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        request = entry.get("request") if isinstance(entry, dict) else None
        if not isinstance(request, dict):
            continue
        resource = entry.get("resource")
        if request.get("method") == "POST" and isinstance(resource, dict):
            type_ = resource.get("resourceType")
            if isinstance(type_, str) and _asks_only_to_store(request, resource):
                whole = whole or digest(bundle)
                resource["id"] = derived_id(f"{whole}#{index}")
                entry["request"] = request = {"method": "PUT", "url": f"{type_}/{resource['id']}"}
        parts = str(request.get("url")).split("/")
        if request.get("method") != "POST" and len(parts) == 2:
            keys.add((parts[0], parts[1]))
    return Item(place, json.encode(bundle), frozenset(keys), transaction=True)
