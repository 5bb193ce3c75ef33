"""Hostile requests against a running hub: never a 500, and words for every refusal.

Paths, headers and bodies are made by mutation of good ones, so that they get deep before they
fail. At the end the hub itself says how many errors it did not foresee: none.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hub.definitions import resource_types, search_parameters_of
from hub.model.json import encode, load
from hub.operations import OPERATIONS
from tests.property.resources import resources
from tests.rest.running import RunningHub, running

FUZZ = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@pytest.fixture(scope="module", params=["memory", "sqlite"])
def hub(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningHub]:
    """A hub with a patient to hit."""
    folder = tmp_path_factory.mktemp("fuzz")
    with running(folder, store=request.param, body_limit="64KB", search_deadline="1") as found:
        made = found.client.put("/Patient/p", json={"resourceType": "Patient", "id": "p"})
        assert made.status_code == 201
        yield found
        assert found.unexpected_errors() == 0, found.tracebacks()


def _check(response: httpx.Response) -> None:
    assert response.status_code < 500 or response.status_code == 503, response.text
    # httpx resolves dots in a path before it sends it.
    below = response.request.url.path.startswith("/fhir")
    if below and response.status_code >= 400 and response.request.method != "HEAD":
        kind = response.headers["content-type"]
        if "xml" in kind:
            assert "<OperationOutcome" in response.text
        else:
            found = response.json()
            assert found["resourceType"] == "OperationOutcome"
            assert found["issue"][0]["details"]["text"]


def _send(hub: RunningHub, method: str, path: str, **more: object) -> None:
    request = hub.client.build_request(method, f"{hub.url}/fhir{path}", **more)  # type: ignore[arg-type]
    _check(hub.client.send(request))


# --- paths and queries ----------------------------------------------------------------------

_step = st.one_of(
    st.sampled_from(
        (
            "Patient", "Observation", "Binary", "Bundle", "p", "_history", "_search", "metadata",
            "$validate", "$everything", "$meta", "$meta-add", "$lastn", "$convert", "$expunge",
            "$fhirpath", "$document", "*", "1", "..", ".", "", "%00", "%ff", "%2F", "%", "Device",
        )
    ),
    st.text(max_size=12).map(lambda text: quote(text, safe="")),
)  # fmt: skip
_name = st.one_of(
    st.sampled_from(
        (
            "name", "birthdate", "_id", "_lastUpdated", "identifier", "gender", "_sort", "_count",
            "_include", "_revinclude", "_has:Observation:subject:code", "_summary", "_elements",
            "_total", "_format", "_pretty", "_since", "_at", "_type", "_list", "_text", "_content",
            "_filter", "_contained", "_query", "_cursor", "_explain", "general-practitioner.name",
            "name:exact", "name:contains", "name:missing", "gender:not", "identifier:of-type",
            "birthdate:missing", "organization:Organization.name", "code:in", "_tag", "_profile",
            "value-quantity", "near", "subject", "subject:identifier", "mode", "colour",
        )
    ),
    st.text(max_size=20).map(lambda text: quote(text, safe="")),
)  # fmt: skip
_value = st.one_of(
    st.sampled_from(
        (
            "", "a", "小明", "2020", "ge2020-01-01", "zz2020", "2020-13-99", "10000-01-01", "|",
            "a|b", "a|b|c", "Patient/p", "true", "false", "count", "text", "-1", "0", "1e400",
            "99999999999999999999", "5.4|http://unitsofmeasure.org|mg", "name eq 'a'", "((", "*",
            "Observation:subject", "Patient:*", "Observation:subject:Patient", "\\", "a\\,b", ",",
            "xml", "json", "9" * 400, "a" * 2000, "1|2|3|4", "-90.1|200|1|km", "urn:uuid:x",
        )
    ),
    st.text(max_size=40),
).map(lambda text: quote(text, safe=""))  # fmt: skip
_path = st.lists(_step, max_size=5).map(lambda steps: "/" + "/".join(steps))
_query = st.lists(st.tuples(_name, _value), max_size=4).map(
    lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)
)


@FUZZ
@given(st.sampled_from(METHODS), _path, _query)
@example("GET", "/Patient", "_filter=" + "(" * 2000)
@example("GET", "/Patient", "_has:" * 200 + "=x")
@example("GET", "/Patient", "_include=Patient:link&_include:iterate=Patient:link")
@example("GET", "/Patient/p/$everything", "_since=never&_count=-1")
def test_no_path_breaks_the_hub(hub: RunningHub, method: str, path: str, query: str) -> None:
    _send(hub, method, f"{path}?{query}" if query else path)


@FUZZ
@given(_query)
def test_no_search_breaks_the_hub(hub: RunningHub, query: str) -> None:
    _send(hub, "GET", f"/Observation?{query}")
    form = {"content-type": "application/x-www-form-urlencoded"}
    _send(hub, "POST", "/Patient/_search", content=query.encode(), headers=form)


# --- headers --------------------------------------------------------------------------------

_header = st.tuples(
    st.sampled_from(
        (
            "accept", "accept-language", "accept-encoding", "content-type", "content-encoding",
            "if-match", "if-none-match", "if-modified-since", "if-none-exist", "prefer", "range",
            "x-request-id", "origin", "host", "x-forwarded-host", "if-range", "x-security-context",
            "access-control-request-method", "expect",
        )
    ),
    st.one_of(
        st.sampled_from(
            (
                b"", b"*", b"*/*", b'W/"1"', b'"', b"gzip", b"application/fhir+xml", b"q=;;,",
                b"return=minimal", b"bytes=0-", b"identifier=a|b", b"name=%", b"text/html;q=1",
                b"application/json;charset=x", b"zh", b"null", b"localhost", b"100-continue",
            )
        ),
        st.binary(max_size=40).map(
            lambda raw: bytes(one for one in raw if one >= 0x20 and one != 0x7F).strip()
        ),
    ),
)  # fmt: skip


@FUZZ
@given(
    st.sampled_from(METHODS),
    st.sampled_from(("/Patient/p", "/Patient", "/Binary", "/Binary/b", "/metadata", "/", "/$meta")),
    st.lists(_header, max_size=5),
)
def test_no_header_breaks_the_hub(
    hub: RunningHub, method: str, path: str, headers: list[tuple[str, bytes]]
) -> None:
    body = b'{"resourceType":"Patient","id":"p"}'
    lines = [f"{method} /fhir{path} HTTP/1.1".encode(), b"Connection: close"]
    lines += hub.header_lines.encode().splitlines()
    lines += [f"{name}: ".encode() + value for name, value in headers]
    if not any(name == "host" for name, _ in headers):
        lines.append(b"Host: localhost")
    lines.append(b"Content-Length: %d" % len(body))
    with socket.create_connection(hub.address, 10) as connection:
        connection.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + body)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    answer = answer.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    status = int(answer.split(b" ", 2)[1])
    assert status < 500 or status == 503, answer
    if status >= 400 and method != "HEAD":
        assert b"OperationOutcome" in answer or b"content-encoding: gzip" in answer.lower()


# --- bodies ---------------------------------------------------------------------------------

_GOOD: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("POST", "/Patient", {"resourceType": "Patient", "name": [{"family": "张"}], "active": True}),
    ("PUT", "/Patient/p", {"resourceType": "Patient", "id": "p", "birthDate": "1980-01-01"}),
    (
        "POST",
        "/Observation",
        {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
            "subject": {"reference": "Patient/p"},
            "effectiveDateTime": "2026-03-01T02:00:00+08:00",
            "valueQuantity": {"value": 120.0, "unit": "mmHg"},
        },
    ),
    (
        "POST",
        "/",
        {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [
                {
                    "fullUrl": "urn:uuid:0a5b1c9e-3f2d-4f58-9d3b-0123456789ab",
                    "resource": {"resourceType": "Patient"},
                    "request": {"method": "POST", "url": "Patient", "ifNoneExist": "_id=x"},
                },
                {"request": {"method": "GET", "url": "Patient?name=a"}},
            ],
        },
    ),
    ("POST", "/Patient/$validate", {"resourceType": "Parameters", "parameter": [{"name": "mode"}]}),
    (
        "PATCH",
        "/Patient/p",
        {
            "resourceType": "Parameters",
            "parameter": [
                {
                    "name": "operation",
                    "part": [
                        {"name": "type", "valueCode": "add"},
                        {"name": "path", "valueString": "Patient"},
                        {"name": "name", "valueString": "active"},
                        {"name": "value", "valueBoolean": True},
                    ],
                }
            ],
        },
    ),
    ("POST", "/$fhirpath", {"resourceType": "Parameters", "parameter": [{"name": "expression"}]}),
    (
        "POST",
        "/SearchParameter",
        {
            "resourceType": "SearchParameter",
            "url": "http://example.org/x",
            "name": "x",
            "status": "active",
            "description": "x",
            "code": "x",
            "base": ["Patient"],
            "type": "string",
            "expression": "Patient.name",
        },
    ),
)
_leaf = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=10),
    st.sampled_from(("Patient/p", "2020", "http://x", "Patient", "urn:uuid:", "#a", "DELETE")),
)
_json = st.recursive(
    _leaf,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(
                st.sampled_from(
                    ("resourceType", "id", "meta", "extension", "contained", "entry", "text")
                ),
                st.text(max_size=6),
            ),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=6,
)


def _places(node: object, path: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    yield path
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _places(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _places(value, (*path, index))


@st.composite
def _mutated(draw: st.DrawFn) -> tuple[str, str, bytes]:
    method, path, good = draw(st.sampled_from(_GOOD))
    tree = json.loads(json.dumps(good))
    for _ in range(draw(st.integers(0, 3))):
        *above, last = draw(st.sampled_from(list(_places(tree))[1:] or [("resourceType",)]))
        node = tree
        try:
            for step in above:
                node = node[step]
            node[last] = draw(_json)
        except (KeyError, IndexError, TypeError):
            continue
    data = json.dumps(tree, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 3)) == 0 and data:
        at = draw(st.integers(0, len(data) - 1))
        data = data[:at] + draw(st.binary(max_size=4)) + data[at + draw(st.integers(0, 4)) :]
    return method, path, data


@FUZZ
@given(_mutated(), st.sampled_from(("application/fhir+json", "application/json")), st.booleans())
def test_no_json_breaks_the_hub(
    hub: RunningHub, request_: tuple[str, str, bytes], content_type: str, xml: bool
) -> None:
    method, path, data = request_
    headers = {"content-type": content_type}
    if xml:
        headers["accept"] = "application/fhir+xml"
    _send(hub, method, path, content=data, headers=headers)


_XML = (
    b'<Patient xmlns="http://hl7.org/fhir"><id value="p"/><text><status value="generated"/>'
    b'<div xmlns="http://www.w3.org/1999/xhtml"><p>x</p></div></text>'
    b'<extension url="http://x"><valueDecimal value="1.00"/></extension>'
    b'<name><family value="a"/></name><contained><Patient/></contained></Patient>'
)


@FUZZ
@given(
    st.integers(0, len(_XML)),
    st.integers(0, 30),
    st.one_of(
        st.binary(max_size=8),
        st.sampled_from(
            (
                b"<!DOCTYPE a>", b"<?pi?>", b"<!-- c -->", b"<![CDATA[x]]>", b"&amp;", b"&#0;",
                b'<x xmlns="y"/>', b"<id/>", b' value="2"', b"<Bundle/>", b"\x00", b"<a:b/>",
            )
        ),
    ),
    st.sampled_from((("PUT", "/Patient/p"), ("POST", "/Patient"), ("POST", "/Patient/$validate"))),
)  # fmt: skip
def test_no_xml_breaks_the_hub(
    hub: RunningHub, at: int, cut: int, put: bytes, target: tuple[str, str]
) -> None:
    data = _XML[:at] + put + _XML[at + cut :]
    _send(hub, *target, content=data, headers={"content-type": "application/fhir+xml"})


@FUZZ
@given(_json)
def test_no_json_patch_breaks_the_hub(hub: RunningHub, value: object) -> None:
    patch = [{"op": "add", "path": "/extension", "value": value}, value]
    data = json.dumps(patch).encode()
    headers = {"content-type": "application/json-patch+json"}
    _send(hub, "PATCH", "/Patient/p", content=data, headers=headers)
    _send(hub, "PATCH", "/Patient/p", content=json.dumps(patch[:1]).encode(), headers=headers)


@FUZZ
@given(st.binary(max_size=300), st.sampled_from(METHODS))
def test_no_bytes_at_all_break_the_hub(hub: RunningHub, data: bytes, method: str) -> None:
    with socket.create_connection(hub.address, 10) as connection:
        start = f"{method} /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        connection.sendall((start + hub.header_lines).encode() + data + b"\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while piece := connection.recv(65536):
                answer += piece
        except ConnectionResetError:
            pass
    if answer:
        assert not answer.startswith(b"HTTP/1.1 500"), answer


# --- by the definitions ---------------------------------------------------------------------

MODIFIERS = (
    "", ":exact", ":contains", ":missing", ":not", ":text", ":above", ":below", ":in", ":not-in",
    ":of-type", ":identifier", ":Patient", ":nonsense", ".name", ":Patient.name", ".code.x",
)  # fmt: skip


@st.composite
def _by_definition(draw: st.DrawFn) -> tuple[str, str]:
    """A type and a query of its own parameters, with any modifier and value."""
    type = draw(st.sampled_from(resource_types()))
    codes = sorted(search_parameters_of(type))
    pairs = draw(
        st.lists(
            st.tuples(st.sampled_from(codes), st.sampled_from(MODIFIERS), _value),
            min_size=1,
            max_size=3,
        )
    )
    query = "&".join(f"{code}{modifier}={value}" for code, modifier, value in pairs)
    wanted = draw(st.sampled_from(("", "&_sort=", "&_include=", "&_revinclude=")))
    if wanted == "&_sort=":
        query += wanted + draw(st.sampled_from(("", "-"))) + draw(st.sampled_from(codes))
    elif wanted:
        query += f"{wanted}{type}:{draw(st.sampled_from(codes))}"
    return type, query


@FUZZ
@given(_by_definition())
def test_no_parameter_of_r4_breaks_the_hub(hub: RunningHub, asked: tuple[str, str]) -> None:
    type, query = asked
    _send(hub, "GET", f"/{type}?{query}")
    condition = {"if-none-exist": query, "content-type": "application/fhir+json"}
    _send(
        hub, "POST", f"/{type}", content=b'{"resourceType":"%b"}' % type.encode(), headers=condition
    )


@FUZZ
@given(resources())
def test_any_resource_is_stored_faithfully_or_refused(
    hub: RunningHub, resource: dict[str, object]
) -> None:
    headers = {"content-type": "application/fhir+json", "accept": "application/fhir+json"}
    made = hub.client.post(
        f"/{resource['resourceType']}", content=encode(resource), headers=headers
    )
    _check(made)
    if made.status_code != 201:
        return
    location = made.headers["location"]
    got = hub.client.get(location, headers=headers)
    assert got.status_code == 200
    assert got.content == made.content
    stored, sent = load(got.content), load(encode(resource))
    for name, value in sent.items():
        if name not in ("id", "meta"):
            assert stored[name] == value, name
    xml = hub.client.get(location, headers={"accept": "application/fhir+xml"})
    assert xml.status_code == 200
    again = hub.client.put(
        location.partition("/_history/")[0],
        content=xml.content,
        headers={**headers, "content-type": "application/fhir+xml"},
    )
    assert again.status_code == 200, again.text
    same = load(again.content)
    assert {**same, "meta": None} == {**stored, "meta": None}


@st.composite
def _invocation(draw: st.DrawFn) -> tuple[str, str, bytes]:
    name = draw(st.sampled_from(sorted(OPERATIONS)))
    place = draw(
        st.sampled_from(("", "/Patient", "/Patient/p", "/Bundle", "/Group/g", "/Observation"))
    )
    query = draw(_query)
    part = st.fixed_dictionaries(
        {"name": st.one_of(st.sampled_from(("resource", "mode", "meta", "expression")), _leaf)},
        optional={
            "resource": _json,
            "valueString": _json,
            "valueCode": _json,
            "valueMeta": _json,
            "part": _json,
        },
    )
    body = {"resourceType": "Parameters", "parameter": draw(st.lists(part, max_size=3))}
    return f"{place}/${name}", query, json.dumps(body).encode()


@FUZZ
@given(_invocation())
def test_no_operation_breaks_the_hub(hub: RunningHub, call: tuple[str, str, bytes]) -> None:
    path, query, body = call
    url = f"{path}?{query}" if query else path
    _send(hub, "GET", url)
    _send(hub, "POST", url, content=body, headers={"content-type": "application/fhir+json"})


_entry = st.fixed_dictionaries(
    {
        "request": st.fixed_dictionaries(
            {
                "method": st.sampled_from(("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "x")),
                "url": st.one_of(
                    st.tuples(_path, _query).map(lambda pair: f"{pair[0].lstrip('/')}?{pair[1]}"),
                    st.sampled_from(("Patient", "Patient/p", "Patient?_id=p", "$meta", "metadata")),
                ),
            },
            optional={
                "ifMatch": st.sampled_from(('W/"1"', "x", "")),
                "ifNoneMatch": st.sampled_from(("*", 'W/"1"', "")),
                "ifNoneExist": _query,
                "ifModifiedSince": st.sampled_from(("2026-01-01T00:00:00Z", "yesterday")),
            },
        )
    },
    optional={
        "fullUrl": st.sampled_from(
            ("urn:uuid:0a5b1c9e-3f2d-4f58-9d3b-0123456789ab", "http://x/Patient/1", "")
        ),
        "resource": st.sampled_from(
            (
                {"resourceType": "Patient", "id": "p"},
                {
                    "resourceType": "Patient",
                    "id": "p",
                    "link": [
                        {
                            "type": "seealso",
                            "other": {"reference": "urn:uuid:0a5b1c9e-3f2d-4f58-9d3b-0123456789ab"},
                        }
                    ],
                },
                {
                    "resourceType": "Patient",
                    "generalPractitioner": [{"reference": "Practitioner?identifier=a|b"}],
                },
                {
                    "resourceType": "Binary",
                    "contentType": "application/json-patch+json",
                    "data": "W10=",
                },
                {"resourceType": "Bundle", "type": "batch", "entry": []},
            )
        ),
    },
)


@FUZZ
@given(st.sampled_from(("batch", "transaction")), st.lists(_entry, max_size=4))
def test_no_bundle_breaks_the_hub(
    hub: RunningHub, type: str, entries: list[dict[str, object]]
) -> None:
    body = {"resourceType": "Bundle", "type": type, "entry": entries}
    headers = {"content-type": "application/fhir+json"}
    request = hub.client.build_request("POST", "/", content=json.dumps(body), headers=headers)
    response = hub.client.send(request)
    _check(response)
    if response.status_code == 200:
        for entry in response.json().get("entry", ()):
            assert not entry["response"]["status"].startswith("500"), entry
