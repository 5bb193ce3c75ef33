"""What an interaction answers: a change, or a Bundle made of stored bytes.

`BundleAnswer.to_json` joins the stored bytes of its entries without decoding them; `to_dict` is
for XML and for whoever works on the content. Made by every interaction, read by REST,
operations and adapters. Spec: https://hl7.org/fhir/R4/bundle.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import msgspec

from hub.errors import Issue
from hub.interactions.unavailable import damaged
from hub.model import body, json
from hub.storage.port import Stored


class Prefer(Protocol):
    """What a client prefers (RFC 7240, https://hl7.org/fhir/R4/http.html#ops)."""

    @property
    def returned(self) -> str | None:
        """`minimal`, `representation`, `OperationOutcome`, or None."""

    @property
    def strict(self) -> bool:
        """`handling=strict`."""


class Preference(NamedTuple):
    """The preferences of a caller that has no header."""

    returned: str | None = None
    strict: bool = False


class Changed(msgspec.Struct, frozen=True):
    """Result of an interaction that may change one resource.

    Attributes:
        stored: The version that is current now (a tombstone after a delete); None when there
            was nothing to delete, or a conditional delete removed several.
        status: 201 created, 200 updated or found, 204 deleted.
        issues: Warnings and information for the client.
        written: False when nothing was stored: If-None-Exist found it, or it was gone already.
        deleted: How many resources a delete removed.
    """

    stored: Stored | None
    status: int
    issues: tuple[Issue, ...] = ()
    written: bool = True
    deleted: int = 0


class Response(NamedTuple):
    """Bundle.entry.response.

    Attributes:
        status: `201 Created`.
        location: Versioned URL relative to the base, "" if none.
        etag: `W/"3"`, "" if none.
        updated: lastModified in milliseconds since the epoch, None if none.
        outcome: An OperationOutcome, None if none.
        written: False when nothing was stored, because it was found or equal; not shown.
        unforeseen: It failed by a mistake of ours, which is to be counted; not shown.
    """

    status: str
    location: str = ""
    etag: str = ""
    updated: int | None = None
    outcome: dict[str, Any] | None = None
    written: bool = True
    unforeseen: bool = False


class Entry(NamedTuple):
    """One Bundle.entry; at most one of `stored`, `resource` and `bundle` holds its resource.

    Attributes:
        full_url: Absolute URL or urn:uuid, "" if none.
        stored: A version; a tombstone shows no resource.
        resource: A resource made or shaped for this answer.
        bundle: A Bundle inside this one (a search in a batch).
        mode: search.mode: `match`, `include` or `outcome`; "" if none.
        request: Method and URL, for histories.
        response: For histories, batches and transactions.
    """

    full_url: str = ""
    stored: Stored | None = None
    resource: dict[str, Any] | None = None
    bundle: BundleAnswer | None = None
    mode: str = ""
    request: tuple[str, str] | None = None
    response: Response | None = None


@dataclass(frozen=True, slots=True)
class BundleAnswer:
    """A Bundle.

    Attributes:
        type: `searchset`, `history`, `batch-response` or `transaction-response`.
        entries: In order.
        total: Bundle.total, None to leave it out.
        links: (relation, url) in order.
        id: Bundle.id, a uuid.
        updated: meta.lastUpdated in milliseconds since the epoch, None to leave it out.
        issues: What the client should know, also shown by an outcome entry.
    """

    type: str
    entries: tuple[Entry, ...] = ()
    total: int | None = None
    links: tuple[tuple[str, str], ...] = ()
    id: str = ""
    updated: int | None = None
    issues: tuple[Issue, ...] = ()

    def to_json(self, pretty: bool = False) -> bytes:
        """The Bundle as UTF-8 JSON.

        Args:
            pretty: Indent by two spaces.
        """
        pieces = [json.encode(self._head())[:-1]]
        if self.entries:
            pieces.append(b',"entry":[')
            pieces.append(b",".join(map(_entry_bytes, self.entries)))
            pieces.append(b"]")
        pieces.append(b"}")
        data = b"".join(pieces)
        return json.encode_pretty(data) if pretty else data

    def to_dict(self) -> dict[str, Any]:
        """The Bundle as a resource."""
        bundle = self._head()
        if self.entries:
            bundle["entry"] = [_entry_dict(entry) for entry in self.entries]
        return bundle

    def _head(self) -> dict[str, Any]:
        head: dict[str, Any] = {"resourceType": "Bundle"}
        if self.id:
            head["id"] = self.id
        if self.updated is not None:
            head["meta"] = {"lastUpdated": body.instant(self.updated)}
        head["type"] = self.type
        if self.total is not None:
            head["total"] = self.total
        if self.links:
            head["link"] = [{"relation": name, "url": url} for name, url in self.links]
        return head


_MODES = {
    mode: b',"search":{"mode":"' + mode.encode() + b'"}' for mode in ("match", "include", "outcome")
}


def _entry_bytes(entry: Entry) -> bytes:
    """One entry as JSON; every value put in by hand is one the server made."""
    full_url, stored, resource, bundle, mode, request, response = entry
    if stored is not None and mode and request is None and response is None:
        # The entry of a search page: the hot path.
        type, id, version, updated, _, _, tail = stored
        return b'{"fullUrl":"%b","resource":%b%b}' % (
            full_url.encode(),
            body.join(type, id, version, updated, tail),
            _MODES[mode],
        )
    pieces = []
    if full_url:
        pieces.append(b'"fullUrl":' + json.encode(full_url))
    if stored is not None and not stored.deleted:
        pieces.append(b'"resource":' + body_of(stored))
    elif resource is not None:
        pieces.append(b'"resource":' + json.encode(resource))
    elif bundle is not None:
        pieces.append(b'"resource":' + bundle.to_json())
    if mode:
        pieces.append(_MODES[mode][1:])
    if request is not None:
        pieces.append(b'"request":' + json.encode({"method": request[0], "url": request[1]}))
    if response is not None:
        pieces.append(b'"response":' + json.encode(_response(response)))
    return b"{" + b",".join(pieces) + b"}"


def _entry_dict(entry: Entry) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if entry.full_url:
        made["fullUrl"] = entry.full_url
    if entry.stored is not None and not entry.stored.deleted:
        made["resource"] = json.load(body_of(entry.stored))
    elif entry.resource is not None:
        made["resource"] = entry.resource
    elif entry.bundle is not None:
        made["resource"] = entry.bundle.to_dict()
    if entry.mode:
        made["search"] = {"mode": entry.mode}
    if entry.request is not None:
        made["request"] = {"method": entry.request[0], "url": entry.request[1]}
    if entry.response is not None:
        made["response"] = _response(entry.response)
    return made


def _response(response: Response) -> dict[str, Any]:
    made: dict[str, Any] = {"status": response.status}
    if response.location:
        made["location"] = response.location
    if response.etag:
        made["etag"] = response.etag
    if response.updated is not None:
        made["lastModified"] = body.instant(response.updated)
    if response.outcome is not None:
        made["outcome"] = response.outcome
    return made


def body_of(stored: Stored) -> bytes:
    """The whole body of a version as UTF-8 JSON.

    Args:
        stored: Not a tombstone.
    """
    type, id, version, updated, _, _, tail = stored
    return body.join(type, id, version, updated, tail)


def resource_of(stored: Stored) -> dict[str, Any]:
    """The body of a version, decoded anew for each call.

    Args:
        stored: Not a tombstone.

    Raises:
        DamagedStorage: It is no JSON any more.
    """
    try:
        return json.load(body_of(stored))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise damaged(stored.type, stored.id) from error
