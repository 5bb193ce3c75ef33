"""Makes requests of every interaction on every type: right ones, and right ones made wrong.

A plain `Random` makes them, so that a seed repeats a run and a long run costs little. Used by
`tests/property/test_hostile_interactions.py`.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote

from hub.definitions import compartment, resource_types, search_parameters_of
from hub.errors import HubError
from hub.model.json import encode
from hub.model.xml import serialize
from hub.operations import OPERATIONS
from tests.validation.instances import instance

JSON, XML = "application/fhir+json", "application/fhir+xml"
COMMON = ("Patient", "Observation", "Encounter", "Bundle", "Binary", "Parameters", "List", "Group")
IDS = ("a", "b", "c", "A-1.2", "é", "a" * 65, "a b", "..", "_history", "$meta", "%00")
URNS = tuple(f"urn:uuid:0a5b1c9e-3f2d-4f58-9d3b-00000000000{number}" for number in range(4))
JUNK: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 10**400, "", " ", "x", "\u0000", "\ud800", "\U0001f600", "\u202e", [],
    {}, [None], [[]], {"a": 1}, "Patient/a", "Patient/none", "#x", "urn:uuid:", URNS[0],
    "http://x y", "2026-02-30", "9999-12-31T24:00:00Z", "Patient?identifier=a",
    "<div>", "javascript:x", "1e999",
    {"resourceType": "Patient"}, {"resourceType": "Bundle", "type": "batch"}, "x" * 5000,
)  # fmt: skip
NAMES = (
    "resourceType",
    "id",
    "meta",
    "contained",
    "extension",
    "text",
    "entry",
    "_id",
    "x",
    "",
    "ï",
)
VALUES = (
    "", "a", "小明", "2026", "ge2026-01-01", "a|b", "|", "Patient/a", "true", "1e400", "-1", "*",
    ",", "5.4|http://unitsofmeasure.org|mg", "\\", "x" * 3000, "(", "%", "urn:uuid:x", "0",
    "Patient:*",
)  # fmt: skip
MODIFIERS = (
    "",
    "",
    "",
    ":exact",
    ":missing",
    ":not",
    ":identifier",
    ":Patient",
    ":in",
    ".name",
    ":x",
)
CONTROL = (
    "_count", "_sort", "_include", "_revinclude", "_summary", "_elements", "_total", "_format",
    "_at", "_since", "_pretty", "_type", "_list", "_filter", "_has:Observation:subject:code",
    "_cursor",
    "_id", "_lastUpdated", "_tag", "_explain", "_contained", "_text", "_content", "mode", "profile",
    "_query",
)  # fmt: skip
HEADERS: dict[str, tuple[str, ...]] = {
    "if-match": ('W/"1"', 'W/"99"', "*", "1", '"', "W/1, W/2", ""),
    "if-none-match": ("*", 'W/"1"', "x", ""),
    "if-modified-since": ("Sat, 21 Nov 2026 00:00:00 GMT", "yesterday", ""),
    "if-none-exist": ("_id=a", "identifier=a|b", "?", "name=%", "colour=red", ""),
    "prefer": ("return=minimal", "return=OperationOutcome", "handling=strict", "x", "handling=x"),
    "accept": (JSON, XML, "*/*", "text/html", "application/fhir+json;q=0", "a/b", "", "image/png"),
    "accept-charset": ("utf-8", "gbk", "x"),
    "range": ("bytes=0-1", "bytes=5-1", "bytes=-0", "x", "bytes=0-,1-"),
    "x-forwarded-host": ("evil", "a, b"),
    "x-request-id": ("x" * 300, "a b", ""),
}
TYPES = (
    JSON, XML, "application/json", "application/xml", "text/xml", "application/json-patch+json",
    "application/fhir+json; charset=gbk", "application/fhir+json; charset=utf-8; fhirVersion=4.0",
    "application/fhir+json; fhirVersion=3.0", "text/plain", "x", "", "application/octet-stream",
    "application/x-www-form-urlencoded", "multipart/form-data",
)  # fmt: skip
NO_XML = (HubError, AttributeError, KeyError, RecursionError, TypeError, ValueError)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY")


@dataclass(frozen=True, slots=True)
class Request:
    """A request below the FHIR base; `tree` is its body before it was written."""

    method: str
    path: str
    query: str = ""
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Path and query."""
        return f"{self.path}?{self.query}" if self.query else self.path


def _junk(rnd: Random) -> Any:
    """A copy: what is broken once may be broken again."""
    return deepcopy(rnd.choice(JUNK))


def _kind(rnd: Random) -> str:
    return rnd.choice(COMMON if rnd.random() < 0.6 else resource_types())


