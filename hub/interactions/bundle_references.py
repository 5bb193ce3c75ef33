"""Links between the entries of a transaction: urn:uuid, fullUrls, conditional references.

`LinkTable` says what each link becomes; `EntryLinks` holds the places of one resource that
have links, as they were written, so that a second attempt of the same transaction resolves
them anew. Called by `hub.interactions.transaction`.
Spec: https://hl7.org/fhir/R4/http.html#transaction, bundle.html#references
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.definitions import is_resource_type
from hub.errors import Unprocessable, fault
from hub.interactions.entries import EntryRequest
from hub.interactions.link_plan import Slot, slots
from hub.model import reference
from hub.model.element_names import fhirpath_of

_RESTFUL = re.compile(r"(.*/)[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}", re.DOTALL)
_CONDITIONAL = re.compile(r"([A-Z][A-Za-z]+)\?(.+)", re.DOTALL)
_ATTRIBUTE = re.compile(r"""((?:href|src)\s*=\s*)(["'])(.*?)\2""", re.DOTALL)


@dataclass(slots=True)
class LinkTable:
    """What links become.

    Attributes:
        base: The hub's own base without a trailing slash.
        targets: fullUrl, or conditional reference as written, to `Type/id`.
        strict: Refuse a urn: reference that no entry has.
    """

    base: str
    strict: bool
    targets: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class EntryLinks:
    """The links of one entry's resource.

    Attributes:
        entry: The entry.
        resource: Its resource, changed by `rewrite`.
        slots: Where links are, as first written.
        root: Base of the entry's own fullUrl with a slash, "" if that is no RESTful url:
            relative references are looked up below it first.
    """

    entry: EntryRequest
    resource: dict[str, Any]
    slots: list[Slot]
    root: str

    def conditional(self, base: str) -> Iterator[tuple[str, str, str]]:
        """Conditional references: text as written, type, query."""
        for slot in self.slots:
            if "?" in slot.text and slot.kind == "reference":
                found = _CONDITIONAL.fullmatch(slot.text.removeprefix(base + "/"))
                if found is not None and is_resource_type(found[1]):
                    yield slot.text, found[1], found[2]


def links_of(entry: EntryRequest, resource: dict[str, Any], targets: Container[str]) -> EntryLinks:
    """Find the links of an entry's resource.

    Args:
        entry: The entry.
        resource: Its resource, or what its patch makes.
        targets: fullUrls of all entries.
    """
    root = _RESTFUL.fullmatch(entry.full_url)
    return EntryLinks(entry, resource, slots(resource, targets), root[1] if root else "")


def rewrite(links: EntryLinks, table: LinkTable) -> None:
    """Put into every place what its link becomes now.

    Raises:
        Unprocessable: A urn: reference that no entry of the bundle has.
    """
    targets, root, own = table.targets, links.root, table.base + "/"
    for holder, key, text, kind in links.slots:
        new = targets.get(text)
        if new is None:
            if kind == "narrative":
                new = _ATTRIBUTE.sub(lambda match: _attribute(match, targets), text)
            elif kind == "reference":
                new = _reference(text, targets, root, own)
                if new is None and table.strict and text.startswith(("urn:uuid:", "urn:oid:")):
                    raise _unresolved(links, text)
        holder[key] = text if new is None else new


def _attribute(match: re.Match[str], targets: Mapping[str, str]) -> str:
    target = targets.get(match[3])
    return match[0] if target is None else f"{match[1]}{match[2]}{target}{match[2]}"


def _reference(text: str, targets: Mapping[str, str], root: str, own: str) -> str | None:
    """What a reference that is no entry's fullUrl becomes, None: it stays."""
    if root and (below := targets.get(root + text)) is not None:
        return below
    url, mark, fragment = text.partition("#")
    if mark and url and (whole := targets.get(url) or targets.get(root + url)):
        return f"{whole}#{fragment}"
    if text.startswith(own):
        rest = text[len(own) :]
        return rest if reference.parse(rest).kind == "relative" else None
    return None


def _unresolved(links: EntryLinks, text: str) -> Unprocessable:
    path = next(
        (path for path, element in reference.walk(links.resource) if element["reference"] == text),
        "",
    )
    path = fhirpath_of(path) if path else links.entry.location
    return Unprocessable(fault("not-found", "reference-unresolved", path))
