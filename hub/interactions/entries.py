"""Read Bundle.entry.request: which interaction each entry of a batch or transaction asks for.

Called by `hub.interactions.batch` and `hub.interactions.transaction`.
Spec: https://hl7.org/fhir/R4/bundle.html#bundle-unique, http.html#transaction
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from hub.definitions import (
    compartment,
    compartment_names,
    is_resource_type,
    type_definition,
)
from hub.errors import BadRequest, HubError, TooLarge, fault
from hub.interactions.url import Parameters, decode, parameters
from hub.messages import Phrase
from hub.model.identity import valid_id

ORDER = {"DELETE": 0, "POST": 1, "PUT": 2, "PATCH": 2, "GET": 3, "HEAD": 3}
"""The order in which entries are processed, by method."""

_CONDITIONS = ("ifMatch", "ifNoneMatch", "ifNoneExist", "ifModifiedSince")


@dataclass(slots=True)
class EntryRequest:
    """What one entry asks for.

    Attributes:
        index: Position in Bundle.entry.
        method: HTTP method.
        interaction: `create`, `update`, `patch`, `delete`, `read`, `vread`, `search`, `history`,
            `operation` or `capabilities`.
        type: Resource type, "" for the system.
        id: Logical id, "" if none.
        version: For vread.
        operation: Name without `$`.
        search: Parameters of the URL's query; None when it has no `?`, which makes an update,
            patch or delete without id conditional.
        compartment: (type, id) of a compartment search.
        resource: Entry.resource.
        full_url: Entry.fullUrl, "" if none.
        conditions: ifMatch, ifNoneMatch, ifNoneExist, ifModifiedSince where given.
    """

    index: int
    method: str
    interaction: str = ""
    type: str = ""
    id: str = ""
    version: str = ""
    operation: str = ""
    search: Parameters | None = None
    compartment: tuple[str, str] | None = None
    resource: dict[str, Any] | None = None
    full_url: str = ""
    conditions: Mapping[str, str] | None = None

    def condition(self, name: str) -> str | None:
        """A condition of the request by its element name, None if absent."""
        return self.conditions.get(name) if self.conditions else None

    @property
    def location(self) -> str:
        """FHIRPath of the entry."""
        return f"Bundle.entry[{self.index}]"


def entries_of(bundle: Mapping[str, Any], limit: int) -> list[Any]:
    """Bundle.entry, checked for size before any other work.

    Args:
        bundle: A batch or transaction.
        limit: Most entries.

    Raises:
        TooLarge: Over the limit.
        BadRequest: Not an array, or the Bundle has properties that are not R4's.
    """
    _known_properties(bundle, "Bundle")
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        raise BadRequest(fault("structure", "bundle-entry", "Bundle.entry"))
    if len(entries) > limit:
        raise TooLarge(fault("too-long", "bundle-too-many", "Bundle.entry", limit=limit))
    return entries


def read_entry(index: int, entry: object, base: str) -> EntryRequest:
    """One entry's request.

    Args:
        index: Position in Bundle.entry.
        entry: The entry.
        base: The hub's own base; URLs below it are relative ones.

    Raises:
        HubError: Not understood; for `within` to locate.
    """
    if not isinstance(entry, dict) or not isinstance(entry.get("request"), dict):
        raise BadRequest(fault("required", "bundle-request-missing"))
    request = entry["request"]
    _known_properties(entry, "Bundle.entry")
    _known_properties(request, "Bundle.entry.request")
    method, url = request.get("method"), request.get("url")
    if not isinstance(method, str) or method not in ORDER:
        raise BadRequest(fault("value", "bundle-method", ".request.method"))
    if not isinstance(url, str):
        raise _refuse("missing", "required")
    full_url = entry.get("fullUrl", "")
    resource = entry.get("resource")
    if not isinstance(full_url, str):
        raise BadRequest(fault("structure", "bundle-entry", ".fullUrl"))
    if not isinstance(resource, dict | None):
        raise BadRequest(fault("structure", "bundle-entry", ".resource"))
    conditions = {name: request[name] for name in _CONDITIONS if name in request}
    for name, value in conditions.items():
        if not isinstance(value, str):
            raise BadRequest(fault("structure", "bundle-entry", f".request.{name}"))
    made = EntryRequest(index, method, resource=resource, full_url=full_url, conditions=conditions)
    _read_url(made, url, base)
    if made.interaction in ("create", "update", "patch") and resource is None:
        raise BadRequest(fault("required", "bundle-resource-missing", ".resource"))
    return made


@lru_cache(maxsize=8)
def _properties(path: str) -> frozenset[str]:
    """JSON properties of a part of Bundle."""
    depth = path.count(".") + 1
    names = [
        element.path.rpartition(".")[2]
        for element in type_definition("Bundle").elements
        if element.path.startswith(path + ".") and element.path.count(".") == depth
    ]
    return frozenset(("resourceType", *names, *(f"_{name}" for name in names)))


def _known_properties(node: Mapping[str, Any], path: str) -> None:
    """Refuse what R4 does not know: `entries` for `entry` would do nothing and say 200.

    Raises:
        BadRequest: There is such a property.
    """
    known = _properties(path)
    if not node.keys() <= known:
        name = min(node.keys() - known)[:64]
        raise BadRequest(fault("structure", "validation-unknown", type=path, name=name))


def within(error: HubError, location: str, default: str = "") -> HubError:
    """The same error, located inside a bundle; to be called once for an error.

    A location that starts with a point is below the entry itself.

    Args:
        error: An error about an entry or its resource.
        location: `Bundle.entry[3]`.
        default: What in the entry an issue without location is about: `request` or `resource`.
    """

    def place(path: str) -> str:
        if path.startswith("."):
            return location + path
        _, _, rest = path.partition(".")
        if path:
            return f"{location}.resource.{rest}" if rest else f"{location}.resource"
        return f"{location}.{default}" if default else location

    issues = [replace(issue, location=place(issue.location)) for issue in error.issues]
    # Not type(error): its subclasses are made in other ways, and the status says it all.
    return HubError(issues, error.status)


def _read_url(made: EntryRequest, url: str, base: str) -> None:
    """Fill in what the URL and the method say."""
    if made.method == "POST" and is_resource_type(url):  # Most entries of most transactions.
        made.type, made.interaction = url, "create"
        return
    if url == base or url.startswith((base + "/", base + "?")):
        url = url[len(base) :]
    path, mark, query = url.partition("?")
    if "#" in url or "://" in path:
        raise _refuse("not relative to this server")
    made.search = parameters(query) if mark else None
    segments = [decode(part) for part in path.strip("/").split("/")] if path.strip("/") else []
    if "" in segments:
        raise _refuse("an empty path segment")
    made.interaction = _READERS[made.method](made, segments)


def _refuse(reason: str, code: str = "value") -> BadRequest:
    return BadRequest(fault(code, "bundle-url", ".request.url", reason=Phrase(reason)))


def _take_type(made: EntryRequest, segments: list[str]) -> None:
    """Type and id from the path, when they are there and well-formed."""
    if segments and not segments[0].startswith(("$", "_")):
        made.type = segments.pop(0)
        if not is_resource_type(made.type):
            raise _refuse("no resource type of R4")
        if segments and not segments[0].startswith(("$", "_")):
            made.id = segments.pop(0)
            if not valid_id(made.id):
                raise BadRequest(fault("value", "id-malformed", ".request.url"))


def _get(made: EntryRequest, segments: list[str]) -> str:
    if segments == ["metadata"]:
        return "capabilities"
    _take_type(made, segments)
    match segments:
        case []:
            return "read" if made.id else "search"
        case ["_search"] if not made.id:
            return "search"
        case ["_history"]:
            return "history"
        case ["_history", version] if made.id:
            made.version = version
            return "vread"
        case [name] if name.startswith("$"):
            made.operation = name[1:]
            return "operation"
        case [kind] if made.id and _in_compartment(made.type, kind):
            made.compartment = (made.type, made.id)
            made.type, made.id = ("" if kind == "*" else kind), ""
            return "search"
    raise _refuse("no interaction has this path")


def _in_compartment(name: str, kind: str) -> bool:
    return name in compartment_names() and (kind == "*" or kind in compartment(name))


def _post(made: EntryRequest, segments: list[str]) -> str:
    _take_type(made, segments)
    match segments:
        case [] if made.type and not made.id and made.search is None:
            return "create"
        case ["_search"] if not made.id:
            return "search"
        case [name] if name.startswith("$"):
            made.operation = name[1:]
            return "operation"
    raise _refuse("no interaction has this path")


def _change(interaction: str) -> Any:
    """A reader for update, patch and delete: by id, or conditional by the query."""

    def read(made: EntryRequest, segments: list[str]) -> str:
        _take_type(made, segments)
        if segments or not made.type:
            raise _refuse("no interaction has this path")
        if made.id and made.search:
            raise _refuse("an id and a query exclude each other")
        if not made.id and not made.search:
            raise _refuse("an id or a query is needed")
        return interaction

    return read


_READERS = {
    "GET": _get,
    "HEAD": _get,
    "POST": _post,
    "PUT": _change("update"),
    "PATCH": _change("patch"),
    "DELETE": _change("delete"),
}