def _id(rnd: Random) -> str:
    return IDS[rnd.randrange(3)] if rnd.random() < 0.85 else rnd.choice(IDS)


def _query(rnd: Random, type: str = "", least: int = 0) -> str:
    codes = sorted(search_parameters_of(type)) if type else ["name"]
    pairs = []
    for _ in range(rnd.randint(least, 3)):
        name = rnd.choice(codes) + rnd.choice(MODIFIERS)
        if rnd.random() < 0.3:
            name = rnd.choice(CONTROL)
        pairs.append(f"{name}={quote(rnd.choice(VALUES), safe='')}")
    text = "&".join(pairs)
    return text + rnd.choice(("%", "%ff", "&&=", "%00")) if rnd.random() < 0.03 else text


def resource(rnd: Random, type: str, id: str = "") -> dict[str, Any]:
    """A right resource whose references lead to a few ids and links."""
    made = instance(type, rnd, depth=2, density=rnd.choice((0.05, 0.15, 0.3)))
    made.pop("id", None)
    if id:
        made["id"] = id
    plain = rnd.random() < 0.5
    for node, key in list(_places(made)):
        if key == "reference" and plain:
            del node[key]
            node["display"] = "a"
        elif key == "reference":
            kind = str(node[key]).partition("/")[0]
            far = (
                f"{kind}/a",
                f"{kind}/b/_history/1",
                *URNS,
                f"{kind}?_id=a",
                "#c",
                f"{kind}/none",
            )
            node[key] = rnd.choice(far)
    return made


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    waiting = [node]
    while waiting:
        node = waiting.pop()
        keys = node.keys() if isinstance(node, dict) else range(len(node))
        for key in keys:
            yield node, key
            if isinstance(node[key], dict | list):
                waiting.append(node[key])


def broken(rnd: Random, tree: Any) -> Any:
    """The same tree with something wrong in it, in place."""
    places = list(_places(tree))
    if not places:
        return tree
    node, key = rnd.choice(places)
    deed = rnd.randrange(5)
    if deed == 0 and isinstance(node, dict):
        del node[key]
    elif deed == 1 and isinstance(node, dict):
        node[rnd.choice(NAMES)] = _junk(rnd)
    elif deed == 2:
        deep: Any = _junk(rnd)
        for _ in range(rnd.choice((3, 99, 150))):
            deep = [deep] if rnd.random() < 0.5 else {"extension": deep}
        node[key] = deep
    else:
        node[key] = _junk(rnd)
    return tree


def _text(rnd: Random, tree: Any) -> tuple[bytes, str]:
    """A body and its media type."""
    if rnd.random() < 0.2:
        # A broken tree may have no XML form.
        with suppress(*NO_XML):
            return serialize(tree), XML
    text = json.dumps(tree, ensure_ascii=rnd.random() < 0.5, default=float)
    return text.encode("utf-8", "surrogatepass"), JSON


def _garbled(rnd: Random, data: bytes) -> bytes:
    at = rnd.randrange(len(data) + 1)
    piece = rnd.choice(
        (b"", b"\x00", b"\xff", b'"', b"{", b"]", b",", b"<", b"&x;", b"<!DOCTYPE a>", b"1E99999",
         b"\\u", b'"id":"a","id":"b",', b"\xed\xa0\x80", b"\xef\xbb\xbf", rnd.randbytes(4))
    )  # fmt: skip
    return data[:at] + piece + data[at + rnd.randrange(6) :]


def _write(rnd: Random, method: str, path: str, tree: Any, query: str = "") -> Request:
    for _ in range(rnd.choice((0, 0, 0, 0, 1, 2))):
        tree = broken(rnd, tree)
    data, type = _text(rnd, tree)
    return Request(method, path, query, data, {"content-type": type})


# --- one for each interaction ---------------------------------------------------------------


def _create(rnd: Random) -> Request:
    kind = _kind(rnd)
    made = _write(rnd, "POST", f"/{kind}", resource(rnd, kind))
    if rnd.random() < 0.3:
        made.headers["if-none-exist"] = _query(rnd, kind, 1)
    return made


def _update(rnd: Random) -> Request:
    kind, id = _kind(rnd), _id(rnd)
    if rnd.random() < 0.25:
        return _write(rnd, "PUT", f"/{kind}", resource(rnd, kind), _query(rnd, kind, 1))
    return _write(rnd, "PUT", f"/{kind}/{quote(id)}", resource(rnd, kind, id))


def _json_patch(rnd: Random, tree: Any) -> list[dict[str, Any]]:
    operations = []
    for _ in range(rnd.randint(1, 3)):
        path = "/" + rnd.choice(list(tree) or ["id"])
        path += rnd.choice(("", "", "/0", "/-", "/0/x", "/99", "~2"))
        op = rnd.choice(("add", "remove", "replace", "move", "copy", "test", "x"))
        operations.append({"op": op, "path": path, "from": "/id", "value": _junk(rnd)})
    return operations


def _fhirpath_patch(rnd: Random, kind: str, tree: Any) -> dict[str, Any]:
    path = f"{kind}.{rnd.choice(list(tree) or ['id'])}"
    path += rnd.choice(("", "", "[0]", ".first()", ".where(", ".descendants()", ".x", " | 1"))
    part: list[dict[str, Any]] = [
        {"name": "type", "valueCode": rnd.choice(("add", "insert", "delete", "replace", "move"))},
        {"name": "path", "valueString": rnd.choice((path, kind))},
        {"name": "name", "valueString": rnd.choice((*NAMES, "name", "active"))},
        {"name": "index", "valueInteger": rnd.choice((0, 1, -1, 10**9))},
        {"name": "value", rnd.choice(("valueString", "valueBoolean", "part")): _junk(rnd)},
    ]
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": "operation", "part": rnd.sample(part, rnd.randint(2, 5))}],
    }


def _patch(rnd: Random) -> Request:
    kind = _kind(rnd)
    path, query = f"/{kind}/{quote(_id(rnd))}", ""
    if rnd.random() < 0.2:
        path, query = f"/{kind}", _query(rnd, kind, 1)
    tree = resource(rnd, kind)
    if rnd.random() < 0.5:
        return _write(rnd, "PATCH", path, _fhirpath_patch(rnd, kind, tree), query)
    data = json.dumps(_json_patch(rnd, tree)).encode()
    return Request("PATCH", path, query, data, {"content-type": "application/json-patch+json"})


def _delete(rnd: Random) -> Request:
    kind = _kind(rnd)
    if rnd.random() < 0.3:
        return Request("DELETE", f"/{kind}", _query(rnd, kind, 1))
    return Request("DELETE", f"/{kind}/{quote(_id(rnd))}")


def _read(rnd: Random) -> Request:
    kind, id = _kind(rnd), quote(_id(rnd))
    tail = rnd.choice(("", "", "/_history/1", "/_history/2", "/_history/x", "/_history", "/x"))
    return Request(rnd.choice(("GET", "HEAD")), f"/{kind}/{id}{tail}", _query(rnd))


def _history(rnd: Random) -> Request:
    place = rnd.choice(("", f"/{_kind(rnd)}", f"/{_kind(rnd)}/{quote(_id(rnd))}"))
    name = rnd.choice(("_since", "_at", "_count", "_list", "_sort", "_cursor", "x"))
    values = ("2026", "2026-11-22T00:00:00Z", "ge2026", "0", "-1", "1", "x", "")
    return Request("GET", f"{place}/_history", f"{name}={rnd.choice(values)}")


def _search(rnd: Random) -> Request:
    kind = _kind(rnd)
    query = _query(rnd, kind)
    places = [f"/{kind}", f"/{kind}", "/"]
    name = rnd.choice(("Patient", "Encounter", "Practitioner", "Device", "RelatedPerson", "Group"))
    inner = rnd.choice((kind, "*", *list(compartment(name))[:3])) if name != "Group" else "*"
    places.append(f"/{name}/a/{inner}")
    place = rnd.choice(places)
    if rnd.random() < 0.3:
        form = {"content-type": "application/x-www-form-urlencoded"}
        return Request("POST", f"{place.rstrip('/')}/_search", "", query.encode(), form)
    return Request("GET", place, query)


def _operation(rnd: Random) -> Request:
    kind = _kind(rnd)
    place = rnd.choice(("", f"/{kind}", f"/{kind}/a", "/Patient/a", "/Encounter/a", "/Group/a"))
    path = f"{place}/${rnd.choice(sorted(OPERATIONS))}"
    if rnd.random() < 0.3:
        return Request("GET", path, _query(rnd, kind))
    if rnd.random() < 0.3:
        return _write(rnd, "POST", path, resource(rnd, kind, "a"), rnd.choice(("", "mode=update")))
    names = ("resource", "mode", "meta", "expression", "profile", "limit", "x", "persist", "max")
    parts: list[dict[str, Any]] = [{"name": rnd.choice(names)} for _ in range(rnd.randint(0, 3))]
    for part in parts:
        key = rnd.choice(("resource", "valueString", "valueCode", "valueMeta", "valueBoolean"))
        part[key] = resource(rnd, kind) if key == "resource" else _junk(rnd)
    return _write(rnd, "POST", path, {"resourceType": "Parameters", "parameter": parts})


def _binary(rnd: Random) -> Request:
    data = rnd.randbytes(rnd.choice((0, 1, 500, 3000)))
    type = rnd.choice(("image/png", "text/plain", "application/pdf", *TYPES))
    headers = {"content-type": type, "x-security-context": rnd.choice(("Patient/a", "x", ""))}
    path = rnd.choice(("/Binary", f"/Binary/{quote(_id(rnd))}"))
    if rnd.random() < 0.4:
        return Request(
            "GET", "/Binary/a", "", b"", {"accept": rnd.choice(("*/*", "image/png", JSON))}
        )
    return Request("PUT" if path != "/Binary" else "POST", path, "", data, headers)


def _entry(rnd: Random) -> dict[str, Any]:
    inner = rnd.choice((_create, _update, _patch, _delete, _read, _history, _search, _operation))(
        rnd
    )
    request: dict[str, Any] = {"method": inner.method, "url": inner.url.lstrip("/")}
    entry: dict[str, Any] = {"request": request}
    if inner.body:
        try:
            entry["resource"] = json.loads(inner.body)
        except ValueError:
            data = base64.b64encode(inner.body).decode()
            entry["resource"] = {"resourceType": "Binary", "contentType": "x", "data": data}
        if isinstance(entry["resource"], list):
            type, data = "application/json-patch+json", base64.b64encode(inner.body).decode()
            entry["resource"] = {"resourceType": "Binary", "contentType": type, "data": data}
    if "if-none-exist" in inner.headers:
        request["ifNoneExist"] = inner.headers["if-none-exist"]
    if rnd.random() < 0.1:
        request["ifMatch"] = rnd.choice(HEADERS["if-match"])
    if rnd.random() < 0.6:
        entry["fullUrl"] = rnd.choice((*URNS, "http://x/Patient/a", "Patient/a"))
    return entry


def _bundle(rnd: Random) -> Request:
    type = rnd.choice(("batch", "transaction", "transaction", "transaction", "document", "x"))
    entries = [_entry(rnd) for _ in range(rnd.choice((0, 1, 1, 2, 2, 3, 6)))]
    tree = {"resourceType": "Bundle", "type": type, "entry": entries}
    return _write(rnd, "POST", rnd.choice(("/", "/", "")), tree)


def _conditional_pair(rnd: Random) -> Request:
    """A transaction that is mostly right: a patient by condition and what refers to it."""
    kind = rnd.choice(("Observation", "Encounter", "Condition", "List"))
    link = rnd.choice((URNS[0], "Patient?identifier=s|1", "Patient/a", f"{URNS[0]}#c"))
    patient = {"resourceType": "Patient", "identifier": [{"system": "s", "value": "1"}]}
    referring = resource(rnd, kind)
    referring["subject"] = {"reference": link}
    entries = [
        {
            "fullUrl": URNS[0],
            "resource": patient,
            "request": {"method": "POST", "url": "Patient", "ifNoneExist": "identifier=s|1"},
        },
        {"resource": referring, "request": {"method": "POST", "url": kind}},
    ]
    rnd.shuffle(entries)
    tree = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    return Request("POST", "/", "", encode(tree), {"content-type": JSON})


INTERACTIONS: tuple[Callable[[Random], Request], ...] = (
    _create, _update, _patch, _delete, _read, _history, _search, _operation, _binary, _bundle,
    _bundle, _conditional_pair,
)  # fmt: skip


def request(rnd: Random) -> Request:
    """Any request; one in three has something wrong in its headers, bytes or method too."""
    made = rnd.choice(INTERACTIONS)(rnd)
    method, body, headers = made.method, made.body, dict(made.headers)
    if rnd.random() < 0.5:
        headers["accept-language"] = "zh-CN"
    if rnd.random() < 0.3:
        name = rnd.choice(sorted(HEADERS))
        headers[name] = rnd.choice(HEADERS[name])
    if rnd.random() < 0.1:
        headers["content-type"] = rnd.choice(TYPES)
    if rnd.random() < 0.05:
        method = rnd.choice(METHODS)
    if body and rnd.random() < 0.15:
        body = _garbled(rnd, body)
    if body and rnd.random() < 0.08:
        packed = gzip.compress(body, 1)
        headers["content-encoding"] = rnd.choice(("gzip", "gzip", "br", "identity", "gzip, gzip"))
        body = rnd.choice((packed, packed[:-3], body))
    headers = {name: value for name, value in headers.items() if value.isascii()}
    return Request(method, made.path, made.query, body, headers)
